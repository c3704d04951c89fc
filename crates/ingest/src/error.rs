//! Why a load failed.

use std::io;

use base::{Facts, Fault, Kind};
use parquet::errors::ParquetError;
use serde_json::{Value, json};

use crate::reject::Rejected;

/// The result of everything in ingest.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a load failed. Nothing of it is visible in the lake then.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An option of the request has a value that it cannot have.
    #[error("{name} is {given:?}: use {rule}")]
    Option {
        /// The option.
        name: &'static str,
        /// What was given.
        given: String,
        /// What it may be.
        rule: &'static str,
    },
    /// The file has no header: it holds nothing but empty lines.
    #[error("the file is empty: a CSV file begins with a line of column names")]
    Empty,
    /// The header does not name the columns.
    #[error("the header on line {line} is refused: {reason}")]
    Header {
        /// The physical line of the header.
        line: u64,
        /// The column at fault, as written; empty when it is blank.
        column: String,
        /// The column's position, from 1.
        position: usize,
        /// What is wrong, naming the column.
        reason: String,
    },
    /// Rows that cannot be loaded, and the request asked for all or nothing.
    #[error("{total} {} of the file cannot be loaded, first on line {}: {}", rows_word(*.total), first_line(.first), first_reason(.first))]
    Rows {
        /// How many rows.
        total: u64,
        /// The first of them, at most 20.
        first: Vec<Rejected>,
    },
    /// A row is longer than any row may be, most often because a quote was never closed.
    #[error(
        "the row that begins on line {line} is longer than 72 MiB or has a cell of more than 64 MiB: is a quote never \
         closed?"
    )]
    RowTooLong {
        /// The physical line on which it begins.
        line: u64,
    },
    /// The table changed under the load again and again.
    #[error("the table changed {tries} times while the file was loaded: load it again")]
    Restless {
        /// How often the load was tried.
        tries: u32,
    },
    /// The store failed, or the body of the request broke off.
    #[error(transparent)]
    Storage(#[from] storage::Error),
    /// The catalog refused or failed.
    #[error(transparent)]
    Catalog(#[from] catalog::Error),
    /// Reading the waiting file failed.
    #[error("the waiting file could not be read")]
    Spool(#[source] io::Error),
    /// The file to write could not be encoded.
    #[error("the rows could not be written as Parquet")]
    Parquet(#[source] ParquetError),
    /// The rows did not become columns.
    #[error("the rows could not be turned into columns")]
    Columns(#[from] arrow::error::ArrowError),
    /// A task of this load ended without an answer.
    #[error("a part of the load ended without an answer")]
    Lost,
}

/// The encoder wraps the error of the store that it writes to, and that error is the one to tell.
impl From<ParquetError> for Error {
    fn from(error: ParquetError) -> Self {
        match error {
            ParquetError::External(inner) => match inner.downcast::<io::Error>() {
                Ok(inner) => Self::of_store(*inner).unwrap_or_else(|inner| Self::Parquet(inner.into())),
                Err(inner) => Self::Parquet(ParquetError::External(inner)),
            },
            error => Self::Parquet(error),
        }
    }
}

impl Error {
    /// The error of the store inside one of a [`crate::store_file::StoreFile`].
    pub(crate) fn of_store(error: io::Error) -> std::result::Result<Self, io::Error> {
        error.downcast::<storage::Error>().map(Self::Storage)
    }
}

fn rows_word(total: u64) -> &'static str {
    if total == 1 { "row" } else { "rows" }
}

fn first_line(first: &[Rejected]) -> u64 {
    first.first().map_or(0, |row| row.line)
}

fn first_reason(first: &[Rejected]) -> &str {
    first.first().map_or("", |row| &row.reason)
}

impl Fault for Error {
    fn kind(&self) -> Kind {
        match self {
            Self::Option { .. } | Self::Empty | Self::Header { .. } | Self::Rows { .. } | Self::RowTooLong { .. } => {
                Kind::Invalid
            }
            Self::Restless { .. } => Kind::Unavailable,
            Self::Storage(inner) => inner.kind(),
            Self::Catalog(inner) => inner.kind(),
            Self::Spool(_) => Kind::Unavailable,
            Self::Parquet(_) | Self::Columns(_) | Self::Lost => Kind::Bug,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Option { .. } => "ingest.bad_option",
            Self::Empty => "ingest.empty_file",
            Self::Header { .. } => "ingest.bad_header",
            Self::Rows { .. } => "ingest.bad_rows",
            Self::RowTooLong { .. } => "ingest.row_too_long",
            Self::Restless { .. } => "ingest.table_restless",
            Self::Storage(inner) => inner.code(),
            Self::Catalog(inner) => inner.code(),
            Self::Spool(_) => "ingest.spool_failed",
            Self::Parquet(_) | Self::Columns(_) | Self::Lost => "ingest.broken",
        }
    }

    fn facts(&self) -> Facts {
        match self {
            Self::Header { line, column, position, .. } => {
                members(json!({ "line": line, "column": column, "position": position }))
            }
            Self::Rows { total, first } => members(json!({ "rejected": total, "rejected_rows": first })),
            Self::RowTooLong { line } => members(json!({ "line": line })),
            Self::Storage(inner) => inner.facts(),
            Self::Catalog(inner) => inner.facts(),
            _ => Facts::new(),
        }
    }
}

fn members(object: Value) -> Facts {
    match object {
        Value::Object(members) => members,
        _ => Facts::new(),
    }
}
