//! What takes something away, what is taken already, and what is told of it.

use std::collections::BTreeSet;

use base::Version;
use catalog::{Adoption, Caller, Error, Mode, NamespaceWish, NewTable, Properties, Result, Transaction};
use serde_json::{Value, json};
use testkit::TestLake;

use super::engine::{Engine, asked, caller, keyed, manifests, schema, snapshot};
use super::why;
use crate::support::{ids, load, open};

fn writer() -> Caller {
    Caller { may_take_away: false, ..caller() }
}

fn is_refused<T>(outcome: Result<T>) -> bool {
    matches!(outcome, Err(Error::TakesAway { .. }))
}

fn change(updates: Value) -> Value {
    json!({ "requirements": [], "updates": updates })
}

fn main_to(id: i64) -> Value {
    json!([{ "action": "set-snapshot-ref", "ref-name": "main", "type": "branch", "snapshot-id": id }])
}

#[tokio::test]
async fn who_may_only_write_brings_no_table_back_and_empties_none() {
    let lake = TestLake::open().await;
    let catalog = open(&lake.store).await;
    let engine = Engine::create(&catalog, "t").await;
    engine.append(&[1]).await.unwrap();
    let first = engine.metadata().await.current_snapshot_id().unwrap();
    engine.append(&[2]).await.unwrap();
    let second = engine.metadata().await.current_snapshot_id().unwrap();
    let without = json!([{ "action": "remove-snapshot-ref", "ref-name": "main" }]);
    for taken in [main_to(first), without.clone()] {
        assert!(is_refused(engine.commit_as(change(taken), writer()).await));
    }
    let mut named = change(main_to(first));
    named["identifier"] = json!({ "namespace": ["default"], "name": "t" });
    let all = asked::<Transaction>(json!({ "table-changes": [named] }));
    assert!(is_refused(catalog.commit_all_outside(all, writer()).await));
    assert_eq!(ids(&catalog, "t").await, [1, 2]);
    // Rows that are replaced are written, and a branch may catch up.
    let now = engine.metadata().await;
    let (aside, mut updates) = snapshot(&now, manifests(&now).await, vec![engine.file(&now, &[3]).await]).await;
    updates[1]["ref-name"] = json!("audit");
    engine.commit_as(change(updates), writer()).await.unwrap();
    engine.commit_as(change(main_to(aside.snapshot_id())), writer()).await.unwrap();
    assert_eq!(ids(&catalog, "t").await, [1, 2, 3]);
    let now = engine.metadata().await;
    let (_, add) = snapshot(&now, Vec::new(), vec![engine.file(&now, &[9]).await]).await;
    let replaced = [without.as_array().unwrap().as_slice(), add.as_array().unwrap()].concat();
    engine.commit_as(change(json!(replaced)), writer()).await.unwrap();
    assert_eq!(ids(&catalog, "t").await, [9]);
    engine.commit_as(change(main_to(second)), caller()).await.unwrap();
    assert_eq!(ids(&catalog, "t").await, [1, 2], "an administrator may");
}

#[tokio::test]
async fn who_may_only_write_replaces_no_table_by_another_files() {
    let lake = TestLake::open().await;
    let catalog = open(&lake.store).await;
    let engine = Engine::create(&catalog, "t").await;
    engine.append(&[1]).await.unwrap();
    let location = serde_json::to_value(engine.load().await).unwrap()["metadata-location"].take();
    engine.append(&[2]).await.unwrap();
    let adopt = || asked::<Adoption>(json!({ "name": "t", "metadata-location": location, "overwrite": true }));
    assert!(is_refused(catalog.adopt_outside(&engine.name, adopt(), writer()).await));
    assert_eq!(ids(&catalog, "t").await, [1, 2]);
    catalog.adopt_outside(&engine.name, adopt(), caller()).await.unwrap();
    assert_eq!(ids(&catalog, "t").await, [1]);
    catalog.drop_outside(&engine.name, caller()).await.unwrap();
    catalog.adopt_outside(&engine.name, adopt(), writer()).await.unwrap();
    assert_eq!(ids(&catalog, "t").await, [1], "there was nothing to be replaced");
}

#[tokio::test]
async fn two_living_tables_have_no_place_in_common() {
    let lake = TestLake::open().await;
    let catalog = open(&lake.store).await;
    let engine = Engine::create(&catalog, "t").await;
    let metadata = serde_json::to_value(engine.load().await).unwrap();
    let (place, file) = (metadata["metadata"]["location"].as_str().unwrap(), &metadata["metadata-location"]);
    let around = place.rsplit_once("/t-").unwrap().0;
    let create = async |name: &str, location: &str| {
        let body = json!({ "name": name, "schema": schema(), "location": location });
        catalog.create_outside(&name.parse().unwrap(), asked::<NewTable>(body), caller()).await
    };
    for location in [place, &format!("{place}/"), &format!("{place}/inner")] {
        assert!(why(create("u", location).await).contains("that of t,"), "{location}");
    }
    create("deep", &format!("{around}/a/b")).await.unwrap();
    assert!(why(create("u", &format!("{around}/a")).await).contains("that of deep,"));
    create("beside", &format!("{place}x")).await.unwrap();
    let adopt = || asked::<Adoption>(json!({ "name": "u", "metadata-location": file }));
    let name = "u".parse().unwrap();
    assert!(why(catalog.adopt_outside(&name, adopt(), caller()).await).contains("that of t,"));
    engine.append(&[1]).await.unwrap();
    catalog.drop_outside(&engine.name, caller()).await.unwrap();
    catalog.adopt_outside(&name, adopt(), caller()).await.unwrap();
    assert_eq!(ids(&catalog, "u").await, [0_i64; 0], "a dropped table leaves its place");
    let columns = [json!({ "action": "set-location", "location": format!("{around}/same") }), add_schema(schema())];
    let one = |name: &str| {
        json!({ "identifier": { "namespace": ["default"], "name": name },
        "requirements": [{ "type": "assert-create" }], "updates": columns })
    };
    let both = asked::<Transaction>(json!({ "table-changes": [one("one"), one("two")] }));
    assert!(why(catalog.commit_all_outside(both, caller()).await).contains("that of one,"));
}

