//! One JSON object per row and line.

use arrow::array::RecordBatch;
use query::{Answer, Result};

use crate::cell::{Cells, Form, text};
use crate::stream::{CHUNK, Encoder};

pub(crate) struct Ndjson {
    /// Each column's name as it stands in every line: `"name":`.
    keys: Vec<Vec<u8>>,
}

impl Ndjson {
    pub(crate) fn new(answer: &Answer) -> Self {
        let key = |name: &str| {
            let mut key = Vec::new();
            text(name, Form::Json, &mut key);
            key.push(b':');
            key
        };
        Self { keys: answer.columns.iter().map(|column| key(&column.name)).collect() }
    }
}

impl Encoder for Ndjson {
    fn begin(&mut self, _: &mut Vec<u8>) -> Result<()> {
        Ok(())
    }

    fn rows(&mut self, batch: &RecordBatch, from: usize, out: &mut Vec<u8>) -> Result<usize> {
        let cells = batch.columns().iter().map(|column| Cells::new(column.as_ref(), Form::Json));
        let cells = cells.collect::<Result<Vec<_>>>()?;
        let mut row = from;
        while row < batch.num_rows() && out.len() < CHUNK {
            out.push(b'{');
            for (at, (key, cell)) in self.keys.iter().zip(&cells).enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                out.extend_from_slice(key);
                cell.json(row, out)?;
            }
            out.extend_from_slice(b"}\n");
            row += 1;
        }
        Ok(row)
    }

    fn end(&mut self, _: &mut Vec<u8>) -> Result<()> {
        Ok(())
    }
}
