//! Other engines on our tables: what they commit stands beside what we do, and what would break a table is refused.

use std::collections::{BTreeSet, HashMap};

use base::{AsOf, Version};
use catalog::{Adoption, Catalog, Error, Mode, NamespaceWish, NewTable, Properties, Result, Transaction};
use futures::future::join_all;
use iceberg::spec::{DataContentType, DataFile, DataFileBuilder, DataFileFormat, Datum, Struct};
use serde_json::{Value, json};
use testkit::TestLake;

use crate::support::{columns, fingerprint_of, ids, ids_at, load, open, paths};

mod branches;
mod engine;
mod taken;
mod unsound;

use engine::{Engine, asked, caller, described, keyed, metadata_of, schema, snapshot};

fn why<T>(outcome: Result<T>) -> String {
    match outcome {
        Err(Error::Unacceptable { why, .. } | Error::RequirementFailed { why, .. }) => why,
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("it was accepted"),
    }
}

/// Creates a namespace.
async fn space(catalog: &Catalog, name: &str) {
    let wish = NamespaceWish::Create { namespace: name.into(), properties: Properties::new() };
    catalog.change_namespace(wish.asked(), caller()).await.unwrap();
}

#[tokio::test]
async fn appends_of_an_engine_and_of_ours_follow_one_another() {
    let lake = TestLake::open().await;
    let catalog = open(&lake.store).await;
    let engine = Engine::create(&catalog, "t").await;
    engine.append(&[1, 2]).await.unwrap();
    load(&catalog, "t", Mode::Append, &[3]).await.unwrap();
    engine.append(&[4]).await.unwrap();
    assert_eq!(ids(&catalog, "t").await, [1, 2, 3, 4]);
    let pin = catalog.pin(None).await.unwrap();
    let name = "t".parse().unwrap();
    let table = catalog.table(&pin, &name).await.unwrap();
    assert_eq!((table.row_count(), table.fingerprint()), (4, fingerprint_of(&columns()).as_str()));
    let exact: Vec<bool> = table.files().await.unwrap().iter().map(|file| file.exact).collect();
    assert_eq!(exact.iter().filter(|exact| **exact).count(), 1, "only our own file's bounds are exact");
    let history = catalog.history(&pin, &name, 10, None).await.unwrap().items;
    let told: Vec<_> = history.iter().map(|line| (line.version.unwrap().0, line.row_count)).collect();
    assert_eq!(told, [(4, 4), (3, 3), (2, 2)]);
    load(&catalog, "t", Mode::Replace, &[9]).await.unwrap();
    assert_eq!(ids(&catalog, "t").await, [9]);
    assert_eq!(ids_at(&catalog, &pin, "t").await, [1, 2, 3, 4]);
    assert_eq!(catalog.manifest(&pin, &name).await.unwrap().objects.len(), 3);
}

