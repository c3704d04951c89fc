//! What happens in runs is written down: a line for each conversation, search and check, durable before anybody is
//! answered. A call that belongs to no run is nobody's evidence, and costs nothing.

use std::sync::Arc;

use ::evidence::{Evidence, Line, StreamName};
use base::{Fault, Seams, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::EvidenceConfig;
use crate::error::{Error, Result};

mod chat;
mod search;
mod validation;

pub(crate) use chat::Talk;
pub(crate) use search::Hunt;
pub(crate) use validation::Check;

/// How much of what was asked is recorded, in characters.
const ASKED: usize = 4_000;
/// How much of what was answered is recorded, in characters.
const ANSWERED: usize = 2_000;
/// How much of a name is recorded, in characters.
const NAME: usize = 200;

/// What can be recorded of runs, beside their sessions: each is a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Recorded {
    /// Conversations with models.
    Chats,
    /// Searches in vector indexes.
    Searches,
    /// Checks of what models propose.
    Validations,
}

/// One call within a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The run: the trace id.
    pub run_id: String,
    /// Names the call, or what it is part of: sixteen hex digits.
    pub span_id: Option<String>,
    /// The attempt of a session that it belongs to, from 1.
    pub iteration: Option<u32>,
    /// Who works on it, such as `chatd`.
    pub daemon: &'static str,
}

/// Whoever writes down what happens in runs. Clones write to the same streams.
#[derive(Clone)]
pub struct Recorder(Option<Arc<Desk>>);

struct Desk {
    evidence: Evidence,
    streams: Vec<Recorded>,
    seams: Seams,
}

/// A call that will be written down.
pub(crate) struct Entry {
    desk: Arc<Desk>,
    stream: Recorded,
    step: Step,
    started: Timestamp,
}

/// A line. The members stand in this order.
#[derive(Serialize)]
struct Noted<'a, T> {
    schema: &'static str,
    run_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    span_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    iteration: Option<u32>,
    timestamp: Timestamp,
    daemon: &'static str,
    #[serde(flatten)]
    told: &'a T,
    latency_ms: i64,
    ok: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<Failure>,
}

/// Why a call came to nothing.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Failure {
    code: &'static str,
    reason: String,
}

impl Failure {
    pub(crate) fn of(fault: &(impl Fault + ?Sized)) -> Self {
        Self { code: fault.code(), reason: cut(&fault.to_string(), ANSWERED) }
    }
}

impl Recorded {
    fn stream(self) -> StreamName {
        match self {
            Self::Chats => StreamName::chats(),
            Self::Searches => StreamName::searches(),
            Self::Validations => StreamName::validations(),
        }
    }

    fn schema(self) -> &'static str {
        match self {
            Self::Chats => "chat.v1",
            Self::Searches => "search.v1",
            Self::Validations => "validation.v1",
        }
    }
}

impl Recorder {
    /// Writes what the settings say to these streams.
    pub fn new(evidence: Evidence, config: &EvidenceConfig, seams: Seams) -> Self {
        Self(Some(Arc::new(Desk { evidence, streams: config.record.clone(), seams })))
    }

    /// Writes nothing.
    pub fn none() -> Self {
        Self(None)
    }

    /// Begins to write down a call that belongs to a run.
    pub(crate) fn begin(&self, stream: Recorded, step: Option<&Step>) -> Option<Entry> {
        let (desk, step) = (self.0.as_ref()?, step?);
        let desk = desk.streams.contains(&stream).then(|| Arc::clone(desk))?;
        let started = desk.seams.now();
        Some(Entry { desk, stream, step: step.clone(), started })
    }
}

impl Entry {
    /// Writes down what came of the call.
    pub(crate) async fn write(self, told: &impl Serialize, failure: Option<Failure>) -> Result<()> {
        let Self { desk, stream, step, started } = self;
        // Whoever only talks to models works beside the lake, and may have been told a wrong place.
        desk.evidence.expect_lake().await.map_err(Error::Unrecorded)?;
        let timestamp = desk.seams.now();
        let line = Line::of(&Noted {
            schema: stream.schema(),
            run_id: &step.run_id,
            span_id: step.span_id.as_deref(),
            iteration: step.iteration,
            timestamp,
            daemon: step.daemon,
            told,
            latency_ms: (timestamp.millis() - started.millis()).max(0),
            ok: failure.is_none(),
            failure,
        });
        desk.evidence
            .append(&stream.stream(), vec![line.map_err(Error::Unrecorded)?])
            .await
            .map_err(Error::Unrecorded)?;
        Ok(())
    }
}

/// The first so many characters.
fn cut(text: &str, most: usize) -> String {
    text.chars().take(most).collect()
}
