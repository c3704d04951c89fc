//! Iceberg's REST protocol at the doors: its paths, its envelope, its statuses.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use api::auth::{NamedToken, Scope};
use api::{Auth, AuthConfig, Role, Shared, Upstream};
use axum::Router;
use axum::body::Body;
use base::Seams;
use http::Method;
use serde_json::{Value, json};
use storage::Secret;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::stack::{Answer, Stack, Stop, get, ingest, limits, request, send, sql};

const BASE: &str = "/iceberg/v1";
const TABLE: &str = "/iceberg/v1/namespaces/default/tables/t";

async fn call(router: &Router, method: Method, path: &str, headers: &[(&str, &str)], body: &Value) -> Answer {
    let headers = [&[("content-type", "application/json")], headers].concat();
    let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
    send(router, request(method, path, &headers, body)).await
}

async fn post(router: &Router, path: &str, body: Value) -> Answer {
    call(router, Method::POST, &format!("{BASE}{path}"), &[], &body).await
}

async fn bare(router: &Router, method: Method, path: &str) -> Answer {
    call(router, method, path, &[], &Value::Null).await
}

fn schema() -> Value {
    json!({ "type": "struct", "fields": [{ "id": 1, "name": "id", "required": false, "type": "long" }] })
}

/// The status of a refusal and what the envelope names it.
fn refused(answer: &Answer) -> (u16, String) {
    assert_eq!(answer.header("content-type"), "application/json", "{}", answer.text());
    let document = answer.json();
    let error = &document["error"];
    assert_eq!(document.as_object().unwrap().keys().collect::<Vec<_>>(), ["error"]);
    assert_eq!(error["code"], answer.status.as_u16());
    assert!(!error["message"].as_str().unwrap().is_empty());
    (answer.status.as_u16(), error["type"].as_str().unwrap().to_owned())
}

fn assert_refused(answer: &Answer, status: u16, named: &str) {
    assert_eq!(refused(answer), (status, named.to_owned()), "{}", answer.text());
}

#[tokio::test]
async fn the_config_names_every_route_that_there_is() {
    let stack = Stack::open().await;
    let gateway = stack.gateway();
    let config = get(&gateway, "/iceberg/v1/config?warehouse=any").await.json();
    assert_eq!((&config["overrides"], &config["defaults"]), (&json!({}), &json!({})));
    assert_eq!(config["idempotency-key-lifetime"], "PT24H");
    for endpoint in config["endpoints"].as_array().unwrap() {
        let (method, path) = endpoint.as_str().unwrap().split_once(' ').unwrap();
        let path = format!("/iceberg{}", path.replace("/{prefix}", "").replace(['{', '}'], ""));
        let answer = bare(&gateway, method.parse().unwrap(), &path).await;
        assert_ne!(answer.status.as_u16(), 405, "{endpoint}");
        assert!(!answer.text().contains("there is nothing at this path"), "{endpoint}");
    }
}

