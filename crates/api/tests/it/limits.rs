//! How many, how long.

use std::collections::BTreeMap;

use api::{Limits, Role, Upstream};
use axum::Router;
use axum::body::Body;
use axum::routing::get;
use base::Span;
use bytes::Bytes;
use futures::StreamExt;
use http::Method;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tower::ServiceExt;

use crate::stack::{Stack, Stop, limits, put, request, send};

fn object(method: Method, body: Body) -> http::Request<Body> {
    request(method, "/v1/storage/objects/k", &[], body)
}

/// A body of one piece that then waits for ever.
fn unfinished() -> Body {
    let first = futures::stream::iter([Ok::<_, std::io::Error>(Bytes::from_static(b"x"))]);
    Body::from_stream(first.chain(futures::stream::pending()))
}

#[tokio::test]
async fn one_request_more_than_fits_is_503_with_retry_after() {
    let stack = Stack::with(Limits { concurrent_requests: 2, waiting_requests: 0, ..limits() }).await;
    let gateway = stack.gateway();
    put(&gateway, "k", "x").await;
    let held = gateway.clone().oneshot(object(Method::GET, Body::empty())).await.unwrap();
    let also_held = gateway.clone().oneshot(object(Method::GET, Body::empty())).await.unwrap();
    let refused = send(&gateway, object(Method::GET, Body::empty())).await;
    assert_eq!((refused.status.as_u16(), refused.code().as_str()), (503, "api.busy"));
    assert_eq!(refused.header("retry-after"), "1");
    drop(held);
    assert_eq!(send(&gateway, object(Method::GET, Body::empty())).await.status, 200, "a place is free again");
    drop(also_held);
}

#[tokio::test]
async fn a_waiting_request_goes_on_when_a_place_is_free() {
    let stack = Stack::with(Limits { concurrent_requests: 1, waiting_requests: 1, ..limits() }).await;
    let gateway = stack.gateway();
    put(&gateway, "k", "x").await;
    let held = gateway.clone().oneshot(object(Method::GET, Body::empty())).await.unwrap();
    let mut waiting = std::pin::pin!(send(&gateway, object(Method::GET, Body::empty())));
    assert!(futures::poll!(&mut waiting).is_pending());
    assert_eq!(send(&gateway, object(Method::GET, Body::empty())).await.status, 503, "no place to wait either");
    drop(held);
    assert_eq!(waiting.await.status, 200);
}

