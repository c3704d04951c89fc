//! Tags, differences, rollbacks and drops over HTTP: the shapes and every refusal.

use axum::Router;
use http::Method;
use serde_json::{Value, json};

use crate::stack::{Answer, Stack, get, ingest, post_json, request, send, sql};

const JSON: (&str, &str) = ("content-type", "application/json");

async fn ask(gateway: &Router, method: Method, path: &str, body: &Value) -> Answer {
    send(gateway, request(method, path, &[JSON], body.to_string())).await
}

async fn delete(gateway: &Router, path: &str) -> Answer {
    send(gateway, request(Method::DELETE, path, &[], "")).await
}

fn refused(answer: &Answer, status: u16, code: &str) {
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (status, code), "{}", answer.text());
}

/// Versions 1 to 3: people of two rows, then of one, and an index of nothing else.
async fn people() -> (Stack, Router) {
    let stack = Stack::open().await;
    let gateway = stack.gateway();
    assert_eq!(ingest(&gateway, "people", "id,name\n1,Ann\n2,Bob\n").await.status, 200);
    assert_eq!(ingest(&gateway, "people", "id,name\n3,Cy\n").await.status, 200);
    (stack, gateway)
}

#[tokio::test]
async fn tags_are_put_moved_told_and_dropped() {
    let (stack, gateway) = people().await;
    for gateway in [gateway, stack.split().gateway.clone()] {
        let put = ask(&gateway, Method::PUT, "/v1/catalog/tags/good", &json!({ "version": 1 })).await;
        assert_eq!((put.status.as_u16(), put.json()["tag"].clone()), (200, json!("good")));
        let head: u64 = put.header("x-lakehouse-version").parse().unwrap();
        let moved = ask(&gateway, Method::PUT, "/v1/catalog/tags/good", &json!({})).await;
        assert_eq!(moved.json(), json!({ "tag": "good", "version": head, "moved_from": 1 }));
        ask(&gateway, Method::PUT, "/v1/catalog/tags/also", &json!({ "version": "good" })).await;
        let tags = json!({ "tags": [{ "tag": "also", "version": head }, { "tag": "good", "version": head }] });
        assert_eq!(get(&gateway, "/v1/catalog/tags").await.json(), tags);
        assert_eq!(get(&gateway, "/v1/catalog/tags/good").await.json(), json!({ "tag": "good", "version": head }));
        ask(&gateway, Method::PUT, "/v1/catalog/tags/good", &json!({ "version": "1" })).await;
        let then = get(&gateway, "/v1/catalog/manifest/people?as_of=good").await.json();
        assert_eq!(then["row_count"], 2);
        for tag in ["good", "also"] {
            let gone = delete(&gateway, &format!("/v1/catalog/tags/{tag}")).await;
            assert_eq!((gone.status.as_u16(), gone.text().as_str()), (204, ""));
        }
        refused(&delete(&gateway, "/v1/catalog/tags/good").await, 404, "catalog.unknown_tag");
        refused(&get(&gateway, "/v1/catalog/tags/good").await, 404, "catalog.unknown_tag");
    }
}

#[tokio::test]
async fn a_tag_without_a_word_names_the_newest_version() {
    let (_stack, gateway) = people().await;
    let put = send(&gateway, request(Method::PUT, "/v1/catalog/tags/now", &[], "")).await;
    assert_eq!(put.status.as_u16(), 200, "{}", put.text());
    assert_eq!(get(&gateway, "/v1/catalog/tags").await.json(), json!({ "tags": [{ "tag": "now", "version": 2 }] }));
}

#[tokio::test]
async fn a_tag_that_cannot_be_is_refused() {
    let (_stack, gateway) = people().await;
    let put =
        async |tag: &str, body: Value| ask(&gateway, Method::PUT, &format!("/v1/catalog/tags/{tag}"), &body).await;
    let unknown = put("x", json!({ "version": 99 })).await;
    refused(&unknown, 404, "catalog.unknown_version");
    assert_eq!((&unknown.json()["oldest"], &unknown.json()["newest"]), (&json!(1), &json!(2)));
    refused(&put("x", json!({ "version": 0 })).await, 404, "catalog.unknown_version");
    refused(&put("7", json!({})).await, 400, "api.bad_name");
    refused(&put("a%20b", json!({})).await, 400, "api.bad_name");
    refused(&put("x", json!({ "version": -1 })).await, 400, "api.bad_body");
    refused(&put("x", json!({ "versio": 1 })).await, 400, "api.bad_body");
    refused(&put("x?dry_run=true", json!({})).await, 400, "api.bad_parameter");
    assert_eq!(get(&gateway, "/v1/catalog/tags").await.json(), json!({ "tags": [] }));
}

