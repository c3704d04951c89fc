//! What can go wrong between asking and having an answer.

use std::fmt;

use base::{Facts, Fault, Kind};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An error of whatever library carried the bytes.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A result of this room.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The service answered, and refused.
    #[error(transparent)]
    Refused(Box<Problem>),
    /// Nobody answers at the address.
    #[error("nothing answers at {address}")]
    Unreachable {
        /// The URL that was tried.
        address: String,
        /// What the network said.
        #[source]
        cause: BoxError,
    },
    /// The connection broke before the answer was whole.
    #[error("the connection broke before the answer was complete")]
    Broken(#[source] BoxError),
    /// The service answered something that is not the documented shape.
    #[error("the answer is not what this client knows: {0}")]
    Answer(String),
    /// The request cannot be expressed, such as a URL without a scheme.
    #[error("{0}")]
    Request(String),
}

impl Error {
    pub(crate) fn broken(cause: impl Into<BoxError>) -> Self {
        Self::Broken(cause.into())
    }

    /// The service's own refusal, if that is what this is.
    pub fn problem(&self) -> Option<&Problem> {
        match self {
            Self::Refused(problem) => Some(problem),
            _ => None,
        }
    }
}

impl Fault for Error {
    fn kind(&self) -> Kind {
        match self {
            Self::Refused(problem) => problem.kind(),
            Self::Unreachable { .. } | Self::Broken(_) => Kind::Unavailable,
            Self::Answer(_) => Kind::Bug,
            Self::Request(_) => Kind::Invalid,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Refused(_) => "client.refused",
            Self::Unreachable { .. } => "client.unreachable",
            Self::Broken(_) => "client.broken",
            Self::Answer(_) => "client.answer",
            Self::Request(_) => "client.request",
        }
    }

    fn facts(&self) -> Facts {
        self.problem().map(|problem| problem.facts.clone()).unwrap_or_default()
    }
}

/// A refusal as services state it: `application/problem+json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Problem {
    /// The page that explains the code, relative to the service.
    #[serde(rename = "type", default)]
    pub page: String,
    /// The HTTP status in words.
    #[serde(default)]
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What happened, and what would be right.
    #[serde(default)]
    pub detail: String,
    /// The stable code, such as `catalog.schema_drift`.
    #[serde(default)]
    pub code: String,
    /// The request's id, as in the service's log.
    #[serde(default)]
    pub request_id: String,
    /// Whatever else the refusal states, such as the diff of a drift.
    #[serde(flatten)]
    pub facts: Facts,
}

impl Problem {
    fn kind(&self) -> Kind {
        match self.status {
            401 => Kind::Unauthenticated,
            403 => Kind::Denied,
            404 => Kind::NotFound,
            409 | 412 => Kind::Conflict,
            413 | 429 => Kind::TooMuch,
            502..=504 | 507 => Kind::Unavailable,
            500..=599 => Kind::Bug,
            _ => Kind::Invalid,
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.detail.is_empty() { write!(f, "{} {}", self.status, self.title) } else { f.write_str(&self.detail) }
    }
}

impl std::error::Error for Problem {}
