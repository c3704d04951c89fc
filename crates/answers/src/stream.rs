//! Answers as streams of CSV, NDJSON or Arrow.

use arrow::array::RecordBatch;
use bytes::Bytes;
use futures::StreamExt;
use futures::stream::BoxStream;
use query::{Answer, Error, Result};

use crate::{arrow_stream, csv, ndjson};

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

/// Bytes that are gathered before they are handed on, so that neither a wide nor a narrow row decides it.
pub(crate) const CHUNK: usize = 256 << 10;

/// Turns batches into bytes, keeping what it needs between them.
pub(crate) trait Encoder: Send {
    /// What stands before the first row.
    fn begin(&mut self, out: &mut Vec<u8>) -> Result<()>;
    /// Rows from `from` on, until about [`CHUNK`] bytes are written. Answers the first row that is not written yet.
    fn rows(&mut self, batch: &RecordBatch, from: usize, out: &mut Vec<u8>) -> Result<usize>;
    /// What stands after the last row.
    fn end(&mut self, out: &mut Vec<u8>) -> Result<()>;
}

/// The answer as a stream of bytes. An `Err` item means that the bytes before it are no whole answer.
pub fn stream(answer: Answer, format: Format) -> BoxStream<'static, Result<Bytes>> {
    let encoder: Result<Box<dyn Encoder>> = match format {
        Format::Arrow => arrow_stream::ArrowStream::new(&answer).map(|encoder| Box::new(encoder) as _),
        Format::Csv => Ok(Box::new(csv::Csv::new(&answer))),
        Format::Ndjson => Ok(Box::new(ndjson::Ndjson::new(&answer))),
    };
    let state = encoder.map(|encoder| Encoding { answer, encoder, at: At::Begin });
    futures::stream::unfold(Some(state), next_chunk).boxed()
}

struct Encoding {
    answer: Answer,
    encoder: Box<dyn Encoder>,
    at: At,
}

enum At {
    Begin,
    Between,
    Inside(RecordBatch, usize),
    End,
}

/// The next non-empty chunk. An error is the last item.
async fn next_chunk(state: Option<Result<Encoding>>) -> Option<(Result<Bytes>, Option<Result<Encoding>>)> {
    let mut encoding = match state? {
        Ok(encoding) => encoding,
        Err(error) => return Some((Err(error), None)),
    };
    match encoding.chunk().await {
        Ok(bytes) if bytes.is_empty() => None,
        Ok(bytes) => Some((Ok(bytes), Some(Ok(encoding)))),
        Err(error) => Some((Err(error), None)),
    }
}

impl Encoding {
    /// About a chunk of bytes; nothing only at the end.
    async fn chunk(&mut self) -> Result<Bytes> {
        let mut out = Vec::new();
        while out.is_empty() {
            self.at = match std::mem::replace(&mut self.at, At::End) {
                At::Begin => {
                    self.encoder.begin(&mut out)?;
                    At::Between
                }
                At::Between => match self.answer.batches.next().await.transpose()? {
                    Some(batch) => At::Inside(batch, 0),
                    None => {
                        self.encoder.end(&mut out)?;
                        break;
                    }
                },
                At::Inside(batch, from) => {
                    let next = self.encoder.rows(&batch, from, &mut out)?;
                    if next < batch.num_rows() { At::Inside(batch, next) } else { At::Between }
                }
                At::End => break,
            };
        }
        Ok(out.into())
    }
}

/// A value that has no bytes in the form asked for.
pub(crate) fn unwritable(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    tracing::error!(error = %error, "a row cannot be encoded");
    Error::Failed("a value of the answer cannot be written in this form".to_owned())
}
