//! The bytes of refusals, which are part of the contract.

use api::error::status_of;
use axum::body::Body;
use base::Kind;
use http::Method;

use crate::stack::{Stack, get, request, send};

#[tokio::test]
async fn a_refusal_is_the_same_bytes_every_time() {
    let stack = Stack::open().await;
    let ask = |path: &'static str| {
        let gateway = stack.gateway();
        async move { send(&gateway, request(Method::GET, path, &[("x-request-id", "r1")], Body::empty())).await }
    };
    assert_eq!(
        ask("/v1/nothing").await.text(),
        r#"{"type":"/docs/errors/api.no_route","title":"Not Found","status":404,"detail":"there is nothing at this path","code":"api.no_route","request_id":"r1"}"#
    );
    assert_eq!(
        ask("/v1/storage/list?colour=red").await.text(),
        r#"{"type":"/docs/errors/api.bad_parameter","title":"Bad Request","status":400,"detail":"the query string is refused: colour: unknown field `colour`, expected one of `prefix`, `after`, `limit`","code":"api.bad_parameter","request_id":"r1"}"#
    );
    let method = ask("/v1/sql").await;
    assert_eq!(method.header("allow"), "POST");
    assert_eq!(method.header("content-length"), method.body.len().to_string());
}

#[test]
fn the_kind_decides_the_status_unless_the_code_says_more() {
    for (kind, status) in [
        (Kind::Invalid, 400),
        (Kind::Unauthenticated, 401),
        (Kind::Denied, 403),
        (Kind::NotFound, 404),
        (Kind::Conflict, 409),
        (Kind::TooMuch, 413),
        (Kind::Unavailable, 503),
        (Kind::Damaged, 500),
        (Kind::Bug, 500),
    ] {
        assert_eq!(status_of("room.any", kind), status);
    }
    for (code, kind, status) in [
        ("storage.full", Kind::Unavailable, 507),
        ("storage.precondition_failed", Kind::Conflict, 412),
        ("storage.range", Kind::Invalid, 416),
        ("ingest.bad_rows", Kind::Invalid, 422),
        ("catalog.no_objects", Kind::Invalid, 422),
        ("query.timeout", Kind::Unavailable, 504),
        ("api.upstream_unreachable", Kind::Unavailable, 502),
    ] {
        assert_eq!(status_of(code, kind), status, "{code}");
    }
}

#[tokio::test]
async fn the_type_of_a_refusal_leads_to_its_page() {
    let gateway = Stack::open().await.gateway();
    let refused = get(&gateway, "/v1/catalog/manifest/absent").await.json();
    let page = get(&gateway, refused["type"].as_str().unwrap()).await;
    assert_eq!((page.status.as_u16(), page.header("content-type")), (200, "text/markdown; charset=utf-8"));
    assert!(page.text().starts_with(&format!("# `{}`", refused["code"].as_str().unwrap())), "{}", page.text());
    assert_eq!(get(&gateway, "/docs/errors/no.such_code").await.code(), "api.no_route");
}
