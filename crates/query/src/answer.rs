//! What a query answers: columns, and a stream of batches that ends the query when it is dropped.

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use base::{QueryId, Seams, Timestamp, Version};
use futures::stream::BoxStream;
use serde::Serialize;

use crate::error::Result;

/// One column of an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ResultColumn {
    /// The stored spelling, or the alias as written.
    pub name: String,
    /// The SQL name of its type, such as `BIGINT`.
    #[serde(rename = "type")]
    pub ty: String,
}

/// A running query. Dropping it, or its batches, cancels the query; the deadline is inside the stream.
pub struct Answer {
    /// Names the query, for `Query::cancel`.
    pub id: QueryId,
    /// The version of the lake that every row comes from.
    pub version: Version,
    /// The columns, in the order of each row.
    pub columns: Vec<ResultColumn>,
    /// The same columns as Arrow types.
    pub schema: SchemaRef,
    /// The rows.
    pub batches: BoxStream<'static, Result<RecordBatch>>,
    pub(crate) started: Timestamp,
    pub(crate) seams: Seams,
}

impl Answer {
    /// Milliseconds since the query was asked.
    pub fn elapsed_ms(&self) -> u64 {
        let millis = self.seams.now().millis() - self.started.millis();
        u64::try_from(millis).unwrap_or(0)
    }
}
