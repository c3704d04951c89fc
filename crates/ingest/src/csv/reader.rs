//! Reads a file as blocks of whole rows and sets the rows aside that cannot be loaded.

use super::dialect;
use super::encoding::{Charset, Text};
use super::split::{self, Dialect, QuoteFault, Step};
use super::{CELL_LIMIT, COLUMN_LIMIT, ROW_LIMIT, header};
use crate::block::Block;
use crate::cell::Cell;
use crate::error::{Error, Result};
use crate::reject::{Refusals, Rejected};
use crate::unpack::Unpacked;

#[cfg(test)]
mod tests;

/// How much text is looked at to find the dialect.
const HEAD: usize = 256 << 10;
/// Text of a block, unless one row is longer: it stays in the second-level cache while its columns are built.
const BLOCK: usize = 1 << 20;
/// From so many columns on a table is wide, and its blocks hold more text, so that they hold more than a few rows.
const WIDE: usize = 1000;
/// Text of a wide table's block for each column.
const WIDE_BLOCK: usize = 512;
/// Cells of a block, so that a text of mere delimiters does not become a giant index.
const BLOCK_CELLS: usize = 1 << 20;

/// How a file is to be read.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// The encoding, unless a byte order mark says otherwise.
    pub charset: Charset,
    /// The delimiter; detected when not given.
    pub delimiter: Option<u8>,
    /// Text of a block, in bytes.
    pub block: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { charset: Charset::Utf8, delimiter: None, block: BLOCK }
    }
}

/// Reads the rows of one file, in order.
pub struct Reader {
    text: Text,
    dialect: Dialect,
    names: Vec<String>,
    /// The header as it stands in the file, with its line end.
    header: Vec<u8>,
    /// Text that was read and not yet split.
    carry: Vec<u8>,
    /// The physical line on which `carry` begins.
    line: u64,
    number: u64,
    block: usize,
}

/// A row that is set aside, by its place in the text of a block.
struct Aside {
    begin: usize,
    end: usize,
    column: Option<usize>,
    fault: Fault,
}

/// Why a row is set aside; put into words only for rows that are reported one by one.
#[derive(Clone, Copy)]
enum Fault {
    /// It has so many cells, and that is too many.
    Width(usize),
    Quoting(QuoteFault),
    /// This cell is not UTF-8.
    Encoding(Cell),
}

impl Reader {
    /// Opens a file, finds its dialect and takes its header.
    pub fn open(source: Unpacked, options: Options) -> Result<Self> {
        let mut text = Text::open(source, options.charset)?;
        let mut head = Vec::new();
        let least = HEAD.min(options.block);
        text.fill(&mut head, least)?;
        let dialect = dialect::detect(&head, text.ended(), options.delimiter);
        let mut cells = Vec::new();
        let mut at = 0;
        let mut line = 1;
        loop {
            if at == head.len() && text.ended() {
                return Err(Error::Empty);
            }
            match split::record(dialect, &head, at, text.ended(), &mut cells) {
                Step::Blank { next } => {
                    at = next;
                    line += 1;
                }
                Step::Partial if cells.len() > COLUMN_LIMIT => return Err(header::too_wide(line)),
                Step::Partial => {
                    cells.clear();
                    head.drain(..at);
                    at = 0;
                    fill_more(&mut text, &mut head, least, line)?;
                }
                Step::Bad { fault, .. } => return Err(bad_header(line, cells.len() + 1, fault)),
                Step::Record { next } => {
                    let names = header::names(&cells, &head, dialect.quote, line)?;
                    let line = line + split::count_lines(&head[at..next]);
                    let carry = head.split_off(next);
                    let header = head.split_off(at);
                    let wide = if names.len() < WIDE { 0 } else { names.len() * WIDE_BLOCK };
                    let block = options.block.max(wide);
                    return Ok(Self { text, dialect, names, header, carry, line, number: 0, block });
                }
            }
        }
    }

    /// The columns' names.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The header as it stands in the file, with its line end.
    pub fn header(&self) -> &[u8] {
        &self.header
    }

    /// Bytes of the file that have been read.
    pub fn position(&self) -> u64 {
        self.text.position()
    }

    /// The next block that has rows, none at the end. Rows that cannot be loaded go to `refusals`.
    pub fn next(&mut self, refusals: &mut Refusals) -> Result<Option<Block>> {
        loop {
            let mut text = std::mem::take(&mut self.carry);
            self.text.fill(&mut text, self.block)?;
            if text.is_empty() {
                return Ok(None);
            }
            let (mut cells, mut aside, used) = self.split(&mut text)?;
            self.carry = text.split_off(used);
            if simdutf8::basic::from_utf8(&text).is_err() {
                self.set_invalid_aside(&text, &mut cells, &mut aside);
            }
            self.refuse(&text, aside, refusals)?;
            let first_line = self.line;
            self.line += split::count_lines(&text);
            if !cells.is_empty() {
                let number = self.number;
                self.number += 1;
                let (width, quote) = (self.names.len(), self.dialect.quote);
                return Ok(Some(Block { number, first_line, quote, width, text, cells, lines: None }));
            }
        }
    }

