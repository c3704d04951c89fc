use serde_json::json;

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::Asked;
use crate::{NewTable, TableChanges, Transaction};

fn field(id: i32, ty: Value) -> Value {
    json!({ "id": id, "name": "c", "required": false, "type": ty })
}

fn schema(fields: Value) -> Value {
    json!({ "type": "struct", "fields": fields })
}

#[track_caller]
fn check<T: DeserializeOwned>(body: Value, expected: &str) {
    let why = serde_json::from_value::<Asked<T>>(body).err().map(|error| error.to_string()).unwrap_or_default();
    assert!(why.starts_with(expected), "{why:?}");
    assert!(!why.contains("DataInvalid") && !why.contains("untagged") && why.len() < 600, "{why:?}");
}

#[test]
fn a_schema_that_does_not_read_is_told_by_the_place_of_its_flaw() {
    let list =
        |element: Value| json!({ "type": "list", "element-id": 2, "element-required": true, "element": element });
    let map = |value: i32| json!({ "type": "map", "key-id": 3, "key": "string", "value-id": value, "value-required": false, "value": "int" });
    for (given, expected) in [
        (json!({}), "schema.type is \"struct\" for a schema"),
        (json!([]), "schema is no object"),
        (json!({ "type": "struct" }), "schema.fields is no list of columns"),
        (schema(json!([field(1, json!("long")), 7])), "schema.fields[1].name is no text"),
        (schema(json!([field(1, json!("geometry"))])), "schema.fields[0].type is \"geometry\", which is no type here"),
        (schema(json!([field(1, json!("x".repeat(100_000)))])), "schema.fields[0].type is \"xxx"),
        (schema(json!([field(1, json!("decimal(9)"))])), "schema.fields[0].type is \"decimal(9)\", which is no type"),
        (
            schema(json!([{ "id": 1, "name": "c", "required": true }])),
            "schema.fields[0].type is missing (column \"c\")",
        ),
        (schema(json!([{ "id": "1", "name": "c", "required": true }])), "schema.fields[0].id is no number of 32 bits"),
        (schema(json!([{ "id": 1, "name": "c" }])), "schema.fields[0].required is neither true nor false"),
        (
            schema(json!([field(1, json!("int")), field(1, json!("int"))])),
            "schema.fields[1].id is 1, as schema.fields[0].id is",
        ),
        (schema(json!([field(1, list(json!("void")))])), "schema.fields[0].type.element is \"void\""),
        (schema(json!([field(1, list(json!(null)))])), "schema.fields[0].type.element is missing"),
        (schema(json!([field(1, map(3))])), "schema.fields[0].type.value-id is 3, as schema.fields[0].type.key-id is"),
        (
            schema(json!([field(1, schema(json!([field(2, json!({ "type": "set" }))])))])),
            "schema.fields[0].type.fields[0].type is {\"type\":\"set\"}",
        ),
    ] {
        check::<NewTable>(json!({ "name": "t", "schema": given }), expected);
    }
}

#[test]
fn every_part_of_a_body_is_told_by_its_place() {
    let table = |part: &str, given: Value| json!({ "name": "t", "schema": schema(json!([field(1, json!("int"))])), part: given });
    check::<NewTable>(json!({ "name": "t" }), "missing field `schema`");
    check::<NewTable>(table("partition-spec", json!({ "fields": 1 })), "partition-spec: ");
    let transform = json!({ "fields": [{ "source-id": 1, "name": "p", "transform": "bucket" }] });
    check::<NewTable>(table("partition-spec", transform), "partition-spec: ");
    check::<NewTable>(table("write-order", json!({ "order-id": "x" })), "write-order: ");
    let update = |update: Value| json!({ "requirements": [], "updates": [{ "action": "set-location", "location": "x" }, update] });
    check::<TableChanges>(update(json!({ "action": "fly" })), "updates[1]: unknown variant `fly`");
    check::<TableChanges>(update(json!({ "location": "x" })), "updates[1]: missing field `action`");
    let geometry = schema(json!([field(1, json!("geometry"))]));
    let add = json!({ "action": "add-schema", "schema": geometry });
    check::<TableChanges>(update(add.clone()), "updates[1].schema.fields[0].type is \"geometry\"");
    check::<TableChanges>(json!({ "requirements": [{ "type": "assert-luck" }] }), "requirements[0]: unknown variant");
    let many = json!({ "table-changes": [update(json!({ "action": "set-location", "location": "x" })), update(add)] });
    check::<Transaction>(many, "table-changes[1].updates[1].schema.fields[0].type is \"geometry\"");
}