#[tokio::test]
async fn the_fifth_upload_at_a_time_is_503_and_told_when_to_come_back() {
    let stack = Stack::open().await;
    let gateway = stack.gateway();
    let mut uploads: Vec<_> = (0..4)
        .map(|number| {
            let path = format!("/v1/storage/objects/k{number}");
            Box::pin(gateway.clone().oneshot(request(Method::PUT, &path, &[], unfinished())))
        })
        .collect();
    // The store works on threads of its own, so each upload is polled until the fifth finds no slot.
    let fifth = async {
        loop {
            let answer = put(&gateway, "fifth", "x").await;
            if answer.status == 503 {
                return answer;
            }
            tokio::task::yield_now().await;
        }
    };
    let mut fifth = std::pin::pin!(fifth);
    let refused = std::future::poll_fn(|cx| {
        for upload in &mut uploads {
            assert!(upload.as_mut().poll(cx).is_pending(), "an unfinished upload is not answered");
        }
        fifth.as_mut().poll(cx)
    })
    .await;
    assert_eq!((refused.code().as_str(), refused.header("retry-after")), ("storage.busy", "5"));
    drop(uploads);
    let listed = crate::stack::get(&gateway, "/v1/storage/list?prefix=k").await;
    assert_eq!(listed.text(), r#"{"objects":[]}"#, "broken uploads leave nothing");
    assert_ne!(put(&gateway, "k", "x").await.status, 503, "the slots are free again");
}

/// What is answered to a sender that stops before its body is whole, and keeps the line open.
async fn stand_still(address: std::net::SocketAddr, route: &str, media_type: &str, part: &str) -> String {
    let mut socket = tokio::net::TcpStream::connect(address).await.unwrap();
    let head = format!(
        "{route} HTTP/1.1\r\nHost: localhost:{}\r\nContent-Type: {media_type}\r\nContent-Length: 1000\r\n\r\n{part}",
        address.port()
    );
    socket.write_all(head.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"}") {
        assert_ne!(socket.read_buf(&mut answer).await.unwrap(), 0, "the line was cut without an answer");
    }
    String::from_utf8(answer).unwrap()
}

#[tokio::test]
async fn an_upload_that_stands_still_is_408_and_leaves_nothing() {
    let stack = Stack::with(Limits { body_timeout: Span::millis(20), ..limits() }).await;
    let split = stack.split();
    let csv = "a,b\n1,2\n";
    let form = format!("--x\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\n{csv}");
    for (route, media_type, part) in [
        ("PUT /v1/storage/objects/k", "text/csv", csv),
        ("POST /v1/ingest?name=t", "text/csv", csv),
        ("POST /v1/ingest?name=t", "multipart/form-data; boundary=x", form.as_str()),
        ("POST /v1/catalog/register", "application/json", "{\"name\":"),
        ("POST /v1/sql", "application/json", "{\"sql\":"),
    ] {
        let answer = stand_still(split.address, route, media_type, part).await;
        assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
        assert!(answer.contains(r#""code":"storage.body_slow""#), "{answer}");
    }
    assert_eq!(crate::stack::get(&split.gateway, "/v1/storage/list").await.text(), r#"{"objects":[]}"#);
    assert_eq!(crate::stack::get(&split.gateway, "/v1/catalog/list").await.text(), r#"{"datasets":[]}"#);
}

#[tokio::test]
async fn a_request_that_takes_too_long_is_504() {
    let stack = Stack::with(Limits { long_deadline: Span::millis(20), ..limits() }).await;
    let answer = send(&stack.gateway(), object(Method::PUT, unfinished())).await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (504, "api.deadline"));
}

#[tokio::test]
async fn an_upstream_that_falls_silent_is_504() {
    let silent = Router::new().route("/storage/list", get(async || std::future::pending::<String>().await));
    let stop = Stop::default();
    let address = stop.serve(Role::Storaged, silent);
    let stack = Stack::with(Limits { upstream_timeout: Span::millis(50), ..limits() }).await;
    let upstream = Upstream::parse(Role::Storaged, &format!("http://{address}")).unwrap();
    let gateway = api::gateway(BTreeMap::from([(Role::Storaged, upstream)]), stack.shared.clone()).unwrap();
    let answer = crate::stack::get(&gateway, "/v1/storage/list").await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (504, "api.upstream_timeout"));
    assert_eq!(answer.json()["role"], "storaged");
}

#[tokio::test]
async fn a_panic_in_a_handler_is_one_answer_of_500() {
    let stack = Stack::open().await;
    let body =
        Body::from_stream(futures::stream::poll_fn(|_| -> std::task::Poll<Option<Result<Bytes, std::io::Error>>> {
            panic!("a secret in a panic")
        }));
    let answer = send(&stack.gateway(), object(Method::PUT, body)).await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (500, "api.panicked"));
    assert!(!answer.text().contains("secret"));
    assert_eq!(put(&stack.gateway(), "k", "x").await.status, 201);
}

#[tokio::test]
async fn a_client_that_goes_away_frees_its_place() {
    let stack = Stack::with(Limits { concurrent_requests: 1, waiting_requests: 1, ..limits() }).await;
    let split = stack.split();
    let mut socket = tokio::net::TcpStream::connect(split.address).await.unwrap();
    let head = format!(
        "PUT /v1/storage/objects/k HTTP/1.1\r\nHost: localhost:{}\r\nContent-Length: 100\r\n\r\npart",
        split.address.port()
    );
    socket.write_all(head.as_bytes()).await.unwrap();
    drop(socket);
    let answer = put(&split.gateway, "k", "x").await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    let mut rest = String::new();
    let mut socket = tokio::net::TcpStream::connect(split.address).await.unwrap();
    let head = format!(
        "GET /v1/storage/objects/k HTTP/1.1\r\nHost: localhost:{}\r\nConnection: close\r\n\r\n",
        split.address.port()
    );
    socket.write_all(head.as_bytes()).await.unwrap();
    socket.read_to_string(&mut rest).await.unwrap();
    assert!(rest.ends_with("\r\n\r\nx"), "{rest}");
}
