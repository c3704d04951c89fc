//! What the bodies of validatord's routes hold.

use base::AsOf;
use flows::{Iteration, Retrieve};
use serde::Deserialize;
use serde_json::{Map, Value};
use validate::Artifact;

use crate::error::{Error, Result};
use crate::run::accepted;

/// Attempts of a session when the call does not say.
const DEFAULT_ITERATIONS: u32 = 3;
/// How freely words are chosen when the call does not say: some variety, so that a second attempt differs.
const DEFAULT_TEMPERATURE: f64 = 0.2;
/// Tokens of an answer when the call does not say.
const DEFAULT_TOKENS: u32 = 4096;
/// Lines of a stream when the call does not say.
const DEFAULT_LINES: usize = 20;
/// The most lines of a stream that a call may ask for.
const MOST_LINES: usize = 1000;
/// Workers shown to the model when the call does not say.
const DEFAULT_CANDIDATES: usize = 20;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ValidateCall {
    kind: String,
    artifact: Map<String, Value>,
    context: Option<Map<String, Value>>,
    as_of: Option<AsOf>,
    trace_id: Option<String>,
}

impl ValidateCall {
    /// The run that it names.
    pub(super) fn trace_id(&self) -> Option<&str> {
        self.trace_id.as_deref()
    }

    pub(super) fn into_parts(self) -> Result<(Artifact, Option<AsOf>)> {
        let Self { kind, artifact, context, as_of, .. } = self;
        Ok((Artifact::new(kind.parse()?, artifact, context), as_of))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TailCall {
    last: Option<usize>,
    after: Option<u64>,
}

/// Which lines of a stream are asked for.
pub(super) enum Part {
    /// The last ones, so many.
    Last(usize),
    /// Those behind a fragment.
    After(u64),
}

impl TailCall {
    pub(super) fn part(self) -> Result<Part> {
        match (self.last, self.after) {
            (None, Some(fragment)) => Ok(Part::After(fragment)),
            (Some(_), Some(_)) => Err(Error::Parameter("ask for `last` or for `after`".to_owned()).into()),
            (last, None) => match last.unwrap_or(DEFAULT_LINES) {
                count @ 1..=MOST_LINES => Ok(Part::Last(count)),
                _ => Err(Error::Parameter(format!("last is a number from 1 to {MOST_LINES}")).into()),
            },
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct IterateCall {
    kind: String,
    prompt: String,
    system: Option<String>,
    model: String,
    provider: Option<String>,
    context: Option<Map<String, Value>>,
    max_iterations: Option<u32>,
    temperature: Option<f64>,
    max_tokens: Option<u32>,
    trace_id: Option<String>,
    retrieve: Option<RetrieveCall>,
    as_of: Option<AsOf>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RetrieveCall {
    index: Option<String>,
    query: Option<String>,
    r#where: Option<String>,
    k: Option<usize>,
}

impl IterateCall {
    /// The session that is asked for; `otherwise` names one that the body does not name.
    pub(super) fn into_iteration(self, otherwise: impl FnOnce() -> String) -> Result<Iteration> {
        Ok(Iteration {
            kind: self.kind.parse()?,
            prompt: self.prompt,
            system: self.system,
            model: self.model,
            provider: self.provider,
            context: self.context,
            max_iterations: self.max_iterations.unwrap_or(DEFAULT_ITERATIONS),
            temperature: self.temperature.unwrap_or(DEFAULT_TEMPERATURE),
            max_tokens: self.max_tokens.unwrap_or(DEFAULT_TOKENS),
            trace_id: match self.trace_id {
                Some(given) => accepted(&given)?,
                None => otherwise(),
            },
            retrieve: self.retrieve.map(RetrieveCall::into_retrieve).transpose()?,
            as_of: self.as_of,
        })
    }
}

impl RetrieveCall {
    fn into_retrieve(self) -> Result<Retrieve> {
        let Self { index, query, r#where: condition, k } = self;
        let index = index.map(|name| name.parse().map_err(Error::from)).transpose()?;
        Ok(Retrieve { index, query, condition, k: k.unwrap_or(DEFAULT_CANDIDATES) })
    }
}
