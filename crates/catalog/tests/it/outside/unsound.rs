//! What an engine asks for that would leave a table which nobody could change any more.

use base::Fault;
use catalog::Mode;
use serde_json::{Value, json};
use testkit::TestLake;

use super::engine::{Engine, manifests, schema, snapshot};
use crate::support::{ids, load, open};

/// A snapshot that appends one row, changed before it is asked for; the code of its refusal.
async fn refused(engine: &Engine<'_>, change: impl FnOnce(&mut Value)) -> String {
    let seen = engine.metadata().await;
    let file = engine.file(&seen, &[9]).await;
    let (_, mut updates) = snapshot(&seen, manifests(&seen).await, vec![file]).await;
    change(&mut updates[0]["snapshot"]);
    let error = engine.update(updates).await.unwrap_err();
    format!("{} {error}", error.code())
}

#[tokio::test]
async fn snapshots_after_which_none_could_come_are_refused() {
    let lake = TestLake::open().await;
    let catalog = open(&lake.store).await;
    let engine = Engine::create(&catalog, "t").await;
    engine.append(&[1]).await.unwrap();
    let own_parent = |snapshot: &mut Value| snapshot["parent-snapshot-id"] = snapshot["snapshot-id"].clone();
    assert!(refused(&engine, own_parent).await.starts_with("catalog.unacceptable"));
    let tomorrow = |snapshot: &mut Value| {
        let at = snapshot["timestamp-ms"].as_i64().unwrap();
        snapshot["timestamp-ms"] = json!(at + 86_400_000);
    };
    assert!(refused(&engine, tomorrow).await.contains("ahead of this lake's clock"));
    let never = |snapshot: &mut Value| snapshot["timestamp-ms"] = json!(i64::MAX);
    assert!(refused(&engine, never).await.contains("ahead of this lake's clock"));
    let last = |snapshot: &mut Value| snapshot["sequence-number"] = json!(i64::MAX);
    assert!(refused(&engine, last).await.contains("leaves none"));
    load(&catalog, "t", Mode::Append, &[2]).await.unwrap();
    engine.append(&[3]).await.unwrap();
    assert_eq!(ids(&catalog, "t").await, [1, 2, 3]);
}

#[tokio::test]
async fn a_snapshot_of_an_unknown_schema_or_of_other_rows_than_its_files_hold_is_refused() {
    let lake = TestLake::open().await;
    let catalog = open(&lake.store).await;
    let engine = Engine::create(&catalog, "t").await;
    engine.append(&[1, 2]).await.unwrap();
    let schema = refused(&engine, |snapshot| snapshot["schema-id"] = json!(7)).await;
    assert!(schema.starts_with("catalog.unacceptable") && schema.contains("has the schema 7, which the table lacks"));
    for stated in ["4", "-3", "9223372036854775807", "many", ""] {
        let total = refused(&engine, |snapshot| snapshot["summary"]["total-records"] = json!(stated)).await;
        assert!(total.starts_with("catalog.unacceptable"), "{total}");
        assert!(total.contains(&format!("states {stated:?} as total-records, and its files hold 3")), "{total}");
    }
    let seen = engine.metadata().await;
    let (_, mut updates) = snapshot(&seen, manifests(&seen).await, vec![engine.file(&seen, &[3]).await]).await;
    updates[0]["snapshot"]["summary"]["total-records"] = json!("3");
    engine.update(updates).await.unwrap();
    assert_eq!(ids(&catalog, "t").await, [1, 2, 3]);
}

#[tokio::test]
async fn a_circle_of_two_snapshots_is_refused() {
    let lake = TestLake::open().await;
    let catalog = open(&lake.store).await;
    let engine = Engine::create(&catalog, "t").await;
    engine.append(&[1]).await.unwrap();
    let seen = engine.metadata().await;
    let file = engine.file(&seen, &[9]).await;
    let (first, updates) = snapshot(&seen, manifests(&seen).await, vec![file]).await;
    let (mut one, mut other) = (updates[0].clone(), updates[0].clone());
    one["snapshot"]["parent-snapshot-id"] = json!(77);
    other["snapshot"]["snapshot-id"] = json!(77);
    other["snapshot"]["parent-snapshot-id"] = json!(first.snapshot_id());
    other["snapshot"]["sequence-number"] = json!(first.sequence_number() + 1);
    let refused = engine.update(json!([one, other, updates[1]])).await.unwrap_err();
    assert_eq!(refused.code(), "catalog.unacceptable");
    assert_eq!(ids(&catalog, "t").await, [1]);
}

#[tokio::test]
async fn ids_of_columns_that_are_reserved_are_refused() {
    let lake = TestLake::open().await;
    let catalog = open(&lake.store).await;
    let engine = Engine::create(&catalog, "t").await;
    for id in [i64::from(i32::MAX), 2_147_483_447, 0, -1] {
        let mut wider = schema();
        wider["schema-id"] = json!(1);
        let fields = wider["fields"].as_array_mut().unwrap();
        fields.push(json!({ "id": id, "name": "more", "required": false, "type": "string" }));
        let updates =
            json!([{ "action": "add-schema", "schema": wider }, { "action": "set-current-schema", "schema-id": -1 }]);
        let refused = engine.update(updates).await.unwrap_err();
        assert!(refused.to_string().contains("none or reserved"), "{id}: {refused}");
    }
}
