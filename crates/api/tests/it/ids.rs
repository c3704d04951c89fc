//! Request and trace ids.

use axum::body::Body;
use http::Method;

use crate::stack::{Stack, get, request, send};

const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

#[tokio::test]
async fn ids_are_taken_over_passed_on_and_answered() {
    let stack = Stack::open().await;
    for gateway in [stack.gateway(), stack.split().gateway] {
        let headers = [("x-request-id", "r-1"), ("x-lakehouse-trace-id", "t-1"), ("traceparent", PARENT)];
        let answer = send(&gateway, request(Method::GET, "/v1/catalog/manifest/x", &headers, Body::empty())).await;
        assert_eq!(answer.header("x-request-id"), "r-1");
        assert_eq!(answer.header("x-lakehouse-trace-id"), "t-1");
        assert_eq!(answer.header("traceparent"), PARENT);
        assert_eq!(answer.json()["request_id"], "r-1");
    }
}

#[tokio::test]
async fn missing_and_malformed_ids_are_minted() {
    let stack = Stack::open().await;
    for gateway in [stack.gateway(), stack.split().gateway] {
        let odd = [("x-request-id", "a b"), ("x-lakehouse-trace-id", "\"x\""), ("traceparent", "00-zz-zz-00")];
        let answer = send(&gateway, request(Method::GET, "/v1/catalog/list", &odd, Body::empty())).await;
        for name in ["x-request-id", "x-lakehouse-trace-id"] {
            let id = answer.header(name);
            assert!(id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit()), "{name}: {id}");
        }
        assert!(!answer.headers.contains_key("traceparent"));
    }
}

#[tokio::test]
async fn a_trace_is_joined_from_its_w3c_form() {
    let stack = Stack::open().await;
    let headers = [("traceparent", PARENT)];
    let answer = send(&stack.gateway(), request(Method::GET, "/v1/catalog/list", &headers, Body::empty())).await;
    assert_eq!(answer.header("x-lakehouse-trace-id"), "4bf92f3577b34da6a3ce929d0e0e4736");
    assert_ne!(get(&stack.gateway(), "/v1/catalog/list").await.header("x-request-id"), answer.header("x-request-id"));
}
