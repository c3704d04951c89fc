//! Indexes have versions, over HTTP.

use axum::Router;
use http::Method;
use serde_json::{Value, json};

use crate::stack::{Answer, Stack, get, post_json, request, send};

async fn post(gateway: &Router, path: &str, body: Value) -> Value {
    let answer = post_json(gateway, &format!("/v1/vectors/index{path}"), &body.to_string()).await;
    assert!(answer.status.is_success(), "{path}: {}", answer.text());
    answer.json()
}

/// Adds an item whose vector is this number.
async fn add(gateway: &Router, id: &str, number: f32) {
    post(gateway, "/points/add", json!({ "items": [{ "id": id, "vector": [number] }] })).await;
}

async fn points(gateway: &Router) {
    post(gateway, "", json!({ "name": "points", "dimension": 1, "distance": "euclidean" })).await;
}

async fn load(gateway: &Router, asked: &str, csv: &str) -> Answer {
    let path = format!("/v1/ingest?{asked}");
    send(gateway, request(Method::POST, &path, &[("content-type", "text/csv")], csv.to_owned())).await
}

fn ids(found: &Value) -> Vec<&str> {
    found["results"].as_array().unwrap().iter().map(|hit| hit["id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_sealed_index_is_answered_as_of_its_version() {
    let stack = Stack::open().await;
    let gateway = stack.gateway();
    points(&gateway).await;
    add(&gateway, "a", 1.0).await;
    let sealed = post(&gateway, "/points/seal", json!({})).await;
    let version = sealed["version"].as_u64().unwrap();
    let told = json!({"name": "points", "version": version, "fragment": 1, "segments": 1, "length": 1, "sealed": true});
    assert_eq!(sealed, told);
    add(&gateway, "a", 5.0).await;
    add(&gateway, "b", 2.0).await;
    let search = async |as_of: Value| post(&gateway, "/points/search", json!({ "vector": [0], "as_of": as_of })).await;
    assert_eq!(ids(&search(Value::Null).await), ["b", "a"]);
    for as_of in [json!(version), json!(version.to_string()), sealed_at(&gateway, version).await] {
        let then = search(as_of).await;
        assert_eq!(
            (ids(&then), &then["version"], &then["results"][0]["distance"]),
            (vec!["a"], &json!(version), &json!(1.0))
        );
    }
    assert_eq!(ids(&search(json!(version - 1)).await), [""; 0]);
    let at = |path: &str| format!("/v1/vectors/index{path}?as_of={version}");
    assert_eq!(get(&gateway, &at("/points")).await.json()["length"], 1);
    assert_eq!(get(&gateway, &at("/points/items/a")).await.json()["vector"], json!([1.0]));
    assert_eq!(get(&gateway, &at("")).await.json()["indexes"][0]["length"], 1);
    let sql = json!({ "sql": "SELECT id, distance FROM vector_search('points', ARRAY[0.0], 9)", "as_of": version });
    let rows = post_json(&gateway, "/v1/sql", &sql.to_string()).await.json()["rows"].clone();
    assert_eq!(rows, json!([["a", 1.0]]));
    for (path, status, code) in [
        ("/points/items/b?as_of=2", 404, "vectors.item_not_found"),
        ("/other?as_of=2", 404, "catalog.index_not_found"),
        ("/points?as_of=99", 404, "catalog.unknown_version"),
        ("/points?as_of=never%20ever", 400, "api.bad_as_of"),
        ("?as_of=-1", 400, "api.bad_as_of"),
    ] {
        let refused = get(&gateway, &format!("/v1/vectors/index{path}")).await;
        assert_eq!((refused.status.as_u16(), refused.code().as_str()), (status, code), "{path}");
    }
}

/// When a version was published.
async fn sealed_at(gateway: &Router, version: u64) -> Value {
    get(gateway, &format!("/v1/catalog/versions/{version}")).await.json()["at"].clone()
}

#[tokio::test]
async fn a_load_puts_a_table_and_its_index_into_one_version() {
    let stack = Stack::open().await;
    let gateway = stack.gateway();
    points(&gateway).await;
    add(&gateway, "a", 1.0).await;
    let loaded = load(&gateway, "name=t&seal=points", "id\na\n").await;
    let version = loaded.json()["version"].as_u64().unwrap();
    let record = get(&gateway, &format!("/v1/catalog/versions/{version}")).await.json();
    let changes = record["commits"][0]["changes"].as_array().unwrap();
    let kinds: Vec<_> = changes.iter().map(|change| change["change"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["table_put", "index_seal"]);
    add(&gateway, "b", 2.0).await;
    let joined = "SELECT t.id FROM t JOIN vector_search('points', ARRAY[0.0], 9) p ON p.id = t.id ORDER BY 1";
    let ask = json!({ "sql": joined, "as_of": version }).to_string();
    assert_eq!(post_json(&gateway, "/v1/sql", &ask).await.json()["rows"], json!([["a"]]));
    // The same rows again make no version of the table, and the index is sealed all the same.
    let again = load(&gateway, "name=t&seal=points", "id\na\n").await.json();
    assert_eq!(again["existing"], true);
    let described = get(&gateway, &format!("/v1/vectors/index/points?as_of={}", again["version"])).await.json();
    assert_eq!(described["length"], 2);
    let refused = load(&gateway, "name=other&seal=points,nobody", "id\na\n").await;
    assert_eq!((refused.status.as_u16(), refused.code().as_str()), (404, "catalog.index_not_found"));
    assert_eq!(get(&gateway, "/v1/catalog/manifest/other").await.status, 404);
}

#[tokio::test]
async fn an_index_goes_into_another() {
    let stack = Stack::open().await;
    let gateway = stack.gateway();
    points(&gateway).await;
    post(&gateway, "", json!({ "name": "all", "dimension": 1, "distance": "euclidean" })).await;
    add(&gateway, "a", 1.0).await;
    let merged = post(&gateway, "/points/merge", json!({ "dest": "all", "clear_source": true })).await;
    let counts = ["added", "updated", "removed", "length", "source_length"].map(|count| merged[count].clone());
    assert_eq!(counts, [1, 0, 1, 1, 0]);
    for (body, status, code) in [
        (json!({ "dest": "points" }), 400, "vectors.bad_merge"),
        (json!({ "dest": "nobody" }), 404, "catalog.index_not_found"),
        (json!({}), 400, "api.bad_body"),
    ] {
        let refused = post_json(&gateway, "/v1/vectors/index/points/merge", &body.to_string()).await;
        assert_eq!((refused.status.as_u16(), refused.code().as_str()), (status, code), "{body}");
    }
}

#[tokio::test]
async fn recall_is_measured_and_shown() {
    let stack = Stack::open().await;
    let gateway = stack.gateway();
    points(&gateway).await;
    add(&gateway, "a", 1.0).await;
    add(&gateway, "b", 2.0).await;
    let measured = post(&gateway, "/points/recall", json!({ "k": 1 })).await;
    let told = ["recall", "sample", "k", "length", "coded", "fragment"].map(|member| measured[member].clone());
    assert_eq!(told, [json!(1.0), json!(2), json!(1), json!(2), json!(0), json!(2)]);
    assert_eq!(get(&gateway, "/v1/vectors/index/points").await.json()["recall"], measured);
    let exact = json!({ "vector": [0], "exact": true, "ef_search": 50 });
    assert_eq!(ids(&post(&gateway, "/points/search", exact).await), ["a", "b"]);
    for (path, body, status, code) in [
        ("/points/recall", json!({ "sample": 0 }), 400, "vectors.bad_query"),
        ("/points/recall", json!({ "many": 1 }), 400, "api.bad_body"),
        ("/points/search", json!({ "vector": [0], "ef_search": 0 }), 400, "vectors.bad_query"),
        ("/nobody/recall", json!({}), 404, "catalog.index_not_found"),
    ] {
        let refused = post_json(&gateway, &format!("/v1/vectors/index{path}"), &body.to_string()).await;
        assert_eq!((refused.status.as_u16(), refused.code().as_str()), (status, code), "{path} {body}");
    }
}
