//! Vector indexes in the catalog: they are created once, dropped once, and stand in the log and in checkpoints.

use std::sync::Arc;

use base::{AsOf, Distance, Fault, IndexName, Kind, Seams, Version};
use catalog::{Catalog, IndexEntry, IndexModel, IndexSettings, Mode, NewIndex, Result};
use futures::future::join_all;
use storage::Store;
use testkit::{Fickle, Mishap, TestLake};

use crate::support::{config, ids, load, open};

pub fn settings(dimension: u32) -> IndexSettings {
    IndexSettings { dimension, distance: Distance::Cosine, m: 16, ef_search: None, model: None }
}

pub fn name(text: &str) -> IndexName {
    text.parse().unwrap()
}

pub async fn create(catalog: &Catalog, index: &str, dimension: u32) -> Result<(Arc<IndexEntry>, Version)> {
    let new = NewIndex { name: name(index), settings: settings(dimension), author: "test".into() };
    catalog.create_index(new).await
}

/// The names and dimensions of the indexes in the newest version.
async fn known(catalog: &Catalog) -> Vec<(String, u32)> {
    let pin = catalog.pin_fresh().await.unwrap();
    pin.indexes().map(|(name, entry)| (name.to_string(), entry.settings.dimension)).collect()
}

#[tokio::test]
async fn an_index_is_created_found_and_dropped() {
    let lake = TestLake::open().await;
    let catalog = open(&lake.store).await;
    let model = IndexModel { name: "all-MiniLM-L6-v2".into(), fingerprint: "f".repeat(64) };
    let settings =
        IndexSettings { distance: Distance::Dot, ef_search: Some(99), model: Some(model), m: 8, ..settings(384) };
    let new = NewIndex { name: name("people"), settings: settings.clone(), author: "test".into() };
    let (entry, version) = catalog.create_index(new).await.unwrap();
    assert_eq!((version, entry.version, &entry.settings), (Version(1), Version(1), &settings));
    assert!(entry.location.starts_with("indexes/people-"), "{}", entry.location);
    for catalog in [&catalog, &open(&lake.reopen().await).await] {
        assert_eq!(catalog.index(&name("people"), None).await.unwrap(), (Arc::clone(&entry), Version(1)));
    }
    load(&catalog, "t", Mode::Append, &[1]).await.unwrap();
    assert_eq!(catalog.drop_index(&name("people"), "test").await.unwrap(), Version(3));
    assert_eq!(known(&catalog).await, []);
    let before = catalog.pin(Some(&AsOf::Version(Version(2)))).await.unwrap();
    assert_eq!(before.index(&name("people")), Some(&entry));
}

#[tokio::test]
async fn what_is_not_there_or_there_already_is_said_so() {
    let lake = TestLake::open().await;
    let catalog = open(&lake.store).await;
    create(&catalog, "people", 3).await.unwrap();
    let exists = create(&catalog, "people", 3).await.unwrap_err();
    assert_eq!((exists.kind(), exists.code()), (Kind::Conflict, "catalog.index_exists"));
    assert_eq!(exists.to_string(), "there is an index people already");
    for missing in [
        catalog.drop_index(&name("peopel"), "test").await.unwrap_err(),
        catalog.index(&name("peopel"), None).await.unwrap_err(),
    ] {
        assert_eq!((missing.kind(), missing.code()), (Kind::NotFound, "catalog.index_not_found"));
        assert_eq!(missing.to_string(), "there is no index peopel; did you mean people?");
        assert_eq!(missing.facts()["near"], serde_json::json!(["people"]));
    }
    assert_eq!(catalog.pin(None).await.unwrap().version(), Version(1));
}

#[tokio::test]
async fn a_name_used_again_is_another_index_elsewhere() {
    let lake = TestLake::open().await;
    let catalog = open(&lake.store).await;
    let (first, _) = create(&catalog, "people", 3).await.unwrap();
    catalog.drop_index(&name("people"), "test").await.unwrap();
    let (second, version) = create(&catalog, "people", 4).await.unwrap();
    assert_eq!((version, second.version), (Version(3), Version(3)));
    assert_ne!((first.index_id, &first.location), (second.index_id, &second.location));
    assert!(second.created_at >= first.created_at);
}

