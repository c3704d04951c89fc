//! A proxied answer is the direct one, byte for byte.

use std::collections::BTreeMap;
use std::io::{Read, Write};

use api::{Role, Upstream};
use axum::Router;
use axum::body::Body;
use http::{HeaderMap, Method, Request};
use tower::ServiceExt;

use crate::stack::{Answer, Stack, ingest, post_json, put, request, send};

/// Headers that speak of the connection or the moment, not of the content.
const OF_THE_MOMENT: [&str; 4] = ["date", "connection", "keep-alive", "x-lakehouse-query-id"];

fn content_headers(answer: &Answer) -> HeaderMap {
    let mut headers = answer.headers.clone();
    OF_THE_MOMENT.iter().for_each(|name| drop(headers.remove(*name)));
    headers
}

fn requests() -> Vec<(&'static str, Request<Body>)> {
    let get = |path| request(Method::GET, path, &[], Body::empty());
    let post = |path, body: &'static str| request(Method::POST, path, &[("content-type", "application/json")], body);
    let csv = |path, body: &'static str| request(Method::POST, path, &[("content-type", "text/csv")], body);
    vec![
        ("an object", get("/v1/storage/objects/k")),
        ("a key with a dot", get("/v1/storage/objects/a/./b")),
        ("a key with an escaped slash", get("/v1/storage/objects/a%2F.%2Fb")),
        ("a part", request(Method::GET, "/v1/storage/objects/k", &[("range", "bytes=1-2")], Body::empty())),
        ("a head", request(Method::HEAD, "/v1/storage/objects/k", &[], Body::empty())),
        ("a head of nothing", request(Method::HEAD, "/v1/storage/objects/absent", &[], Body::empty())),
        ("an object that is not there", get("/v1/storage/objects/absent")),
        ("a key with dots", get("/v1/storage/objects/a/../b")),
        ("a key with escaped dots", get("/v1/storage/objects/a/%2e%2e/b")),
        ("a key with an empty component", get("/v1/storage/objects/a//b")),
        ("a reserved key", request(Method::PUT, "/v1/storage/objects/_lake/x", &[], "x")),
        ("a put", request(Method::PUT, "/v1/storage/objects/n", &[("if-none-match", "*")], "x")),
        ("a list", get("/v1/storage/list?prefix=k")),
        ("a bad parameter", get("/v1/storage/list?colour=red")),
        (
            "a range beyond the end",
            request(Method::GET, "/v1/storage/objects/k", &[("range", "bytes=9-")], Body::empty()),
        ),
        ("a manifest", get("/v1/catalog/manifest/people")),
        ("an unknown manifest", get("/v1/catalog/manifest/peeple")),
        ("a list of datasets", get("/v1/catalog/list")),
        ("versions", get("/v1/catalog/versions")),
        ("a bad registration", post("/v1/catalog/register", "{\"colour\":1}")),
        ("no name", csv("/v1/ingest", "a\n1\n")),
        ("bad rows", csv("/v1/ingest?name=x", "a\n1,2\n")),
        ("drift", csv("/v1/ingest?name=people", "other\n1\n")),
        (
            "a stream",
            request(
                Method::POST,
                "/v1/sql",
                &[("content-type", "application/json"), ("accept", "text/csv")],
                r#"{"sql":"SELECT * FROM people ORDER BY id"}"#,
            ),
        ),
        ("bad sql", post("/v1/sql", r#"{"sql":"SELEC 1"}"#)),
        ("a write", post("/v1/sql", r#"{"sql":"DROP TABLE people"}"#)),
        ("a wrong method", get("/v1/sql")),
        ("no route", get("/v1/catalog/nothing")),
        ("nothing at all", get("/v1/nothing")),
    ]
}

fn requests_of_texts() -> Vec<(&'static str, Request<Body>)> {
    let get = |path| request(Method::GET, path, &[], Body::empty());
    let post = |path, body: &'static str| request(Method::POST, path, &[("content-type", "application/json")], body);
    vec![
        (
            "a search in sql",
            request(
                Method::POST,
                "/v1/sql",
                &[("content-type", "application/json"), ("accept", "text/csv")],
                r#"{"sql":"SELECT * FROM vector_search('jobs', 'pallets', 2)"}"#,
            ),
        ),
        ("vectors of texts", post("/v1/embed", r#"{"texts":["bake bread","a nurse"]}"#)),
        (
            "vectors of texts as bytes",
            request(
                Method::POST,
                "/v1/embed",
                &[("content-type", "application/json"), ("accept", "application/octet-stream")],
                r#"{"texts":["bake bread","a nurse"]}"#,
            ),
        ),
        ("vectors for other clients", post("/v1/embeddings", r#"{"input":"bake bread"}"#)),
        ("no texts", post("/v1/embed", r#"{"texts":[]}"#)),
        ("an unknown model", post("/v1/embed", r#"{"texts":["x"],"model":"nothing"}"#)),
        ("a model that fails", post("/v1/embed", r#"{"texts":["the server falls over"]}"#)),
        ("models", get("/v1/embed/models")),
        ("indexes", get("/v1/vectors/index")),
        ("an index", get("/v1/vectors/index/jobs")),
        ("an index that is not there", get("/v1/vectors/index/absent")),
        ("an index that is there", post("/v1/vectors/index", r#"{"name":"jobs","dimension":4}"#)),
        ("an item", get("/v1/vectors/index/jobs/items/a%2Fb")),
        ("an item that is not there", get("/v1/vectors/index/jobs/items/absent")),
        ("a search", post("/v1/vectors/index/jobs/search", r#"{"text":"pallets"}"#)),
        ("a bad search", post("/v1/vectors/index/jobs/search", r#"{"vector":[1]}"#)),
        ("a bad item", post("/v1/vectors/index/jobs/add", r#"{"items":[{"id":"","vector":[1,2,3,4]}]}"#)),
        ("deleting what is not there", post("/v1/vectors/index/jobs/delete", r#"{"ids":["absent"]}"#)),
    ]
}

async fn prepared() -> (Stack, Router) {
    let stack = Stack::open().await;
    let gateway = stack.gateway();
    assert_eq!(put(&gateway, "k", "0123").await.status, 201);
    assert_eq!(put(&gateway, "a/./b", "dotted").await.status, 201);
    assert_eq!(ingest(&gateway, "people", "id,name\n1,Alice\n").await.status, 200);
    let index = r#"{"name":"jobs","dimension":4,"model":"words/topics"}"#;
    assert_eq!(post_json(&gateway, "/v1/vectors/index", index).await.status, 201);
    let items = r#"{"items":[{"id":"a/b","text":"forklift","metadata":{"job":"mover"}},{"id":"c","text":"nurse"}]}"#;
    assert_eq!(post_json(&gateway, "/v1/vectors/index/jobs/add_text", items).await.status, 200);
    (stack, gateway)
}

#[tokio::test]
async fn success_and_error_are_byte_identical() {
    let (stack, here) = prepared().await;
    let split = stack.split();
    let all = || requests().into_iter().chain(requests_of_texts());
    for ((what, mut near), (_, mut far)) in all().zip(all()) {
        for request in [&mut near, &mut far] {
            request.headers_mut().insert("x-request-id", "same".parse().unwrap());
            request.headers_mut().insert("x-lakehouse-trace-id", "trace".parse().unwrap());
        }
        let cleanup = || request(Method::DELETE, "/v1/storage/objects/n", &[], Body::empty());
        let near = send(&here, near).await;
        send(&here, cleanup()).await;
        let far = send(&split.gateway, far).await;
        send(&here, cleanup()).await;
        if what == "a put" {
            assert_eq!((near.status, near.json()["sha256"].clone()), (far.status, far.json()["sha256"].clone()));
            continue;
        }
        assert_eq!((near.status, near.text()), (far.status, far.text()), "{what}");
        assert_eq!(content_headers(&near), content_headers(&far), "{what}");
    }
}

#[tokio::test]
async fn a_client_reads_its_own_writes_through_any_role() {
    let (stack, _) = prepared().await;
    let split = stack.split();
    for round in 0..5 {
        let rows: String = (0..=round).map(|id| format!("{id},x\n")).collect();
        let loaded = ingest(&split.gateway, "people", &format!("id,name\n{rows}")).await;
        assert_eq!(loaded.status, 200, "{}", loaded.text());
        let counted = crate::stack::sql(&split.gateway, "SELECT count(*) FROM people").await;
        assert_eq!(counted.json()["rows"], serde_json::json!([[round + 1]]));
        assert_eq!(counted.header("x-lakehouse-version"), loaded.header("x-lakehouse-version"));
    }
}

#[tokio::test]
async fn a_version_that_nobody_has_seen_is_not_answered() {
    let (stack, here) = prepared().await;
    for gateway in [here, stack.split().gateway] {
        let ahead = request(Method::GET, "/v1/catalog/list", &[("x-lakehouse-min-version", "999")], Body::empty());
        let answer = send(&gateway, ahead).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (503, "catalog.behind"));
        assert!(answer.headers.contains_key("retry-after"));
    }
}

#[tokio::test]
async fn a_head_has_the_headers_of_the_get() {
    let (stack, here) = prepared().await;
    let split = stack.split();
    for gateway in [&here, &split.gateway] {
        for path in [
            "/health",
            "/readyz",
            "/v1/storage/objects/k",
            "/v1/storage/list",
            "/v1/storage/list?colour=red",
            "/v1/catalog/list",
            "/v1/catalog/manifest/people",
            "/v1/catalog/manifest/peeple",
            "/v1/catalog/versions/1",
            "/v1/embed/models",
            "/v1/vectors/index/jobs",
            "/openapi.json",
            "/v1/nothing",
        ] {
            let ids = [("x-request-id", "same"), ("x-lakehouse-trace-id", "trace")];
            let [get, head] = [Method::GET, Method::HEAD].map(|method| request(method, path, &ids, Body::empty()));
            let (get, head) = (send(gateway, get).await, send(gateway, head).await);
            assert_eq!((head.status, head.body.len()), (get.status, 0), "{path}");
            assert_eq!(head.header("content-length"), get.body.len().to_string(), "{path}");
            assert_eq!(content_headers(&head), content_headers(&get), "{path}");
        }
    }
}

#[tokio::test]
async fn a_body_that_breaks_off_is_answered_alike() {
    let (stack, here) = prepared().await;
    let split = stack.split();
    let form = "multipart/form-data; boundary=b";
    let begun = "--b\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a.csv\"\r\n\r\nid\n1\n";
    for (method, path, media, begun, code) in [
        (Method::PUT, "/v1/storage/objects/torn", "text/csv", "id\n1\n", "storage.body_broken"),
        (Method::POST, "/v1/ingest?name=torn", "text/csv", "id\n1\n", "storage.body_broken"),
        (Method::POST, "/v1/ingest?name=torn", form, begun, "api.bad_multipart"),
        (Method::POST, "/v1/sql", "application/json", "{\"sql\":", "api.bad_body"),
        (Method::POST, "/v1/catalog/register", "application/json", "{\"name\":", "api.bad_body"),
        (Method::POST, "/v1/embed", "application/json", "{\"texts\":", "api.bad_body"),
        (Method::POST, "/v1/vectors/index/jobs/add", "application/json", "{\"items\":", "api.bad_body"),
    ] {
        let mut answers = Vec::new();
        for gateway in [&here, &split.gateway] {
            let pieces = [Ok(bytes::Bytes::from_static(begun.as_bytes())), Err(std::io::Error::other("cut"))];
            let headers = [("content-type", media), ("x-request-id", "same"), ("x-lakehouse-trace-id", "trace")];
            let body = Body::from_stream(futures::stream::iter(pieces));
            answers.push(send(gateway, request(method.clone(), path, &headers, body)).await);
        }
        assert_eq!(answers[0].code(), code, "{path} {media}");
        assert_eq!((answers[0].status, answers[0].text()), (answers[1].status, answers[1].text()), "{path} {media}");
    }
}

#[tokio::test]
async fn a_dead_upstream_is_502_and_named() {
    let stack = Stack::open().await;
    for (role, method, path) in [
        (Role::Storaged, Method::GET, "/v1/storage/list"),
        (Role::Catalogd, Method::GET, "/v1/catalog/list"),
        (Role::Ingestd, Method::POST, "/v1/ingest?name=x"),
        (Role::Queryd, Method::POST, "/v1/sql"),
        (Role::Vectord, Method::GET, "/v1/vectors/index"),
        (Role::Embedd, Method::POST, "/v1/embeddings"),
    ] {
        let dead = Upstream::parse(role, "http://127.0.0.1:1").unwrap();
        let gateway = api::gateway(BTreeMap::from([(role, dead)]), stack.shared.clone()).unwrap();
        let answer = send(&gateway, request(method, path, &[], Body::empty())).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (502, "api.upstream_unreachable"), "{role}");
        assert_eq!(answer.json()["role"], role.name());
        assert!(!answer.text().contains("127.0.0.1"), "{}", answer.text());
        let other = send(&gateway, request(Method::GET, "/v1/nothing", &[], Body::empty())).await;
        assert_eq!(other.status, 404);
    }
}

/// A server at the address of a role that says these bytes to whoever comes.
fn says(answer: &'static str) -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        let _ = socket.read(&mut [0; 4096]);
        socket.write_all(answer.as_bytes()).unwrap();
    });
    format!("http://{address}")
}

#[tokio::test]
async fn an_upstream_that_is_no_role_is_502_and_its_version_is_not_passed_on() {
    let stack = Stack::open().await;
    let asked = async |answer| {
        let upstream = Upstream::parse(Role::Queryd, &says(answer)).unwrap();
        let gateway = api::gateway(BTreeMap::from([(Role::Queryd, upstream)]), stack.shared.clone()).unwrap();
        gateway.oneshot(request(Method::POST, "/v1/sql", &[], Body::empty())).await.unwrap()
    };
    for answer in [
        "HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n",
        "HTTP/1.1 999 Odd\r\ncontent-length: 0\r\n\r\n",
        "220 mail.example ready\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nx",
    ] {
        let answered = asked(answer).await;
        assert_eq!(answered.status(), 502, "{answer}");
    }
    let old = asked("HTTP/1.0 200 OK\r\n\r\nx").await;
    assert_eq!((old.status().as_u16(), old.version()), (200, http::Version::HTTP_11));
}
