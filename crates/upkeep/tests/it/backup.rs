//! A version copied out and put back, or refused.

use base::{AsOf, Fault, Kind, Seams, Version};
use bytes::Bytes;
use catalog::{Catalog, Mode};
use storage::{Location, Store};
use testkit::{Bucket, Fickle, TestLake};
use upkeep::{Error, restore};

use crate::support::{answer, answers, compact_all, config, ids, keep_last, load, open, paths, sweep_now, upkeep};

/// A lake with some past, a second dataset, tags and an index.
async fn lived(store: &Store) -> Catalog {
    let catalog = open(store).await;
    for id in 1..=5 {
        load(&catalog, "t", Mode::Append, &[id]).await.unwrap();
    }
    load(&catalog, "other.u", Mode::Replace, &[7, 8]).await.unwrap();
    catalog.put_tag(&"five".parse().unwrap(), Some(&AsOf::Version(Version(5))), "test").await.unwrap();
    load(&catalog, "t", Mode::Replace, &[100]).await.unwrap();
    catalog
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_comes_back_as_a_lake_of_its_own() {
    let (lake, place, other) = (TestLake::open().await, TestLake::open().await, TestLake::open().await);
    let catalog = lived(&lake.store).await;
    let as_of = "five".parse().unwrap();
    let backed_up = upkeep(&catalog).back_up(&place.store, Some(&as_of)).await.unwrap();
    assert_eq!((backed_up.version, backed_up.datasets), (Version(5), 1));
    assert!(Catalog::open(place.store.clone(), &config(), base::Seams::system()).await.is_err(), "a backup is no lake");
    let restored = restore(&place.store, &other.store).await.unwrap();
    assert_eq!((restored.version, restored.files), (Version(5), backed_up.files));
    let again = open(&other.store).await;
    let expected = answers(&catalog).await[&Version(5)].clone();
    let found = answers(&again).await;
    assert_eq!(found.into_iter().collect::<Vec<_>>(), [(Version(5), expected)]);
    let (pin, name) = (again.pin(None).await.unwrap(), "t".parse().unwrap());
    let told = again.history(&pin, &name, 10, None).await.unwrap().items;
    assert_eq!(
        told.iter().map(|line| line.version).collect::<Vec<_>>(),
        [Some(Version(5))],
        "no snapshot without its files"
    );
    let tagged = again.pin(Some(&as_of)).await.unwrap();
    assert_eq!(tagged.version(), Version(5));
    let published = load(&again, "t", Mode::Append, &[6]).await.unwrap();
    assert_eq!((published.version, ids(&again, "t").await), (Version(6), vec![1, 2, 3, 4, 5, 6]));
    let keeper = upkeep(&again);
    keeper.compact(&compact_all()).await.unwrap();
    assert_eq!(keeper.sweep(&sweep_now()).await.unwrap().unread, Vec::<String>::new());
    assert_eq!(ids(&open(&other.store).await, "t").await, [1, 2, 3, 4, 5, 6]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_newest_version_is_copied_while_a_writer_goes_on() {
    let (lake, place) = (TestLake::open().await, TestLake::open().await);
    let catalog = lived(&lake.store).await;
    let writer = open(&lake.store).await;
    let writing = async {
        for id in 0..10 {
            load(&writer, "t", Mode::Append, &[200 + id]).await.unwrap();
        }
    };
    let keeper = upkeep(&catalog);
    let (backed_up, ()) = tokio::join!(keeper.back_up(&place.store, None), writing);
    let backed_up = backed_up.unwrap();
    let target = testkit::lake::memory().await;
    restore(&place.store, &target).await.unwrap();
    let pin = catalog.pin(Some(&AsOf::Version(backed_up.version))).await.unwrap();
    let restored = open(&target).await;
    assert_eq!(answer(&restored, &restored.pin(None).await.unwrap()).await, answer(&catalog, &pin).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_empty_is_refused() {
    let (lake, place) = (TestLake::open().await, testkit::lake::memory().await);
    let catalog = lived(&lake.store).await;
    let refused = upkeep(&catalog).back_up(&lake.store, None).await.unwrap_err();
    assert_eq!(refused.code(), "upkeep.occupied");
    upkeep(&catalog).back_up(&place, None).await.unwrap();
    assert_eq!(restore(&place, &lake.store).await.unwrap_err().code(), "upkeep.occupied");
    let fresh = open(&testkit::lake::memory().await).await;
    let refused = upkeep(&fresh).back_up(&testkit::lake::memory().await, None).await.unwrap_err();
    assert_eq!(refused.code(), "upkeep.empty_lake");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_that_is_not_what_it_was_makes_no_lake() {
    let lake = TestLake::open().await;
    let catalog = lived(&lake.store).await;
    let backup = testkit::lake::memory().await;
    upkeep(&catalog).back_up(&backup, None).await.unwrap();
    for path in paths(&backup, "").await {
        let whole = backup.get(&path).await.unwrap();
        let mut torn = whole.to_vec();
        let middle = torn.len() / 2;
        torn[middle] ^= 1;
        for damage in [Some(Bytes::from(torn)), Some(whole.slice(..whole.len() - 1)), None] {
            match damage {
                Some(bytes) => drop(backup.put(&path, bytes).await.unwrap()),
                None => backup.delete(&path).await.unwrap(),
            }
            let target = testkit::lake::memory().await;
            let restored = restore(&backup, &target).await;
            // Of the heading, only what it says about files can be compared.
            if path != "backup.json" {
                assert!(matches!(restored, Err(Error::DamagedBackup { .. })), "{path}: {restored:?}");
            }
            if let Err(error) = restored {
                assert!(matches!(error.kind(), Kind::Damaged | Kind::NotFound), "{path}: {error}");
                assert!(!target.exists("_lake/format.json").await.unwrap(), "{path}");
            }
            backup.put(&path, whole.clone()).await.unwrap();
        }
    }
    restore(&backup, &testkit::lake::memory().await).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_restore_is_no_lake_and_can_be_finished() {
    let lake = TestLake::open().await;
    let catalog = lived(&lake.store).await;
    let (backup, other, target) =
        (testkit::lake::memory().await, testkit::lake::memory().await, testkit::lake::memory().await);
    upkeep(&catalog).back_up(&backup, None).await.unwrap();
    upkeep(&catalog).back_up(&other, Some(&AsOf::Version(Version(2)))).await.unwrap();
    let data = paths(&backup, "tables/").await.pop().unwrap();
    let bytes = backup.get(&data).await.unwrap();
    backup.delete(&data).await.unwrap();
    restore(&backup, &target).await.unwrap_err();
    // However early it ended.
    let begun = testkit::lake::memory().await;
    begun.put("_lake/restore.json", target.get("_lake/restore.json").await.unwrap()).await.unwrap();
    let refused = Catalog::open(begun.clone(), &config(), base::Seams::system()).await;
    assert_eq!(refused.err().unwrap().code(), "catalog.damaged");
    assert!(!begun.exists("_lake/format.json").await.unwrap());
    assert!(Catalog::open(target.clone(), &config(), base::Seams::system()).await.is_err());
    assert_eq!(restore(&other, &target).await.unwrap_err().code(), "upkeep.occupied");
    backup.put(&data, bytes).await.unwrap();
    restore(&backup, &target).await.unwrap();
    assert_eq!(ids(&open(&target).await, "t").await, [100]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_expires_under_the_copy_is_no_damage() {
    let lake = TestLake::open().await;
    let (catalog, other) = (lived(&lake.store).await, open(&lake.store).await);
    catalog.drop_tag(&"five".parse().unwrap(), "test").await.unwrap();
    let (place, third, keeper) = (testkit::lake::memory().await, AsOf::Version(Version(3)), upkeep(&other));
    let expiring = async {
        catalog.expire(&keep_last(1)).await.unwrap();
        upkeep(&catalog).sweep(&sweep_now()).await.unwrap();
    };
    let (backed_up, ()) = tokio::join!(keeper.back_up(&place, Some(&third)), expiring);
    match backed_up {
        Ok(_) => drop(restore(&place, &testkit::lake::memory().await).await.unwrap()),
        Err(error) => assert!(["upkeep.vanished", "catalog.unknown_version"].contains(&error.code()), "{error:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lake_that_is_damaged_is_not_backed_up() {
    let lake = TestLake::open().await;
    let catalog = lived(&lake.store).await;
    let pin = catalog.pin(Some(&AsOf::Version(Version(3)))).await.unwrap();
    let table = catalog.table(&pin, &"t".parse().unwrap()).await.unwrap();
    let file = table.files().await.unwrap()[0].clone();
    let cut = lake.store.get(&file.path).await.unwrap().slice(..50);
    for damage in [Some(cut), None] {
        match damage {
            Some(bytes) => drop(lake.store.put(&file.path, bytes).await.unwrap()),
            None => lake.store.delete(&file.path).await.unwrap(),
        }
        let refused = upkeep(&catalog).back_up(&testkit::lake::memory().await, Some(&AsOf::Version(Version(3)))).await;
        let refused = refused.unwrap_err();
        assert_eq!(refused.code(), "catalog.damaged");
        assert!(refused.to_string().contains(&file.path), "{refused}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_fails_is_no_damaged_backup() {
    let lake = TestLake::open().await;
    let bucket = Bucket::new(Seams::system());
    upkeep(&lived(&lake.store).await).back_up(&bucket.store(), None).await.unwrap();
    let backup = Fickle::over(bucket, 1, false).store();
    let target = testkit::lake::memory().await;
    let failed = restore(&backup, &target).await.unwrap_err();
    assert!(matches!(failed, Error::Storage(_)), "{failed:?}");
    assert_eq!(paths(&target, "").await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn no_backup_lies_in_its_lake_and_no_lake_in_its_backup() {
    let (lake, place) = (TestLake::open().await, TestLake::open().await);
    let keeper = upkeep(&lived(&lake.store).await);
    keeper.back_up(&place.store, None).await.unwrap();
    let within = async |outer: &TestLake| {
        let inner = Location::Directory(outer.path().join("kept"));
        Store::open(&inner, &testkit::lake::config(), Seams::system()).await.unwrap()
    };
    let refused = keeper.back_up(&within(&lake).await, None).await.unwrap_err();
    assert_eq!((refused.kind(), refused.code()), (Kind::Invalid, "upkeep.nested"));
    assert_eq!(refused.to_string(), "the place of the backup lies within the lake: choose one outside of it");
    let refused = restore(&place.store, &within(&place).await).await.unwrap_err();
    assert_eq!(refused.to_string(), "the place of the restored lake lies within the backup: choose one outside of it");
}
