//! The line of a check.

use ::validate::{Artifact, CONTEXT, ValidationError};
use base::Version;
use serde::Serialize;
use serde_json::{Map, Value};

use super::{ANSWERED, ASKED, cut};
use crate::validate::Judgement;

/// What was checked, and what came of it.
#[derive(Serialize)]
pub(crate) struct Check {
    kind: &'static str,
    validator: &'static str,
    /// `accepted` or `refused`; none where nothing could be judged.
    #[serde(skip_serializing_if = "Option::is_none")]
    verdict: Option<&'static str>,
    /// Why it was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<ValidationError>,
    /// How many remarks there were about what was accepted.
    findings: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    grounded_in_roster: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lake_version: Option<Version>,
    /// The artifact without its context, as JSON.
    proposal: String,
    /// What was known, as JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    context: Option<String>,
}

impl Check {
    /// What is checked.
    pub(crate) fn asked(artifact: &Artifact) -> Self {
        let proposed = artifact.members.iter().filter(|(name, _)| *name != CONTEXT);
        let proposed: Map<String, Value> = proposed.map(|(name, value)| (name.clone(), value.clone())).collect();
        Self {
            kind: artifact.kind.name(),
            validator: artifact.kind.validator(),
            verdict: None,
            error: None,
            findings: 0,
            grounded_in_roster: None,
            lake_version: None,
            proposal: cut(&Value::Object(proposed).to_string(), ANSWERED),
            context: artifact.members.get(CONTEXT).map(|context| cut(&context.to_string(), ASKED)),
        }
    }

    /// What came of it.
    pub(crate) fn comes_to(&mut self, judgement: &Judgement) {
        self.grounded_in_roster = judgement.grounded;
        self.lake_version = Some(judgement.version);
        match &judgement.verdict {
            Ok(report) => (self.verdict, self.findings) = (Some("accepted"), report.findings.len()),
            Err(error) => (self.verdict, self.error) = (Some("refused"), Some(shortened(error))),
        }
    }
}

/// A refusal may quote what it refuses.
fn shortened(error: &ValidationError) -> ValidationError {
    let short = |text: &String| cut(text, ANSWERED);
    match error {
        ValidationError::Schema { field, reason } => {
            ValidationError::Schema { field: short(field), reason: short(reason) }
        }
        ValidationError::Completeness { reason } => ValidationError::Completeness { reason: short(reason) },
        ValidationError::Consistency { reason } => ValidationError::Consistency { reason: short(reason) },
        ValidationError::Policy { reason } => ValidationError::Policy { reason: short(reason) },
    }
}
