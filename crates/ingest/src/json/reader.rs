//! Reads a file of JSON objects as blocks of rows and sets the records aside that cannot be loaded.

use super::frame::{Framing, Step};
use super::names::Names;
use super::parse::{self, Entry, Flaw};
use crate::block::Block;
use crate::cell::Cell;
use crate::csv::encoding::{Charset, Text};
use crate::csv::{CELL_LIMIT, ROW_LIMIT, split};
use crate::error::{Error, Result};
use crate::reject::{Refusals, Rejected};
use crate::unpack::Unpacked;

/// Text of a block, unless one record is longer.
const BLOCK: usize = 1 << 20;
/// Cells of a block, so that few values under many columns do not become a giant index.
const BLOCK_CELLS: usize = 1 << 20;

/// Reads the records of one file, in order.
pub struct Reader {
    text: Text,
    framing: Framing,
    names: Names,
    columns: Vec<String>,
    /// Text that was read and not yet split.
    carry: Vec<u8>,
    /// The physical line on which `carry` begins.
    line: u64,
    /// How many characters of that line stand before it.
    character: usize,
    number: u64,
    /// Text of a block, in bytes.
    block: usize,
}

/// Records of one stretch of text.
#[derive(Default)]
struct Records {
    /// The values, record by record.
    entries: Vec<Entry>,
    /// Of each record, where its entries end and the line on which it begins.
    rows: Vec<(usize, u64)>,
    /// What the cells point into.
    out: Vec<u8>,
    /// Where the text goes on.
    used: usize,
    /// The line on which it does.
    line: u64,
}

impl Reader {
    /// Opens a file. Unless its names are known from reading it before, they are those of its first block.
    pub fn open(source: Unpacked, charset: Charset, framing: Framing, names: Names) -> Result<Self> {
        let text = Text::open(source, charset)?;
        let (carry, columns) = (Vec::new(), Vec::new());
        let mut reader = Self { text, framing, names, columns, carry, line: 1, character: 0, number: 0, block: BLOCK };
        let mut text = Vec::new();
        reader.text.fill(&mut text, reader.block)?;
        reader.records(&mut text, &mut Refusals::default())?;
        reader.framing = framing;
        reader.carry = text;
        reader.settle()?;
        Ok(reader)
    }

    /// The columns' names: those of the table, then others as they were seen.
    pub fn names(&self) -> &[String] {
        &self.columns
    }

    /// Bytes of the file that have been read.
    pub fn position(&self) -> u64 {
        self.text.position()
    }

    /// Whether keys came that make other columns, so that the file must be read again.
    pub fn has_grown(&self) -> bool {
        self.names.has_grown()
    }

    /// The next block that has rows, none at the end or when the columns have grown. Records that cannot be loaded go to
    /// `refusals`.
    pub fn next(&mut self, refusals: &mut Refusals) -> Result<Option<Block>> {
        while let Some(records) = self.read(refusals)? {
            if self.has_grown() {
                return Ok(None);
            }
            if !records.rows.is_empty() && !self.columns.is_empty() {
                return Ok(Some(self.block_of(records)));
            }
        }
        Ok(None)
    }

    /// Reads the rest for its keys alone, as long as `go_on` says so; answers all the keys of the file.
    pub fn into_names(mut self, go_on: impl Fn(u64) -> bool) -> Result<Names> {
        while go_on(self.position()) && self.read(&mut Refusals::default())?.is_some() {}
        self.settle()?;
        Ok(self.names)
    }

    fn settle(&mut self) -> Result<()> {
        self.columns = self.names.settle().ok_or_else(|| too_wide(self.line))?;
        Ok(())
    }

    fn read(&mut self, refusals: &mut Refusals) -> Result<Option<Records>> {
        let mut text = std::mem::take(&mut self.carry);
        self.text.fill(&mut text, self.block)?;
        if text.is_empty() {
            self.refuse_open_end()?;
            return Ok(None);
        }
        let records = self.records(&mut text, refusals)?;
        self.line = records.line;
        self.character = characters(self.character, &text[..records.used]);
        self.carry = text.split_off(records.used);
        Ok(Some(records))
    }

    /// Reads as many whole records as the text and a block hold; reads more text when it holds not one.
    fn records(&mut self, text: &mut Vec<u8>, refusals: &mut Refusals) -> Result<Records> {
        let mut records = Records { line: self.line, ..Records::default() };
        let mut is_text = simdutf8::basic::from_utf8(text).is_ok();
        while records.rows.len() * self.names.width() < BLOCK_CELLS {
            let from = records.used;
            match self.framing.step(text, from, self.text.ended()) {
                Step::Record { begin, end, next } => {
                    records.advance(text, begin);
                    self.record(&text[..end], is_text, &mut records, refusals)?;
                    records.advance(text, next);
                }
                Step::Partial { begin } if begin > 0 => {
                    records.advance(text, begin);
                    break;
                }
                Step::Partial { .. } => {
                    self.fill_more(text)?;
                    is_text = simdutf8::basic::from_utf8(text).is_ok();
                }
                Step::Nothing => {
                    records.advance(text, text.len());
                    break;
                }
                Step::Broken { at, reason } => {
                    records.advance(text, at);
                    return Err(Error::Json { line: records.line, reason });
                }
            }
        }
        Ok(records)
    }

