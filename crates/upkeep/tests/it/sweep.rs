//! The sweep takes strays and nothing else.

use base::{Seams, Span, Version};
use bytes::Bytes;
use catalog::{IndexSettings, Mode, NewIndex};
use storage::Store;
use testkit::{S3Server, TestLake};
use upkeep::Sweep;

use crate::support::{answers, columns, compact_all, keep_last, load, open, paths, publish, sweep_now, upkeep};

/// A lake with strays of every kind, and the paths of those.
async fn littered(store: &Store) -> (catalog::Catalog, Vec<String>) {
    let catalog = open(store).await;
    load(&catalog, "t", Mode::Append, &[1]).await.unwrap();
    load(&catalog, "t", Mode::Replace, &[2, 3]).await.unwrap();
    let pin = catalog.pin(None).await.unwrap();
    let home = catalog.table(&pin, &"t".parse().unwrap()).await.unwrap().location().to_owned();
    let strays = [
        "_lake/indexes/11111111-2222-4333-8444-555555555555.json".to_owned(),
        format!("{home}/data/never-published.parquet"),
        format!("{home}/metadata/snap-1.avro"),
        "indexes/gone-0011223344/fragments/00000000000000000001.lhvf".to_owned(),
        "tables/deep/er/t/data/p=1/a.parquet".to_owned(),
        "tables/never-0011223344/data/a.parquet".to_owned(),
        "tables/never-0011223344/rejected/a.csv".to_owned(),
    ];
    for stray in &strays {
        store.put(stray, Bytes::from_static(b"stray")).await.unwrap();
    }
    for other in ["objects/mine", "runs/a", &format!("{home}/notes.txt"), &format!("{home}/rejected/lines.csv")] {
        store.put(other, Bytes::from_static(b"kept")).await.unwrap();
    }
    let mut strays = strays.to_vec();
    strays.sort();
    (catalog, strays)
}