#[tokio::test]
async fn a_table_lives_its_whole_life_through_the_protocol() {
    let stack = Stack::open().await;
    let gateway = stack.gateway();
    let made = post(&gateway, "/namespaces", json!({ "namespace": ["sales"], "properties": { "a": "b" } })).await;
    assert_eq!(made.json(), json!({ "namespace": ["sales"], "properties": { "a": "b" } }));
    assert_eq!(made.header("x-lakehouse-version"), "1");
    assert_eq!(get(&gateway, "/iceberg/v1/namespaces").await.json()["namespaces"], json!([["default"], ["sales"]]));
    let noted =
        post(&gateway, "/namespaces/sales/properties", json!({ "removals": ["a", "x"], "updates": { "c": "d" } }));
    assert_eq!(noted.await.json(), json!({ "updated": ["c"], "removed": ["a"], "missing": ["x"] }));
    assert_eq!(get(&gateway, "/iceberg/v1/namespaces/sales").await.json()["properties"], json!({ "c": "d" }));
    let created = post(&gateway, "/namespaces/sales/tables", json!({ "name": "t", "schema": schema() })).await;
    assert_eq!(created.status, 200, "{}", created.text());
    let location = created.json()["metadata-location"].as_str().unwrap().to_owned();
    assert!(location.starts_with(&format!("{}/tables/sales.t-", stack.lake.store.uri())), "{location}");
    let path = "/iceberg/v1/namespaces/sales/tables/t";
    assert_eq!(bare(&gateway, Method::HEAD, path).await.status, 204);
    let loaded = get(&gateway, path).await;
    assert_eq!(loaded.json()["metadata"], created.json()["metadata"]);
    assert_eq!(loaded.header("etag"), created.header("etag"));
    let known = [("if-none-match", loaded.header("etag"))];
    let unchanged = call(&gateway, Method::GET, path, &known, &Value::Null).await;
    assert_eq!((unchanged.status.as_u16(), unchanged.body.len()), (304, 0));
    let set = json!({
        "requirements": [{ "type": "assert-table-uuid", "uuid": loaded.json()["metadata"]["table-uuid"] }],
        "updates": [{ "action": "set-properties", "updates": { "seen": "yes" } }],
    });
    let committed = call(&gateway, Method::POST, path, &[], &set).await;
    assert_eq!(committed.json()["metadata"]["properties"]["seen"], "yes");
    assert_eq!(call(&gateway, Method::GET, path, &known, &Value::Null).await.status, 200);
    let report = json!({ "report-type": "scan" });
    assert_eq!(call(&gateway, Method::POST, &format!("{path}/metrics"), &[], &report).await.status, 204);
    let named = |space: &str, table: &str| json!({ "namespace": [space], "name": table });
    let renaming = json!({ "source": named("sales", "t"), "destination": named("default", "u") });
    assert_eq!(post(&gateway, "/tables/rename", renaming).await.status, 204);
    let listed = get(&gateway, "/iceberg/v1/namespaces/default/tables").await.json();
    assert_eq!(listed["identifiers"], json!([named("default", "u")]));
    assert_eq!(sql(&gateway, "SELECT count(*) FROM u").await.json()["rows"], json!([[0]]));
    let dropped = bare(&gateway, Method::DELETE, "/iceberg/v1/namespaces/default/tables/u?purgeRequested=true").await;
    assert_eq!(dropped.status, 204);
    assert_eq!(bare(&gateway, Method::DELETE, "/iceberg/v1/namespaces/sales").await.status, 204);
    let again = json!({ "name": "u", "metadata-location": committed.json()["metadata-location"] });
    assert_eq!(post(&gateway, "/namespaces/default/register", again).await.status, 200, "nothing was purged");
    let views = get(&gateway, "/iceberg/v1/namespaces/default/views").await.json();
    assert_eq!(views["identifiers"], json!([]));
}

/// Rows loaded by us, and a commit by the protocol that goes back to the first of two snapshots' files.
#[tokio::test]
async fn an_engine_commits_a_snapshot_over_what_we_loaded() {
    let stack = Stack::open().await;
    let gateway = stack.gateway();
    ingest(&gateway, "t", "id\n1\n2\n").await;
    ingest(&gateway, "t", "id\n3\n").await;
    let metadata = get(&gateway, TABLE).await.json()["metadata"].take();
    let snapshots = metadata["snapshots"].as_array().unwrap();
    let first = snapshots.iter().find(|snapshot| snapshot.get("parent-snapshot-id").is_none()).unwrap();
    let snapshot = json!({
        "snapshot-id": 77, "parent-snapshot-id": metadata["current-snapshot-id"], "sequence-number": 3,
        "timestamp-ms": metadata["last-updated-ms"], "manifest-list": first["manifest-list"],
        "schema-id": 0, "summary": { "operation": "replace", "lakehouse.version": "1" },
    });
    let commit = json!({
        "requirements": [{ "type": "assert-ref-snapshot-id", "ref": "main", "snapshot-id": metadata["current-snapshot-id"] }],
        "updates": [
            { "action": "add-snapshot", "snapshot": snapshot },
            { "action": "set-snapshot-ref", "ref-name": "main", "type": "branch", "snapshot-id": 77 },
        ],
    });
    let committed = call(&gateway, Method::POST, TABLE, &[("idempotency-key", "k")], &commit).await;
    assert_eq!(committed.status, 200, "{}", committed.text());
    let again = call(&gateway, Method::POST, TABLE, &[("idempotency-key", "k")], &commit).await;
    assert_eq!(again.body, committed.body, "the key answers what was committed");
    assert_refused(&call(&gateway, Method::POST, TABLE, &[], &commit).await, 409, "CommitFailedException");
    let other = json!({ "requirements": [], "updates": [] });
    let reused = call(&gateway, Method::POST, TABLE, &[("idempotency-key", "k")], &other).await;
    assert_refused(&reused, 422, "UnprocessableEntityException");
    assert_eq!(sql(&gateway, "SELECT id FROM t ORDER BY id").await.json()["rows"], json!([[1], [2]]));
    let history = get(&gateway, "/v1/catalog/history/t").await.json();
    assert_eq!((&history["snapshots"][0]["version"], &history["snapshots"][0]["row_count"]), (&json!(3), &json!(2)));
    let before = sql(&gateway, "SELECT id FROM t FOR VERSION AS OF 2").await.json();
    assert_eq!(before["rows"], json!([[3]]));
}

