//! Why codes cannot be used.

use base::{Fault, Kind};

/// A result of this room.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why codes cannot be used. Whoever meets it builds them anew from the vectors.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The bytes are cut, garbled or something else.
    #[error("the codes are damaged: {0}")]
    Damaged(&'static str),
    /// The codes were written by a newer release.
    #[error("the codes have format {found}, and this program reads format {known}: use a newer release")]
    NewerFormat {
        /// The format they state.
        found: u32,
        /// The format this program reads.
        known: u32,
    },
    /// The codes were written by an older release.
    #[error("the codes have format {found}, those of an older release, and this program reads format {known}")]
    OlderFormat {
        /// The format they state.
        found: u32,
        /// The format this program reads.
        known: u32,
    },
    /// The codes were built from other vectors.
    #[error("the codes were built from other vectors")]
    OtherVectors,
}

impl Fault for Error {
    fn kind(&self) -> Kind {
        Kind::Damaged
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Damaged(_) => "ann.damaged",
            Self::NewerFormat { .. } => "ann.newer_format",
            Self::OlderFormat { .. } => "ann.older_format",
            Self::OtherVectors => "ann.other_vectors",
        }
    }
}
