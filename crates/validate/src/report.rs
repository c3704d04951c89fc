//! What is said of an artifact that passed.

use serde::{Deserialize, Serialize};

/// How much a finding weighs. Neither keeps an artifact from counting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Somebody should look.
    Warning,
    /// Worth knowing.
    Info,
}

/// Something noticed about an artifact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// How much it weighs.
    pub severity: Severity,
    /// The member that it is about, such as `fills[0].name`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// What was noticed.
    pub message: String,
}

impl Finding {
    pub(crate) fn warning(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, field: Some(field.into()), message: message.into() }
    }

    pub(crate) fn info(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { severity: Severity::Info, field: Some(field.into()), message: message.into() }
    }
}

/// The judgement of an artifact that counts. The members stand on the wire in this order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Who judged, such as `staffing.fill`.
    pub validator: String,
    /// What was noticed.
    pub findings: Vec<Finding>,
    /// How long the checks took, in milliseconds.
    pub elapsed_ms: u64,
}