/// Two processes create the same names at once; answers how often each call of each name won.
async fn race(catalogs: [Catalog; 2], names: usize) {
    let calls = (0..names * 8).map(|call| {
        let catalog = catalogs[call % 2].clone();
        let dimension = u32::try_from(call).unwrap() + 1;
        storage::task::spawn("test", async move { create(&catalog, &format!("i{}", call / 8), dimension).await })
    });
    let mut winners = Vec::new();
    for (call, done) in join_all(calls).await.into_iter().enumerate() {
        match done.unwrap() {
            Ok((entry, _)) => winners.push((format!("i{}", call / 8), entry.settings.dimension)),
            Err(error) => assert_eq!(error.code(), "catalog.index_exists"),
        }
    }
    winners.sort();
    assert_eq!(winners.len(), names, "one winner for each name");
    for catalog in &catalogs {
        assert_eq!(known(catalog).await, winners);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_racing_creators_in_two_processes_one_wins() {
    let lake = TestLake::open().await;
    race([open(&lake.store).await, open(&lake.reopen().await).await], 9).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_racing_creators_on_s3_one_wins() {
    let Some(server) = testkit::S3Server::start("catalog::indexes::s3") else { return };
    let open = || async {
        let store = Store::open(&server.location("lake"), &server.config(), Seams::system()).await.unwrap();
        let settings = catalog::Config { commit_timeout: base::Span::secs(30), ..config() };
        Catalog::open(store, &settings, Seams::system()).await.unwrap()
    };
    race([open().await, open().await], 3).await;
}

#[tokio::test]
async fn tables_and_indexes_of_one_name_share_records_and_do_not_meet() {
    let lake = TestLake::open().await;
    let catalog = open(&lake.store).await;
    let (table, index) = tokio::join!(load(&catalog, "x", Mode::Append, &[1]), create(&catalog, "x", 3));
    table.unwrap();
    index.unwrap();
    let x = name("x");
    let (append, dropped) = tokio::join!(load(&catalog, "x", Mode::Append, &[2]), catalog.drop_index(&x, "test"));
    append.unwrap();
    dropped.unwrap();
    assert_eq!((ids(&catalog, "x").await, known(&catalog).await), (vec![1, 2], vec![]));
}

#[tokio::test]
async fn a_lost_reply_creates_one_index() {
    use Mishap::{FailsBefore, LosesReply, TakenByItself};
    let plans: [&[Mishap]; 4] = [&[LosesReply], &[TakenByItself], &[FailsBefore], &[TakenByItself, FailsBefore]];
    for plan in plans {
        let fickle = Fickle::new();
        let catalog = open(&fickle.store()).await;
        fickle.plan(plan);
        let (_, version) = create(&catalog, "people", 3).await.unwrap();
        assert_eq!(version, Version(1), "{plan:?}");
        fickle.plan(plan);
        assert_eq!(catalog.drop_index(&name("people"), "test").await.unwrap(), Version(2), "{plan:?}");
        assert_eq!(known(&open(&fickle.store()).await).await, []);
    }
}

#[tokio::test]
async fn checkpoints_hold_indexes() {
    let lake = TestLake::open().await;
    let settings = catalog::Config { checkpoint_every: 2, ..config() };
    let catalog = Catalog::open(lake.store.clone(), &settings, Seams::system()).await.unwrap();
    create(&catalog, "a", 1).await.unwrap();
    let (b, _) = create(&catalog, "b", 2).await.unwrap();
    catalog.drop_index(&name("a"), "test").await.unwrap();
    // Opening writes the checkpoint that is due, whatever became of the one that was written beside the commits.
    drop(Catalog::open(lake.reopen().await, &settings, Seams::system()).await.unwrap());
    let page = lake.store.list("_lake/checkpoints/", None, 100).await.unwrap();
    let newest = page.entries.last().unwrap().path.clone();
    // Without the records below the checkpoint only it can tell of `b`.
    let checkpointed: u64 =
        newest.trim_start_matches("_lake/checkpoints/").trim_end_matches(".parquet").parse().unwrap();
    for version in 1..checkpointed {
        lake.store.delete(&format!("_lake/log/{version:020}.json")).await.unwrap();
    }
    let again = open(&lake.reopen().await).await;
    assert_eq!(again.index(&name("b"), None).await.unwrap(), (b, Version(3)));
    assert_eq!(known(&again).await, [("b".to_owned(), 2)]);
}
