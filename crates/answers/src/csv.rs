//! CSV as ingest reads it back: a header, CRLF-free lines, an empty field for null and `""` for the empty text.
//!
//! A null that is a whole row is `""` too: an empty line would be no row at all.

use arrow::array::RecordBatch;
use query::{Answer, Result};

use crate::cell::{Cells, Form};
use crate::stream::{CHUNK, Encoder};

pub(crate) struct Csv {
    names: Vec<String>,
}

impl Csv {
    pub(crate) fn new(answer: &Answer) -> Self {
        Self { names: answer.columns.iter().map(|column| column.name.clone()).collect() }
    }
}

impl Encoder for Csv {
    fn begin(&mut self, out: &mut Vec<u8>) -> Result<()> {
        for (at, name) in self.names.iter().enumerate() {
            separate(at, out);
            field(name.as_bytes(), out);
        }
        out.push(b'\n');
        Ok(())
    }

    fn rows(&mut self, batch: &RecordBatch, from: usize, out: &mut Vec<u8>) -> Result<usize> {
        let cells = batch.columns().iter().map(|column| Cells::new(column.as_ref(), Form::Plain));
        let cells = cells.collect::<Result<Vec<_>>>()?;
        let mut value = Vec::new();
        let mut row = from;
        while row < batch.num_rows() && out.len() < CHUNK {
            for (at, cell) in cells.iter().enumerate() {
                separate(at, out);
                value.clear();
                if !cell.is_null(row) {
                    cell.plain(row, &mut value)?;
                    field(&value, out);
                } else if cells.len() == 1 {
                    field(&value, out);
                }
            }
            out.push(b'\n');
            row += 1;
        }
        Ok(row)
    }

    fn end(&mut self, _: &mut Vec<u8>) -> Result<()> {
        Ok(())
    }
}

fn separate(at: usize, out: &mut Vec<u8>) {
    if at > 0 {
        out.push(b',');
    }
}

/// A field in quotes where it would be misread without: separators, quotes, line ends, outer spaces, emptiness.
fn field(value: &[u8], out: &mut Vec<u8>) {
    let special = |byte: &u8| matches!(byte, b',' | b'"' | b'\n' | b'\r');
    let spaced = value.first() == Some(&b' ') || value.last() == Some(&b' ');
    if !value.is_empty() && !spaced && !value.iter().any(special) {
        out.extend_from_slice(value);
        return;
    }
    out.push(b'"');
    for byte in value {
        if *byte == b'"' {
            out.push(b'"');
        }
        out.push(*byte);
    }
    out.push(b'"');
}
