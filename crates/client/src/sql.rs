//! Questions in SQL.

use base::{AsOf, QueryId, Version};
use bytes::Bytes;
use futures::Stream;
use http::header::{ACCEPT, HeaderName, HeaderValue};
use http::{HeaderMap, Method};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::body::Body;
use crate::client::{Client, json_request, request};
use crate::error::Result;
use crate::storage::text;

/// A question.
#[derive(Debug, Clone, Default, PartialEq, Serialize, JsonSchema)]
pub struct Ask {
    /// One SELECT, EXPLAIN, DESCRIBE or SHOW statement.
    pub sql: String,
    /// The version to ask at; the newest when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Value>")]
    pub as_of: Option<AsOf>,
    /// Values for `$1`, `$2` …
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub params: Vec<Value>,
    /// Most rows of a JSON answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_rows: Option<u64>,
}

/// An answer in rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Rows {
    /// The columns.
    pub columns: Vec<ResultColumn>,
    /// The rows, each as an array in the order of the columns.
    pub rows: Vec<Vec<Value>>,
    /// Number of rows here.
    pub row_count: u64,
    /// Whether there are more rows than were asked for.
    pub truncated: bool,
    /// The version the question was answered at.
    #[schemars(with = "u64")]
    pub version: Version,
    /// How long it took, in milliseconds.
    pub elapsed_ms: u64,
}

/// A column of an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ResultColumn {
    /// Its name: the stored spelling, or the alias.
    pub name: String,
    /// Its SQL type, such as BIGINT.
    #[serde(rename = "type")]
    pub ty: String,
}

/// How a streamed answer is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// An Arrow IPC stream.
    Arrow,
    /// CSV with a header row.
    Csv,
    /// One JSON object a line.
    Ndjson,
}

/// An answer without a row limit, on its way here.
pub struct Streamed {
    /// The version the question was answered at.
    pub version: Option<Version>,
    /// The name under which the query can be cancelled.
    pub query_id: Option<QueryId>,
    /// The answer in the format asked for.
    pub body: Body,
}

impl Client {
    /// Asks, and reads the answer as rows.
    pub async fn sql(&self, ask: &Ask) -> Result<Rows> {
        self.post_json("/v1/sql", ask).await
    }

    /// Asks, and streams the whole answer. Dropping the stream cancels the query.
    pub async fn sql_stream(&self, ask: &Ask, format: Format) -> Result<Streamed> {
        let mut request = json_request("/v1/sql", ask)?;
        request.headers_mut().insert(ACCEPT, HeaderValue::from_static(format.media_type()));
        let answer = self.call(request).await?;
        let version = parsed(answer.headers(), "x-lakehouse-version").map(Version);
        let query_id = parsed(answer.headers(), "x-lakehouse-query-id");
        Ok(Streamed { version, query_id, body: answer.into_body() })
    }

    /// Cancels a running query.
    pub async fn cancel(&self, query: QueryId) -> Result<()> {
        self.call(request(Method::DELETE, &format!("/v1/sql/{query}"), Body::empty())?).await.map(drop)
    }
}

impl Streamed {
    /// The answer, piece by piece. An error means it is not complete.
    pub fn into_stream(self) -> impl Stream<Item = Result<Bytes>> + Send + 'static {
        self.body.into_stream()
    }
}

impl Format {
    fn media_type(self) -> &'static str {
        match self {
            Self::Arrow => "application/vnd.apache.arrow.stream",
            Self::Csv => "text/csv",
            Self::Ndjson => "application/x-ndjson",
        }
    }
}

fn parsed<T: std::str::FromStr>(headers: &HeaderMap, name: &'static str) -> Option<T> {
    text(headers, &HeaderName::from_static(name))?.parse().ok()
}
