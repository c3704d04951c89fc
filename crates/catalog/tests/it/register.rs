//! Registration, to the letter of the predecessors' contract.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Field, Fields, Schema, TimeUnit};
use base::{Fault, Kind, Timestamp, Version};
use catalog::{ColumnType, Error, Mode, Register, StatedObject};
use futures::future::join_all;
use parquet::arrow::ArrowWriter;
use serde_json::json;
use sha2::{Digest, Sha256};
use testkit::TestLake;

use crate::support::{column, fingerprint_of, ids, load, open, paths, put_object, registration};

#[tokio::test]
async fn a_registration_is_a_dataset_and_its_objects_may_go() {
    let lake = TestLake::open().await;
    let catalog = open(&lake.store).await;
    put_object(&lake.store, "in/a.parquet", &[1, 2]).await;
    put_object(&lake.store, "in/b.parquet", &[3]).await;
    let done = catalog.register(registration("t", &["in/a.parquet", "in/b.parquet"], 3)).await.unwrap();
    assert!(!done.existing);
    assert_eq!((done.manifest.objects.len(), done.manifest.row_count, done.manifest.version), (2, 3, Version(1)));
    assert_eq!(done.manifest.dataset_id, catalog::dataset_id(&"t".parse().unwrap()));
    for object in ["objects/in/a.parquet", "objects/in/b.parquet"] {
        lake.store.delete(object).await.unwrap();
    }
    assert_eq!(ids(&catalog, "t").await, [1, 2, 3]);
    let pin = catalog.pin(None).await.unwrap();
    let table = catalog.table(&pin, &"t".parse().unwrap()).await.unwrap();
    assert_eq!(table.name_mapping().unwrap()["name"], 2);
}

