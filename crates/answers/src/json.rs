//! The JSON document: `{columns, rows, row_count, truncated, version, elapsed_ms}`.

use std::io::Write;

use arrow::array::RecordBatch;
use base::ByteSize;
use futures::StreamExt;
use query::{Answer, Error, Result};

use crate::cell::{Cells, Form};
use crate::stream::unwritable;

/// The largest JSON answer. It is held whole, so that a failing query is an error and never half an answer.
const MAX_BYTES: usize = 256 << 20;

/// The whole JSON answer with at most `max_rows` rows; `truncated` says whether there were more.
pub async fn json(mut answer: Answer, max_rows: usize) -> Result<Vec<u8>> {
    let mut out = b"{\"columns\":".to_vec();
    serde_json::to_writer(&mut out, &answer.columns).map_err(unwritable)?;
    out.extend_from_slice(b",\"rows\":[");
    let mut rows = 0;
    let mut truncated = false;
    while !truncated && let Some(batch) = answer.batches.next().await {
        let batch = batch?;
        let room = max_rows - rows;
        truncated = batch.num_rows() > room;
        let batch = batch.slice(0, batch.num_rows().min(room));
        write_rows(&batch, rows > 0, &mut out)?;
        rows += batch.num_rows();
    }
    let (version, elapsed) = (answer.version, answer.elapsed_ms());
    write!(out, "],\"row_count\":{rows},\"truncated\":{truncated},\"version\":{version},\"elapsed_ms\":{elapsed}}}")
        .map_err(unwritable)?;
    Ok(out)
}

fn write_rows(batch: &RecordBatch, mut follows: bool, out: &mut Vec<u8>) -> Result<()> {
    let cells = batch.columns().iter().map(|column| Cells::new(column.as_ref(), Form::Json));
    let cells = cells.collect::<Result<Vec<_>>>()?;
    for row in 0..batch.num_rows() {
        if std::mem::replace(&mut follows, true) {
            out.push(b',');
        }
        out.push(b'[');
        for (at, cell) in cells.iter().enumerate() {
            if at > 0 {
                out.push(b',');
            }
            // A long text is looked at before it is copied, anything else after.
            if out.len() + cell.text_bytes(row) > MAX_BYTES {
                return Err(too_large());
            }
            cell.json(row, out)?;
            if out.len() > MAX_BYTES {
                return Err(too_large());
            }
        }
        out.push(b']');
    }
    Ok(())
}

fn too_large() -> Error {
    Error::AnswerTooLarge { limit: ByteSize(MAX_BYTES as u64) }
}
