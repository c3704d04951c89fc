//! What a check says.

use std::fmt;

use serde::Serialize;

/// What one check found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The check.
    pub name: &'static str,
    /// How it went.
    pub status: Status,
    /// What was found.
    pub detail: String,
    /// Why it matters; told where something must be mended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<&'static str>,
    /// The command that mends it; none where nothing needs to be, or no command can: then the reason says what does.
    pub fix: Option<String>,
}

/// How a check went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// All is well.
    Ok,
    /// There is nothing to look at, which is no fault.
    Skipped,
    /// Something must be mended.
    Failed,
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ok => "ok",
            Self::Skipped => "skipped",
            Self::Failed => "failed",
        })
    }
}

impl Finding {
    /// All is well.
    pub fn ok(name: &'static str, detail: impl Into<String>) -> Self {
        Self { name, status: Status::Ok, detail: detail.into(), why: None, fix: None }
    }

    /// There was nothing to look at.
    pub fn skipped(name: &'static str, detail: impl Into<String>) -> Self {
        Self { status: Status::Skipped, ..Self::ok(name, detail) }
    }

    /// Something must be mended, because `why`.
    pub fn failed(name: &'static str, detail: impl Into<String>, why: &'static str) -> Self {
        Self { status: Status::Failed, why: Some(why), ..Self::ok(name, detail) }
    }

    /// The finding with the command that mends what was found, if one does.
    pub fn mended_by(self, fix: impl Into<Option<String>>) -> Self {
        Self { fix: fix.into(), ..self }
    }
}

/// What all checks found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Whether nothing must be mended.
    pub ok: bool,
    /// The findings, in the order of the checks.
    pub checks: Vec<Finding>,
}

impl From<Vec<Finding>> for Report {
    fn from(checks: Vec<Finding>) -> Self {
        Self { ok: checks.iter().all(|check| check.status != Status::Failed), checks }
    }
}

/// An error and its causes, in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
