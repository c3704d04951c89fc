//! What can be wrong with a request to judge, beside what is wrong with the artifact.

use base::{Fault, Kind};

/// A result of this room.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why nothing could be judged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No validator judges artifacts of this kind.
    #[error("there is no validator for the kind {given:?}: use {known}")]
    UnknownKind {
        /// The kind as given, shortened.
        given: String,
        /// The kinds that there are.
        known: String,
    },
    /// A pack could not judge.
    #[error("the pack is refused: {why}")]
    Pack {
        /// What is wrong with it.
        why: String,
    },
}

impl Fault for Error {
    fn kind(&self) -> Kind {
        match self {
            Self::UnknownKind { .. } | Self::Pack { .. } => Kind::Invalid,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::UnknownKind { .. } => "validate.unknown_kind",
            Self::Pack { .. } => "validate.bad_pack",
        }
    }
}