    /// An array that is never closed is not the whole file.
    fn refuse_open_end(&mut self) -> Result<()> {
        match self.framing.step(&[], 0, true) {
            Step::Broken { reason, .. } => Err(Error::Json { line: self.line, reason }),
            _ => Ok(()),
        }
    }

    /// Reads the record that ends a text.
    fn record(&mut self, before: &[u8], is_text: bool, records: &mut Records, refusals: &mut Refusals) -> Result<()> {
        let begin = records.used;
        let text = &before[begin..];
        let parsed = match std::str::from_utf8(if is_text { &[] } else { text }) {
            Ok(_) => parse::record(text, &mut self.names, &mut records.out, &mut records.entries),
            Err(error) => Err(Flaw::Syntax { at: error.valid_up_to(), reason: "the text is not UTF-8" }),
        };
        match parsed {
            Ok(()) => {
                if text.len() > CELL_LIMIT && records.has_giant() {
                    return Err(Error::RowTooLong { line: records.line });
                }
                records.rows.push((records.entries.len(), records.line));
                Ok(())
            }
            Err(Flaw::TooManyKeys) => Err(too_wide(records.line)),
            Err(flaw) => {
                let report = refusals.wants_report().then(|| self.rejected(before, begin, records.line, &flaw));
                let kept = refusals.add(text, report);
                kept.map_err(|error| Error::of_store(error).unwrap_or_else(Error::Spool))
            }
        }
    }

    /// What is wrong with the record that begins at a place and a line of a text.
    fn rejected(&self, text: &[u8], begin: usize, line: u64, flaw: &Flaw) -> Rejected {
        match flaw {
            Flaw::Syntax { at, reason } => {
                let before = &text[..(begin + at).min(text.len())];
                let line_begin = memchr::memrchr(b'\n', &before[begin..]).map_or(begin, |offset| begin + offset + 1);
                let there = line + split::count_lines(&before[begin..line_begin]);
                let character = characters(self.character, before) + 1;
                Rejected { line, column: None, reason: format!("{reason} (line {there}, character {character})") }
            }
            Flaw::Key { name, reason } => {
                let column = name.chars().take(200).collect::<String>();
                Rejected { line, reason: format!("{reason}: {column:?}"), column: Some(column) }
            }
            Flaw::TooManyKeys => Rejected { line, column: None, reason: String::new() },
        }
    }

    fn fill_more(&mut self, text: &mut Vec<u8>) -> Result<()> {
        if text.len() >= ROW_LIMIT {
            return Err(Error::RowTooLong { line: self.line });
        }
        let target = (text.len() * 2).clamp(self.block, ROW_LIMIT);
        self.text.fill(text, target)
    }

    fn block_of(&mut self, records: Records) -> Block {
        let width = self.columns.len();
        let mut cells = vec![Cell::MISSING; records.rows.len() * width];
        let mut begin = 0;
        for (row, &(end, _)) in cells.chunks_exact_mut(width).zip(&records.rows) {
            for &(key, cell) in &records.entries[begin..end] {
                if let Some(column) = self.names.column(key) {
                    row[column] = cell;
                }
            }
            begin = end;
        }
        let lines: Vec<u64> = records.rows.iter().map(|&(_, line)| line).collect();
        let first_line = lines.first().copied().unwrap_or_default();
        let number = self.number;
        self.number += 1;
        Block { number, first_line, quote: b'"', width, text: records.out, cells, lines: Some(lines) }
    }
}

impl Records {
    /// Whether a cell of the last record is longer than any may be.
    fn has_giant(&self) -> bool {
        let begin = self.rows.last().map_or(0, |&(end, _)| end);
        self.entries[begin..].iter().any(|(_, cell)| cell.len() > CELL_LIMIT)
    }

    /// Goes on to a place of the text, counting lines.
    fn advance(&mut self, text: &[u8], to: usize) {
        self.line += split::count_lines(&text[self.used..to]);
        self.used = to;
    }
}

fn too_wide(line: u64) -> Error {
    Error::Json { line, reason: "the keys up to here make more than the 10000 columns that a table may have" }
}

/// How many characters stand on the last line of a text, when so many stand before it on its first.
fn characters(before: usize, text: &[u8]) -> usize {
    let count = |text: &[u8]| text.iter().filter(|&&byte| byte & 0xc0 != 0x80).count();
    match memchr::memrchr(b'\n', text) {
        Some(feed) => count(&text[feed + 1..]),
        None => before + count(text),
    }
}