#[tokio::test]
async fn a_dataset_is_rolled_back_dropped_and_had_again() {
    let (_stack, gateway) = people().await;
    let back = post_json(&gateway, "/v1/catalog/rollback/people", r#"{"to":1}"#).await;
    let answer = back.json();
    let expected = json!({ "name": "people", "version": 3, "snapshot_id": answer["snapshot_id"], "row_count": 2, "existing": false });
    assert_eq!((back.header("x-lakehouse-version"), &answer), ("3", &expected));
    assert!(answer["snapshot_id"].is_string());
    let names = "SELECT name FROM people ORDER BY id";
    assert_eq!(sql(&gateway, names).await.json()["rows"], json!([["Ann"], ["Bob"]]));
    let again = post_json(&gateway, "/v1/catalog/rollback/people", r#"{"to":"1"}"#).await.json();
    assert_eq!((&again["existing"], &again["version"]), (&json!(true), &json!(3)));
    let history = get(&gateway, "/v1/catalog/history/people").await.json();
    assert_eq!(
        (&history["snapshots"][0]["mode"], &history["snapshots"][0]["version"]),
        (&json!("rollback"), &json!(3))
    );
    assert_eq!(history["snapshots"][0]["rolled_back_to"], history["snapshots"][2]["snapshot_id"]);
    let dropped = delete(&gateway, "/v1/catalog/datasets/people").await;
    assert_eq!((dropped.status.as_u16(), dropped.json()), (200, json!({ "name": "people", "version": 4 })));
    refused(&delete(&gateway, "/v1/catalog/datasets/people").await, 404, "catalog.unknown_dataset");
    refused(&get(&gateway, "/v1/catalog/manifest/people").await, 404, "catalog.unknown_dataset");
    assert_eq!(get(&gateway, "/v1/catalog/manifest/people?as_of=3").await.json()["row_count"], 2);
    assert_eq!(post_json(&gateway, "/v1/catalog/rollback/people", r#"{"to":2}"#).await.json()["row_count"], 1);
    assert_eq!(sql(&gateway, names).await.json()["rows"], json!([["Cy"]]));
    refused(&post_json(&gateway, "/v1/catalog/rollback/people", r#"{"to":9}"#).await, 404, "catalog.unknown_version");
    refused(&post_json(&gateway, "/v1/catalog/rollback/people", r#"{"to":4}"#).await, 404, "catalog.unknown_dataset");
    refused(&post_json(&gateway, "/v1/catalog/rollback/people", "{}").await, 400, "api.bad_body");
    refused(&post_json(&gateway, "/v1/catalog/rollback/no%20name", r#"{"to":1}"#).await, 400, "api.bad_name");
}

#[tokio::test]
async fn what_differs_is_told_by_rows_and_columns() {
    let (_stack, gateway) = people().await;
    let diff = get(&gateway, "/v1/catalog/versions/2/diff").await;
    let expected = json!({
        "from": 1, "to": 2,
        "tables": [{
            "name": "people", "change": "changed",
            "rows_added": 1, "rows_removed": 2, "rows_before": 2, "rows_after": 1,
        }],
        "indexes": [], "namespaces": [], "tags": [],
    });
    assert_eq!((diff.header("x-lakehouse-version"), diff.json()), ("2", expected));
    let evolved = "/v1/ingest?name=people&mode=append&evolve=add";
    let wider = request(Method::POST, evolved, &[("content-type", "text/csv")], "id,name,city\n4,Di,Lima\n");
    assert_eq!(send(&gateway, wider).await.status, 200);
    ingest(&gateway, "sales.orders", "id\n1\n").await;
    ask(&gateway, Method::PUT, "/v1/catalog/tags/wide", &json!({ "version": 3 })).await;
    let diff = get(&gateway, "/v1/catalog/versions/5/diff?from=2").await.json();
    let added = &diff["tables"][0]["schema"]["added"][0];
    assert_eq!((&added["id"], &added["name"], &added["type"]), (&json!(3), &json!("city"), &json!("string")));
    assert_eq!((&diff["tables"][0]["rows_added"], &diff["tables"][0]["rows_removed"]), (&json!(1), &json!(0)));
    assert_eq!((&diff["tables"][1]["name"], &diff["tables"][1]["change"]), (&json!("sales.orders"), &json!("created")));
    assert_eq!(diff["namespaces"], json!([{ "name": "sales", "change": "created" }]));
    assert_eq!(diff["tags"], json!([{ "tag": "wide", "change": "created", "from": null, "to": 3 }]));
    let back = get(&gateway, "/v1/catalog/versions/2/diff?from=wide").await.json();
    assert_eq!((&back["from"], &back["to"]), (&json!(3), &json!(2)));
    assert_eq!(back["tables"][0]["schema"]["removed"][0]["name"], "city");
    let all = get(&gateway, "/v1/catalog/versions/1/diff?from=0").await.json();
    assert_eq!((&all["tables"][0]["change"], &all["tables"][0]["rows_added"]), (&json!("created"), &json!(2)));
    refused(&get(&gateway, "/v1/catalog/versions/99/diff").await, 404, "catalog.unknown_version");
    refused(&get(&gateway, "/v1/catalog/versions/2/diff?from=99").await, 404, "catalog.unknown_version");
    refused(&get(&gateway, "/v1/catalog/versions/-2/diff").await, 400, "api.bad_as_of");
    refused(&get(&gateway, "/v1/catalog/versions/2/diff?to=1").await, 400, "api.bad_parameter");
}
