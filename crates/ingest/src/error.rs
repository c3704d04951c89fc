//! Why a load failed.

use std::io;

use base::{ByteSize, Facts, Fault, Kind};
use parquet::errors::ParquetError;
use serde_json::{Value, json};

use crate::reject::Rejected;

/// The result of everything in ingest.
pub type Result<T, E = Error> = std::result::Result<T, E>;

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
    /// The file holds nothing that names a column.
    #[error("the file is empty: nothing in it names a column")]
    Empty,
    /// The file is of another kind than is said of it, or of one that is not read.
    #[error("the file is not what can be loaded: {reason}")]
    Format {
        /// What it is and what was said of it.
        reason: String,
    },
    /// The packed file cannot be unpacked.
    #[error("the {packing} file is damaged near byte {position}, after {unpacked} unpacked bytes: {reason}")]
    Packed {
        /// How it is packed.
        packing: &'static str,
        /// Bytes of the file that were read.
        position: u64,
        /// Bytes that were unpacked from them.
        unpacked: u64,
        /// What is wrong there.
        reason: &'static str,
    },
    /// The packed file unpacks to more than may be.
    #[error("the {packing} file unpacks to more than {}: {}", inflated(*.limit, *.ratio), "unpack it before, if it is meant so")]
    Inflated {
        /// How it is packed.
        packing: &'static str,
        /// The most that a file may unpack to.
        limit: ByteSize,
        /// Up to where it may unpack whatever its size, and beyond that as a multiple of what was read, when that was the
        /// reason.
        ratio: Option<(ByteSize, u64)>,
    },
    /// The Parquet file cannot be read, or says what cannot be.
    #[error("the Parquet file cannot be read: {reason}")]
    BadParquet {
        /// What is wrong.
        reason: String,
        /// What the decoder said.
        #[source]
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
    /// A column of the file cannot be a column of a table.
    #[error("column {column:?} is refused: {reason}")]
    Column {
        /// Its name.
        column: String,
        /// Why.
        reason: String,
    },
    /// The JSON around the records is broken, or they have too many keys, so that nothing of the file can be trusted.
    #[error("the JSON is refused on line {line}: {reason}")]
    Json {
        /// The physical line.
        line: u64,
        /// What is wrong there.
        reason: &'static str,
    },
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
    /// No database of this name is configured.
    #[error("there is no database {given:?}; configured are: {}", if known.is_empty() { "none".to_owned() } else { known.join(", ") })]
    UnknownDatabase {
        /// What was asked for.
        given: String,
        /// The names that are configured.
        known: Vec<String>,
    },
    /// A database refused the query, or a table cannot hold what it returns.
    #[error("the query is refused: {reason}")]
    Query {
        /// Why.
        reason: String,
        /// The driver's own words.
        #[source]
        source: Option<tokio_postgres::Error>,
    },
    /// A database cannot be asked.
    #[error("the database {database:?} cannot be reached, refuses its credentials, or failed")]
    Upstream {
        /// The name that requests have for it.
        database: String,
        /// The driver's own words.
        #[source]
        source: tokio_postgres::Error,
    },
    /// A query ran longer than it may, or the database fell silent.
    #[error("the database {database:?} did not answer within the time that a query may take")]
    UpstreamTimeout {
        /// The name that requests have for it.
        database: String,
        /// The driver's own words, if the database ended the query itself.
        #[source]
        source: Option<tokio_postgres::Error>,
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
    /// The error inside one of [`crate::unpack::Unpacked`].
    pub(crate) fn of_waiting(error: io::Error) -> Self {
        error.downcast::<Self>().unwrap_or_else(Self::Spool)
    }

    /// The error of the store inside one of a [`crate::store_file::StoreFile`].
    pub(crate) fn of_store(error: io::Error) -> std::result::Result<Self, io::Error> {
        error.downcast::<storage::Error>().map(Self::Storage)
    }
}

fn inflated(limit: ByteSize, ratio: Option<(ByteSize, u64)>) -> String {
    ratio.map_or_else(|| limit.to_string(), |(free, ratio)| format!("{free} and {ratio} times what was read of it"))
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
            Self::Option { .. }
            | Self::Empty
            | Self::Format { .. }
            | Self::Packed { .. }
            | Self::Json { .. }
            | Self::BadParquet { .. }
            | Self::Column { .. }
            | Self::Header { .. }
            | Self::Rows { .. }
            | Self::RowTooLong { .. } => Kind::Invalid,
            Self::Inflated { .. } => Kind::TooMuch,
            Self::Restless { .. } => Kind::Unavailable,
            Self::UnknownDatabase { .. } | Self::Query { .. } => Kind::Invalid,
            Self::Upstream { .. } | Self::UpstreamTimeout { .. } => Kind::Unavailable,
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
            Self::Format { .. } => "ingest.bad_format",
            Self::Packed { .. } => "ingest.bad_packing",
            Self::Inflated { .. } => "ingest.unpacks_too_large",
            Self::Json { .. } => "ingest.bad_json",
            Self::BadParquet { .. } => "ingest.bad_parquet",
            Self::Column { .. } => "ingest.bad_column",
            Self::Header { .. } => "ingest.bad_header",
            Self::Rows { .. } => "ingest.bad_rows",
            Self::RowTooLong { .. } => "ingest.row_too_long",
            Self::Restless { .. } => "ingest.table_restless",
            Self::UnknownDatabase { .. } => "ingest.unknown_database",
            Self::Query { .. } => "ingest.query_refused",
            Self::Upstream { .. } => "ingest.upstream_failed",
            Self::UpstreamTimeout { .. } => "ingest.upstream_timeout",
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
            Self::Packed { position, .. } => members(json!({ "position": position })),
            Self::Upstream { database, .. } | Self::UpstreamTimeout { database, .. } => {
                members(json!({ "database": database }))
            }
            Self::Column { column, .. } => members(json!({ "column": column })),
            Self::Json { line, .. } => members(json!({ "line": line })),
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
