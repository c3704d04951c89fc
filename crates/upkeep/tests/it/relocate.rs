//! A lake that was copied works at once, and after relocation its metadata names the new place only.

use std::path::Path;

use base::Seams;
use catalog::{Catalog, Mode};
use storage::{Location, Store};
use tempfile::TempDir;
use testkit::TestLake;
use testkit::lake::copy_tree;

use crate::support::{answers, compact_all, config, ids, load, open, sweep_now, upkeep};

async fn store_at(path: &Path) -> Store {
    let location = Location::Directory(path.to_owned());
    Store::open(&location, &testkit::lake::config(), Seams::system()).await.unwrap()
}

/// A lake and its copy in another directory.
async fn copied() -> (TestLake, TempDir, Store) {
    let lake = TestLake::open().await;
    let catalog = open(&lake.store).await;
    for id in 1..=3 {
        load(&catalog, "t", Mode::Append, &[id]).await.unwrap();
    }
    load(&catalog, "t", Mode::Replace, &[4, 5]).await.unwrap();
    load(&catalog, "u", Mode::Append, &[6]).await.unwrap();
    let place = TempDir::new().unwrap();
    let path = place.path().join("within").join("lake");
    copy_tree(lake.path(), &path);
    let store = store_at(&path).await;
    (lake, place, store)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_works_at_once_and_so_does_the_original() {
    let (lake, _place, store) = copied().await;
    let (original, copy) = (open(&lake.store).await, open(&store).await);
    assert_eq!(answers(&copy).await, answers(&original).await);
    load(&copy, "t", Mode::Append, &[10]).await.unwrap();
    load(&original, "t", Mode::Append, &[20]).await.unwrap();
    upkeep(&copy).compact(&compact_all()).await.unwrap();
    assert_eq!(upkeep(&copy).sweep(&sweep_now()).await.unwrap().files, 0);
    assert_eq!((ids(&copy, "t").await, ids(&original, "t").await), (vec![4, 5, 10], vec![4, 5, 20]));
}

#[tokio::test(flavor = "multi_thread")]
async fn after_relocation_nothing_of_the_newest_version_lies_elsewhere() {
    let (lake, _place, store) = copied().await;
    let before = answers(&open(&store).await).await;
    let relocated = Catalog::relocate(store.clone(), &config(), Seams::system(), "test").await.unwrap();
    assert_eq!((relocated.root.as_str(), relocated.tables, relocated.left_alone.len()), (store.uri(), 2, 0));
    let catalog = open(&store).await;
    let after = answers(&catalog).await;
    assert!(before.iter().all(|(version, answer)| after[version] == *answer), "earlier versions read as before");
    let newest = *after.keys().next_back().unwrap();
    assert_eq!((Some(newest), &after[&newest]), (relocated.version, &before[before.keys().next_back().unwrap()]));
    // Without the memory of other places, the newest version still reads, also the snapshots that it lists.
    let plate = store.get("_lake/format.json").await.unwrap();
    let mut plate: serde_json::Value = serde_json::from_slice(&plate).unwrap();
    plate["former_roots"] = serde_json::json!([]);
    store.put("_lake/format.json", plate.to_string().into()).await.unwrap();
    let forgetful = open(&store).await;
    assert_eq!((ids(&forgetful, "t").await, ids(&forgetful, "u").await), (vec![4, 5], vec![6]));
    load(&forgetful, "t", Mode::Append, &[7]).await.unwrap();
    upkeep(&forgetful).compact(&compact_all()).await.unwrap();
    assert_eq!(ids(&forgetful, "t").await, [4, 5, 7]);
    assert_eq!(ids(&open(&lake.store).await, "t").await, [4, 5], "the original never knew");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relocated_lake_is_not_relocated_again_and_can_move_on() {
    let (_lake, place, store) = copied().await;
    Catalog::relocate(store.clone(), &config(), Seams::system(), "test").await.unwrap();
    let again = Catalog::relocate(store.clone(), &config(), Seams::system(), "test").await.unwrap();
    assert_eq!((again.version, again.tables), (None, 0));
    let expected = answers(&open(&store).await).await;
    let third = place.path().join("third");
    copy_tree(&place.path().join("within").join("lake"), &third);
    let third = store_at(&third).await;
    let moved = Catalog::relocate(third.clone(), &config(), Seams::system(), "test").await.unwrap();
    assert_eq!(moved.tables, 2);
    let found = answers(&open(&third).await).await;
    assert!(expected.iter().all(|(version, answer)| found[version] == *answer));
}
