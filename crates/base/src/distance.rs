//! How far two vectors are apart.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A measure of distance; smaller is nearer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Distance {
    /// One minus the cosine of the angle, never below 0.
    #[default]
    Cosine,
    /// The length of the difference.
    Euclidean,
    /// The negative inner product.
    Dot,
}

/// Why a text is no distance.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{given:?} is not a distance: use cosine, euclidean or dot")]
pub struct DistanceError {
    given: String,
}

impl fmt::Display for Distance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cosine => "cosine",
            Self::Euclidean => "euclidean",
            Self::Dot => "dot",
        })
    }
}

impl FromStr for Distance {
    type Err = DistanceError;

    fn from_str(text: &str) -> Result<Self, DistanceError> {
        match text {
            "cosine" => Ok(Self::Cosine),
            "euclidean" => Ok(Self::Euclidean),
            "dot" => Ok(Self::Dot),
            other => Err(DistanceError { given: other.chars().take(100).collect() }),
        }
    }
}
