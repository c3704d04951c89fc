//! Loads told as they go, loads of what a request only names, columns that are added, and what is personal.

use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use futures::StreamExt;
use futures::channel::mpsc;
use http::Method;
use serde_json::{Value, json};

use crate::stack::{Answer, INBOX, Stack, get, request, send, sql};

const EVENTS: (&str, &str) = ("accept", "text/event-stream");
const CSV: (&str, &str) = ("content-type", "text/csv");
const SOURCE: (&str, &str) = ("content-type", "application/vnd.lakehouse.source+json");
const PEOPLE: &str = "id,contact\n1,ann@example.org\n2,bob@example.org\n";

async fn load(gateway: &Router, query: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Answer {
    send(gateway, request(Method::POST, &format!("/v1/ingest?{query}"), headers, body)).await
}

/// The events of an answer: their names and their JSON.
fn events(text: &str) -> Vec<(String, Value)> {
    let event = |block: &str| {
        let (name, data) = block.strip_prefix("event: ")?.split_once("\ndata: ")?;
        Some((name.to_owned(), serde_json::from_str(data).ok()?))
    };
    text.split("\n\n").filter_map(event).collect()
}

#[tokio::test]
async fn a_load_is_told_as_it_goes() {
    let stack = Stack::open().await;
    let split = stack.split();
    for (gateway, name) in [(stack.gateway(), "people"), (split.gateway.clone(), "others")] {
        let told = load(&gateway, &format!("name={name}"), &[CSV, EVENTS], PEOPLE).await;
        assert_eq!((told.status.as_u16(), told.header("content-type")), (200, "text/event-stream"));
        let events = events(&told.text());
        let (last, before) = events.split_last().unwrap();
        assert!(before.iter().all(|(name, _)| name == "progress"), "{events:?}");
        assert_eq!((last.0.as_str(), &last.1["row_count"], &last.1["existing"]), ("done", &json!(2), &json!(false)));
        assert_eq!(sql(&gateway, &format!("SELECT count(*) FROM {name}")).await.json()["rows"], json!([[2]]));
    }
}

#[tokio::test]
async fn a_refusal_is_told_as_the_last_event_or_as_a_status_when_it_comes_first() {
    let stack = Stack::open().await;
    let gateway = stack.gateway();
    let told = load(
        &gateway,
        "name=people",
        &[CSV, EVENTS, ("x-request-id", "00000000000000000000000000000abc")],
        "a,b\n1\n2,3,4\n",
    )
    .await;
    assert_eq!(told.status, 200);
    let (name, problem) = events(&told.text()).pop().unwrap();
    assert_eq!(name, "error");
    assert_eq!((&problem["code"], &problem["status"]), (&json!("ingest.bad_rows"), &json!(422)));
    assert_eq!(problem["request_id"], "00000000000000000000000000000abc");
    let first = load(&gateway, "mode=append", &[CSV, EVENTS], PEOPLE).await;
    assert_eq!(first.status, 400);
}

#[tokio::test]
async fn progress_is_told_while_the_body_comes_and_a_client_that_goes_away_ends_the_load() {
    let stack = Stack::open().await;
    let gateway = stack.gateway();
    let (sender, pieces) = mpsc::unbounded::<Result<Bytes, std::io::Error>>();
    let asked = request(Method::POST, "/v1/ingest?name=people", &[CSV, EVENTS], Body::from_stream(pieces));
    let answer = tower::ServiceExt::oneshot(gateway.clone(), asked).await.unwrap();
    let mut body = answer.into_body().into_data_stream();
    sender.unbounded_send(Ok(Bytes::from_static(b"id,contact\n1,x\n"))).unwrap();
    let arrived = |piece: &Bytes| events(std::str::from_utf8(piece).unwrap()).iter().any(|(_, at)| at["bytes"] == 15);
    while !arrived(&body.next().await.unwrap().unwrap()) {}
    drop(body);
    assert!(sender.is_closed(), "nobody reads on");
    assert_eq!(get(&gateway, "/v1/catalog/manifest/people").await.status, 404);
}

#[tokio::test]
async fn requests_may_name_objects_and_files_below_the_allowed_directories() {
    let stack = Stack::open().await;
    let gateway = stack.gateway();
    let put = request(Method::PUT, "/v1/storage/objects/in/people.csv", &[], PEOPLE);
    assert!(send(&gateway, put).await.status.is_success());
    let loaded = load(&gateway, "name=people", &[SOURCE], r#"{"object": "in/people.csv"}"#).await;
    assert_eq!((loaded.status.as_u16(), &loaded.json()["row_count"]), (200, &json!(2)), "{}", loaded.text());
    assert_eq!(load(&gateway, "name=people", &[SOURCE], r#"{"object": "in/absent.csv"}"#).await.status, 404);

    let inbox = stack.lake.path().join(INBOX);
    #[expect(clippy::disallowed_methods, reason = "the file that is to be found")]
    let written = std::fs::create_dir_all(&inbox).and_then(|()| std::fs::write(inbox.join("more.csv"), PEOPLE));
    written.unwrap();
    let path = |path: &std::path::Path| json!({ "path": path }).to_string();
    let keyed = [SOURCE, ("idempotency-key", "once")];
    for _ in 0..2 {
        let loaded = load(&gateway, "name=people&mode=append", &keyed, path(&inbox.join("more.csv"))).await;
        assert_eq!((loaded.status.as_u16(), &loaded.json()["total_rows"]), (200, &json!(4)), "{}", loaded.text());
    }
    let denied = load(&gateway, "name=people", &[SOURCE], path(stack.lake.path())).await;
    assert_eq!((denied.status.as_u16(), &denied.json()["code"]), (403, &json!("storage.path_denied")));
    let database = load(&gateway, "name=people", &[SOURCE], r#"{"postgres": "crm", "query": "SELECT 1"}"#).await;
    assert_eq!((database.status.as_u16(), &database.json()["code"]), (400, &json!("ingest.unknown_database")));

    for body in
        ["{}", r#"{"path": "/a", "object": "b"}"#, r#"{"postgres": "crm"}"#, r#"{"url": "http://x"}"#, "[]", "path"]
    {
        let refused = load(&gateway, "name=people", &[SOURCE], body).await;
        assert_eq!((refused.status.as_u16(), &refused.json()["code"]), (400, &json!("api.bad_body")), "{body}");
    }
}

#[tokio::test]
async fn added_columns_answer_sql_with_null_for_the_rows_that_were_there() {
    let stack = Stack::open().await;
    let gateway = stack.gateway();
    load(&gateway, "name=people", &[CSV], PEOPLE).await;
    let wider = "id,contact,wage\n3,cy@example.org,20.5\n";
    assert_eq!(load(&gateway, "name=people&mode=append", &[CSV], wider).await.status, 409);
    assert_eq!(load(&gateway, "name=people&mode=append&evolve=add", &[CSV], wider).await.status, 200);
    assert_eq!(load(&gateway, "name=people&mode=append&evolve=add", &[CSV], "wage,id\n7,4\n").await.status, 200);
    let rows = sql(&gateway, "SELECT id, contact IS NULL, wage FROM people ORDER BY id").await.json()["rows"].clone();
    let expected = json!([[1, false, null], [2, false, null], [3, false, 20.5], [4, true, 7.0]]);
    assert_eq!(rows, expected);
    let rows = sql(&gateway, "SELECT id FROM people WHERE wage IS NULL OR wage > 20 ORDER BY id").await;
    assert_eq!(rows.json()["rows"], json!([[1], [2], [3]]));
    assert_eq!(load(&gateway, "name=people&evolve=rename", &[CSV], wider).await.status, 400);
}

#[tokio::test]
async fn nested_parquet_answers_sql_like_nested_json() {
    let stack = Stack::open().await;
    let gateway = stack.gateway();
    let parquet = ("content-type", "application/vnd.apache.parquet");
    let file = &include_bytes!("../../../../testdata/parquet/nested.parquet")[..];
    let loaded = load(&gateway, "name=jobs", &[parquet], file).await;
    assert_eq!(loaded.status, 200, "{}", loaded.text());
    let asked = r#"SELECT id, "who.home.city", "who.home.zip" + 1, tags, point FROM jobs WHERE id <> 2 ORDER BY id"#;
    let expected = json!([
        [1, "Toledo", 43605, r#"["a","say \"hi\"",null]"#, r#"[0.1,"NaN"]"#],
        [3, null, null, null, r#"[-1.0,"Infinity"]"#],
    ]);
    assert_eq!(sql(&gateway, asked).await.json()["rows"], expected);
    let line = r#"{"id":4,"who":{"name":"Al","born":"2001-01-01","home":{"city":"Akron","zip":44301}},"tags":["b"]}"#;
    let ndjson = ("content-type", "application/x-ndjson");
    let appended = load(&gateway, "name=jobs&mode=append&evolve=add", &[ndjson], line).await;
    assert_eq!(appended.status, 200, "{}", appended.text());
    let asked = r#"SELECT "who.home.city", tags FROM jobs WHERE tags LIKE '%"b"%'"#;
    assert_eq!(sql(&gateway, asked).await.json()["rows"], json!([["Akron", r#"["b"]"#]]));
}

#[tokio::test]
async fn what_is_personal_stands_in_the_manifest_and_can_be_changed() {
    let stack = Stack::open().await;
    let gateway = stack.gateway();
    load(&gateway, "name=people", &[CSV], PEOPLE).await;
    let kind = async |column: usize| {
        get(&gateway, "/v1/catalog/manifest/people").await.json()["schema"]["fields"][column]["pii"].clone()
    };
    assert_eq!((kind(0).await, kind(1).await), (Value::Null, json!("email")));
    let say = async |name: &str, body: &str| {
        let headers = [("content-type", "application/json")];
        send(&gateway, request(Method::PUT, &format!("/v1/catalog/pii/{name}"), &headers, body.to_owned())).await
    };
    let said = say("people", r#"{"id": "other", "contact": null}"#).await;
    let expected =
        json!({ "name": "people", "version": 2, "existing": false, "columns": { "id": "other", "contact": null } });
    assert_eq!((said.status.as_u16(), said.json()), (200, expected));
    assert_eq!((kind(0).await, kind(1).await), (json!("other"), Value::Null));
    assert_eq!(say("people", r#"{"contact": null}"#).await.json()["existing"], true);
    let refused = [
        ("people", r#"{"contcat": "email"}"#, 400, "catalog.unknown_column"),
        ("people", r#"{"contact": "shoe size"}"#, 400, "api.bad_body"),
        ("absent", r#"{"contact": "email"}"#, 404, "catalog.unknown_dataset"),
    ];
    for (name, body, status, code) in refused {
        let refused = say(name, body).await;
        assert_eq!((refused.status.as_u16(), &refused.json()["code"]), (status, &json!(code)), "{body}");
    }
}
