//! What comes of a session: the answer, and the line in its stream.

use ::validate::{Report, ValidationError};
use base::{Fault, Timestamp, Version};
use serde::Serialize;
use serde_json::{Map, Value};

use super::Outcome;
use super::request::{DAEMON, Iteration};
use crate::record::Failure;

/// How much of the prompt is recorded, in characters.
const PROMPT: usize = 4_000;

/// A session that has ended and is recorded.
#[derive(Debug, Clone, PartialEq)]
pub struct Session {
    /// How it ended.
    pub verdict: Verdict,
    /// Its attempts, in order.
    pub history: Vec<Attempt>,
    /// Its name.
    pub trace_id: String,
    /// The version of the lake that everything was read at.
    pub version: Version,
}

/// How a session ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// A proposal counts.
    Accepted {
        /// The proposal, as the model made it.
        artifact: Value,
        /// What was noticed about it.
        validation: Report,
    },
    /// None counted.
    Exhausted {
        /// How many attempts there were.
        attempts: u32,
    },
    /// The model could not be reached.
    Infra {
        /// Why, in words for outside.
        reason: String,
    },
}

/// One attempt.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Attempt {
    /// Which, from 1.
    pub iteration: u32,
    /// What the model said, cut at 2,000 characters.
    pub raw: String,
    /// What came of it.
    pub status: Status,
    /// Names the attempt.
    pub span_id: String,
}

/// What came of an attempt.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Status {
    /// `no_json`, `validation_failed` or `accepted`; `not_judged` where whoever judges failed.
    pub kind: &'static str,
    /// Why it does not count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<ValidationError>,
}

impl Status {
    pub(super) fn no_json() -> Self {
        Self { kind: "no_json", error: None }
    }

    pub(super) fn failed(error: ValidationError) -> Self {
        Self { kind: "validation_failed", error: Some(error) }
    }

    pub(super) fn not_judged() -> Self {
        Self { kind: "not_judged", error: None }
    }

    pub(super) fn accepted() -> Self {
        Self { kind: "accepted", error: None }
    }
}

impl Verdict {
    /// The end of a session whose model or judge failed.
    pub(super) fn unfinished(failure: &impl Fault) -> Self {
        tracing::warn!(code = failure.code(), causes = failure.causes(), "a session ended early");
        Self::Infra { reason: failure.to_string() }
    }

    /// The word in the stream: `accepted`, `max_iter_exhausted` or `infra_error`.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Accepted { .. } => "accepted",
            Self::Exhausted { .. } => "max_iter_exhausted",
            Self::Infra { .. } => "infra_error",
        }
    }
}

/// The line of a session. The members stand in this order.
#[derive(Serialize)]
pub(super) struct Logged<'a> {
    schema: &'static str,
    session_id: &'a str,
    timestamp: Timestamp,
    daemon: &'static str,
    kind: &'static str,
    model: &'a str,
    provider: Option<&'a str>,
    prompt: String,
    iterations: usize,
    max_iterations: u32,
    final_verdict: &'static str,
    attempts: Vec<LoggedAttempt<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    artifact: Option<&'a Value>,
    grounded_in_roster: Option<bool>,
    duration_ms: i64,
    lake_version: Version,
    /// So that packs can be tried on what was known, too.
    #[serde(skip_serializing_if = "Option::is_none")]
    context: Option<&'a Map<String, Value>>,
    /// Who failed where it ended early.
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<&'a Failure>,
}

#[derive(Serialize)]
struct LoggedAttempt<'a> {
    iteration: u32,
    verdict_kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a ValidationError>,
    span_id: &'a str,
}

impl<'a> Logged<'a> {
    pub(super) fn of(
        asked: &'a Iteration,
        outcome: &'a Outcome,
        history: &'a [Attempt],
        (started, ended): (Timestamp, Timestamp),
        lake_version: Version,
    ) -> Self {
        let attempt = |attempt: &'a Attempt| LoggedAttempt {
            iteration: attempt.iteration,
            verdict_kind: attempt.status.kind,
            error: attempt.status.error.as_ref(),
            span_id: &attempt.span_id,
        };
        let artifact = match &outcome.verdict {
            Verdict::Accepted { artifact, .. } => Some(artifact),
            _ => None,
        };
        Self {
            schema: "session.iterate.v1",
            session_id: &asked.trace_id,
            timestamp: ended,
            daemon: DAEMON,
            kind: asked.kind.name(),
            model: &asked.model,
            provider: outcome.provider.as_deref().or(asked.provider.as_deref()),
            prompt: asked.prompt.chars().take(PROMPT).collect(),
            iterations: history.len(),
            max_iterations: asked.max_iterations,
            final_verdict: outcome.verdict.word(),
            attempts: history.iter().map(attempt).collect(),
            artifact,
            grounded_in_roster: outcome.grounded,
            duration_ms: (ended.millis() - started.millis()).max(0),
            lake_version,
            context: asked.context.as_ref(),
            failure: outcome.failure.as_ref(),
        }
    }
}
