//! Clients that are slow on purpose: with their headers, with their bodies, with reading. They cost others nothing, and
//! they are cut off.

use std::net::SocketAddr;

use api::{Limits, Role};
use axum::Router;
use axum::body::Body;
use axum::routing::get;
use base::Span;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use crate::stack::{Stack, Stop, get as ask, ingest, limits, put, sql};

/// Clients that are slow with their heads, and as many that are with their bodies.
const CROWD: usize = 90;
/// Clients that do not read; the process works for each until its buffers are full.
const UNREAD: usize = 20;
/// A question without its end, which is `SELECT 1"}`.
const UNFINISHED: &str = "POST /v1/sql HTTP/1.1\r\nHost: HOST\r\nContent-Length: 18\r\n\r\n{\"sql\":\"";

/// A question whose answer, some 100 MB, fits into no socket's buffers.
fn large_question() -> String {
    let filling = "x".repeat(100);
    let body = format!(r#"{{"sql":"SELECT a.id, b.id, '{filling}' FROM rows a CROSS JOIN rows b"}}"#);
    let length = body.len();
    format!("POST /v1/sql HTTP/1.1\r\nHost: HOST\r\nAccept: text/csv\r\nContent-Length: {length}\r\n\r\n{body}")
}

/// A stack that holds the rows of that question.
async fn filled(limits: Limits) -> Stack {
    let stack = Stack::with(limits).await;
    let rows: String = (0..1000).map(|id| format!("{id}\n")).collect();
    assert_eq!(ingest(&stack.gateway(), "rows", &format!("id\n{rows}")).await.status, 200);
    stack
}

async fn connected(address: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    socket.connect(address).await.unwrap()
}

async fn begun(address: SocketAddr, text: &str) -> TcpStream {
    let mut socket = connected(address).await;
    let text = text.replace("HOST", &format!("localhost:{}", address.port()));
    socket.write_all(text.as_bytes()).await.unwrap();
    socket
}

/// What the far end sends before it closes or cuts the line.
async fn rest_of(mut socket: TcpStream) -> String {
    let mut rest = Vec::new();
    let _ = socket.read_to_end(&mut rest).await;
    String::from_utf8_lossy(&rest).into_owned()
}

/// Waits for what must happen long before this wait gives up.
async fn soon(waited_for: impl Future<Output = ()>) {
    tokio::time::timeout(std::time::Duration::from_secs(60), waited_for).await.expect("it never happened");
}

/// The open connections of the gateway, as it counts them itself.
async fn open_connections(gateway: &Router) -> usize {
    let page = ask(gateway, "/metrics").await.text();
    let line = page.lines().find_map(|line| line.strip_prefix(r#"lakehouse_http_connections{role="gateway"} "#));
    line.map_or(0, |count| count.parse().unwrap())
}

#[tokio::test]
async fn a_crowd_of_slow_clients_takes_no_place_from_the_others_and_is_cut_off() {
    let patience = Span::millis(1500);
    let limits = Limits {
        concurrent_requests: 4,
        header_timeout: patience,
        body_timeout: patience,
        send_timeout: patience,
        ..limits()
    };
    let stack = filled(limits).await;
    let (gateway, stop) = (stack.gateway(), Stop::default());
    let address = stop.serve_as(Role::Gateway, gateway.clone(), stack.shared.clone());

    let (mut heads, mut bodies, mut unread) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..CROWD {
        heads.push(begun(address, "GET /v1/catalog/list HTTP/1.1\r\nHost: HO").await);
        bodies.push(begun(address, UNFINISHED).await);
    }
    for _ in 0..UNREAD {
        unread.push(begun(address, &large_question()).await);
    }
    for number in 0..10 {
        assert_eq!(sql(&gateway, "SELECT 1").await.status, 200);
        assert_eq!(ask(&gateway, "/v1/catalog/list").await.status, 200);
        assert_eq!(put(&gateway, &format!("k{number}"), "x").await.status, 201);
    }
    soon(async {
        while open_connections(&gateway).await > 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    for head in heads {
        assert_eq!(rest_of(head).await, "");
    }
    for body in bodies {
        let answer = rest_of(body).await;
        assert!(answer.starts_with("HTTP/1.1 408 ") && answer.contains("connection: close\r\n"), "{answer}");
        assert!(answer.contains(r#""code":"storage.body_slow""#), "{answer}");
    }
}

#[tokio::test]
async fn who_waits_for_its_client_works_on_when_the_client_does() {
    let stack = filled(Limits { concurrent_requests: 2, waiting_requests: 20, ..limits() }).await;
    let (gateway, stop) = (stack.gateway(), Stop::default());
    let address = stop.serve_as(Role::Gateway, gateway.clone(), stack.shared.clone());
    let (mut bodies, mut readers) = (Vec::new(), Vec::new());
    for _ in 0..4 {
        bodies.push(begun(address, UNFINISHED).await);
        readers.push(begun(address, &large_question()).await);
    }
    // If those kept their places, the deadline would end this one.
    assert_eq!(sql(&gateway, "SELECT 1").await.status, 200);
    for mut body in bodies {
        body.write_all(b"SELECT 1\"}").await.unwrap();
        let mut answer = [0; 15];
        body.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"HTTP/1.1 200 OK");
    }
    for mut reader in readers {
        let mut read = vec![0; 4 << 20];
        reader.read_exact(&mut read).await.unwrap();
        assert!(read.starts_with(b"HTTP/1.1 200 OK"));
    }
}

#[tokio::test]
async fn a_head_that_trickles_is_cut_off_and_so_is_a_line_where_nothing_comes() {
    let limits = Limits { header_timeout: Span::millis(100), ..limits() };
    let stack = Stack::with(limits).await;
    let stop = Stop::default();
    let address = stop.serve_as(Role::Gateway, stack.gateway(), stack.shared.clone());
    let (mut reader, mut writer) = connected(address).await.into_split();
    let trickle = async {
        writer.write_all(b"GET / HTTP/1.1\r\nX: ").await.unwrap();
        let (mut pace, mut sent) = (tokio::time::interval(std::time::Duration::from_millis(5)), 0);
        while writer.write_all(b"x").await.is_ok() {
            sent += 1;
            assert!(sent < 10_000, "still read, far behind its time");
            pace.tick().await;
        }
    };
    let mut answer = Vec::new();
    // Cut by its time: what came of it is far below what a head may hold, so that its size cannot have ended it.
    let (_, ()) = tokio::join!(reader.read_to_end(&mut answer), trickle);
    assert_eq!(String::from_utf8_lossy(&answer), "");
    assert_eq!(rest_of(connected(address).await).await, "", "nothing came at all");
    let idle = begun(address, "GET /health HTTP/1.1\r\nHost: HOST\r\n\r\n").await;
    let answer = rest_of(idle).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "answered, then closed: {answer}");
}

#[tokio::test]
async fn a_body_that_trickles_is_408_however_often_it_moves() {
    let stack = Stack::with(Limits { body_timeout: Span::millis(100), ..limits() }).await;
    let stop = Stop::default();
    let address = stop.serve_as(Role::Gateway, stack.gateway(), stack.shared.clone());
    for route in ["PUT /v1/storage/objects/k", "POST /v1/catalog/register", "POST /v1/ingest?name=t"] {
        let type_of = if route.contains("register") { "application/json" } else { "text/csv" };
        let head =
            format!("{route} HTTP/1.1\r\nHost: HOST\r\nContent-Type: {type_of}\r\nContent-Length: 60000\r\n\r\n");
        let (mut reader, mut writer) = begun(address, &head).await.into_split();
        let trickle = async {
            let mut pace = tokio::time::interval(std::time::Duration::from_millis(5));
            while writer.write_all(b"x").await.is_ok() {
                pace.tick().await;
            }
        };
        let mut answer = [0; 13];
        tokio::select! {
            read = reader.read_exact(&mut answer) => drop(read.unwrap()),
            () = trickle => panic!("{route}: cut without an answer"),
        }
        assert_eq!(&answer, b"HTTP/1.1 408 ", "{route}");
    }
}

#[tokio::test]
async fn an_answer_that_nobody_reads_is_cut_off() {
    let endless = futures::stream::repeat_with(|| Ok::<_, std::io::Error>(vec![0; 1 << 16]));
    let body = std::sync::Mutex::new(Some(Body::from_stream(endless)));
    let body = std::sync::Arc::new(body);
    let door = Router::new().route("/big", get(move || async move { body.lock().unwrap().take().unwrap() }));
    let stack = Stack::with(Limits { send_timeout: Span::millis(100), ..limits() }).await;
    let stop = Stop::default();
    let address = stop.serve_as(Role::Gateway, door, stack.shared.clone());
    let _unread = begun(address, "GET /big HTTP/1.1\r\nHost: HOST\r\n\r\n").await;
    let gateway = stack.gateway();
    soon(async {
        let mut seen = 0;
        while seen == 0 || open_connections(&gateway).await > 0 {
            seen = seen.max(open_connections(&gateway).await);
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn one_address_takes_half_of_the_connections_and_no_more() {
    let stack = Stack::with(Limits { connections: 4, ..limits() }).await;
    let stop = Stop::default();
    let address = stop.serve_as(Role::Gateway, stack.gateway(), stack.shared.clone());
    let health = "GET /health HTTP/1.1\r\nHost: HOST\r\n\r\n";
    let answered = async |mut socket: TcpStream| {
        let mut status = [0; 12];
        socket.read_exact(&mut status).await.unwrap();
        (status[9..].to_vec(), socket)
    };
    let (first, _first) = answered(begun(address, health).await).await;
    let (second, _second) = answered(begun(address, health).await).await;
    assert_eq!((first.as_slice(), second.as_slice()), (b"200".as_slice(), b"200".as_slice()));
    let (third, third_line) = answered(connected(address).await).await;
    assert_eq!(third, b"503");
    let refusal = rest_of(third_line).await;
    assert!(refusal.contains("retry-after: 1\r\nconnection: close\r\n"), "{refusal}");
    let (head, body) = refusal.split_once("\r\n\r\n").unwrap();
    let problem: serde_json::Value = serde_json::from_str(body).unwrap();
    assert_eq!((&problem["status"], &problem["code"]), (&503.into(), &"api.busy".into()));
    assert!(head.contains(&format!("x-request-id: {}\r\n", problem["request_id"].as_str().unwrap())), "{head}");
    let neighbour = TcpSocket::new_v4().unwrap();
    neighbour.bind("127.0.0.2:0".parse().unwrap()).unwrap();
    let mut neighbour = neighbour.connect(address).await.unwrap();
    neighbour.write_all(health.replace("HOST", &format!("localhost:{}", address.port())).as_bytes()).await.unwrap();
    assert_eq!(answered(neighbour).await.0, b"200", "the other half is for others");
}

#[tokio::test]
async fn a_head_that_is_too_large_is_431() {
    let stack = Stack::open().await;
    let stop = Stop::default();
    let address = stop.serve_as(Role::Gateway, stack.gateway(), stack.shared.clone());
    let many: String = (0..101).map(|number| format!("X-{number}: x\r\n")).collect();
    let large = format!("X: {}\r\n", "x".repeat(70_000));
    for headers in [many, large] {
        let socket = begun(address, &format!("GET /health HTTP/1.1\r\nHost: HOST\r\n{headers}\r\n")).await;
        let answer = rest_of(socket).await;
        assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
    }
    let target = format!("GET /{} HTTP/1.1\r\nHost: HOST\r\n\r\n", "x".repeat(70_000));
    let answer = rest_of(begun(address, &target).await).await;
    assert!(answer.starts_with("HTTP/1.1 414 ") || answer.starts_with("HTTP/1.1 431 "), "{answer}");
}