/// Sweeps a littered lake, dry and wet.
async fn check_sweep(store: &Store) {
    let (catalog, strays) = littered(store).await;
    let (before, stored) = (answers(&catalog).await, paths(store, "").await);
    let upkeep = upkeep(&catalog);
    let dry = upkeep.sweep(&Sweep { dry_run: true, ..sweep_now() }).await.unwrap();
    assert_eq!(paths(store, "").await, stored, "a dry run writes and deletes nothing");
    let wet = upkeep.sweep(&sweep_now()).await.unwrap();
    let named = |swept: &upkeep::Swept| {
        let mut named: Vec<_> = swept.strays.iter().map(|stray| stray.path.clone()).collect();
        named.sort();
        named
    };
    assert_eq!((named(&dry), named(&wet)), (strays.clone(), strays.clone()));
    assert_eq!((wet.files, wet.bytes, dry.version, wet.version), (7, 35, None, Some(Version(3))));
    let left = paths(store, "").await;
    assert!(stored.iter().all(|path| left.contains(path) != strays.contains(path)));
    let mut expected = before.clone();
    expected.insert(Version(3), before[&Version(2)].clone());
    assert_eq!(answers(&open(store).await).await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn strays_go_and_all_else_stays() {
    check_sweep(&TestLake::open().await.store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn strays_go_on_s3_too() {
    let Some(server) = S3Server::start("strays_go_on_s3_too") else { return };
    let store = Store::open(&server.location("swept"), &server.config(), Seams::system()).await.unwrap();
    let grace = Span::secs(1);
    let (catalog, strays) = littered(&store).await;
    let kept = upkeep(&catalog).sweep(&Sweep { grace: Span::secs(3600), ..sweep_now() }).await.unwrap();
    assert_eq!(kept.files, 0, "by the clock of the store, all are young");
    // Times of S3 are whole seconds: what was written before the next one begins is older than a moment then.
    let written = catalog.store_time().await.unwrap();
    while catalog.store_time().await.unwrap().micros() - written.micros() < 2_000_000 {}
    let swept = upkeep(&catalog).sweep(&Sweep { grace, ..sweep_now() }).await.unwrap();
    assert_eq!(swept.files, strays.len() as u64);
    assert_eq!(answers(&catalog).await.len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_young_stays() {
    let lake = TestLake::open().await;
    let (catalog, _) = littered(&lake.store).await;
    let swept = upkeep(&catalog).sweep(&Sweep { grace: Span::secs(3600), ..sweep_now() }).await.unwrap();
    assert_eq!((swept.files, swept.strays), (0, vec![]));
}

#[tokio::test(flavor = "multi_thread")]
async fn expiry_makes_strays_of_what_only_old_versions_reached() {
    let lake = TestLake::open().await;
    let catalog = open(&lake.store).await;
    for id in 0..6 {
        load(&catalog, "t", Mode::Append, &[id]).await.unwrap();
    }
    let upkeep = upkeep(&catalog);
    upkeep.compact(&compact_all()).await.unwrap();
    assert_eq!(upkeep.sweep(&sweep_now()).await.unwrap().files, 0, "every version is kept so far");
    catalog.expire(&keep_last(1)).await.unwrap();
    let kept = answers(&catalog).await;
    assert!(upkeep.sweep(&sweep_now()).await.unwrap().files > 6);
    assert_eq!(paths(&lake.store, "tables/").await.iter().filter(|path| path.contains("/data/")).count(), 1);
    let after = answers(&open(&lake.store).await).await;
    assert!(kept.iter().all(|(version, answer)| after[version] == *answer));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_index_goes_with_the_last_version_that_knows_it() {
    let lake = TestLake::open().await;
    let catalog = open(&lake.store).await;
    let settings =
        IndexSettings { dimension: 2, distance: base::Distance::Cosine, m: 16, ef_search: None, model: None };
    let new = NewIndex { name: "i".parse().unwrap(), settings, author: "test".into() };
    let (entry, _) = catalog.create_index(new).await.unwrap();
    let fragment = format!("{}/fragments/00000000000000000001.lhvf", entry.location);
    let note = format!("_lake/indexes/{}.json", entry.index_id);
    for path in [&fragment, &note] {
        lake.store.put(path, Bytes::from_static(b"items")).await.unwrap();
    }
    catalog.drop_index(&"i".parse().unwrap(), "test").await.unwrap();
    assert_eq!(upkeep(&catalog).sweep(&sweep_now()).await.unwrap().files, 0, "version 1 knows it");
    catalog.expire(&keep_last(1)).await.unwrap();
    let swept = upkeep(&catalog).sweep(&sweep_now()).await.unwrap();
    assert_eq!(swept.strays.iter().map(|stray| stray.path.as_str()).collect::<Vec<_>>(), [note, fragment]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_lies_deeper_is_kept_and_swept_like_others() {
    let lake = TestLake::open().await;
    let (catalog, name) = (open(&lake.store).await, "t".parse().unwrap());
    let mut draft = catalog.draft(&name, &columns()).unwrap();
    draft.location = "tables/data/of/t".into();
    publish(&catalog, draft, Mode::Append, &[1]).await.unwrap();
    load(&catalog, "t", Mode::Append, &[2]).await.unwrap();
    let upkeep = upkeep(&catalog);
    assert_eq!(upkeep.sweep(&sweep_now()).await.unwrap().files, 0);
    catalog.drop_dataset(&name, "test").await.unwrap();
    catalog.expire(&keep_last(1)).await.unwrap();
    let stored = paths(&lake.store, "tables/").await.len() as u64;
    assert_eq!((stored > 6, upkeep.sweep(&sweep_now()).await.unwrap().files), (true, stored));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_does_not_read_is_not_touched() {
    let lake = TestLake::open().await;
    let (catalog, strays) = littered(&lake.store).await;
    let pin = catalog.pin(None).await.unwrap();
    let metadata = pin.entry(&"t".parse().unwrap()).unwrap().metadata.clone();
    lake.store.put(&metadata, Bytes::from_static(b"{")).await.unwrap();
    let swept = upkeep(&open(&lake.store).await).sweep(&sweep_now()).await.unwrap();
    assert_eq!(swept.unread.len(), 1);
    assert_eq!(swept.files, strays.iter().filter(|path| !path.starts_with("tables/t-")).count() as u64);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_writer_whose_files_were_swept_is_told_so() {
    let lake = TestLake::open().await;
    let catalog = open(&lake.store).await;
    load(&catalog, "t", Mode::Append, &[1]).await.unwrap();
    let pin = catalog.pin(None).await.unwrap();
    let draft = catalog.table(&pin, &"t".parse().unwrap()).await.unwrap().draft();
    let files = vec![crate::support::stage(&catalog, &draft, &[2]).await.unwrap()];
    upkeep(&catalog).sweep(&sweep_now()).await.unwrap();
    let source = catalog::Source { sha256: "x".into(), options: "csv".into() };
    let publication = catalog::Publication {
        draft,
        mode: Mode::Append,
        files,
        source,
        author: "test".into(),
        message: "late".into(),
        request: None,
        idempotency_key: None,
    };
    let error = catalog.publish(publication).await.unwrap_err();
    assert!(matches!(error, catalog::Error::Moved { .. }), "{error}");
    assert_eq!(crate::support::ids(&catalog, "t").await, [1]);
}
