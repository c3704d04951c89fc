//! What is counted, as Prometheus reads it.

use api::Role;
use http::Method;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::stack::{Stack, Stop, get, ingest, request, send};

/// The value of one line of the page.
fn value(page: &str, line: &str) -> f64 {
    let found = page.lines().find_map(|text| text.strip_prefix(line)?.strip_prefix(' '));
    found.unwrap_or_else(|| panic!("no {line} in\n{page}")).parse().unwrap()
}

#[tokio::test]
async fn requests_are_filed_under_role_route_method_and_status() {
    let stack = Stack::open().await;
    let gateway = stack.gateway();
    ingest(&gateway, "people", "id\n1\n").await;
    for name in ["people", "absent"] {
        get(&gateway, &format!("/v1/catalog/manifest/{name}")).await;
    }
    for path in ["/v1/nothing/a", "/nothing/b", "/v1/catalog/nothing/c"] {
        get(&gateway, path).await;
        send(&gateway, request(Method::from_bytes(b"BREW").unwrap(), path, &[], "")).await;
    }
    let answer = get(&gateway, "/metrics").await;
    assert_eq!(answer.status, 200);
    assert!(answer.header("content-type").starts_with("application/openmetrics-text"));
    let page = answer.text();
    let count = |role: &str, route: &str, method: &str, status: &str| {
        let labels = format!(r#"role="{role}",route="{route}",method="{method}",status="{status}""#);
        value(&page, &format!("lakehouse_http_request_duration_seconds_count{{{labels}}}"))
    };
    assert_eq!(count("ingestd", "/v1/ingest", "POST", "2xx"), 1.0);
    assert_eq!(count("catalogd", "/v1/catalog/manifest/{name}", "GET", "2xx"), 1.0);
    assert_eq!(count("catalogd", "/v1/catalog/manifest/{name}", "GET", "4xx"), 1.0);
    assert_eq!(count("gateway", "/*", "GET", "4xx"), 2.0, "unknown paths share one label");
    assert_eq!(count("gateway", "/*", "other", "4xx"), 2.0, "and so do unknown methods");
    let refusals = |role: &str, code: &str| {
        value(&page, &format!(r#"lakehouse_http_refusals_total{{role="{role}",code="{code}"}}"#))
    };
    assert_eq!(refusals("gateway", "api.no_route"), 4.0);
    assert_eq!(refusals("catalogd", "catalog.unknown_dataset"), 1.0);
    assert!(!page.contains("nothing") && !page.contains("absent") && !page.contains("BREW"), "{page}");
    assert!(page.ends_with("# EOF\n"));
}

#[tokio::test]
async fn every_door_tells_its_own_and_what_other_rooms_keep() {
    let stack = Stack::open().await;
    let metrics = &stack.shared.metrics;
    metrics.gauge("log_head", "The newest version", || 7.0);
    metrics.counter("embed_cache_hits", "Texts found in the cache", || 5);
    metrics.gauges("index_length", "Items of an index", "index", || vec![("a".to_owned(), 1.0), ("b".to_owned(), 2.0)]);
    for (role, door) in stack.doors.iter().chain([(&Role::Gateway, &stack.gateway())]) {
        let page = get(door, "/metrics").await.text();
        for (line, expected) in [
            ("lakehouse_log_head", 7.0),
            ("lakehouse_embed_cache_hits_total", 5.0),
            (r#"lakehouse_index_length{index="a"}"#, 1.0),
            (r#"lakehouse_index_length{index="b"}"#, 2.0),
        ] {
            assert_eq!(value(&page, line), expected, "{role}");
        }
    }
}

#[tokio::test]
async fn connections_and_their_bytes_are_counted() {
    let stack = Stack::open().await;
    let stop = Stop::default();
    let address = stop.serve_as(Role::Gateway, stack.gateway(), stack.shared.clone());
    let mut socket = tokio::net::TcpStream::connect(address).await.unwrap();
    let head = format!("GET /metrics HTTP/1.1\r\nHost: localhost:{}\r\nConnection: close\r\n\r\n", address.port());
    socket.write_all(head.as_bytes()).await.unwrap();
    let mut page = String::new();
    socket.read_to_string(&mut page).await.unwrap();
    assert_eq!(value(&page, r#"lakehouse_http_connections{role="gateway"}"#), 1.0);
    assert_eq!(value(&page, r#"lakehouse_http_requests_working{role="gateway"}"#), 1.0);
    assert_eq!(value(&page, r#"lakehouse_http_received_bytes_total{role="gateway"}"#), head.len() as f64);
}
