//! Why a filter is none.

use base::{Fault, Kind};

/// A result of this room.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a filter is none.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// What is no filter.
    #[error("filter: {0}")]
    Bad(String),
}

impl Fault for Error {
    fn kind(&self) -> Kind {
        Kind::Invalid
    }

    fn code(&self) -> &'static str {
        "vectors.bad_filter"
    }
}
