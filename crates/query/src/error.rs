//! Why a query has no answer.

use base::{ByteSize, Facts, Fault, Kind, Span};

use crate::search::SearchFault;

/// What every fallible verb of this room returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a query has no answer. No message holds a string literal of the statement or a path of the server.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The statement is empty, malformed, or names something that does not exist.
    #[error("{0}")]
    Invalid(String),
    /// The statement names a table that the version does not hold.
    #[error("{0}")]
    UnknownTable(String),
    /// The statement asks for something this engine does not do.
    #[error("{0}")]
    Unsupported(String),
    /// The statement is no query.
    #[error("only queries are answered here: SELECT, EXPLAIN, DESCRIBE and SHOW TABLES; the lake is changed by ingest")]
    ReadOnly,
    /// The statement is too large to be planned.
    #[error("{limit}; split the query, or load the values as a table")]
    TooComplex {
        /// Which limit was passed.
        limit: String,
    },
    /// The parameters do not fit the statement.
    #[error("{0}")]
    Params(String),
    /// A search is not written as it must be.
    #[error("{0}")]
    InvalidSearch(String),
    /// `max_rows` is zero or above the limit.
    #[error("max_rows must be between 1 and {limit}; ask for CSV, NDJSON or an Arrow stream to read more")]
    MaxRows {
        /// The largest that is allowed.
        limit: u64,
    },
    /// A value cannot be computed: a division by zero, a text that is no number.
    #[error("{0}")]
    Failed(String),
    /// An integer left the range of its type.
    #[error("an integer result is out of range for its type; cast to DOUBLE or DECIMAL first")]
    Overflow,
    /// The query needs more memory than it may have.
    #[error("the query needs more than the memory limit of {limit} and cannot spill the rest to disk; {advice}")]
    MemoryLimit {
        /// What all queries share.
        limit: ByteSize,
        /// What would use less.
        advice: &'static str,
    },
    /// A JSON answer would be too large to hold.
    #[error("the answer is larger than {limit}; ask for fewer rows, or for CSV, NDJSON or an Arrow stream")]
    AnswerTooLarge {
        /// The largest answer.
        limit: ByteSize,
    },
    /// The deadline passed.
    #[error("the query did not end within {limit}")]
    Timeout {
        /// The time it had.
        limit: Span,
    },
    /// Somebody cancelled the query.
    #[error("the query was cancelled")]
    Cancelled,
    /// The engine gave up on the statement.
    #[error("the query could not be planned or executed; please report the statement")]
    Panicked,
    /// The catalog refused: no such version, damaged tables, a store that does not answer.
    #[error(transparent)]
    Catalog(Box<catalog::Error>),
    /// The vector search refused: no such index, another dimension, a model that does not answer.
    #[error(transparent)]
    Search(SearchFault),
    /// The vector search met a fault of the program.
    #[error("the vector search met a fault of the program; the log has the details under its request id")]
    SearchBroke(#[source] tokio::task::JoinError),
    /// Data of a table could not be read.
    #[error("the data of a table could not be read")]
    Unreadable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The engine could not be started.
    #[error("the query engine could not be started: {what}")]
    Start {
        /// What it lacks.
        what: &'static str,
        /// What the machine said.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl From<limits::Error> for Error {
    fn from(error: limits::Error) -> Self {
        match error {
            limits::Error::Failed(text) => Self::Failed(text),
            limits::Error::Overflow => Self::Overflow,
            limits::Error::MemoryLimit { limit, advice } => Self::MemoryLimit { limit, advice },
            limits::Error::Cancelled => Self::Cancelled,
        }
    }
}

impl From<catalog::Error> for Error {
    fn from(error: catalog::Error) -> Self {
        Self::Catalog(Box::new(error))
    }
}

impl Fault for Error {
    fn kind(&self) -> Kind {
        match self {
            Self::Invalid(_) | Self::UnknownTable(_) | Self::Unsupported(_) | Self::TooComplex { .. } => Kind::Invalid,
            Self::Params(_) | Self::InvalidSearch(_) => Kind::Invalid,
            Self::MaxRows { .. } | Self::Failed(_) | Self::Overflow | Self::Panicked => Kind::Invalid,
            Self::ReadOnly => Kind::Denied,
            Self::MemoryLimit { .. } | Self::AnswerTooLarge { .. } => Kind::TooMuch,
            Self::Timeout { .. } | Self::Cancelled => Kind::Unavailable,
            Self::Catalog(inner) => inner.kind(),
            Self::Search(inner) => inner.fault().kind(),
            Self::Unreadable(_) => Kind::Damaged,
            Self::Start { .. } | Self::SearchBroke(_) => Kind::Bug,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Invalid(_) | Self::UnknownTable(_) => "query.invalid_sql",
            Self::Unsupported(_) | Self::Panicked => "query.unsupported",
            Self::ReadOnly => "query.read_only",
            Self::TooComplex { .. } => "query.too_complex",
            Self::Params(_) => "query.invalid_params",
            Self::InvalidSearch(_) => "query.invalid_search",
            Self::MaxRows { .. } => "query.invalid_max_rows",
            Self::Failed(_) => "query.failed",
            Self::Overflow => "query.overflow",
            Self::MemoryLimit { .. } => "query.memory_limit",
            Self::AnswerTooLarge { .. } => "query.answer_too_large",
            Self::Timeout { .. } => "query.timeout",
            Self::Cancelled => "query.cancelled",
            Self::Catalog(inner) => inner.code(),
            Self::Search(inner) => inner.fault().code(),
            Self::Unreadable(_) => "query.unreadable",
            Self::SearchBroke(_) => "query.search_broke",
            Self::Start { .. } => "query.start",
        }
    }

    fn facts(&self) -> Facts {
        match self {
            Self::Catalog(inner) => inner.facts(),
            Self::Search(inner) => inner.fault().facts(),
            _ => Facts::new(),
        }
    }
}