#[tokio::test]
async fn the_same_list_makes_no_version_however_often_and_another_list_replaces() {
    let lake = TestLake::open().await;
    let catalog = open(&lake.store).await;
    put_object(&lake.store, "a", &[1, 2]).await;
    put_object(&lake.store, "b", &[3]).await;
    let first = catalog.register(registration("t", &["a"], 2)).await.unwrap();
    let files = paths(&lake.store, "tables/").await;
    let again = catalog.register(registration("t", &["a"], 2)).await.unwrap();
    assert!(again.existing);
    assert_eq!(again.manifest, first.manifest);
    // The same bytes put again have another ETag: their content decides.
    put_object(&lake.store, "a", &[1, 2]).await;
    assert_eq!(catalog.register(registration("t", &["a"], 2)).await.unwrap().manifest, first.manifest);
    assert_eq!(paths(&lake.store, "tables/").await, files);
    let other = catalog.register(registration("t", &["a", "b"], 3)).await.unwrap();
    assert!(other.existing);
    assert_eq!((other.manifest.version, other.manifest.dataset_id), (Version(2), first.manifest.dataset_id));
    assert_eq!(ids(&catalog, "t").await, [1, 2, 3]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixty_four_concurrent_registrations_make_one_dataset_and_one_version() {
    let lake = TestLake::open().await;
    let catalogs = [open(&lake.store).await, open(&lake.reopen().await).await];
    put_object(&lake.store, "a", &[1, 2]).await;
    let calls = (0..64).map(|call| {
        let catalog = catalogs[call % 2].clone();
        storage::task::spawn("test", async move { catalog.register(registration("t", &["a"], 2)).await.unwrap() })
    });
    let done: Vec<_> = join_all(calls).await.into_iter().map(|done| done.unwrap()).collect();
    assert_eq!(done.iter().filter(|registered| !registered.existing).count(), 1);
    assert!(done.iter().all(|registered| registered.manifest == done[0].manifest));
    let pin = catalogs[0].pin(None).await.unwrap();
    assert_eq!(pin.version(), Version(1));
    assert_eq!(catalogs[0].list(&pin).await.unwrap().len(), 1);
}

#[tokio::test]
async fn drift_is_refused_with_the_diff_and_changes_nothing() {
    let lake = TestLake::open().await;
    let catalog = open(&lake.store).await;
    put_object(&lake.store, "a", &[1, 2]).await;
    let first = catalog.register(registration("t", &["a"], 2)).await.unwrap();
    let files = paths(&lake.store, "").await;
    let mut drifting = registration("t", &["a"], 2);
    drifting.schema_fingerprint = fingerprint_of(&[column("id", ColumnType::String)]);
    let error = catalog.register(drifting.clone()).await.unwrap_err();
    assert_eq!((error.code(), error.kind()), ("catalog.schema_drift", Kind::Conflict));
    let fingerprints = error.facts()["diff"]["fingerprints"].clone();
    assert_eq!(
        fingerprints,
        json!({"expected": first.manifest.schema_fingerprint, "given": drifting.schema_fingerprint})
    );
    drifting.objects = vec!["never/put".into()];
    assert_eq!(catalog.register(drifting).await.unwrap_err().code(), "catalog.schema_drift");
    let pin = catalog.pin(None).await.unwrap();
    assert_eq!(catalog.manifest(&pin, &"t".parse().unwrap()).await.unwrap(), first.manifest);
    assert_eq!(paths(&lake.store, "").await, files);
}

#[tokio::test]
async fn what_a_call_states_of_an_object_must_hold() {
    let lake = TestLake::open().await;
    let catalog = open(&lake.store).await;
    put_object(&lake.store, "a", &[1, 2]).await;
    let entry = lake.store.head("objects/a").await.unwrap();
    let sha256 = hex::encode(Sha256::digest(lake.store.get("objects/a").await.unwrap()));
    let mut call = registration("t", &["a"], 2);
    let (size, etag, modified) = (Some(entry.size), Some(entry.etag), Some(entry.modified));
    call.objects[0] =
        StatedObject { key: "a".into(), size, etag, modified, sha256: Some(sha256.to_uppercase()), row_count: Some(2) };
    let wrong = [
        StatedObject { size: Some(5), ..call.objects[0].clone() },
        StatedObject { etag: Some("other".into()), ..call.objects[0].clone() },
        StatedObject { modified: Some(Timestamp::from_micros(0)), ..call.objects[0].clone() },
        StatedObject { sha256: Some("0".repeat(64)), ..call.objects[0].clone() },
        StatedObject { row_count: Some(7), ..call.objects[0].clone() },
    ];
    let refuse = async |stage: &str| {
        for object in &wrong {
            let error = catalog.register(Register { objects: vec![object.clone()], ..call.clone() }).await.unwrap_err();
            assert_eq!(error.code(), "catalog.contradiction", "{stage}: {object:?}");
        }
    };
    refuse("new").await;
    let done = catalog.register(call.clone()).await.unwrap();
    assert!(!done.existing);
    refuse("known").await;
    assert_eq!(catalog.register(call.clone()).await.unwrap().manifest, done.manifest);
    assert_eq!(catalog.pin(None).await.unwrap().version(), Version(1));
}

#[tokio::test]
async fn wrong_calls_are_refused_one_by_one() {
    let lake = TestLake::open().await;
    let catalog = open(&lake.store).await;
    put_object(&lake.store, "a", &[1, 2]).await;
    lake.store.put("objects/text", "no parquet at all".into()).await.unwrap();
    lake.store.put("objects/short", "x".into()).await.unwrap();
    lake.store.put("objects/trap", [b"PAR1".as_slice(), &[255, 255, 255, 127], b"PAR1"].concat().into()).await.unwrap();
    let mut empty = registration("t", &["a"], 2);
    empty.schema_fingerprint.clear();
    let mut other = registration("t", &["a"], 2);
    other.schema_fingerprint = "0".repeat(64);
    let cases = [
        (empty, "catalog.empty_fingerprint"),
        (other, "catalog.contradiction"),
        (registration("t", &[], 0), "catalog.no_objects"),
        (registration("t", &["a", "a"], 4), "catalog.contradiction"),
        (registration("t", &["a"], 3), "catalog.contradiction"),
        (registration("t", &["nowhere"], 2), "catalog.object_missing"),
        (registration("t", &["a/../b"], 2), "catalog.bad_key"),
        (registration("t", &["text"], 2), "catalog.not_parquet"),
        (registration("t", &["short"], 2), "catalog.not_parquet"),
        (registration("t", &["trap"], 2), "catalog.not_parquet"),
    ];
    for (call, code) in cases {
        let error = catalog.register(call.clone()).await.unwrap_err();
        assert_eq!(error.code(), code, "{call:?}: {error}");
        assert!(!error.to_string().contains(lake.path().to_str().unwrap()));
    }
    assert_eq!(catalog.pin(None).await.unwrap().version(), Version(0));
    assert!(paths(&lake.store, "tables/").await.is_empty());
}

#[tokio::test]
async fn columns_that_no_table_holds_are_told_with_the_reason() {
    let lake = TestLake::open().await;
    let catalog = open(&lake.store).await;
    let inner = Fields::from(vec![Field::new("x", DataType::Int64, true)]);
    for (ty, told) in [
        (DataType::Timestamp(TimeUnit::Millisecond, None), "holds times in milliseconds, and tables hold microseconds"),
        (DataType::Timestamp(TimeUnit::Nanosecond, None), "holds times in nanoseconds, and tables hold microseconds"),
        (DataType::Struct(inner), "is nested"),
        (DataType::new_list(DataType::Int64, true), "is nested"),
        (DataType::UInt64, "has a type that tables cannot hold: UInt64"),
    ] {
        let schema = Arc::new(Schema::new(vec![Field::new("id", DataType::Int64, true), Field::new("odd", ty, true)]));
        let mut bytes = Vec::new();
        let mut writer = ArrowWriter::try_new(&mut bytes, Arc::clone(&schema), None).unwrap();
        writer.write(&RecordBatch::new_empty(schema)).unwrap();
        writer.close().unwrap();
        lake.store.put("objects/odd", bytes.into()).await.unwrap();
        let error = catalog.register(registration("t", &["odd"], 0)).await.unwrap_err();
        assert!(matches!(error, Error::NotParquet { .. }), "{error}");
        assert!(error.to_string().contains(&format!("column \"odd\" {told}")), "{error}");
    }
}

#[tokio::test]
async fn the_same_list_with_another_row_count_is_a_contradiction() {
    let lake = TestLake::open().await;
    let catalog = open(&lake.store).await;
    put_object(&lake.store, "a", &[1, 2]).await;
    catalog.register(registration("t", &["a"], 2)).await.unwrap();
    let error = catalog.register(registration("t", &["a"], 7)).await.unwrap_err();
    assert!(matches!(error, Error::Contradiction(_)));
}

#[tokio::test]
async fn ingested_and_registered_rows_live_in_one_table() {
    let lake = TestLake::open().await;
    let catalog = open(&lake.store).await;
    put_object(&lake.store, "a", &[1]).await;
    catalog.register(registration("t", &["a"], 1)).await.unwrap();
    load(&catalog, "t", Mode::Append, &[2]).await.unwrap();
    assert_eq!(ids(&catalog, "t").await, [1, 2]);
    // After the append the list is not what the table holds, so it replaces.
    let back = catalog.register(registration("t", &["a"], 1)).await.unwrap();
    assert_eq!((back.existing, back.manifest.version), (true, Version(3)));
    assert_eq!(ids(&catalog, "t").await, [1]);
}
