//! Requests and answers as bytes, so that smokes see what any HTTP client sees.

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use bytes::Bytes;
use client::{Body, Client};
use http::{HeaderMap, Method, Request, StatusCode};
use serde_json::Value;

/// How long something that must happen soon may take.
const BUDGET: Duration = Duration::from_secs(20);
const GLANCE: Duration = Duration::from_millis(20);

/// A client of one address.
#[derive(Clone)]
pub struct Probe {
    client: Client,
}

/// An answer, whole.
#[derive(Debug)]
pub struct Reply {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body, to the last byte.
    pub body: Bytes,
}

impl Probe {
    /// A client of this URL.
    pub fn of(url: &str) -> anyhow::Result<Self> {
        Ok(Self { client: Client::remote(url)? })
    }

    /// GETs a path.
    pub async fn get(&self, path: &str) -> anyhow::Result<Reply> {
        self.send(Method::GET, path, &[], Body::empty()).await
    }

    /// DELETEs a path.
    pub async fn delete(&self, path: &str) -> anyhow::Result<Reply> {
        self.send(Method::DELETE, path, &[], Body::empty()).await
    }

    /// PUTs a body.
    pub async fn put(&self, path: &str, body: impl Into<Body>) -> anyhow::Result<Reply> {
        self.send(Method::PUT, path, &[], body.into()).await
    }

    /// POSTs JSON.
    pub async fn post(&self, path: &str, body: &Value) -> anyhow::Result<Reply> {
        self.send(Method::POST, path, &[("content-type", "application/json")], body.to_string().into()).await
    }

    /// Uploads a CSV text.
    pub async fn ingest(&self, query: &str, csv: &str) -> anyhow::Result<Reply> {
        let path = format!("/v1/ingest?{query}");
        self.send(Method::POST, &path, &[("content-type", "text/csv")], csv.to_owned().into()).await
    }

    /// Asks SQL.
    pub async fn sql(&self, sql: &str) -> anyhow::Result<Reply> {
        self.post("/v1/sql", &serde_json::json!({ "sql": sql })).await
    }

    /// Sends any request with further headers, and reads the answer whole.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Body,
    ) -> anyhow::Result<Reply> {
        let what = format!("{method} {path}");
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = self.client.send(request.body(body)?).await.with_context(|| what.clone())?;
        let (head, body) = answer.into_parts();
        Ok(Reply { status: head.status, headers: head.headers, body: body.bytes().await.context(what)? })
    }
}

impl Reply {
    /// The answer, if it has this status; else an error that quotes it.
    pub fn expect(self, status: u16) -> anyhow::Result<Self> {
        let text = String::from_utf8_lossy(&self.body);
        let quoted: String = text.chars().take(600).collect();
        ensure!(self.status.as_u16() == status, "expected {status}, got {}: {quoted}", self.status);
        Ok(self)
    }

    /// The body as JSON.
    pub fn json(&self) -> anyhow::Result<Value> {
        serde_json::from_slice(&self.body).context("the body is not JSON")
    }

    /// A header; none where it is absent or no text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// Looks again and again until `look` finds something, or the budget is spent.
pub async fn soon<T>(what: &str, mut look: impl AsyncFnMut() -> anyhow::Result<Option<T>>) -> anyhow::Result<T> {
    let deadline = Instant::now() + BUDGET;
    loop {
        if let Some(found) = look().await? {
            return Ok(found);
        }
        ensure!(Instant::now() < deadline, "{what} did not happen within {BUDGET:?}");
        tokio::time::sleep(GLANCE).await;
    }
}
