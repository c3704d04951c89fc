//! How many rows of a file can be read at once, when lists make some of them long.
//!
//! A few bytes of a page may stand for millions of equal values, and only the levels say to how many rows they belong.
//! So the levels are looked at before any value is read.

use std::fs::File;
use std::sync::Arc;

use bytes::Bytes;
use parquet::basic::Encoding;
use parquet::column::page::{Page, PageReader};
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData};
use parquet::file::serialized_reader::SerializedPageReader;

use super::guard::{bad, quietly};
use crate::error::{Error, Result};

#[cfg(test)]
mod tests;

/// Values of lists that are read at once: some tens of megabytes.
const VALUES: u64 = 2 << 20;
/// Values that one row may have in its lists: as JSON they take at least the 64 MiB that a cell may have.
const VALUES_OF_A_ROW: u64 = 32 << 20;

/// How many rows, at most `most`, have no more values in their lists than can be read at once.
pub fn rows_at_once(file: &File, metadata: &ParquetMetaData, most: usize) -> Result<usize> {
    let columns = metadata.file_metadata().schema_descr();
    let mut longest = 0_u64;
    for column in (0..columns.num_columns()).filter(|&column| columns.column(column).max_rep_level() > 0) {
        let mut rows = Rows::default();
        for group in metadata.row_groups() {
            rows.read(file, group.column(column), group.num_rows())?;
        }
        longest = longest.saturating_add(rows.longest);
    }
    if longest > VALUES_OF_A_ROW {
        return Err(bad("a row has lists of more than 33,554,432 values"));
    }
    let fitting = usize::try_from(VALUES / longest.max(1)).unwrap_or(usize::MAX);
    Ok(most.min(fitting).max(1))
}

/// The rows of a column: how many there are, how many values the last one has so far, and the longest.
#[derive(Default)]
struct Rows {
    count: u64,
    last: u64,
    longest: u64,
}

impl Rows {
    fn read(&mut self, file: &File, chunk: &ColumnChunkMetaData, rows: i64) -> Result<()> {
        let rows = usize::try_from(rows).unwrap_or_default();
        let file = Arc::new(file.try_clone().map_err(Error::Spool)?);
        let mut pages = quietly(|| SerializedPageReader::new(file, chunk, rows, None))?;
        let width = (i16::BITS - chunk.column_descr().max_rep_level().leading_zeros()) as usize;
        let before = self.count;
        while let Some(page) = quietly(|| pages.get_next_page())? {
            if let Some((levels, values)) = levels(&page)? {
                self.walk(&levels, width, values).ok_or_else(|| bad("the levels of a list are damaged"))?;
            }
        }
        if self.count - before != rows as u64 {
            return Err(bad("a list does not have as many rows as there are"));
        }
        Ok(())
    }

    /// Walks over levels, each of `width` bits: runs of equal ones, and groups of eight.
    fn walk(&mut self, mut levels: &[u8], width: usize, mut values: u64) -> Option<()> {
        while values > 0 {
            let head = number(&mut levels)?;
            let count = (head >> 1).min(values);
            if head & 1 == 0 {
                self.run(*levels.split_off_first()? == 0, count)?;
                values -= count;
                continue;
            }
            let packed = levels.split_off(..usize::try_from(head >> 1).ok()?.checked_mul(width)?)?;
            let count = values.min((head >> 1) * 8);
            for at in 0..usize::try_from(count).ok()? {
                self.run(level(packed, width, at) == 0, 1)?;
            }
            values -= count;
        }
        Some(())
    }

    /// Takes so many values, each of which begins a row or none of which does.
    fn run(&mut self, begins: bool, count: u64) -> Option<()> {
        if count == 0 || (!begins && self.count == 0) {
            return None;
        }
        (self.count, self.last) = if begins { (self.count + count, 1) } else { (self.count, self.last + count) };
        self.longest = self.longest.max(self.last);
        Some(())
    }
}

/// The levels of a page that say where rows begin, and how many there are.
fn levels(page: &Page) -> Result<Option<(Bytes, u64)>> {
    let damaged = || bad("the levels of a list are damaged");
    match page {
        Page::DictionaryPage { .. } => Ok(None),
        Page::DataPageV2 { buf, num_values, rep_levels_byte_len, .. } => {
            let length = usize::try_from(*rep_levels_byte_len).ok().filter(|length| *length <= buf.len());
            Ok(Some((buf.slice(..length.ok_or_else(damaged)?), u64::from(*num_values))))
        }
        Page::DataPage { buf, num_values, rep_level_encoding: Encoding::RLE, .. } => {
            let (length, rest) = buf.split_first_chunk().ok_or_else(damaged)?;
            let length = usize::try_from(u32::from_le_bytes(*length)).ok().filter(|length| *length <= rest.len());
            Ok(Some((buf.slice(4..4 + length.ok_or_else(damaged)?), u64::from(*num_values))))
        }
        Page::DataPage { .. } => Err(bad("the levels of its lists are packed in a way that is no longer read")),
    }
}

fn number(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..63).step_by(7) {
        let byte = *bytes.split_off_first()?;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

/// A level of a group, which begins with its lowest bit.
fn level(packed: &[u8], width: usize, at: usize) -> u16 {
    let bit = at * width;
    let window = u16::from(packed[bit / 8]) | packed.get(bit / 8 + 1).map_or(0, |byte| u16::from(*byte) << 8);
    window >> (bit % 8) & ((1 << width) - 1)
}
