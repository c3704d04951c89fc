//! Why an artifact is refused, in the words that models and other programs read.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _};
use serde::{Deserialize as Read, Serialize};
use serde_json::Value;

#[cfg(test)]
mod tests;

/// Why an artifact does not count. On the wire an object with exactly one key, the variant's name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum ValidationError {
    /// A member is missing or has the wrong form.
    Schema {
        /// The member, such as `fills[0].candidate_id`.
        field: String,
        /// What is wrong with it.
        reason: String,
    },
    /// There is too little or too much of something.
    Completeness {
        /// What, and how much there should be.
        reason: String,
    },
    /// It contradicts the data, or itself.
    Consistency {
        /// What contradicts what.
        reason: String,
    },
    /// It breaks a rule about what may be proposed or said.
    Policy {
        /// The rule.
        reason: String,
    },
}

impl ValidationError {
    pub(crate) fn schema(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Schema { field: field.into(), reason: reason.into() }
    }

    pub(crate) fn completeness(reason: impl Into<String>) -> Self {
        Self::Completeness { reason: reason.into() }
    }

    pub(crate) fn consistency(reason: impl Into<String>) -> Self {
        Self::Consistency { reason: reason.into() }
    }

    pub(crate) fn policy(reason: impl Into<String>) -> Self {
        Self::Policy { reason: reason.into() }
    }

    /// The word for this kind of refusal: `Schema`, `Completeness`, `Consistency` or `Policy`.
    pub fn variant(&self) -> &'static str {
        match self {
            Self::Schema { .. } => "Schema",
            Self::Completeness { .. } => "Completeness",
            Self::Consistency { .. } => "Consistency",
            Self::Policy { .. } => "Policy",
        }
    }

    /// What is wrong, in a sentence.
    pub fn reason(&self) -> &str {
        match self {
            Self::Schema { reason, .. }
            | Self::Completeness { reason }
            | Self::Consistency { reason }
            | Self::Policy { reason } => reason,
        }
    }
}

impl fmt::Display for ValidationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Schema { field, reason } => write!(f, "Schema: {field}: {reason}"),
            other => write!(f, "{}: {}", other.variant(), other.reason()),
        }
    }
}

impl std::error::Error for ValidationError {}

/// The form with one key.
#[derive(Read)]
#[serde(deny_unknown_fields)]
enum Tagged {
    Schema { field: String, reason: String },
    Completeness { reason: String },
    Consistency { reason: String },
    Policy { reason: String },
}

/// The form that other programs write.
#[derive(Read)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct Flat {
    kind: String,
    field: Option<String>,
    reason: String,
}

impl<'de> Deserialize<'de> for ValidationError {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(from)?;
        if value.get("Kind").is_some() {
            return Flat::deserialize(value).map_err(D::Error::custom)?.read().map_err(D::Error::custom);
        }
        Ok(match Tagged::deserialize(value).map_err(D::Error::custom)? {
            Tagged::Schema { field, reason } => Self::Schema { field, reason },
            Tagged::Completeness { reason } => Self::Completeness { reason },
            Tagged::Consistency { reason } => Self::Consistency { reason },
            Tagged::Policy { reason } => Self::Policy { reason },
        })
    }
}

impl Flat {
    fn read(self) -> Result<ValidationError, String> {
        let Self { kind, field, reason } = self;
        // Other programs write an empty field where there is none.
        let unfielded = |error| match field.as_deref().unwrap_or_default() {
            "" => Ok(error),
            _ => Err(format!("only Schema has a field, not {kind:?}")),
        };
        match kind.to_ascii_lowercase().as_str() {
            "schema" => field.map(|field| ValidationError::Schema { field, reason }).ok_or("Schema lacks Field".into()),
            "completeness" => unfielded(ValidationError::Completeness { reason }),
            "consistency" => unfielded(ValidationError::Consistency { reason }),
            "policy" => unfielded(ValidationError::Policy { reason }),
            _ => Err(format!("unknown kind of refusal {kind:?}")),
        }
    }
}
