//! Streams as tables: what this room asks of whoever keeps them, and what it is answered.

use async_trait::async_trait;
use base::ByteSize;
use serde_json::{Map, Value};

use crate::search::{SearchFault, SearchField};

/// Reads streams of JSON lines. Asked on the runtime of whoever asks the query; dropped when the query ends first.
#[async_trait]
pub trait Streams: Send + Sync {
    /// The stream of this name as it is now; none where nothing was ever appended to one. One of more bytes than `limit` is
    /// refused before it is read.
    async fn stream(&self, name: &str, limit: ByteSize) -> Result<Option<StreamTable>, SearchFault>;
}

/// The lines of a stream, as rows.
#[derive(Debug, Clone, PartialEq)]
pub struct StreamTable {
    /// The columns.
    pub fields: Vec<SearchField>,
    /// The rows.
    pub lines: Vec<Map<String, Value>>,
}
