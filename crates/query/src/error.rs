//! Why a query has no answer.

use base::{Fault, Kind};

/// What every fallible verb of this room returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a query has no answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The statement is empty, malformed, names something unknown, or fails while it runs.
    #[error("{0}")]
    Sql(String),
}

impl Fault for Error {
    fn kind(&self) -> Kind {
        Kind::Invalid
    }
    fn code(&self) -> &'static str {
        "query.invalid_sql"
    }
}