#[tokio::test]
async fn a_table_that_demands_values_gets_no_rows_without() {
    let stack = Stack::open().await;
    let gateway = stack.gateway();
    let mut demanding = schema();
    demanding["fields"][0]["required"] = json!(true);
    post(&gateway, "/namespaces/default/tables", json!({ "name": "t", "schema": demanding })).await;
    let load = |csv: &'static str| {
        let path = "/v1/ingest?name=t&mode=append&evolve=add";
        send(&gateway, request(Method::POST, path, &[("content-type", "text/csv")], csv))
    };
    assert_eq!(load("id\n7\n").await.status, 200);
    for without in ["id\n8\n\"\"\n", "word\nx\n"] {
        assert_eq!(load(without).await.code(), "catalog.schema_drift", "{without}");
    }
    assert_eq!(sql(&gateway, "SELECT id FROM t").await.json()["rows"], json!([[7]]));
}

/// Text goes into the narrower types of other engines as far as they hold it.
#[tokio::test]
async fn files_are_loaded_into_the_types_of_other_engines_without_loss() {
    let stack = Stack::open().await;
    let gateway = stack.gateway();
    let field = |id: i32, name: &str, ty: &str| json!({ "id": id, "name": name, "required": false, "type": ty });
    let fields =
        json!([field(1, "i", "int"), field(2, "f", "float"), field(3, "d", "decimal(7,2)"), field(4, "t", "time")]);
    let wish = json!({ "name": "t", "schema": { "type": "struct", "fields": fields } });
    assert_eq!(post(&gateway, "/namespaces/default/tables", wish).await.status, 200);
    let load = |format: &'static str, body: String| {
        let path = "/v1/ingest?name=t&mode=append";
        async { send(&gateway, request(Method::POST, path, &[("content-type", format)], body)).await }
    };
    let (csv, lines) = ("text/csv", "application/x-ndjson");
    let taken = load(csv, "i,f,d,t\n-5,1.5,12.30,\n2147483647,0.1,,\n".into()).await;
    assert_eq!(taken.status, 200, "{}", taken.text());
    let taken = load(lines, r#"{"i":7,"f":2,"d":3,"t":null}"#.into()).await;
    assert_eq!(taken.status, 200, "{}", taken.text());
    let rows = sql(&gateway, "SELECT i, f, d FROM t ORDER BY i").await.json();
    assert_eq!(rows["rows"], json!([[-5, 1.5, "12.30"], [7, 2.0, "3.00"], [2_147_483_647, 0.1, null]]));
    for (format, body, column, line, value) in [
        (csv, "i,f,d,t\n1,1,1,\n2147483648,1,1,\n", "i", 3, "2147483648"),
        (csv, "i,f,d,t\n1,16777217,1,\n", "f", 2, "16777217"),
        (csv, "i,f,d,t\n1,1,1.234,\n", "d", 2, "1.234"),
        (csv, "i,f,d,t\n1,1,1,12:00:00\n", "t", 2, "12:00:00"),
        (lines, "{\"i\":1,\"f\":1,\"d\":1,\"t\":null}\n{\"i\":1.5,\"f\":1,\"d\":1,\"t\":null}\n", "i", 2, "1.5"),
    ] {
        let refused = load(format, body.to_owned()).await;
        let misfit = refused.json()["diff"]["retyped"][0].take();
        assert_eq!((refused.status.as_u16(), refused.code().as_str()), (409, "catalog.schema_drift"), "{body}");
        assert_eq!((&misfit["name"], &misfit["line"], &misfit["value"]), (&json!(column), &json!(line), &json!(value)));
        assert!(refused.text().contains(&format!("line {line} holds")), "{}", refused.text());
    }
}

