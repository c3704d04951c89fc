//! Answers as bytes: one JSON document, or a stream of CSV, NDJSON or Arrow.

use bytes::Bytes;
use futures::stream::BoxStream;

use crate::answer::Answer;
use crate::error::Result;

/// The forms an answer can be streamed in, without a row limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Arrow's IPC stream.
    Arrow,
    /// A header line, then one line per row.
    Csv,
    /// One JSON object per row.
    Ndjson,
}

impl Format {
    /// The media type of its bytes.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Arrow => "application/vnd.apache.arrow.stream",
            Self::Csv => "text/csv; charset=utf-8",
            Self::Ndjson => "application/x-ndjson",
        }
    }
}

/// The whole JSON answer, `{columns, rows, row_count, truncated, version, elapsed_ms}`, with at most `max_rows` rows.
pub async fn json(answer: Answer, max_rows: usize) -> Result<Vec<u8>> {
    let _ = (answer, max_rows);
    todo!()
}

/// The answer as a stream of bytes. An `Err` item means that the bytes before it are no whole answer.
pub fn stream(answer: Answer, format: Format) -> BoxStream<'static, Result<Bytes>> {
    let _ = (answer, format);
    todo!()
}
