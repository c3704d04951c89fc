//! Compaction, expiry and the sweep over HTTP: what is answered, and that nothing is deleted unless it is said so.

use axum::Router;
use serde_json::{Value, json};

use crate::stack::{Stack, ingest, post_json, sql};

async fn keep(gateway: &Router, verb: &str, call: &Value) -> Value {
    let answer = post_json(gateway, &format!("/v1/catalog/maintenance/{verb}"), &call.to_string()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

/// Versions 1 to 3: people, each time others.
async fn people() -> (Stack, Router) {
    let stack = Stack::open().await;
    let gateway = stack.gateway();
    for row in ["1,Ann", "2,Bob", "3,Cy"] {
        assert_eq!(ingest(&gateway, "people", &format!("id,name\n{row}\n")).await.status, 200);
    }
    (stack, gateway)
}

#[tokio::test(flavor = "multi_thread")]
async fn versions_go_only_when_it_is_said_so() {
    let (_stack, gateway) = people().await;
    let dry = keep(&gateway, "expire", &json!({ "keep_last": 1 })).await;
    let told = json!({
        "dry_run": true, "before": 1, "oldest": 3, "tagged": [], "versions": 2, "version": null, "records": 0
    });
    assert_eq!(dry, told);
    let wet = keep(&gateway, "expire", &json!({ "keep_last": 1, "dry_run": false })).await;
    assert_eq!((&wet["dry_run"], &wet["version"], &wet["versions"]), (&json!(false), &json!(4), &json!(2)));
    let gone = post_json(&gateway, "/v1/sql", &json!({ "sql": "SELECT * FROM people", "as_of": 2 }).to_string()).await;
    assert_eq!((gone.status.as_u16(), gone.code().as_str()), (404, "catalog.unknown_version"));
    assert_eq!(gone.json()["oldest"], 3);
    let dry = keep(&gateway, "sweep", &json!({ "grace": "0s" })).await;
    assert_eq!((&dry["dry_run"], &dry["version"], dry["files"].as_u64() > Some(0)), (&json!(true), &Value::Null, true));
    let wet = keep(&gateway, "sweep", &json!({ "grace": "0s", "dry_run": false })).await;
    assert_eq!((&wet["files"], &wet["bytes"], &wet["version"]), (&dry["files"], &dry["bytes"], &json!(5)));
    assert_eq!(sql(&gateway, "SELECT name FROM people").await.json()["rows"], json!([["Cy"]]));
    assert_eq!(keep(&gateway, "sweep", &json!({ "grace": "0s" })).await["files"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn small_files_are_merged() {
    let (_stack, gateway) = people().await;
    let whole = keep(&gateway, "compact", &json!({})).await;
    assert_eq!(whole["datasets"][0]["files"], 0, "one file is compact");
    let refused = post_json(&gateway, "/v1/catalog/maintenance/compact", r#"{"name": "nobody"}"#).await;
    assert_eq!((refused.status.as_u16(), refused.code().as_str()), (404, "catalog.unknown_dataset"));
    for (verb, call) in [
        ("compact", r#"{"target_size": "huge"}"#),
        ("compact", r#"{"target_size": 0}"#),
        ("compact", r#"{"nonsense": 1}"#),
        ("expire", r#"{"keep_last": 0}"#),
        ("sweep", r#"{"limit": 1001}"#),
    ] {
        let refused = post_json(&gateway, &format!("/v1/catalog/maintenance/{verb}"), call).await;
        assert_eq!(refused.status.as_u16(), 400, "{}", refused.text());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn strays_are_named_in_pages() {
    let (_stack, gateway) = people().await;
    keep(&gateway, "expire", &json!({ "keep_last": 1, "dry_run": false })).await;
    let all = keep(&gateway, "sweep", &json!({ "grace": "0s" })).await;
    let (mut named, mut after) = (Vec::new(), Value::Null);
    for _ in 0..100 {
        let page = keep(&gateway, "sweep", &json!({ "grace": "0s", "limit": 3, "after": after })).await;
        assert_eq!((&page["files"], &page["bytes"]), (&all["files"], &all["bytes"]), "all are counted on each page");
        named.extend(page["strays"].as_array().unwrap().clone());
        after = page["next"].clone();
        if after.is_null() {
            break;
        }
    }
    assert!(named.len() > 3);
    assert_eq!(json!(named), all["strays"]);
}