#[tokio::test]
async fn a_transaction_stands_or_falls_as_one() {
    let stack = Stack::open().await;
    let gateway = stack.gateway();
    for name in ["a", "b"] {
        post(&gateway, "/namespaces/default/tables", json!({ "name": name, "schema": schema() })).await;
    }
    let change = |name: &str, schema_id: i32| {
        json!({
            "identifier": { "namespace": ["default"], "name": name },
            "requirements": [{ "type": "assert-current-schema-id", "current-schema-id": schema_id }],
            "updates": [{ "action": "set-properties", "updates": { "seen": "yes" } }],
        })
    };
    let commit = |changes: Value| post(&gateway, "/transactions/commit", json!({ "table-changes": changes }));
    assert_refused(&commit(json!([change("a", 0), change("b", 7)])).await, 409, "CommitFailedException");
    let seen = async |name: &str| {
        let loaded = get(&gateway, &format!("{BASE}/namespaces/default/tables/{name}")).await.json();
        loaded["metadata"]["properties"].get("seen").is_some()
    };
    assert!(!seen("a").await && !seen("b").await);
    let done = commit(json!([change("a", 0), change("b", 0)])).await;
    assert_eq!((done.status.as_u16(), done.header("x-lakehouse-version")), (204, "3"));
    assert!(seen("a").await && seen("b").await);
}

#[tokio::test]
async fn lists_come_in_pages_for_clients_that_ask_for_pages() {
    let stack = Stack::open().await;
    let gateway = stack.gateway();
    for name in ["a", "b", "c", "z"] {
        post(&gateway, "/namespaces", json!({ "namespace": [name] })).await;
    }
    let all = get(&gateway, "/iceberg/v1/namespaces?pageSize=1").await.json();
    assert_eq!((all["namespaces"].as_array().unwrap().len(), &all["next-page-token"]), (5, &Value::Null));
    let (mut seen, mut token) = (Vec::new(), String::new());
    loop {
        let page = get(&gateway, &format!("/iceberg/v1/namespaces?pageToken={token}&pageSize=2")).await.json();
        seen.extend(page["namespaces"].as_array().unwrap().iter().map(|name| name[0].as_str().unwrap().to_owned()));
        match page["next-page-token"].as_str() {
            Some(next) => token = next.to_owned(),
            None => break,
        }
    }
    assert_eq!(seen, ["default", "a", "b", "c", "z"]);
    let inner = get(&gateway, "/iceberg/v1/namespaces?parent=a").await.json();
    assert_eq!(inner["namespaces"], json!([]));
    let wrong = get(&gateway, "/iceberg/v1/namespaces?pageToken=%21").await;
    assert_refused(&wrong, 400, "BadRequestException");
    assert_refused(&get(&gateway, "/iceberg/v1/namespaces?parent=x").await, 404, "NoSuchNamespaceException");
}