#[tokio::test]
async fn nothing_comes_back_to_a_place_that_another_has_taken() {
    let lake = TestLake::open().await;
    let catalog = open(&lake.store).await;
    let engine = Engine::create(&catalog, "t").await;
    engine.append(&[1]).await.unwrap();
    let (place, then) = (engine.metadata().await.location().to_owned(), catalog.pin_fresh().await.unwrap().version());
    catalog.drop_outside(&engine.name, caller()).await.unwrap();
    let other = "u".parse().unwrap();
    let new = asked::<NewTable>(json!({ "name": "u", "schema": schema(), "location": place }));
    catalog.create_outside(&other, new, caller()).await.unwrap();
    let back = async || catalog.roll_back(&engine.name, &base::AsOf::Version(then), "test").await;
    assert!(why(back().await).contains("that of u,"));
    catalog.drop_outside(&other, caller()).await.unwrap();
    back().await.unwrap();
    assert_eq!(ids(&catalog, "t").await, [1]);
}

fn add_schema(schema: Value) -> Value {
    json!({ "action": "add-schema", "schema": schema })
}

#[tokio::test]
async fn what_old_rows_lack_is_not_demanded_however_deep() {
    let lake = TestLake::open().await;
    let catalog = open(&lake.store).await;
    let field = |id: i32, name: &str, required: bool, ty: Value| json!({ "id": id, "name": name, "required": required, "type": ty });
    let within = |inner: Value| json!({ "type": "struct", "fields": inner });
    let list = |inner: Value| json!({ "type": "list", "element-id": 3, "element-required": true, "element": inner });
    let text = || json!("string");
    let shaped = |place: Value| within(json!([field(1, "place", false, place)]));
    let body = json!({ "name": "t", "schema": shaped(within(json!([
        field(2, "street", false, text()),
        field(4, "items", false, list(within(json!([field(5, "a", false, text())])))),
    ]))) });
    let engine = Engine::of(&catalog, "t");
    catalog.create_outside(&engine.name, asked::<NewTable>(body), caller()).await.unwrap();
    let known = serde_json::to_value(engine.metadata().await).unwrap()["schemas"][0].take();
    let place = known["fields"][0]["type"]["fields"].as_array().unwrap().clone();
    let grown = |inner: Vec<Value>| {
        let mut grown = known.clone();
        grown["fields"][0]["type"]["fields"] = json!(inner);
        grown["schema-id"] = json!(1);
        json!([add_schema(grown), { "action": "set-current-schema", "schema-id": -1 }])
    };
    let mut demanding = place.clone();
    demanding.push(field(20, "country", true, text()));
    assert!(why(engine.update(grown(demanding)).await).contains("\"country\" is new and must be optional"));
    let mut demanding = place.clone();
    demanding[1]["type"]["element"]["fields"].as_array_mut().unwrap().push(field(20, "b", true, text()));
    assert!(why(engine.update(grown(demanding)).await).contains("\"b\" is new and must be optional"));
    let mut new = place;
    new.push(field(20, "owner", false, within(json!([field(21, "name", true, text())]))));
    engine.update(grown(new)).await.unwrap();
}

#[tokio::test]
async fn what_is_told_of_a_change_is_true_of_it() {
    let lake = TestLake::open().await;
    let catalog = open(&lake.store).await;
    let owned = Properties::from([("x".to_owned(), "y".to_owned())]);
    let wish = NamespaceWish::Create { namespace: "sales".into(), properties: owned };
    catalog.change_namespace(wish.asked(), caller()).await.unwrap();
    let removals = BTreeSet::from(["x".to_owned(), "z".to_owned()]);
    let note = NamespaceWish::Note { namespace: "sales".into(), updates: Properties::new(), removals };
    let other = open(&lake.reopen().await).await;
    for asked_of in [&catalog, &catalog, &other] {
        let told = asked_of.change_namespace(note.clone().asked(), keyed(Some("n"))).await.unwrap().told;
        assert_eq!((told.removed, told.missing), (vec!["x".to_owned()], vec!["z".to_owned()]));
    }
    let engine = Engine::create(&catalog, "t").await;
    let dropped = catalog.drop_outside(&engine.name, caller()).await.unwrap();
    let set = change(json!([{ "action": "set-properties", "updates": { "a": "b" } }]));
    let Err(Error::UnknownDataset { version, .. }) = engine.commit(set).await else { panic!("it is there") };
    assert_eq!((version, dropped), (Version(4), Version(4)));
    load(&catalog, "u", Mode::Append, &[1]).await.unwrap();
    let note = json!([{ "action": "set-properties", "updates": { "lakehouse.pii.77": "email" } }]);
    assert!(why(Engine::of(&catalog, "u").update(note).await).contains("no column with the id 77"));
}
