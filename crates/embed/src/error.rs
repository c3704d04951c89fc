//! Why a request for vectors has no answer.

use base::{ByteSize, Facts, Fault, Kind, Span};
use serde_json::json;

/// The result of everything in embed.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a request for vectors has no answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is nothing to embed.
    #[error("texts is empty: give at least one text")]
    NoTexts,
    /// A text without a character.
    #[error("texts[{position}] is empty")]
    EmptyText {
        /// Its place in the request, from 0.
        position: usize,
    },
    /// More texts than one request may hold.
    #[error("{given} texts are too many for one request: send at most {limit}")]
    TooManyTexts {
        /// How many there are.
        given: usize,
        /// How many there may be.
        limit: usize,
    },
    /// More bytes of text than one request may hold.
    #[error("the texts have more than {limit} together: send fewer in one request")]
    TooLarge {
        /// How many bytes there may be.
        limit: ByteSize,
    },
    /// The deadline passed.
    #[error(
        "{ready} of {asked} texts were ready within {limit}: ask again, since the cache keeps them, or for fewer at once"
    )]
    Timeout {
        /// The time they had.
        limit: Span,
        /// How many texts had their vectors.
        ready: usize,
        /// How many were given.
        asked: usize,
    },
    /// The deadline passed before it was known what the model is.
    #[error("the model did not say what it is within {limit}")]
    Silent {
        /// The time it had.
        limit: Span,
    },
    /// The model did not answer every text.
    #[error("the model answered {answered} of {asked} texts")]
    Incomplete {
        /// Vectors that came.
        answered: usize,
        /// Texts that were given.
        asked: usize,
    },
    /// The model refused or failed.
    #[error(transparent)]
    Model(#[from] models::Error),
}

impl Fault for Error {
    fn kind(&self) -> Kind {
        match self {
            Self::NoTexts | Self::EmptyText { .. } => Kind::Invalid,
            Self::TooManyTexts { .. } | Self::TooLarge { .. } => Kind::TooMuch,
            Self::Timeout { .. } | Self::Silent { .. } => Kind::Unavailable,
            Self::Incomplete { .. } => Kind::Bug,
            Self::Model(inner) => inner.kind(),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::NoTexts => "embed.no_texts",
            Self::EmptyText { .. } => "embed.empty_text",
            Self::TooManyTexts { .. } => "embed.too_many_texts",
            Self::TooLarge { .. } => "embed.too_large",
            Self::Timeout { .. } | Self::Silent { .. } => "embed.timeout",
            Self::Incomplete { .. } => "embed.incomplete",
            Self::Model(inner) => inner.code(),
        }
    }

    fn facts(&self) -> Facts {
        match self {
            Self::EmptyText { position } => Facts::from_iter([("position".to_owned(), json!(position))]),
            Self::TooManyTexts { limit, .. } => Facts::from_iter([("limit".to_owned(), json!(limit))]),
            Self::Timeout { ready, asked, .. } => {
                Facts::from_iter([("ready".to_owned(), json!(ready)), ("asked".to_owned(), json!(asked))])
            }
            Self::Model(inner) => inner.facts(),
            _ => Facts::new(),
        }
    }
}
