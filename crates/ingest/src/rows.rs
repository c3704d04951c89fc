//! The rows of a file of text, whatever its format.

use crate::block::Block;
use crate::csv;
use crate::csv::encoding::Charset;
use crate::error::Result;
use crate::format::Format;
use crate::json;
use crate::json::frame::{Framing, Place};
use crate::json::names::Names;
use crate::reject::Refusals;
use crate::unpack::Unpacked;

/// How a file of text is to be read.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// What it is; Parquet is no text and is read as CSV would be.
    pub format: Format,
    /// The encoding, unless a byte order mark says otherwise.
    pub charset: Charset,
    /// The delimiter of CSV; detected when not given.
    pub delimiter: Option<u8>,
}

/// Reads the rows of one file, in order.
pub enum Rows {
    /// Cells under a header.
    Csv(Box<csv::reader::Reader>),
    /// Objects.
    Json(Box<json::reader::Reader>),
}

impl Rows {
    /// Opens a file. `names` are its keys when it is JSON that was read before; `table` are the columns that JSON's keys
    /// are to go to.
    pub fn open(source: Unpacked, options: Options, names: Option<Names>, table: Vec<String>) -> Result<Self> {
        let framing = match options.format {
            Format::Csv | Format::Parquet => {
                let (charset, delimiter) = (options.charset, options.delimiter);
                let reading = csv::reader::Options { charset, delimiter, ..csv::reader::Options::default() };
                return Ok(Self::Csv(Box::new(csv::reader::Reader::open(source, reading)?)));
            }
            Format::Ndjson => Framing::Lines,
            Format::Json => Framing::Values(Place::Begin),
        };
        let names = names.unwrap_or_else(|| Names::new(table));
        Ok(Self::Json(Box::new(json::reader::Reader::open(source, options.charset, framing, names)?)))
    }

    /// The columns' names.
    pub fn names(&self) -> &[String] {
        match self {
            Self::Csv(reader) => reader.names(),
            Self::Json(reader) => reader.names(),
        }
    }

    /// What stands above refused rows, so that they can be mended and loaded, and how such a file is called.
    pub fn header(&self) -> (&[u8], &'static str) {
        match self {
            Self::Csv(reader) => (reader.header(), "csv"),
            Self::Json(_) => (&[], "ndjson"),
        }
    }

    /// Bytes of the waiting file that have been read.
    pub fn position(&self) -> u64 {
        match self {
            Self::Csv(reader) => reader.position(),
            Self::Json(reader) => reader.position(),
        }
    }

    /// The next block that has rows, none at the end. Rows that cannot be loaded go to `refusals`.
    pub fn next(&mut self, refusals: &mut Refusals) -> Result<Option<Block>> {
        match self {
            Self::Csv(reader) => reader.next(refusals),
            Self::Json(reader) => reader.next(refusals),
        }
    }

    /// All keys of the file, when it turned out to have more of them than were known at first.
    pub fn grown(self, go_on: impl Fn(u64) -> bool) -> Result<Option<Names>> {
        match self {
            Self::Json(reader) if reader.has_grown() => reader.into_names(go_on).map(Some),
            _ => Ok(None),
        }
    }
}