    /// Splits as many whole records as the text and a block hold; reads more text when it holds not one.
    fn split(&mut self, text: &mut Vec<u8>) -> Result<(Vec<Cell>, Vec<Aside>, usize)> {
        let width = self.names.len();
        let mut cells = Vec::with_capacity(BLOCK_CELLS.min(text.len() / 4));
        let mut aside = Vec::new();
        let mut at = 0;
        while at < text.len() && cells.len() < BLOCK_CELLS {
            let row = cells.len();
            let step = split::record(self.dialect, text, at, self.text.ended(), &mut cells);
            let found = cells.len() - row;
            let next = match step {
                Step::Record { next } if found == width => next,
                Step::Record { next } if found < width => {
                    cells.resize(row + width, Cell::MISSING);
                    next
                }
                Step::Record { next } => {
                    aside.push(Aside { begin: at, end: next, column: None, fault: Fault::Width(found) });
                    cells.truncate(row);
                    next
                }
                Step::Blank { next } => next,
                Step::Bad { next, fault } => {
                    let column = Some(found).filter(|&column| column < width);
                    aside.push(Aside { begin: at, end: next, column, fault: Fault::Quoting(fault) });
                    cells.truncate(row);
                    next
                }
                Step::Partial => {
                    cells.truncate(row);
                    if at > 0 {
                        break;
                    }
                    fill_more(&mut self.text, text, self.block, self.line)?;
                    continue;
                }
            };
            if next - at > CELL_LIMIT && cells[row..].iter().any(|cell| cell.len() > CELL_LIMIT) {
                return Err(Error::RowTooLong { line: self.line + split::count_lines(&text[..at]) });
            }
            at = next;
        }
        Ok((cells, aside, at))
    }

    /// Takes the rows out that hold bytes which are not UTF-8.
    fn set_invalid_aside(&self, text: &[u8], cells: &mut Vec<Cell>, aside: &mut Vec<Aside>) {
        let width = self.names.len();
        let mut kept = Vec::with_capacity(cells.len());
        for row in cells.chunks_exact(width) {
            let Some(column) = row.iter().position(|cell| std::str::from_utf8(cell.bytes(text)).is_err()) else {
                kept.extend_from_slice(row);
                continue;
            };
            let begin = row[0].begin();
            let end = end_of_row(self.dialect, text, begin);
            aside.push(Aside { begin, end, column: Some(column), fault: Fault::Encoding(row[column]) });
        }
        *cells = kept;
        aside.sort_by_key(|row| row.begin);
    }

    /// Hands the rows set aside to the refusals, in the order of their lines.
    fn refuse(&self, text: &[u8], aside: Vec<Aside>, refusals: &mut Refusals) -> Result<()> {
        let mut line = self.line;
        let mut counted = 0;
        for row in aside {
            let report = refusals.wants_report().then(|| {
                line += split::count_lines(&text[counted..row.begin]);
                counted = row.begin;
                let column = row.column.map(|column| self.names[column].clone());
                Rejected { line, column, reason: self.reason(text, &row, line) }
            });
            let kept = refusals.add(&text[row.begin..row.end], report);
            kept.map_err(|error| Error::of_store(error).unwrap_or_else(Error::Spool))?;
        }
        Ok(())
    }

    /// What is wrong with a row that begins on `line`.
    fn reason(&self, text: &[u8], row: &Aside, line: u64) -> String {
        match row.fault {
            Fault::Width(found) if found > COLUMN_LIMIT => {
                format!("the row has more than {COLUMN_LIMIT} cells and the header has {}", self.names.len())
            }
            Fault::Width(found) => format!("the row has {found} cells and the header has {}", self.names.len()),
            Fault::Quoting(fault) => words(fault).to_owned(),
            Fault::Encoding(cell) => undecodable(text, row.begin, cell, line),
        }
    }
}

/// Says on which line and at which character of it a cell's first byte is that is not UTF-8.
fn undecodable(text: &[u8], begin: usize, cell: Cell, line: u64) -> String {
    let bytes = cell.bytes(text);
    let valid = std::str::from_utf8(bytes).map_or_else(|error| error.valid_up_to(), str::len);
    let at = cell.end() - bytes.len() + valid;
    let line = line + split::count_lines(&text[begin..at]);
    let line_begin = memchr::memrchr2(b'\n', b'\r', &text[begin..at]).map_or(begin, |offset| begin + offset + 1);
    let character = String::from_utf8_lossy(&text[line_begin..at]).chars().count() + 1;
    format!("invalid encoding: line {line}, character {character} is not UTF-8")
}

/// Reads as much text again, for a record that is longer than what is there, and at least so many bytes in all.
fn fill_more(text: &mut Text, into: &mut Vec<u8>, least: usize, line: u64) -> Result<()> {
    if into.len() >= ROW_LIMIT {
        return Err(Error::RowTooLong { line });
    }
    let target = (into.len() * 2).max(least).min(ROW_LIMIT);
    text.fill(into, target)
}

/// Where the record that begins at `begin` ends; it is known to be whole.
fn end_of_row(dialect: Dialect, text: &[u8], begin: usize) -> usize {
    match split::record(dialect, text, begin, true, &mut Vec::new()) {
        Step::Record { next } | Step::Blank { next } | Step::Bad { next, .. } => next,
        Step::Partial => text.len(),
    }
}

fn words(fault: QuoteFault) -> &'static str {
    match fault {
        QuoteFault::Unclosed => "bad quoting: a quote is never closed",
        QuoteFault::TextAfterQuote => "bad quoting: text follows a closing quote",
    }
}

fn bad_header(line: u64, position: usize, fault: QuoteFault) -> Error {
    let reason = format!("column {position}: {}", words(fault));
    Error::Header { line, column: String::new(), position, reason }
}
