//! Questions and their answers on the wire.

use axum::body::Body;
use http::{Method, Request};
use http_body_util::BodyExt;
use tower::ServiceExt;

use crate::stack::{Stack, get, ingest, post_json, request, send, sql};

fn ask(sql: &str, accept: &str) -> Request<Body> {
    let body = serde_json::json!({ "sql": sql }).to_string();
    request(Method::POST, "/v1/sql", &[("content-type", "application/json"), ("accept", accept)], body)
}

#[tokio::test]
async fn rows_are_arrays_in_a_known_shape() {
    let stack = Stack::open().await;
    let gateway = stack.gateway();
    let loaded = ingest(&gateway, "people", "id,name,rate\n1,Alice,1.5\n2,Bob,\n").await;
    let version = loaded.json()["version"].to_string();
    let answer = sql(&gateway, "SELECT id, name, rate FROM people ORDER BY id").await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let wire = answer.text();
    let start = concat!(
        r#"{"columns":[{"name":"id","type":"BIGINT"},{"name":"name","type":"VARCHAR"},{"name":"rate","type":"DOUBLE"}],"#,
        r#""rows":[[1,"Alice",1.5],[2,"Bob",null]],"row_count":2,"truncated":false,"version":"#
    );
    assert!(wire.starts_with(start), "{wire}");
    assert_eq!(answer.header("x-lakehouse-version"), version);
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.header("x-lakehouse-query-id").len(), 26);
}

#[tokio::test]
async fn streams_have_no_row_limit() {
    let stack = Stack::open().await;
    let gateway = stack.gateway();
    ingest(&gateway, "people", "id,name\n1,Alice\n2,Bob\n").await;
    for (accept, media, body) in [
        ("text/csv", "text/csv; charset=utf-8", Some("id,name\n1,Alice\n2,Bob\n")),
        (
            "application/x-ndjson",
            "application/x-ndjson",
            Some("{\"id\":1,\"name\":\"Alice\"}\n{\"id\":2,\"name\":\"Bob\"}\n"),
        ),
        ("application/vnd.apache.arrow.stream", "application/vnd.apache.arrow.stream", None),
    ] {
        let answer = send(&gateway, ask("SELECT * FROM people ORDER BY id", accept)).await;
        assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, media));
        assert!(!answer.body.is_empty());
        if let Some(body) = body {
            assert_eq!(answer.text(), body);
        }
    }
    let many = send(&gateway, ask("SELECT * FROM generate_series(1, 150000)", "text/csv")).await;
    assert_eq!(many.text().lines().count(), 150_001, "{}", &many.text()[..many.text().len().min(300)]);
}

#[tokio::test]
async fn a_stream_that_fails_midway_breaks_instead_of_ending() {
    let stack = Stack::open().await;
    let failing = "SELECT 1 / (value - 140000) FROM generate_series(1, 150000) AS t(value)";
    let answer = stack.gateway().oneshot(ask(failing, "text/csv")).await.unwrap();
    if answer.status() == 200 {
        assert!(answer.into_body().collect().await.is_err(), "an answer that ends cleanly is whole");
    }
}

#[tokio::test]
async fn a_question_can_ask_about_the_past() {
    let stack = Stack::open().await;
    let gateway = stack.gateway();
    let first = ingest(&gateway, "people", "id\n1\n").await.json()["version"].clone();
    ingest(&gateway, "people", "id\n1\n2\n").await;
    let past = serde_json::json!({ "sql": "SELECT count(*) FROM people", "as_of": first }).to_string();
    let answer = post_json(&gateway, "/v1/sql", &past).await;
    assert_eq!((answer.json()["rows"].clone(), answer.json()["version"].clone()), (serde_json::json!([[1]]), first));
    assert_eq!(sql(&gateway, "SELECT count(*) FROM people").await.json()["rows"], serde_json::json!([[2]]));
    let params = serde_json::json!({ "sql": "SELECT id FROM people WHERE id > $1", "params": [1] }).to_string();
    assert_eq!(post_json(&gateway, "/v1/sql", &params).await.json()["rows"], serde_json::json!([[2]]));
}

#[tokio::test]
async fn a_running_query_is_cancelled_by_its_id() {
    let stack = Stack::open().await;
    let gateway = stack.gateway();
    let endless = "SELECT * FROM generate_series(1, 100000000000)";
    let answer = gateway.clone().oneshot(ask(endless, "text/csv")).await.unwrap();
    let id = answer.headers()["x-lakehouse-query-id"].to_str().unwrap().to_owned();
    let path = format!("/v1/sql/{id}");
    assert_eq!(send(&gateway, request(Method::DELETE, &path, &[], Body::empty())).await.status, 204);
    assert!(answer.into_body().collect().await.is_err(), "a cancelled stream breaks");
    assert_eq!(send(&gateway, request(Method::DELETE, &path, &[], Body::empty())).await.code(), "api.no_query");
}

#[tokio::test]
async fn the_catalog_tells_what_was_loaded() {
    let stack = Stack::open().await;
    let gateway = stack.gateway();
    let loaded = ingest(&gateway, "people", "id,name,city\n1,Alice,Toledo\n").await.json();
    let manifest = get(&gateway, "/v1/catalog/manifest/people").await;
    let known = manifest.json();
    assert_eq!(known["schema_fingerprint"], "043916c768704a24e76198f57db22d6cd4113ff19be7154e0cc04033ca02de01");
    for member in ["dataset_id", "name", "schema_fingerprint", "row_count", "version", "snapshot_id"] {
        assert_eq!(known[member], loaded[member], "{member}");
    }
    assert_eq!(known["objects"][0]["key"], loaded["objects"][0]);
    assert_eq!(known["schema"]["fields"][2]["type"], "string");
    assert!(known["created_at"].is_string() && known["updated_at"].is_string());
    let read = get(&gateway, &format!("/v1/storage/objects/{}", loaded["objects"][0].as_str().unwrap())).await;
    assert!(read.body.starts_with(b"PAR1"), "what a manifest names can be read");

    assert_eq!(get(&gateway, "/v1/catalog/list").await.json()["datasets"], serde_json::json!([known]));
    let past = get(&gateway, "/v1/catalog/history/people").await.json();
    assert_eq!(past["snapshots"][0]["snapshot_id"], loaded["snapshot_id"]);
    ingest(&gateway, "people", "id,name,city\n2,Bob,Toledo\n").await;
    let newest = get(&gateway, "/v1/catalog/versions?limit=1").await.json();
    assert_eq!(newest["versions"].as_array().unwrap().len(), 1);
    let next = newest["next"].as_str().expect("an older page").to_owned();
    let older = get(&gateway, &format!("/v1/catalog/versions?limit=1&before={next}")).await.json();
    assert_eq!(older["versions"][0]["version"], loaded["version"]);
    let record = get(&gateway, &format!("/v1/catalog/versions/{}", loaded["version"])).await;
    assert_eq!(record.json()["version"], loaded["version"], "{}", record.text());
}
