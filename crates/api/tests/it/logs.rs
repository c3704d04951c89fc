//! The one line that each request leaves in the log.

use std::io::Write;
use std::sync::{Arc, Mutex};

use http::Method;
use serde_json::Value;

use crate::stack::{Stack, get, request, send};

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
    fn requests(&self) -> Vec<Value> {
        let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        lines.filter(|line| line["target"] == "lakehouse::request").collect()
    }
}

#[tokio::test]
async fn a_request_is_one_line_with_role_route_status_and_ids() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().json().with_writer(move || writer.clone()).finish();
    let _logging = tracing::subscriber::set_default(subscriber);

    let stack = Stack::open().await;
    let gateway = stack.gateway();
    let headers = [("content-type", "text/csv"), ("x-request-id", "r1"), ("x-lakehouse-trace-id", "t1")];
    let body = "id,secret\n1,hunter2\n";
    assert_eq!(send(&gateway, request(Method::POST, "/v1/ingest?name=people", &headers, body)).await.status, 200);
    get(&gateway, "/v1/catalog/manifest/people").await;
    get(&gateway, "/v1/nothing").await;
    get(&gateway, "/health").await;

    let told: Vec<(String, String, u64)> = log
        .requests()
        .iter()
        .map(|line| &line["fields"])
        .map(|line| (word(&line["role"]), word(&line["route"]), line["status"].as_u64().unwrap()))
        .collect();
    let expected =
        [("ingestd", "/v1/ingest", 200), ("catalogd", "/v1/catalog/manifest/{name}", 200), ("gateway", "/*", 404)];
    assert_eq!(told, expected.map(|(role, route, status)| (role.to_owned(), route.to_owned(), status)));
    let first = log.requests()[0]["fields"].clone();
    assert_eq!((word(&first["request_id"]), word(&first["trace_id"])), ("r1".to_owned(), "t1".to_owned()));
    assert!(first["latency_ms"].is_number());
    assert!(!String::from_utf8_lossy(&log.0.lock().unwrap()).contains("hunter2"), "never a body");
}

fn word(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