#[tokio::test]
async fn a_commit_that_was_made_for_an_older_state_is_refused() {
    let lake = TestLake::open().await;
    let catalog = open(&lake.store).await;
    let engine = Engine::create(&catalog, "t").await;
    engine.append(&[1]).await.unwrap();
    let stale = engine.metadata().await;
    let mut body = engine.append_to(&stale, vec![engine.file(&stale, &[2]).await]).await;
    load(&catalog, "t", Mode::Append, &[3]).await.unwrap();
    let before = paths(&lake.store, "tables/").await;
    assert!(why(engine.commit(body.clone()).await).contains("main"));
    // Even an engine that states no requirement cannot undo what it has not seen.
    body["requirements"] = json!([]);
    assert!(why(engine.commit(body.clone()).await).contains("sequence number 2 is taken"));
    body["updates"][0]["snapshot"]["sequence-number"] = json!(9);
    assert!(why(engine.commit(body).await).contains("does not follow"));
    assert_eq!(ids(&catalog, "t").await, [1, 3]);
    assert_eq!(paths(&lake.store, "tables/").await, before, "a refused commit leaves nothing behind");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn engines_of_two_processes_and_we_make_one_history() {
    let lake = TestLake::open().await;
    let catalogs = [open(&lake.store).await, open(&lake.reopen().await).await];
    Engine::create(&catalogs[0], "t").await;
    let commits = (0..24).map(|id| {
        let catalog = catalogs[id % 2].clone();
        let row = [i64::try_from(id).unwrap()];
        storage::task::spawn("test", async move {
            match id % 3 {
                0 => load(&catalog, "t", Mode::Append, &row).await.map(drop),
                _ => Engine::of(&catalog, "t").append(&row).await.map(drop),
            }
        })
    });
    for done in join_all(commits).await {
        done.unwrap().unwrap();
    }
    let fresh = open(&lake.reopen().await).await;
    assert_eq!(ids(&fresh, "t").await, (0..24).collect::<Vec<i64>>());
    let metadata = Engine::of(&fresh, "t").metadata().await;
    let numbers: BTreeSet<i64> = metadata.snapshots().map(|snapshot| snapshot.sequence_number()).collect();
    assert_eq!(numbers, (1..=24).collect());
}

#[tokio::test]
async fn every_requirement_is_checked() {
    let lake = TestLake::open().await;
    let catalog = open(&lake.store).await;
    let engine = Engine::create(&catalog, "t").await;
    engine.append(&[1]).await.unwrap();
    let now = engine.metadata().await;
    let id = now.current_snapshot_id().unwrap();
    let requirements = [
        (json!({ "type": "assert-table-uuid" }), "uuid", json!(now.uuid()), json!(base::Seams::system().uuid())),
        (json!({ "type": "assert-ref-snapshot-id", "ref": "main" }), "snapshot-id", json!(id), json!(id ^ 1)),
        (json!({ "type": "assert-ref-snapshot-id", "ref": "side" }), "snapshot-id", json!(null), json!(id)),
        (json!({ "type": "assert-last-assigned-field-id" }), "last-assigned-field-id", json!(2), json!(1)),
        (json!({ "type": "assert-current-schema-id" }), "current-schema-id", json!(0), json!(1)),
        (json!({ "type": "assert-last-assigned-partition-id" }), "last-assigned-partition-id", json!(999), json!(1000)),
        (json!({ "type": "assert-default-spec-id" }), "default-spec-id", json!(0), json!(1)),
        (json!({ "type": "assert-default-sort-order-id" }), "default-sort-order-id", json!(0), json!(1)),
    ];
    for (mut requirement, member, met, unmet) in requirements {
        let set = |requirement: &Value| {
            json!({
                "requirements": [requirement],
                "updates": [{ "action": "set-properties", "updates": { "seen": requirement["type"] } }],
            })
        };
        requirement[member] = met;
        engine.commit(set(&requirement)).await.unwrap();
        requirement[member] = unmet;
        let before = engine.metadata().await;
        why(engine.commit(set(&requirement)).await);
        assert_eq!(engine.metadata().await, before, "{requirement}");
    }
    let taken = json!({ "requirements": [{ "type": "assert-create" }], "updates": [] });
    assert!(why(engine.commit(taken).await).contains("already exists"));
    let nowhere = Engine::of(&catalog, "nowhere").update(json!([])).await;
    assert!(matches!(nowhere, Err(Error::UnknownDataset { .. })));
}

#[tokio::test]
async fn every_update_is_applied_and_earlier_versions_do_not_see_it() {
    let lake = TestLake::open().await;
    let catalog = open(&lake.store).await;
    let engine = Engine::create(&catalog, "t").await;
    engine.append(&[1]).await.unwrap();
    let first = engine.metadata().await.current_snapshot_id().unwrap();
    engine.append(&[2]).await.unwrap();
    let then = catalog.pin(None).await.unwrap();
    let mut wider = schema();
    wider["schema-id"] = json!(1);
    wider["fields"].as_array_mut().unwrap().push(json!({ "id": 3, "name": "age", "required": false, "type": "int" }));
    let field = json!({ "source-id": 1, "field-id": 1000, "name": "id_bucket", "transform": "bucket[4]" });
    let order = json!({ "transform": "identity", "source-id": 1, "direction": "asc", "null-order": "nulls-first" });
    let location = engine.metadata().await.location().to_owned();
    let statistics = json!({
        "snapshot-id": first, "statistics-path": format!("{location}/metadata/s.puffin"), "file-size-in-bytes": 1,
        "file-footer-size-in-bytes": 1, "blob-metadata": [],
    });
    let updates = json!([
        { "action": "upgrade-format-version", "format-version": 2 },
        { "action": "assign-uuid", "uuid": engine.metadata().await.uuid() },
        { "action": "set-location", "location": format!("{location}/") },
        { "action": "add-schema", "schema": wider, "last-column-id": 3 },
        { "action": "set-current-schema", "schema-id": -1 },
        { "action": "add-spec", "spec": { "fields": [field] } },
        { "action": "add-sort-order", "sort-order": { "order-id": 1, "fields": [order] } },
        { "action": "set-default-sort-order", "sort-order-id": -1 },
        { "action": "set-properties", "updates": { "a": "1", "b": "2", "format-version": "2" } },
        { "action": "remove-properties", "removals": ["b"] },
        { "action": "set-snapshot-ref", "ref-name": "kept", "type": "tag", "snapshot-id": first },
        { "action": "set-snapshot-ref", "ref-name": "gone", "type": "branch", "snapshot-id": first },
        { "action": "remove-snapshot-ref", "ref-name": "gone" },
        { "action": "set-statistics", "snapshot-id": first, "statistics": statistics },
        { "action": "remove-statistics", "snapshot-id": first },
        { "action": "remove-partition-specs", "spec-ids": [1] },
    ]);
    let after = metadata_of(&engine.update(updates).await.unwrap());
    assert_eq!((after.current_schema().highest_field_id(), after.default_sort_order().fields.len()), (3, 1));
    assert_eq!((after.properties()["a"].as_str(), after.properties().get("b")), ("1", None));
    assert_eq!(after.snapshot_for_ref("kept").unwrap().snapshot_id(), first);
    assert!(after.snapshot_for_ref("gone").is_none() && after.location() == location);
    assert_eq!(after.partition_specs_iter().len(), 1);
    engine.update(json!([{ "action": "remove-snapshot-ref", "ref-name": "kept" }])).await.unwrap();
    let rolled_back = json!([
        { "action": "set-snapshot-ref", "ref-name": "main", "type": "branch", "snapshot-id": first },
    ]);
    engine.update(rolled_back).await.unwrap();
    assert_eq!(ids(&catalog, "t").await, [1]);
    let newest = then.entry(&engine.name).unwrap().snapshot_id.unwrap();
    engine.update(json!([{ "action": "remove-snapshots", "snapshot-ids": [newest] }])).await.unwrap();
    assert_eq!(engine.metadata().await.snapshots().len(), 1);
    engine.update(json!([{ "action": "remove-snapshot-ref", "ref-name": "main" }])).await.unwrap();
    assert_eq!(ids(&catalog, "t").await, [0_i64; 0]);
    let fresh = open(&lake.reopen().await).await;
    let then = fresh.pin(Some(&base::AsOf::Version(then.version()))).await.unwrap();
    assert_eq!(ids_at(&fresh, &then, "t").await, [1, 2]);
    assert_eq!(fresh.table(&then, &engine.name).await.unwrap().columns().len(), 2);
}

#[tokio::test]
async fn a_table_is_staged_and_created_by_its_first_commit() {
    let lake = TestLake::open().await;
    let catalog = open(&lake.store).await;
    let engine = Engine::of(&catalog, "t");
    let order = json!({ "transform": "identity", "source-id": 1, "direction": "asc", "null-order": "nulls-first" });
    let body = json!({
        "name": "t", "stage-create": true, "schema": schema(),
        "write-order": { "order-id": 1, "fields": [order] }, "properties": { "a": "b" },
    });
    let staged = catalog.create_outside(&engine.name, asked::<NewTable>(body), caller()).await.unwrap();
    assert!(staged.version().is_none() && catalog.pin_fresh().await.unwrap().version() == Version(0));
    let metadata = metadata_of(&staged);
    let (_, mut add) = snapshot(&metadata, Vec::new(), vec![engine.file(&metadata, &[1, 2]).await]).await;
    let written = serde_json::to_value(&metadata).unwrap();
    let mut updates = json!([
        { "action": "assign-uuid", "uuid": metadata.uuid() },
        { "action": "upgrade-format-version", "format-version": 2 },
        { "action": "add-schema", "schema": written["schemas"][0] },
        { "action": "set-current-schema", "schema-id": -1 },
        { "action": "add-spec", "spec": written["partition-specs"][0] },
        { "action": "set-default-spec", "spec-id": -1 },
        { "action": "add-sort-order", "sort-order": written["sort-orders"][0] },
        { "action": "set-default-sort-order", "sort-order-id": -1 },
        { "action": "set-location", "location": metadata.location() },
        { "action": "set-properties", "updates": metadata.properties() },
    ]);
    updates.as_array_mut().unwrap().append(add.as_array_mut().unwrap());
    let body = json!({ "requirements": [{ "type": "assert-create" }], "updates": updates });
    let (one, two) = tokio::join!(engine.commit(body.clone()), engine.commit(body));
    assert!(one.is_ok() != two.is_ok(), "one of two creates it");
    let created = engine.metadata().await;
    assert_eq!((created.uuid(), created.location()), (metadata.uuid(), metadata.location()));
    assert_eq!((created.default_partition_spec_id(), created.default_sort_order().order_id), (0, 1));
    assert_eq!((created.schemas_iter().len(), created.properties()["a"].as_str()), (1, "b"));
    assert_eq!(ids(&catalog, "t").await, [1, 2]);
    load(&catalog, "t", Mode::Append, &[3]).await.unwrap();
    assert_eq!(ids(&catalog, "t").await, [1, 2, 3]);
}

#[tokio::test]
async fn a_transaction_changes_all_its_tables_or_none() {
    let lake = TestLake::open().await;
    let catalog = open(&lake.store).await;
    let engines = [Engine::create(&catalog, "a").await, Engine::create(&catalog, "b").await];
    let mut changes = Vec::new();
    for (engine, row) in engines.iter().zip([1, 2]) {
        let metadata = engine.metadata().await;
        let mut change = engine.append_to(&metadata, vec![engine.file(&metadata, &[row]).await]).await;
        change["identifier"] = json!({ "namespace": ["default"], "name": engine.name.table() });
        changes.push(change);
    }
    let commit = |changes: Value| {
        let (catalog, body) = (catalog.clone(), asked::<Transaction>(json!({ "table-changes": changes })));
        async move { catalog.commit_all_outside(body, caller()).await }
    };
    let version = commit(json!(changes)).await.unwrap();
    let record = catalog.version(version).await.unwrap();
    assert_eq!((record.commits.len(), record.commits[0].changes.len()), (1, 2));
    assert_eq!((ids(&catalog, "a").await, ids(&catalog, "b").await), (vec![1], vec![2]));
    let before = paths(&lake.store, "tables/").await;
    let touch = json!({
        "identifier": { "namespace": ["default"], "name": "a" }, "requirements": [],
        "updates": [{ "action": "set-properties", "updates": { "touched": "yes" } }],
    });
    assert!(why(commit(json!([touch, changes[1]])).await).contains("main"));
    assert!(why(commit(json!([touch, touch])).await).contains("once"));
    assert!(!engines[0].metadata().await.properties().contains_key("touched"));
    assert_eq!(paths(&lake.store, "tables/").await, before);
}

/// The updates that add a column, or make it another one.
fn with_field(field: &Value) -> Value {
    let mut schema = schema();
    schema["schema-id"] = json!(1);
    let fields = schema["fields"].as_array_mut().unwrap();
    fields.retain(|known| known["id"] != field["id"]);
    fields.push(field.clone());
    json!([{ "action": "add-schema", "schema": schema }, { "action": "set-current-schema", "schema-id": -1 }])
}

#[tokio::test]
async fn what_would_break_a_table_is_refused() {
    let lake = TestLake::open().await;
    let catalog = open(&lake.store).await;
    let engine = Engine::create(&catalog, "t").await;
    engine.append(&[1]).await.unwrap();
    let now = engine.metadata().await;
    let location = now.location().to_owned();
    let good = engine.file(&now, &[2]).await;
    let missing = described(DataContentType::Data, &format!("{location}/data/none.parquet"), 1, 1);
    let lying = described(DataContentType::Data, good.file_path(), good.file_size_in_bytes() + 1, 1);
    let outside = described(DataContentType::Data, &format!("{}/objects/x", lake.store.uri()), 1, 1);
    let deletes = described(DataContentType::PositionDeletes, good.file_path(), good.file_size_in_bytes(), 1);
    for (file, told) in [
        (missing, "none.parquet is not there"),
        (lying, "its manifest states"),
        (outside, "does not lie under"),
        (deletes, "lakehouse.allow-delete-files"),
    ] {
        let body = engine.append_to(&now, vec![file]).await;
        let why = why(engine.commit(body).await);
        assert!(why.contains(told), "{why}");
    }
    let mut listless = engine.append_to(&now, vec![good]).await;
    listless["updates"][0]["snapshot"]["manifest-list"] = json!(format!("{location}/metadata/snap-0.avro"));
    assert!(why(engine.commit(listless).await).contains("snap-0.avro is not there"));
    let field = |id: i32, name: &str, ty: &str, required: bool| {
        with_field(&json!({ "id": id, "name": name, "required": required, "type": ty }))
    };
    let statistics = json!({
        "snapshot-id": 1, "statistics-path": "file:///etc/passwd", "file-size-in-bytes": 1,
        "file-footer-size-in-bytes": 1, "blob-metadata": [],
    });
    for (updates, told) in [
        (json!([{ "action": "upgrade-format-version", "format-version": 3 }]), "format version 2"),
        (json!([{ "action": "set-properties", "updates": { "format-version": "1" } }]), "format version 2"),
        (json!([{ "action": "set-properties", "updates": { "gc.enabled": "true" } }]), "gc.enabled"),
        (json!([{ "action": "remove-properties", "removals": ["gc.enabled"] }]), "gc.enabled"),
        (json!([{ "action": "assign-uuid", "uuid": base::Seams::system().uuid() }]), "uuid"),
        (json!([{ "action": "set-location", "location": "s3://elsewhere/t" }]), "location"),
        (json!([{ "action": "set-statistics", "snapshot-id": 1, "statistics": statistics }]), "statistics"),
        (json!([{ "action": "remove-snapshots", "snapshot-ids": [now.current_snapshot_id()] }]), "napshot"),
        (field(2, "name", "long", false), "cannot become long"),
        (field(2, "name", "string", true), "cannot be required"),
        (field(3, "new", "long", true), "must be optional"),
        (field(3, "NAME", "long", false), "there twice"),
        (field(3, "at", "timestamp_ns", false), "nanoseconds"),
    ] {
        let why = why(engine.update(updates.clone()).await);
        assert!(why.contains(told), "{updates}: {why}");
    }
    assert_eq!(engine.metadata().await, now, "nothing of it has changed the table");
    engine
        .update(json!([{ "action": "set-properties", "updates": { "lakehouse.allow-delete-files": "true" } }]))
        .await
        .unwrap();
    assert_eq!(ids(&catalog, "t").await, [1]);
}

#[tokio::test]
async fn what_no_reader_or_writer_could_use_is_refused() {
    let lake = TestLake::open().await;
    let catalog = open(&lake.store).await;
    let engine = Engine::create(&catalog, "t").await;
    engine.append(&[1]).await.unwrap();
    let now = engine.metadata().await;
    let column = |name: &str, ty: &str| with_field(&json!({ "id": 3, "name": name, "required": false, "type": ty }));
    let bucket = json!({ "source-id": 1, "field-id": 1000, "name": "b", "transform": "bucket[0]" });
    let set = |key: &str, value: &str| json!([{ "action": "set-properties", "updates": { key: value } }]);
    let moved = |name: &str, ty: &str| {
        let id = now.current_snapshot_id();
        json!([{ "action": "set-snapshot-ref", "ref-name": name, "type": ty, "snapshot-id": id }])
    };
    for (updates, told) in [
        (column("pay", "decimal(50,3)"), "1 to 38"),
        (column("pay", "decimal(3,4)"), "after the point"),
        (column("raw", "fixed[999999999999]"), "bytes long"),
        (column(&"x".repeat(100_000), "long"), "longer than 1024 bytes"),
        (moved("main", "tag"), "main is a branch"),
        (moved("", "tag"), "has no name"),
        (json!([{ "action": "add-spec", "spec": { "fields": [bucket] } }]), "bucket[0]"),
        (set("schema.name-mapping.default", "garbage"), "no mapping of names"),
        (set("write.data.path", "file:///etc"), "under the table's location"),
        (set("lakehouse.others-until", "0"), "by the lake alone"),
        (json!([{ "action": "remove-properties", "removals": ["lakehouse.others-until"] }]), "by the lake alone"),
        (set("lakehouse.pii.2", "bogus"), "no class of personal data"),
    ] {
        let why = why(engine.update(updates.clone()).await);
        assert!(why.contains(told), "{updates}: {why}");
    }
    assert_eq!(engine.metadata().await, now, "nothing of it has changed the table");
    engine.update(set("write.data.path", &format!("{}/elsewhere", now.location()))).await.unwrap();
    let mut astray = json!({ "requirements": [], "updates": set("a", "b") });
    for (table, told) in [("u", Some("another table")), ("t", None)] {
        astray["identifier"] = json!({ "namespace": ["default"], "name": table });
        match (engine.commit(astray.clone()).await, told) {
            (Ok(_), None) => {}
            (outcome, told) => assert!(why(outcome).contains(told.unwrap())),
        }
    }
}

#[tokio::test]
async fn what_would_be_no_table_is_not_created() {
    let lake = TestLake::open().await;
    let catalog = open(&lake.store).await;
    let decimal = json!({ "id": 1, "name": "d", "required": false, "type": "decimal(99,2)" });
    let bucket = json!({ "source-id": 1, "name": "b", "transform": "bucket[0]" });
    for (body, told) in [
        (json!({ "name": "n", "schema": schema(), "location": "s3://elsewhere/n" }), "under `tables/`"),
        (json!({ "name": "n", "schema": schema(), "properties": { "format-version": "3" } }), "format version 2"),
        (json!({ "name": "n", "schema": { "type": "struct", "fields": [] } }), "has columns"),
        (json!({ "name": "n", "schema": { "type": "struct", "fields": [decimal] } }), "1 to 38"),
        (json!({ "name": "n", "schema": schema(), "partition-spec": { "fields": [bucket] } }), "bucket[0]"),
    ] {
        let created = catalog.create_outside(&"n".parse().unwrap(), asked::<NewTable>(body), caller()).await;
        assert!(why(created).contains(told));
    }
}

#[tokio::test]
async fn a_key_answers_its_first_outcome_in_every_process() {
    let lake = TestLake::open().await;
    let catalog = open(&lake.store).await;
    let engine = Engine::create(&catalog, "t").await;
    let now = engine.metadata().await;
    let body = engine.append_to(&now, vec![engine.file(&now, &[1]).await]).await;
    let first = engine.commit_as(body.clone(), keyed(Some("k"))).await.unwrap();
    engine.append(&[2]).await.unwrap();
    let other = open(&lake.reopen().await).await;
    let again = Engine::of(&other, "t").commit_as(body, keyed(Some("k"))).await.unwrap();
    assert_eq!((again.tag(), again.version()), (first.tag(), first.version()));
    assert_eq!(ids(&other, "t").await, [1, 2]);
    let differs = json!({ "requirements": [], "updates": [] });
    assert!(matches!(engine.commit_as(differs, keyed(Some("k"))).await, Err(Error::KeyReused)));
    let (name, wish) = ("made".parse().unwrap(), json!({ "name": "made", "schema": schema() }));
    let made = catalog.create_outside(&name, asked::<NewTable>(wish.clone()), keyed(Some("c"))).await.unwrap();
    let again = other.create_outside(&name, asked::<NewTable>(wish.clone()), keyed(Some("c"))).await.unwrap();
    assert_eq!((again.tag(), again.version()), (made.tag(), made.version()));
    let unkeyed = other.create_outside(&name, asked::<NewTable>(wish), caller()).await;
    assert!(matches!(unkeyed, Err(Error::DatasetExists { .. })));
    let gone = other.drop_outside(&engine.name, keyed(Some("d"))).await.unwrap();
    let twice = catalog.drop_outside(&engine.name, keyed(Some("d"))).await.unwrap();
    assert!(gone <= twice && catalog.pin_fresh().await.unwrap().version() == gone, "it is dropped once");
    let wish = || NamespaceWish::Create { namespace: "sales".into(), properties: Properties::new() };
    catalog.change_namespace(wish().asked(), keyed(Some("n"))).await.unwrap();
    other.change_namespace(wish().asked(), keyed(Some("n"))).await.unwrap();
    let unkeyed = other.change_namespace(wish().asked(), caller()).await;
    assert!(matches!(unkeyed, Err(Error::NamespaceExists { .. })));
}

#[tokio::test]
async fn namespaces_keep_their_properties_and_go_only_when_empty() {
    let lake = TestLake::open().await;
    let catalog = open(&lake.store).await;
    let owned = Properties::from([("owner".to_owned(), "hr".to_owned()), ("x".to_owned(), "y".to_owned())]);
    let wish = NamespaceWish::Create { namespace: "sales".into(), properties: owned };
    catalog.change_namespace(wish.asked(), caller()).await.unwrap();
    let note = NamespaceWish::Note {
        namespace: "sales".into(),
        updates: Properties::from([("a".to_owned(), "b".to_owned())]),
        removals: BTreeSet::from(["x".to_owned(), "z".to_owned()]),
    };
    let told = catalog.change_namespace(note.asked(), caller()).await.unwrap().told;
    assert_eq!((told.updated, told.removed, told.missing), (vec!["a".into()], vec!["x".into()], vec!["z".into()]));
    load(&catalog, "sales.t", Mode::Append, &[1]).await.unwrap();
    let fresh = open(&lake.reopen().await).await;
    let pin = fresh.pin_fresh().await.unwrap();
    let kept = fresh.namespace(&pin, "sales").unwrap();
    assert_eq!(kept, Properties::from([("a".into(), "b".into()), ("owner".into(), "hr".into())]));
    let gone = |name: &str| NamespaceWish::Drop { namespace: name.into() }.asked();
    let outcome = fresh.change_namespace(gone("sales"), caller()).await;
    assert!(matches!(outcome, Err(Error::NamespaceInUse { tables: 1, .. })));
    assert!(matches!(fresh.change_namespace(gone("default"), caller()).await, Err(Error::NamespaceInUse { .. })));
    assert!(matches!(fresh.change_namespace(gone("none"), caller()).await, Err(Error::UnknownNamespace { .. })));
    fresh.drop_outside(&"sales.t".parse().unwrap(), caller()).await.unwrap();
    fresh.change_namespace(gone("sales"), caller()).await.unwrap();
    for (name, reserved) in [("a.b", false), ("", false), ("runs", true), ("Information_Schema", true)] {
        let wish = NamespaceWish::Create { namespace: name.into(), properties: Properties::new() };
        let outcome = fresh.change_namespace(wish.asked(), caller()).await;
        assert!(matches!(outcome, Err(Error::ReservedNamespace { .. })) == reserved && outcome.is_err(), "{name}");
    }
    let (name, body) = ("sales.t".parse().unwrap(), json!({ "name": "t", "schema": schema() }));
    let nowhere = fresh.create_outside(&name, asked::<NewTable>(body), caller());
    assert!(matches!(nowhere.await, Err(Error::UnknownNamespace { .. })));
}

#[tokio::test]
async fn a_table_is_renamed_dropped_and_adopted_again() {
    let lake = TestLake::open().await;
    let catalog = open(&lake.store).await;
    space(&catalog, "old").await;
    let engine = Engine::create(&catalog, "t").await;
    engine.append(&[1, 2]).await.unwrap();
    let (from, to) = ("t".parse().unwrap(), "old.t".parse().unwrap());
    let before = catalog.pin(None).await.unwrap();
    catalog.rename(&from, &to, caller()).await.unwrap();
    assert_eq!(ids(&catalog, "old.t").await, [1, 2]);
    assert!(catalog.pin(None).await.unwrap().entry(&from).is_none());
    assert_eq!(ids_at(&catalog, &before, "t").await, [1, 2]);
    load(&catalog, "old.t", Mode::Append, &[3]).await.unwrap();
    assert!(matches!(catalog.rename(&from, &to, caller()).await, Err(Error::UnknownDataset { .. })));
    Engine::create(&catalog, "t").await;
    assert!(matches!(catalog.rename(&from, &to, caller()).await, Err(Error::DatasetExists { .. })));
    let nowhere = "none.t".parse().unwrap();
    assert!(matches!(catalog.rename(&from, &nowhere, caller()).await, Err(Error::UnknownNamespace { .. })));
    let location =
        serde_json::to_value(Engine::of(&catalog, "old.t").load().await).unwrap()["metadata-location"].take();
    catalog.drop_outside(&to, caller()).await.unwrap();
    let adopt = |name: &str, body: Value| {
        let (catalog, name, body) = (catalog.clone(), name.parse().unwrap(), asked::<Adoption>(body));
        async move { catalog.adopt_outside(&name, body, caller()).await }
    };
    let body = json!({ "name": "again", "metadata-location": location });
    let adopted = adopt("again", body.clone()).await.unwrap();
    assert_eq!(
        metadata_of(&adopted).properties()["lakehouse.others-until"],
        "2",
        "files of unknown snapshots are others'"
    );
    assert_eq!(ids(&catalog, "again").await, [1, 2, 3]);
    assert!(matches!(adopt("again", body).await, Err(Error::DatasetExists { .. })));
    let over = json!({ "name": "t", "metadata-location": location, "overwrite": true });
    assert!(why(adopt("t", over.clone()).await).contains("that of again"));
    catalog.drop_outside(&"again".parse().unwrap(), caller()).await.unwrap();
    adopt("t", over).await.unwrap();
    assert_eq!(ids(&catalog, "t").await, [1, 2, 3]);
    let nothing = format!("{}/tables/none/metadata/0.metadata.json", lake.store.uri());
    assert!(why(adopt("n", json!({ "name": "n", "metadata-location": nothing })).await).contains("no metadata file"));
    let elsewhere = json!({ "name": "n", "metadata-location": "s3://elsewhere/metadata.json" });
    assert!(why(adopt("n", elsewhere).await).contains("does not lie among"));
}

#[tokio::test]
async fn our_writers_are_told_that_a_table_is_partitioned() {
    let lake = TestLake::open().await;
    let catalog = open(&lake.store).await;
    let name = "t".parse().unwrap();
    let field = json!({ "source-id": 1, "name": "id_bucket", "transform": "bucket[4]" });
    let body = json!({ "name": "t", "schema": schema(), "partition-spec": { "fields": [field] } });
    catalog.create_outside(&name, asked::<NewTable>(body), caller()).await.unwrap();
    for mode in [Mode::Append, Mode::Replace] {
        assert!(matches!(load(&catalog, "t", mode, &[1]).await, Err(Error::Partitioned { .. })));
    }
    let left = paths(&lake.store, "tables/").await;
    assert!(left.iter().all(|path| path.ends_with(".metadata.json")), "{left:?}");
}

#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "only the system can move a lake")]
async fn engines_are_not_sent_to_where_a_lake_no_longer_is() {
    let lake = TestLake::open().await;
    load(&open(&lake.store).await, "t", Mode::Append, &[1]).await.unwrap();
    let place = lake.path().with_extension("moved");
    std::fs::rename(lake.path(), &place).unwrap();
    let moved = storage::Location::Directory(place.clone());
    let moved = storage::Store::open(&moved, &testkit::lake::config(), base::Seams::system()).await.unwrap();
    let catalog = open(&moved).await;
    assert_eq!(ids(&catalog, "t").await, [1], "we read it where it is");
    let pin = catalog.pin(None).await.unwrap();
    let loaded = catalog.load_outside(&pin, &"t".parse().unwrap()).await;
    assert!(matches!(loaded, Err(Error::LakeMoved)));
    let touched = json!([{ "action": "set-properties", "updates": { "touched": "yes" } }]);
    assert!(matches!(Engine::of(&catalog, "t").update(touched).await, Err(Error::LakeMoved)));
    let (name, body) = ("new".parse().unwrap(), json!({ "name": "new", "schema": schema() }));
    let created = catalog.create_outside(&name, asked::<NewTable>(body), caller()).await;
    assert!(matches!(created, Err(Error::LakeMoved)));
    assert_eq!(catalog.pin_fresh().await.unwrap().version(), pin.version(), "what is refused does not happen");
    std::fs::remove_dir_all(place).unwrap();
}

#[tokio::test]
async fn what_we_append_states_the_delete_files_that_it_keeps() {
    let lake = TestLake::open().await;
    let catalog = open(&lake.store).await;
    let engine = Engine::create(&catalog, "t").await;
    engine.append(&[1, 2]).await.unwrap();
    let allowed = json!({ "lakehouse.allow-delete-files": "true" });
    engine.update(json!([{ "action": "set-properties", "updates": allowed }])).await.unwrap();
    let now = engine.metadata().await;
    let file = engine.file(&now, &[0]).await;
    let deletes = described(DataContentType::PositionDeletes, file.file_path(), file.file_size_in_bytes(), 1);
    engine.commit(engine.append_to(&now, vec![deletes]).await).await.unwrap();
    for (mode, stated) in [(Mode::Append, "1"), (Mode::Replace, "0")] {
        load(&catalog, "t", mode, &[3]).await.unwrap();
        let metadata = engine.metadata().await;
        let summary = &metadata.current_snapshot().unwrap().summary().additional_properties;
        let totals = ["total-delete-files", "total-position-deletes"].map(|key| summary[key].as_str());
        assert_eq!(totals, [stated; 2], "{mode}");
    }
}

/// A file that takes rows away from one data file by their positions, as its manifest states.
fn taking(from: &DataFile, rows: u64) -> DataFile {
    let named = || HashMap::from([(i32::MAX - 101, Datum::string(from.file_path()))]);
    let mut taking = DataFileBuilder::default();
    taking.content(DataContentType::PositionDeletes).file_format(DataFileFormat::Parquet);
    taking.file_path(from.file_path().to_owned()).file_size_in_bytes(from.file_size_in_bytes()).record_count(rows);
    taking.partition(Struct::empty()).partition_spec_id(0).lower_bounds(named()).upper_bounds(named());
    taking.build().unwrap()
}

#[tokio::test]
async fn rows_that_others_deleted_are_counted_as_readers_find_them() {
    let lake = TestLake::open().await;
    let catalog = open(&lake.store).await;
    let engine = Engine::create(&catalog, "t").await;
    let allowed = json!({ "lakehouse.allow-delete-files": "true" });
    engine.update(json!([{ "action": "set-properties", "updates": allowed }])).await.unwrap();
    let append = async |file: DataFile| {
        let now = engine.metadata().await;
        engine.commit(engine.append_to(&now, vec![file]).await).await.unwrap();
        catalog.pin_fresh().await.unwrap().version()
    };
    let now = engine.metadata().await;
    let (file, gone) = (engine.file(&now, &[1, 2, 3]).await, engine.file(&now, &[4]).await);
    let whole = append(file.clone()).await;
    let cut = append(taking(&file, 1)).await;
    // Of a file that the table does not have, and more than there are, as some of them are listed twice.
    append(taking(&gone, 2)).await;
    append(taking(&file, 3)).await;
    load(&catalog, "t", Mode::Append, &[8, 9]).await.unwrap();
    load(&catalog, "t", Mode::Replace, &[7]).await.unwrap();
    let pin = catalog.pin_fresh().await.unwrap();
    let history = catalog.history(&pin, &"t".parse().unwrap(), 10, None).await.unwrap().items;
    let told: Vec<_> = history.iter().map(|line| (line.row_count, line.added_rows, line.removed_rows)).collect();
    assert_eq!(told, [(1, 1, 2), (2, 2, 0), (0, 0, 2), (2, 0, 0), (2, 0, 1), (3, 3, 0)]);
    let diff = catalog.diff(Some(&AsOf::Version(whole)), &AsOf::Version(cut)).await.unwrap();
    let table = &diff.tables[0];
    assert_eq!((table.rows_before, table.rows_after, table.rows_added, table.rows_removed), (3, 2, Some(0), Some(1)));
}
