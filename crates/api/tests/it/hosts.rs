//! Host and Origin, on real sockets.

use std::net::SocketAddr;

use api::Role;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::stack::{Stack, Stop};

/// Sends one request as written and reads the whole answer.
async fn raw(address: SocketAddr, request: &str) -> String {
    let mut socket = TcpStream::connect(address).await.unwrap();
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.unwrap();
    answer
}

fn asked(host: &str, more: &str) -> String {
    format!("GET /health HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{more}\r\n")
}

#[tokio::test]
async fn every_door_answers_to_its_own_name_only() {
    let stack = Stack::open().await;
    let stop = Stop::default();
    let mut doors = stack.doors.clone();
    doors.insert(Role::Gateway, stack.gateway());
    for (role, door) in doors {
        let address = stop.serve(role, door);
        let port = address.port();
        for host in [format!("127.0.0.1:{port}"), format!("localhost:{port}"), "lake.example".to_owned()] {
            let answer = raw(address, &asked(&host, "")).await;
            assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{role} {host}: {answer}");
        }
        for host in ["evil.example".to_owned(), format!("evil.example:{port}"), "127.0.0.1".to_owned(), String::new()] {
            let answer = raw(address, &asked(&host, "")).await;
            assert!(answer.starts_with("HTTP/1.1 403 Forbidden\r\n"), "{role} {host}: {answer}");
            assert!(answer.contains(r#""code":"api.host_refused""#), "{answer}");
        }
        for (origin, status) in [
            (format!("http://localhost:{port}"), 200),
            ("https://lake.example".to_owned(), 200),
            ("http://evil.example".to_owned(), 403),
            ("null".to_owned(), 403),
            (format!("http://localhost:{}", port ^ 1), 403),
            (format!("https://localhost:{port}.evil.example"), 403),
        ] {
            let answer = raw(address, &asked(&format!("localhost:{port}"), &format!("Origin: {origin}\r\n"))).await;
            assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{role} {origin}: {answer}");
        }
    }
}

#[tokio::test]
async fn a_request_without_a_host_or_with_two_is_refused() {
    let stack = Stack::open().await;
    let stop = Stop::default();
    let address = stop.serve(Role::Gateway, stack.gateway());
    let own = format!("localhost:{}", address.port());
    for request in [
        "GET /health HTTP/1.0\r\n\r\n".to_owned(),
        format!("GET /health HTTP/1.1\r\nHost: {own}\r\nHost: evil.example\r\nConnection: close\r\n\r\n"),
        format!("GET http://evil.example/health HTTP/1.1\r\nHost: {own}\r\nConnection: close\r\n\r\n"),
    ] {
        let answer = raw(address, &request).await;
        assert!(answer.contains(" 403 Forbidden\r\n"), "{request}: {answer}");
    }
}

#[tokio::test]
async fn a_page_that_may_call_the_gateway_may_call_what_is_behind_it() {
    let stack = Stack::open().await;
    let split = stack.split();
    let own = format!("localhost:{}", split.address.port());
    let request =
        format!("GET /v1/catalog/list HTTP/1.1\r\nHost: {own}\r\nOrigin: http://{own}\r\nConnection: close\r\n\r\n");
    let answer = raw(split.address, &request).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
}