#[tokio::test]
async fn every_refusal_comes_in_the_words_of_the_protocol() {
    let stack = Stack::open().await;
    let gateway = stack.gateway();
    let space = "/iceberg/v1/namespaces";
    post(&gateway, "/namespaces/default/tables", json!({ "name": "t", "schema": schema() })).await;
    for (path, named) in [
        ("/none", "NoSuchNamespaceException"),
        ("/none/tables", "NoSuchNamespaceException"),
        ("/none/views", "NoSuchNamespaceException"),
        ("/default/tables/none", "NoSuchTableException"),
        // How Spark asks for the snapshots of `default.t`.
        ("/default%1Ft/tables/snapshots", "NoSuchTableException"),
        ("/default/tables/no%20name", "NoSuchTableException"),
        ("/default/views/v", "NoSuchViewException"),
        ("/default/nothing", "NotFoundException"),
    ] {
        assert_refused(&get(&gateway, &format!("{space}{path}")).await, 404, named);
        assert_eq!(bare(&gateway, Method::HEAD, &format!("{space}{path}")).await.status, 404);
    }
    let named = |name: &str| json!({ "namespace": ["default"], "name": name });
    let unknown = json!({ "requirements": [{ "type": "assert-weather" }], "updates": [] });
    let update = json!({ "requirements": [], "updates": [{ "action": "sing" }] });
    let newer = json!({ "requirements": [], "updates": [{ "action": "upgrade-format-version", "format-version": 3 }] });
    for (path, body, status, named) in [
        ("/namespaces", json!({ "namespace": ["default"] }), 409, "AlreadyExistsException"),
        ("/namespaces", json!({ "namespace": ["a", "b"] }), 400, "BadRequestException"),
        ("/namespaces", json!({ "namespace": ["runs"] }), 403, "ForbiddenException"),
        ("/namespaces", json!({}), 400, "BadRequestException"),
        (
            "/namespaces/default/properties",
            json!({ "updates": { "a": "b" }, "removals": ["a"] }),
            422,
            "UnprocessableEntityException",
        ),
        ("/namespaces/default/tables", json!({ "name": "t", "schema": schema() }), 409, "AlreadyExistsException"),
        ("/namespaces/none/tables", json!({ "name": "t", "schema": schema() }), 404, "NoSuchNamespaceException"),
        ("/namespaces/default/tables", json!({ "name": "no name", "schema": schema() }), 400, "BadRequestException"),
        ("/namespaces/default/tables/t", unknown, 400, "BadRequestException"),
        ("/namespaces/default/tables/t", update, 400, "BadRequestException"),
        ("/namespaces/default/tables/t", newer, 400, "BadRequestException"),
        ("/namespaces/default/tables/none", json!({ "requirements": [], "updates": [] }), 404, "NoSuchTableException"),
        ("/tables/rename", json!({ "source": named("none"), "destination": named("x") }), 404, "NoSuchTableException"),
        ("/tables/rename", json!({ "source": named("t"), "destination": named("t") }), 409, "AlreadyExistsException"),
        ("/transactions/commit", json!({ "table-changes": [{}] }), 400, "BadRequestException"),
    ] {
        assert_refused(&post(&gateway, path, body).await, status, named);
    }
    for (method, path) in [
        (Method::GET, "/%ff"),
        (Method::DELETE, "/%ff"),
        (Method::GET, "/%ff/tables"),
        (Method::GET, "/default/tables/%ff"),
        (Method::GET, "/default/tables/t?snapshots=some"),
        (Method::DELETE, "/default/tables/t?purgeRequested=xyz"),
        (Method::GET, "/default/tables?pageToken=&pageSize=many"),
    ] {
        let answer = bare(&gateway, method, &format!("{space}{path}")).await;
        assert_refused(&answer, 400, "BadRequestException");
    }
}

#[tokio::test]
async fn what_no_table_may_be_is_refused_in_the_words_of_the_protocol() {
    let stack = Stack::open().await;
    let gateway = stack.gateway();
    let space = "/iceberg/v1/namespaces";
    post(&gateway, "/namespaces/default/tables", json!({ "name": "t", "schema": schema() })).await;
    let geometry = json!([{ "id": 1, "name": "g", "required": false, "type": "geometry" }]);
    let shaped = json!({ "name": "g", "schema": { "type": "struct", "fields": geometry } });
    let told = post(&gateway, "/namespaces/default/tables", shaped).await.text();
    assert!(told.contains("the body is refused: schema.fields[0].type is \\\"geometry\\\""), "{told}");
    let in_use = bare(&gateway, Method::DELETE, &format!("{space}/default")).await;
    assert_refused(&in_use, 409, "NamespaceNotEmptyException");
    assert_refused(&bare(&gateway, Method::PUT, TABLE).await, 405, "UnsupportedOperationException");
    let large = json!({ "namespace": ["x".repeat(70_000)] });
    assert_refused(&post(&gateway, "/namespaces", large).await, 413, "BadRequestException");
    let key = [("idempotency-key", "")];
    let keyless = call(&gateway, Method::DELETE, TABLE, &key, &Value::Null).await;
    assert_refused(&keyless, 400, "BadRequestException");
    assert!(
        refused(&get(&gateway, "/iceberg").await).0 == 404
            && get(&gateway, "/v1/iceberg/v1/config").await.status == 404
    );
}

