//! Stored formats: a lake that an earlier release wrote opens for ever, wherever it was copied to.

use std::path::{Path, PathBuf};

use base::{AsOf, Distance, Seams, Version};
use catalog::{Catalog, IndexModel, IndexSettings, Mode, NewIndex};
use storage::Store;
use testkit::TestLake;

use crate::indexes::{create, name, settings as settings_of};
use crate::support::{config, ids, ids_at, load, open, put_object, registration};

/// Where a lake of an earlier release lies.
fn at(lake: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/formats").join(lake)
}

/// The life of the lakes that are kept as `v1/lake` and `v4/lake`.
async fn live(store: &Store) {
    let settings = catalog::Config { checkpoint_every: 3, ..config() };
    let catalog = Catalog::open(store.clone(), &settings, Seams::system()).await.unwrap();
    load(&catalog, "workers", Mode::Replace, &[1, 2, 3]).await.unwrap();
    load(&catalog, "workers", Mode::Append, &[4]).await.unwrap();
    put_object(store, "in/a.parquet", &[7, 8]).await;
    catalog.register(registration("hr.registered", &["in/a.parquet"], 2)).await.unwrap();
    crate::support::load_keyed(&catalog, "workers", Mode::Replace, &[5], Some("key")).await.unwrap();
    catalog.close().await;
}

/// The life of the lakes that are kept as `v1/indexes` and `v4/indexes`: one index that a checkpoint knows, one that
/// only the log knows.
async fn live_with_indexes(store: &Store) {
    let settings = catalog::Config { checkpoint_every: 3, ..config() };
    let catalog = Catalog::open(store.clone(), &settings, Seams::system()).await.unwrap();
    let model = IndexModel { name: "all-MiniLM-L6-v2".into(), fingerprint: "f".repeat(64) };
    for (index, distance, ef_search, model) in
        [("people", Distance::Cosine, None, Some(model)), ("dropped", Distance::Dot, Some(64), None)]
    {
        let settings = IndexSettings { distance, ef_search, model, ..settings_of(384) };
        let new = NewIndex { name: name(index), settings, author: "test".into() };
        catalog.create_index(new).await.unwrap();
    }
    catalog.drop_index(&name("dropped"), "test").await.unwrap();
    create(&catalog, "late", 3).await.unwrap();
    catalog.close().await;
}

async fn assert_lived(catalog: &Catalog) {
    assert_eq!(ids(catalog, "workers").await, [5]);
    assert_eq!(ids(catalog, "hr.registered").await, [7, 8]);
    let pin = catalog.pin(Some(&AsOf::Version(Version(2)))).await.unwrap();
    assert_eq!(ids_at(catalog, &pin, "workers").await, [1, 2, 3, 4]);
    let again = crate::support::load_keyed(catalog, "workers", Mode::Replace, &[5], Some("key")).await.unwrap();
    assert!(again.version <= catalog.pin(None).await.unwrap().version());
    load(catalog, "workers", Mode::Append, &[6]).await.unwrap();
    assert_eq!(ids(catalog, "workers").await, [5, 6]);
}

async fn assert_indexed(store: &Store) {
    assert!(store.exists("_lake/checkpoints/00000000000000000003.parquet").await.unwrap());
    let catalog = open(store).await;
    let pin = catalog.pin(None).await.unwrap();
    assert_eq!(pin.indexes().map(|(name, _)| name.to_string()).collect::<Vec<_>>(), ["late", "people"]);
    let model = IndexModel { name: "all-MiniLM-L6-v2".into(), fingerprint: "f".repeat(64) };
    let people = pin.index(&name("people")).unwrap();
    assert_eq!(people.settings, IndexSettings { model: Some(model), ..settings_of(384) });
    assert_eq!(pin.index(&name("late")).unwrap().settings, settings_of(3));
    create(&catalog, "dropped", 5).await.unwrap();
}

#[tokio::test]
async fn a_copied_lake_opens_reads_and_goes_on_under_another_root() {
    let lake = TestLake::open().await;
    live(&lake.store).await;
    let copy = TestLake::copy_of(lake.path()).await;
    assert_lived(&open(&copy.store).await).await;
    // The original did not notice.
    assert_eq!(ids(&open(&lake.reopen().await).await, "workers").await, [5]);
}

#[tokio::test]
async fn the_lake_of_format_1_still_opens() {
    let lake = TestLake::copy_of(&at("v1/lake")).await;
    assert_lived(&open(&lake.store).await).await;
}

#[tokio::test]
async fn indexes_of_format_1_still_open() {
    let lake = TestLake::copy_of(&at("v1/indexes")).await;
    assert_indexed(&lake.store).await;
}

#[tokio::test]
async fn lakes_of_format_4_still_open() {
    let lake = testkit::lake::kept(&at("v4/lake"), live).await;
    let record = lake.store.get("_lake/log/00000000000000000004.json").await.unwrap();
    assert!(record.starts_with(br#"{"format":4,"#) && record[..record.len() - 10].ends_with(br#","crc32c":""#));
    assert_lived(&open(&lake.store).await).await;
    let indexes = testkit::lake::kept(&at("v4/indexes"), live_with_indexes).await;
    assert_indexed(&indexes.store).await;
}

#[tokio::test]
async fn a_newer_lake_is_refused_by_name() {
    let lake = TestLake::open().await;
    lake.store.put("_lake/format.json", r#"{"format": 3}"#.into()).await.unwrap();
    let error = Catalog::open(lake.store.clone(), &config(), Seams::system()).await.unwrap_err();
    assert_eq!(error.to_string(), "the lake has format 3, and this program reads formats up to 2: use a newer release");
}

#[tokio::test]
async fn a_lake_that_lost_its_name_plate_is_no_new_lake() {
    let lake = TestLake::open().await;
    live(&lake.store).await;
    let plate = lake.store.get("_lake/format.json").await.unwrap();
    lake.store.delete("_lake/format.json").await.unwrap();
    let copy = TestLake::copy_of(lake.path()).await;
    let store = &copy.store;
    let error = Catalog::open(store.clone(), &config(), Seams::system()).await.unwrap_err();
    assert_eq!(error.to_string(), "the lake is damaged");
    assert!(!store.exists("_lake/format.json").await.unwrap());
    store.put("_lake/format.json", plate).await.unwrap();
    assert_lived(&open(store).await).await;
}
