//! Sockets: where they may be bound, and how they end.

use std::net::SocketAddr;

use api::{Edge, Exposure, Limits, Role, Shared};
use axum::Router;
use axum::body::Body;
use axum::routing::{get, post};
use base::{Seams, Span};
use bytes::Bytes;
use futures::{Stream, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc::Receiver;
use tokio::sync::{mpsc, oneshot};

use crate::stack::Stop;

/// What a channel receives, as the stream of a body.
fn pieces(receiver: Receiver<Bytes>) -> impl Stream<Item = Result<Bytes, std::io::Error>> {
    futures::stream::unfold(receiver, async |mut receiver| receiver.recv().await.map(|piece| (Ok(piece), receiver)))
}

fn drained_within(drain: Span) -> Shared {
    Shared::new(Seams::system(), Limits { drain, ..Limits::default() })
}

fn loopback(role: Role, bind: &str) -> Result<Edge, api::Error> {
    Edge::bind(role, bind, Exposure::default())
}

#[test]
fn an_address_outside_loopback_is_refused_with_what_it_would_need() {
    for (role, bind, variable) in [
        (Role::Gateway, "0.0.0.0:3110", "LH_GATEWAY_ALLOW_NONLOOPBACK=1"),
        (Role::Queryd, "192.168.1.5:3214", "LH_QUERYD_ALLOW_NONLOOPBACK=1"),
        (Role::Storaged, "[::]:3211", "LH_STORAGED_ALLOW_NONLOOPBACK=1"),
    ] {
        for (has_token, allowed) in [(false, false), (true, false), (false, true)] {
            let refused = Edge::bind(role, bind, Exposure { has_token, allowed }).unwrap_err().to_string();
            for part in [role.name(), bind, variable, "auth.token", "AUTH_TOKEN", "missing"] {
                assert!(refused.contains(part), "{refused}");
            }
        }
    }
    for wrong in ["", "3110", "localhost", "example.com:80", "127.0.0.1:99999"] {
        assert!(loopback(Role::Gateway, wrong).unwrap_err().to_string().contains("gateway.bind"), "{wrong}");
    }
}

#[test]
fn with_a_token_and_the_variable_any_address_may_be_bound() {
    let both = Exposure { has_token: true, allowed: true };
    let everywhere: SocketAddr = ([0, 0, 0, 0], 3110).into();
    assert!(both.check(Role::Gateway, everywhere).is_ok());
    let edge = Edge::bind(Role::Gateway, "0.0.0.0:0", both).unwrap();
    assert!(edge.local_addr().ip().is_unspecified() && edge.local_addr().port() > 0);
}

#[test]
fn a_busy_port_fails_at_once() {
    let first = loopback(Role::Gateway, "127.0.0.1:0").unwrap();
    let busy = first.local_addr().to_string();
    let refused = loopback(Role::Storaged, &busy).unwrap_err().to_string();
    assert!(refused.contains("storaged") && refused.contains(&busy), "{refused}");
}

#[tokio::test]
async fn a_stop_lets_requests_under_way_finish_and_takes_no_more() {
    let (sender, receiver) = mpsc::channel(1);
    let body = std::sync::Mutex::new(Some(Body::from_stream(pieces(receiver))));
    let taken = std::sync::Arc::new(body);
    let door = Router::new().route("/slow", get(move || async move { taken.lock().unwrap().take().unwrap() }));
    let edge = loopback(Role::Gateway, "127.0.0.1:0").unwrap();
    let address = edge.local_addr();
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = edge.serve(door, drained_within(Span::secs(60)), async move { drop(stopped.await) });
    let served = ::storage::task::spawn("test edge", serving);

    let mut socket = TcpStream::connect(address).await.unwrap();
    socket.write_all(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    sender.send(Bytes::from_static(b"first")).await.unwrap();
    let mut head = [0; 16];
    socket.read_exact(&mut head).await.unwrap();
    stop.send(()).unwrap();
    sender.send(Bytes::from_static(b"last")).await.unwrap();
    drop(sender);
    let mut rest = String::new();
    socket.read_to_string(&mut rest).await.unwrap();
    assert!(rest.contains("first") && rest.contains("last") && rest.ends_with("0\r\n\r\n"), "{rest}");
    served.await.unwrap().unwrap();
    assert!(TcpStream::connect(address).await.is_err(), "nobody listens any more");
}

#[tokio::test]
async fn the_drain_ends_at_its_deadline() {
    let door = Router::new().route("/never", get(async || std::future::pending::<String>().await));
    let edge = loopback(Role::Gateway, "127.0.0.1:0").unwrap();
    let address = edge.local_addr();
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = edge.serve(door, drained_within(Span::millis(10)), async move { drop(stopped.await) });
    let served = ::storage::task::spawn("test edge", serving);
    let mut socket = TcpStream::connect(address).await.unwrap();
    socket.write_all(b"GET /never HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    stop.send(()).unwrap();
    served.await.unwrap().unwrap();
    let mut rest = Vec::new();
    let _ = socket.read_to_end(&mut rest).await;
    assert!(rest.is_empty(), "a request that never ended is broken off");
}

#[tokio::test]
async fn a_client_that_is_still_sending_gets_the_answer_that_refuses_it() {
    let door = Router::new().route("/no", post(async || http::StatusCode::PAYLOAD_TOO_LARGE));
    let stop = Stop::default();
    let address = stop.serve(Role::Gateway, door);
    let mut socket = TcpStream::connect(address).await.unwrap();
    let length = 32 << 20;
    let head = format!("POST /no HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n");
    socket.write_all(head.as_bytes()).await.unwrap();
    let (mut reader, mut writer) = socket.split();
    let sent = async {
        let chunks = futures::stream::iter(std::iter::repeat_n(vec![0; 1 << 20], 32));
        let mut chunks = std::pin::pin!(chunks);
        while let Some(chunk) = chunks.next().await {
            writer.write_all(&chunk).await.expect("the connection is not reset while we send");
        }
    };
    let mut answer = [0; 12];
    let (read, ()) = tokio::join!(reader.read_exact(&mut answer), sent);
    read.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 413");
    let mut rest = String::new();
    reader.read_to_string(&mut rest).await.unwrap();
    assert!(rest.contains("connection: close\r\n"), "{rest}");
}

#[tokio::test]
async fn a_client_that_has_nothing_more_to_send_gets_its_answer() {
    let (sender, receiver) = mpsc::channel(1);
    let taken = std::sync::Mutex::new(Some((Body::from_stream(pieces(receiver)), sender)));
    let taken = std::sync::Arc::new(taken);
    let answer = async move |asked: Bytes| {
        let (body, sender) = taken.lock().unwrap().take().unwrap();
        ::storage::task::spawn("answer", async move {
            for piece in [asked, Bytes::from_static(b" is "), Bytes::from_static(b"answered")] {
                tokio::task::yield_now().await;
                sender.send(piece).await.unwrap();
            }
        });
        body
    };
    let stop = Stop::default();
    let address = stop.serve(Role::Gateway, Router::new().route("/", post(answer)));
    let mut socket = TcpStream::connect(address).await.unwrap();
    socket.write_all(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nasked").await.unwrap();
    socket.shutdown().await.unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("answered"), "{answer}");
}

#[tokio::test]
async fn a_client_that_ends_with_the_last_of_a_long_request_gets_its_answer() {
    let (begun, mut beginning) = mpsc::channel::<()>(1);
    let answer = async move |request: axum::extract::Request| {
        begun.send(()).await.unwrap();
        let body = axum::body::to_bytes(request.into_body(), usize::MAX).await.unwrap();
        format!("answered {}", body.len())
    };
    let stop = Stop::default();
    let address = stop.serve(Role::Gateway, Router::new().route("/", post(answer)));
    let mut socket = TcpStream::connect(address).await.unwrap();
    socket.write_all(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n\r\n").await.unwrap();
    beginning.recv().await.unwrap();
    socket.write_all(b"asked.").await.unwrap();
    socket.shutdown().await.unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("answered 6"), "{answer}");
}

#[tokio::test]
async fn work_for_a_client_that_has_gone_away_ends() {
    let (begun, mut beginning) = mpsc::channel::<()>(1);
    let (alive, ended) = oneshot::channel::<()>();
    let alive = std::sync::Arc::new(std::sync::Mutex::new(Some(alive)));
    let never = async move || {
        let _alive = alive.lock().unwrap().take();
        begun.send(()).await.unwrap();
        std::future::pending::<String>().await
    };
    let stop = Stop::default();
    let address = stop.serve(Role::Gateway, Router::new().route("/", get(never)));
    let mut socket = TcpStream::connect(address).await.unwrap();
    socket.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    beginning.recv().await.unwrap();
    drop(socket);
    assert!(ended.await.is_err(), "the work ends without an answer");
}

#[tokio::test]
async fn what_the_parser_refuses_is_a_problem_like_any_other() {
    let stop = Stop::default();
    let address = stop.serve(Role::Gateway, Router::new().route("/", get(async || "hello")));
    let long = "x".repeat(66_000);
    let many: String = (0..101).map(|n| format!("x-{n}: y\r\n")).collect();
    for (head, status, code) in [
        ("GET / / HTTP/1.1\r\nHost: x\r\n\r\n".to_owned(), 400, "api.malformed"),
        (
            "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n".to_owned(),
            400,
            "api.malformed",
        ),
        (format!("GET /{long} HTTP/1.1\r\nHost: x\r\n\r\n"), 431, "api.head_too_large"),
        (format!("GET / HTTP/1.1\r\nHost: x\r\n{many}\r\n"), 431, "api.head_too_large"),
    ] {
        let mut socket = TcpStream::connect(address).await.unwrap();
        socket.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
        let mut first = [0; 12];
        socket.read_exact(&mut first).await.unwrap();
        assert_eq!(&first, b"HTTP/1.1 200");
        socket.write_all(head.as_bytes()).await.unwrap();
        let mut answer = String::new();
        let _ = socket.read_to_string(&mut answer).await;
        let refused = answer.split_once("hello").unwrap().1;
        let (head, body) = refused.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{code}: {answer}"));
        assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{head}");
        assert!(head.contains("content-type: application/problem+json") && head.contains("x-request-id: "), "{head}");
        let problem: serde_json::Value = serde_json::from_str(body).unwrap();
        assert_eq!((problem["status"].as_u64(), problem["code"].as_str()), (Some(status), Some(code)), "{problem}");
    }
}

#[tokio::test]
async fn an_object_that_reads_like_a_refusal_is_left_as_it_is() {
    const OBJECT: &str = "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n";
    let body = || Body::from_stream(futures::stream::iter([Ok::<_, std::io::Error>(OBJECT), Ok(OBJECT)]));
    let stop = Stop::default();
    let address = stop.serve(Role::Gateway, Router::new().route("/", get(async move || body())));
    let mut socket = TcpStream::connect(address).await.unwrap();
    socket.write_all(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.unwrap();
    assert_eq!(answer.matches(OBJECT).count(), 2, "{answer}");
}
