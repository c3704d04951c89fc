//! The one line that each request leaves in the log.

use std::io::Write;
use std::sync::{Arc, LazyLock, Mutex};

use api::{Auth, AuthConfig, Shared};
use base::Seams;
use http::Method;
use serde_json::Value;
use storage::Secret;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tracing::level_filters::LevelFilter;

use crate::stack::{Stack, limits, request, send};

/// The one log of this process, which tells everything: other tests write to it as well.
static LOG: LazyLock<Log> = LazyLock::new(Log::of_the_process);

/// What the log holds, line by line.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Log {
    fn of_the_process() -> Self {
        let log = Self::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt().json().with_max_level(LevelFilter::TRACE);
        let subscriber = subscriber.with_writer(move || writer.clone()).finish();
        tracing::subscriber::set_global_default(subscriber).expect("nobody else listens");
        log
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }

    /// What the requests of one trace left.
    fn of_trace(&self, trace: &str) -> Vec<Value> {
        let text = self.text();
        let lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let requests = lines.filter(|line| line["target"] == "lakehouse::request");
        requests.map(|line| line["fields"].clone()).filter(|fields| fields["trace_id"] == trace).collect()
    }
}

#[tokio::test]
async fn a_request_is_one_line_with_role_route_status_and_ids() {
    let log = &*LOG;
    let stack = Stack::open().await;
    let gateway = stack.gateway();
    for (method, path, body) in [
        (Method::POST, "/v1/ingest?name=people", "id,secret\n1,hunter2\n"),
        (Method::GET, "/v1/catalog/manifest/people", ""),
        (Method::GET, "/v1/nothing", ""),
        (Method::GET, "/health", ""),
    ] {
        let headers = [("content-type", "text/csv"), ("x-request-id", "r1"), ("x-lakehouse-trace-id", "traced")];
        send(&gateway, request(method, path, &headers, body)).await;
    }
    let lines = log.of_trace("traced");
    let told: Vec<(String, String, u64)> = lines
        .iter()
        .map(|line| (word(&line["role"]), word(&line["route"]), line["status"].as_u64().unwrap()))
        .collect();
    let expected =
        [("ingestd", "/v1/ingest", 200), ("catalogd", "/v1/catalog/manifest/{name}", 200), ("gateway", "/*", 404)];
    assert_eq!(told, expected.map(|(role, route, status)| (role.to_owned(), route.to_owned(), status)));
    assert_eq!(word(&lines[0]["request_id"]), "r1");
    assert!(lines[0]["latency_ms"].is_number());
    assert!(!log.text().contains("hunter2"), "never a body");
}

#[tokio::test]
async fn no_token_reaches_the_log_whichever_way_it_comes() {
    let log = &*LOG;
    let (right, wrong) = ("correct-horse-battery", "staple-of-a-guess");
    let config = AuthConfig { token: Some(Secret::new(right)), ..AuthConfig::default() };
    let auth = Auth::settle(&config).unwrap();
    tracing::trace!(?config, ?auth, "settled");
    let stack = Stack::over(Shared::new(Seams::system(), limits()).with_auth(auth)).await;
    let split = stack.split();
    for (token, status) in [(right, "200"), (wrong, "401")] {
        let head = format!(
            "GET /v1/catalog/list HTTP/1.1\r\nHost: localhost:{}\r\nX-Lakehouse-Trace-Id: guarded\r\n\
             Authorization: Bearer {token}\r\nConnection: close\r\n\r\n",
            split.address.port()
        );
        let mut socket = tokio::net::TcpStream::connect(split.address).await.unwrap();
        socket.write_all(head.as_bytes()).await.unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
        assert!(!answer.contains(token), "{answer}");
    }
    assert_eq!(log.of_trace("guarded").len(), 3, "one from the role and two from the gateway");
    for token in [right, wrong] {
        assert!(!log.text().contains(token));
    }
}

fn word(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
