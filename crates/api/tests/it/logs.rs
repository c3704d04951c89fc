//! The one line that each request leaves in the log.

use std::io::Write;
use std::sync::{Arc, Mutex};

use http::Method;
use serde_json::Value;

use crate::stack::{Stack, request, send};

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
    /// The one log of this process: other tests write to it as well.
    fn of_the_process() -> Self {
        let log = Self::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt().json().with_writer(move || writer.clone()).finish();
        tracing::subscriber::set_global_default(subscriber).expect("nobody else listens");
        log
    }

    /// What the requests of one trace left.
    fn of_trace(&self, trace: &str) -> Vec<Value> {
        let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        let lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let requests = lines.filter(|line| line["target"] == "lakehouse::request");
        requests.map(|line| line["fields"].clone()).filter(|fields| fields["trace_id"] == trace).collect()
    }
}

#[tokio::test]
async fn a_request_is_one_line_with_role_route_status_and_ids() {
    let log = Log::of_the_process();
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
    assert!(!String::from_utf8_lossy(&log.0.lock().unwrap()).contains("hunter2"), "never a body");
}

fn word(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
