//! Files in.

use base::Version;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderName, HeaderValue};
use http::{Method, Request};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::body::Body;
use crate::client::{Client, json_request, request, with_query};
use crate::error::{Error, Result};

/// The content type of a body that names a source.
const SOURCE: &str = "application/vnd.lakehouse.source+json";

/// Where and how a file is loaded. Only `name` must be given; the rest is the service's default when absent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Load {
    /// The dataset's name.
    pub name: String,
    /// `replace` or `append`.
    pub mode: Option<String>,
    /// `fail` or `skip`: what happens to bad rows.
    pub on_error: Option<String>,
    /// `csv`, `ndjson`, `json` or `parquet`, when its content shall not decide.
    pub format: Option<String>,
    /// `none` or `add`: what the file may do to the dataset's columns.
    pub evolve: Option<String>,
    /// The text encoding, when it is not UTF-8 and no byte-order mark says so.
    pub encoding: Option<String>,
    /// The field separator, when it shall not be detected.
    pub delimiter: Option<String>,
    /// Vector indexes that are sealed in the same commit.
    pub seal: Vec<String>,
    /// Makes a retried append apply once.
    pub idempotency_key: Option<String>,
}

/// Where rows come from when no file is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Source {
    /// A file of the server's machine, below a directory that its operator allows.
    Path {
        /// Its absolute path.
        path: String,
    },
    /// An object of the lake.
    Object {
        /// Its key.
        object: String,
    },
    /// The rows of a query.
    Postgres {
        /// The database, by its name in the server's settings.
        postgres: String,
        /// One statement that returns rows.
        query: String,
    },
}

/// What a load did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Ingested {
    /// UUIDv5 of the name.
    pub dataset_id: String,
    /// The dataset's name.
    pub name: String,
    /// Whether nothing changed, because these bytes are what the table holds.
    pub existing: bool,
    /// `replace` or `append`.
    pub mode: String,
    /// Rows of this file.
    pub row_count: u64,
    /// Rows of the table now.
    pub total_rows: u64,
    /// SHA-256 over the ordered names and types of the columns.
    pub schema_fingerprint: String,
    /// The files of the table.
    pub objects: Vec<Value>,
    /// The table's snapshot.
    #[serde(default)]
    pub snapshot_id: Option<String>,
    /// The version at which the load stands.
    #[schemars(with = "u64")]
    pub version: Version,
    /// Number of rows that were refused, when bad rows are skipped.
    #[serde(default)]
    pub rejected: u64,
    /// The first refused rows: line, column and reason.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rejected_rows: Vec<RejectedRow>,
    /// The lake's object that holds the refused lines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rejected_object: Option<String>,
    /// How long it took, in milliseconds.
    pub elapsed_ms: u64,
}

/// A row that was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RejectedRow {
    /// The line it begins at, from 1.
    pub line: u64,
    /// The column, when the fault lies in one.
    #[serde(default)]
    pub column: Option<String>,
    /// What is wrong.
    pub reason: String,
}

impl Client {
    /// Loads what the service finds itself into a dataset.
    pub async fn ingest_from(&self, load: &Load, source: &Source) -> Result<Ingested> {
        let mut request = json_request(&load_path(load), source)?;
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(SOURCE));
        if let Some(key) = &load.idempotency_key {
            insert(&mut request, "idempotency-key", key)?;
        }
        self.call_json(request).await
    }

    /// Loads a file into a dataset. `size` is its length in bytes, when known.
    pub async fn ingest(&self, load: &Load, body: Body, size: Option<u64>) -> Result<Ingested> {
        let mut request = request(Method::POST, &load_path(load), body)?;
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
        if let Some(size) = size {
            request.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(size));
        }
        if let Some(key) = &load.idempotency_key {
            insert(&mut request, "idempotency-key", key)?;
        }
        self.call_json(request).await
    }
}

fn load_path(load: &Load) -> String {
    let pairs = [
        ("name", Some(load.name.clone())),
        ("mode", load.mode.clone()),
        ("on_error", load.on_error.clone()),
        ("evolve", load.evolve.clone()),
        ("format", load.format.clone()),
        ("encoding", load.encoding.clone()),
        ("delimiter", load.delimiter.clone()),
        ("seal", (!load.seal.is_empty()).then(|| load.seal.join(","))),
    ];
    with_query("/v1/ingest", &pairs)
}

fn insert(request: &mut Request<Body>, name: &'static str, value: &str) -> Result<()> {
    let wrong = |_| Error::Request(format!("{name} holds characters that a header cannot carry"));
    let value = HeaderValue::try_from(value).map_err(wrong)?;
    request.headers_mut().insert(HeaderName::from_static(name), value);
    Ok(())
}
