//! The description of the routes: made here out of the client's types, committed, and held against the real doors.

use std::collections::{BTreeMap, BTreeSet};

use axum::Router;
use axum::body::Body;
use http::Method;
use serde_json::{Value, json};

use crate::stack::{Answer, Stack, get, ingest, post_json, put, request, send};

mod conform;
mod document;
mod iceberg;
mod routes;

use document::Route;

#[test]
#[expect(clippy::disallowed_methods, reason = "a test keeps the committed description, which is no lake")]
fn the_description_is_current() {
    let made = document::written();
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");
    if std::env::var_os("UPDATE_OPENAPI").is_some() {
        std::fs::write(path, &made).unwrap();
    }
    assert!(
        made == std::fs::read_to_string(path).unwrap(),
        "crates/api/openapi.json is stale: UPDATE_OPENAPI=1 cargo test --package api openapi"
    );
}

#[tokio::test]
async fn the_gateway_answers_it() {
    let stack = Stack::open().await;
    let answer = get(&stack.gateway(), "/openapi.json").await;
    assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, "application/json"));
    assert!(answer.text() == document::written(), "it answers another description");
}

/// Every path that the sources give to a router, here or in the binary, as the gateway has it.
fn routed() -> BTreeSet<String> {
    let mut paths = BTreeSet::new();
    let mut all = sources(concat!(env!("CARGO_MANIFEST_DIR"), "/src"));
    all.extend(sources(concat!(env!("CARGO_MANIFEST_DIR"), "/../lakehouse/src")));
    for source in all.iter().map(|source| source.replace(".route_service(", ".route(")) {
        for rest in source.split(".route(").skip(1) {
            let path = rest.trim_start().strip_prefix('"').and_then(|rest| rest.split('"').next());
            let path = path.unwrap_or_else(|| panic!("a route without a literal path: {}", &rest[..40]));
            paths.insert(match api::Role::of_path(path) {
                Some(_) => format!("/v1{path}"),
                None => path.to_owned(),
            });
        }
    }
    paths
}

#[expect(clippy::disallowed_methods, reason = "a test reads the sources, which are no lake")]
fn sources(directory: &str) -> Vec<String> {
    let mut texts = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            texts.extend(sources(path.to_str().unwrap()));
        } else {
            texts.push(std::fs::read_to_string(path).unwrap());
        }
    }
    texts
}

#[test]
fn every_path_is_described_and_every_described_path_exists() {
    let described: BTreeSet<String> = routes::all().iter().map(|route| route.path.to_owned()).collect();
    let routed: BTreeSet<String> = routed().iter().map(|path| path.replace("{*key}", "{key}")).collect();
    // `PUT /v1/storage/objects/` only says that an empty key is refused.
    let routed = routed.into_iter().filter(|path| path != "/v1/storage/objects/").collect();
    assert_eq!(described, routed);
}

#[tokio::test]
async fn every_method_is_described_and_every_described_method_exists() {
    let gateway = Stack::open().await.gateway();
    let mut described: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for route in routes::all().iter().filter(|route| !route.is_of_mcp()) {
        described.entry(route.path).or_default().insert(route.method);
    }
    for (path, methods) in described {
        let answer = send(&gateway, request(Method::TRACE, &filled(path), &[], Body::empty())).await;
        assert_eq!(answer.status, 405, "{path}");
        let allowed: BTreeSet<&str> = answer.header("allow").split(',').filter(|method| *method != "HEAD").collect();
        assert_eq!(methods, allowed, "{path}");
    }
}

#[tokio::test]
async fn every_member_of_a_body_is_described() {
    let gateway = Stack::open().await.gateway();
    let open = |route: &Route| route.is_of_iceberg() || route.is_of_mcp();
    for route in routes::all().iter().filter(|route| route.has_json_body() && !open(route)) {
        let answer = send_json(&gateway, route, r#"{"no such member":1}"#).await;
        assert_eq!(document::members_of_body(route), quoted(&answer), "{} {}", route.method, route.path);
    }
}

#[tokio::test]
async fn every_parameter_is_described() {
    let gateway = Stack::open().await.gateway();
    for route in routes::all().into_iter().filter(|route| !route.is_of_iceberg() && !route.is_of_mcp()) {
        let path = format!("{}?no_such_parameter=1", filled(route.path));
        let answer = send(&gateway, request(route.method.parse().unwrap(), &path, &[], Body::empty())).await;
        assert_eq!(
            (answer.status.as_u16(), answer.code().as_str()),
            (400, "api.bad_parameter"),
            "{} {path}",
            route.method
        );
        let described: BTreeSet<String> = route.query.iter().map(|parameter| parameter.name.to_owned()).collect();
        assert_eq!(described, quoted(&answer), "{} {path}", route.method);
    }
}

/// The names that a refusal of an unknown one lists as those it knows.
fn quoted(answer: &Answer) -> BTreeSet<String> {
    let said = answer.json()["detail"].as_str().unwrap_or_default().to_owned();
    let known = said.split_once(", expected ").map_or("", |(_, known)| known);
    known.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

fn filled(path: &str) -> String {
    path.replace("{version}", "1").replace("{", "").replace("}", "")
}

async fn send_json(gateway: &Router, route: &Route, body: &str) -> Answer {
    let headers = [("content-type", "application/json")];
    send(gateway, request(route.method.parse().unwrap(), &filled(route.path), &headers, body.to_owned())).await
}

#[tokio::test]
async fn real_answers_are_as_described() {
    let stack = Stack::open().await;
    let gateway = stack.gateway();
    assert_eq!(put(&gateway, "key", "x").await.status, 201);
    assert_eq!(ingest(&gateway, "name", "id,word\n1,bread\n").await.status, 200);
    for (path, body) in [
        ("/v1/vectors/index", json!({ "name": "name", "dimension": 4, "model": "words/topics", "distance": null })),
        (
            "/v1/vectors/index/name/add",
            json!({ "items": [{ "id": "id", "vector": [1, 2, 3, 4], "metadata": { "a": 1 } }] }),
        ),
        ("/v1/vectors/index/name/add_text", json!({ "items": [{ "id": "text", "text": "x" }] })),
        ("/v1/vectors/index/name/search", json!({ "text": "x" })),
        ("/v1/vectors/index/name/delete", json!({ "ids": ["text"] })),
        ("/v1/embed", json!({ "texts": ["x"], "model": null, "overflow": null })),
        ("/v1/embeddings", json!({ "input": "x", "encoding_format": null })),
        ("/v1/sql", json!({ "sql": "SELECT * FROM name" })),
    ] {
        let answer = post_json(&gateway, path, &body.to_string()).await;
        assert!(answer.status.is_success(), "{path}: {}", answer.text());
        conform::check("post", path, &answer);
    }
    for path in [
        "/health",
        "/livez",
        "/readyz",
        "/metrics",
        "/openapi.json",
        "/docs",
        "/v1/storage/objects/key",
        "/v1/storage/list",
        "/v1/catalog/list",
        "/v1/catalog/manifest/name",
        "/v1/catalog/history/name",
        "/v1/catalog/versions",
        "/v1/catalog/versions/1",
        "/v1/embed/stats",
        "/v1/embed/models",
        "/v1/vectors/index",
        "/v1/vectors/index/name",
        "/v1/vectors/index/name/items/id",
    ] {
        conform::check("get", path, &get(&gateway, path).await);
    }
    let refused = get(&gateway, "/v1/catalog/manifest/absent").await;
    conform::check("get", "/v1/catalog/manifest/absent", &refused);
    assert!(Value::is_object(&refused.json()));
}