/// What a gateway with tokens answers over a socket.
async fn raw(address: SocketAddr, host: &str, token: &str, line: &str, body: &Value) -> String {
    let mut socket = TcpStream::connect(address).await.unwrap();
    let head = format!("{line} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n");
    let body = body.to_string();
    let body = format!("Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    socket.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn tokens_and_hosts_are_asked_for_in_its_words_too() {
    let named = |name: &str, scope| NamedToken {
        name: name.to_owned(),
        token: Secret::new(format!("the-token-of-a-{name}")),
        scopes: vec![scope],
    };
    let tokens = vec![named("reader", Scope::Read), named("writer", Scope::Write), named("chief", Scope::Admin)];
    let config = AuthConfig { tokens, ..AuthConfig::default() };
    let shared = Shared::new(Seams::system(), limits()).with_auth(Auth::settle(&config).unwrap());
    let stack = Stack::over(shared.clone()).await;
    let stop = Stop::default();
    let address = stop.serve_as(Role::Gateway, stack.gateway(), shared);
    let here = format!("localhost:{}", address.port());
    for (host, token, line, status, named) in [
        (here.as_str(), "reader", "GET /iceberg/v1/config", 200, "endpoints"),
        (&here, "nobody", "GET /iceberg/v1/config", 401, "NotAuthorizedException"),
        (&here, "reader", "POST /iceberg/v1/namespaces", 403, "ForbiddenException"),
        (&here, "writer", "POST /iceberg/v1/namespaces", 400, "BadRequestException"),
        (&here, "writer", "GET /iceberg/v1/namespaces", 403, "ForbiddenException"),
        (&here, "reader", &format!("POST {TABLE}/metrics"), 404, "NoSuchTableException"),
        (&here, "writer", &format!("DELETE {TABLE}"), 403, "ForbiddenException"),
        (&here, "chief", &format!("DELETE {TABLE}"), 404, "NoSuchTableException"),
        (&here, "writer", "POST /iceberg/v1/tables/rename", 403, "ForbiddenException"),
        (&here, "writer", "DELETE /iceberg/v1/namespaces/none", 403, "ForbiddenException"),
        ("evil.example", "reader", "GET /iceberg/v1/config", 403, "ForbiddenException"),
    ] {
        let answer = raw(address, host, &format!("the-token-of-a-{token}"), line, &json!({})).await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")) && answer.contains(named),
            "{token} {line}: {answer}"
        );
        assert!(!answer.contains("problem+json"), "{answer}");
    }
}

#[tokio::test]
async fn a_commit_that_brings_a_table_back_needs_an_administrator() {
    let named = |name: &str, scope| NamedToken {
        name: name.to_owned(),
        token: Secret::new(format!("the-token-of-a-{name}")),
        scopes: vec![Scope::Write, scope],
    };
    let tokens = vec![named("writer", Scope::Read), named("chief", Scope::Admin)];
    let auth = Auth::settle(&AuthConfig { tokens, ..AuthConfig::default() }).unwrap();
    let shared = Shared::new(Seams::system(), limits()).with_auth(auth);
    let stack = Stack::over(shared.clone()).await;
    let here = stack.gateway();
    for row in ["id\n1\n", "id\n2\n"] {
        ingest(&here, "t", row).await;
    }
    let first = get(&here, TABLE).await.json()["metadata"]["snapshot-log"][0]["snapshot-id"].take();
    let back = json!({ "requirements": [], "updates": [
        { "action": "set-snapshot-ref", "ref-name": "main", "type": "branch", "snapshot-id": first },
    ] });
    // One gateway calls the catalog in its own process, the other one over a socket, where the token is read again.
    let (stop, split) = (Stop::default(), stack.split());
    let together = stop.serve_as(Role::Gateway, here.clone(), shared);
    for address in [together, split.address] {
        let host = format!("localhost:{}", address.port());
        for (token, status, told) in
            [("writer", 403, "needs a token with the scope `admin`"), ("chief", 200, "metadata")]
        {
            let token = format!("the-token-of-a-{token}");
            let answer = raw(address, &host, &token, &format!("POST {TABLE}"), &back).await;
            assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")) && answer.contains(told), "{token}: {answer}");
        }
        ingest(&here, "t", "id\n3\n").await;
    }
}

#[tokio::test]
async fn a_role_of_its_own_answers_the_same_and_a_dead_one_leaves_the_outcome_open() {
    let stack = Stack::open().await;
    let split = stack.split();
    post(&split.gateway, "/namespaces/default/tables", json!({ "name": "t", "schema": schema() })).await;
    for path in [TABLE, "/iceberg/v1/namespaces/none"] {
        let (direct, proxied) = (get(&stack.gateway(), path).await, get(&split.gateway, path).await);
        assert_eq!((direct.status, &direct.body), (proxied.status, &proxied.body), "{path}");
        assert_eq!(direct.header("content-type"), proxied.header("content-type"));
    }
    let nowhere = Upstream::parse(Role::Catalogd, "http://127.0.0.1:1").unwrap();
    let upstreams = BTreeMap::from([(Role::Catalogd, nowhere)]);
    let gateway = api::gateway(upstreams, stack.shared.clone()).unwrap();
    let commit = json!({ "requirements": [], "updates": [] });
    let answer = call(&gateway, Method::POST, TABLE, &[], &commit).await;
    assert_refused(&answer, 502, "CommitStateUnknownException");
}
