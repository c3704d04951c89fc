//! A proposal is made, checked and corrected until it counts, or the attempts are used up.
//!
//! Generate → extract → validate → correct: each attempt is one question to the model, and the next one carries what
//! was wrong. Everything reads one version of the lake. The session is in its stream before anybody hears of it.

use std::sync::Arc;

use ::evidence::{Evidence, Line, StreamName};
use ::validate::{Artifact, CONTEXT, extract_json};
use base::{AsOf, Fault, Kind, Seams, Timestamp, Version};
use models::{ChatAnswer, ChatRequest, LanguageModel};
use serde_json::Value;

use crate::error::{Error, Result};
use crate::record::{Failure, Recorder, Step};
use crate::texts::Texts;
use crate::validate::Validator;

mod prompt;
mod request;
mod retrieval;
mod session;

pub use request::{Iteration, Retrieve};
pub use session::{Attempt, Session, Status, Verdict};

use prompt::Conversation;
use session::Logged;

/// How much of an answer is kept in the history, in characters.
const RAW: usize = 2_000;

/// Whoever iterates. Cheap to clone.
#[derive(Clone)]
pub struct Iterate {
    pub(crate) validator: Validator,
    pub(crate) texts: Texts,
    model: Arc<dyn LanguageModel>,
    evidence: Evidence,
    recorder: Recorder,
    seams: Seams,
}

/// How a session ended, and whether what it proposed last names only people who exist.
struct Outcome {
    verdict: Verdict,
    grounded: Option<bool>,
    provider: Option<String>,
    /// Who failed, where it ended early.
    failure: Option<Failure>,
    /// What kept the last proposal from being judged.
    unjudged: Option<Error>,
}

/// What an answer comes to.
struct Weighed {
    status: Status,
    /// The end of the session, if the proposal counts.
    accepted: Option<Verdict>,
    /// Whether the proposal names only people who exist.
    grounded: Option<bool>,
}

impl Iterate {
    /// Proposals of `model`, judged by `validator`, searched for in `texts`, recorded in `evidence`.
    pub fn new(
        validator: Validator,
        texts: Texts,
        model: Arc<dyn LanguageModel>,
        evidence: Evidence,
        seams: Seams,
    ) -> Self {
        Self { validator, texts, model, evidence, recorder: Recorder::none(), seams }
    }

    /// The same, writing down what the model says in sessions.
    #[must_use]
    pub fn with_recorder(self, recorder: Recorder) -> Self {
        Self { recorder, ..self }
    }

    /// The judges.
    pub fn validator(&self) -> &Validator {
        &self.validator
    }

    /// Runs one session to its end, and records it.
    pub async fn iterate(&self, asked: Iteration) -> Result<Session> {
        asked.check()?;
        let started = self.seams.now();
        let version = self.validator.version(asked.as_of.as_ref()).await?;
        let candidates = match &asked.retrieve {
            Some(retrieve) => Some(self.candidates(&asked, retrieve, version).await?),
            None => None,
        };
        let mut history = Vec::new();
        let outcome = self.attempts(&asked, Conversation::begin(&asked, candidates.as_deref()), &mut history, version);
        let outcome = outcome.await?;
        self.record(&asked, &outcome, &history, (started, version)).await?;
        let (Outcome { verdict, unjudged, .. }, trace_id) = (outcome, asked.trace_id);
        match unjudged {
            Some(why) => Err(Error::Unjudged { source: Box::new(why), history, trace_id }),
            None => Ok(Session { verdict, history, trace_id, version }),
        }
    }

    async fn attempts(
        &self,
        asked: &Iteration,
        mut conversation: Conversation,
        history: &mut Vec<Attempt>,
        version: Version,
    ) -> Result<Outcome> {
        let (mut provider, mut grounded) = (None, asked.proposes_people().then_some(false));
        for iteration in 1..=asked.max_iterations {
            let span_id = self.span();
            let step = asked.step(Some(iteration), Some(span_id.clone()));
            let said = match self.say(conversation.request(asked), &step).await {
                Ok(said) => said,
                Err(Error::Models(failure)) if history.is_empty() && is_unasked(&failure) => return Err(failure.into()),
                Err(Error::Models(failure)) => return Ok(Outcome::unsaid(&failure, grounded, provider)),
                Err(failure) => return Err(failure),
            };
            provider = Some(said.provider);
            let attempted = |status| {
                let raw = said.content.chars().take(RAW).collect();
                history.push(Attempt { iteration, raw, status, span_id });
            };
            let weighed = match self.weigh(asked, &said.content, (version, &step)).await {
                Ok(weighed) => weighed,
                Err(Error::Unrecorded(failure)) => return Err(Error::Unrecorded(failure)),
                Err(failure) => {
                    attempted(Status::not_judged());
                    return Ok(Outcome::unjudged(failure, grounded, provider));
                }
            };
            grounded = weighed.grounded.or(grounded);
            conversation.correct(&said.content, &weighed.status);
            attempted(weighed.status);
            if let Some(verdict) = weighed.accepted {
                return Ok(Outcome::of(verdict, grounded, provider));
            }
        }
        Ok(Outcome::of(Verdict::Exhausted { attempts: asked.max_iterations }, grounded, provider))
    }

    /// What the model says. A server that cannot hold a model to a form is asked again without one.
    async fn say(&self, request: ChatRequest, step: &Step) -> Result<ChatAnswer> {
        match self.recorder.chat(&*self.model, &request, Some(step)).await {
            Err(Error::Models(failure)) if request.format.is_some() && failure.code() == "models.upstream_failed" => {
                let request = ChatRequest { format: None, ..request };
                self.recorder.chat(&*self.model, &request, Some(step)).await
            }
            said => said,
        }
    }

    /// What an answer of the model comes to.
    async fn weigh(&self, asked: &Iteration, said: &str, (version, step): (Version, &Step)) -> Result<Weighed> {
        let Some(mut members) = extract_json(said) else {
            return Ok(Weighed { status: Status::no_json(), accepted: None, grounded: None });
        };
        // What the caller knows is the caller's to say, not the model's.
        members.remove(CONTEXT);
        let mut artifact = Artifact::new(asked.kind, members, asked.context.clone());
        let judged = self.validator.validate(&artifact, pinned(version).as_ref(), Some(step)).await?;
        artifact.members.remove(CONTEXT);
        let artifact = Value::Object(artifact.members);
        let (status, accepted) = match judged.verdict {
            Ok(validation) => (Status::accepted(), Some(Verdict::Accepted { artifact, validation })),
            Err(error) => (Status::failed(error), None),
        };
        Ok(Weighed { status, accepted, grounded: judged.grounded })
    }

    /// Records a session, durably.
    async fn record(
        &self,
        asked: &Iteration,
        outcome: &Outcome,
        history: &[Attempt],
        (started, version): (Timestamp, Version),
    ) -> Result<()> {
        let now = self.seams.now();
        let logged = Logged::of(asked, outcome, history, (started, now), version);
        let line = Line::of(&logged).map_err(Error::Unlogged)?;
        self.evidence.append(&StreamName::sessions(), vec![line]).await.map_err(Error::Unlogged)?;
        Ok(())
    }

    /// Names one attempt: sixteen hex digits.
    fn span(&self) -> String {
        let [a, b, c, d, e, f, g, h, ..] = self.seams.roll();
        format!("{:016x}", u64::from_be_bytes([a, b, c, d, e, f, g, h]))
    }
}

/// How a version is named. A lake without any has no version to name yet.
fn pinned(version: Version) -> Option<AsOf> {
    (version > Version(0)).then_some(AsOf::Version(version))
}

/// Whether a failure is that of the question: at the first one it refuses the call, and no session has begun. Later ones
/// grow by what is corrected, and what they come to ends a session.
fn is_unasked(failure: &models::Error) -> bool {
    matches!(failure.kind(), Kind::Invalid | Kind::NotFound)
}

impl Outcome {
    fn of(verdict: Verdict, grounded: Option<bool>, provider: Option<String>) -> Self {
        Self { verdict, grounded, provider, failure: None, unjudged: None }
    }

    /// The end of a session whose model failed.
    fn unsaid(failure: &models::Error, grounded: Option<bool>, provider: Option<String>) -> Self {
        let ended = Self::of(Verdict::unfinished(failure), grounded, provider);
        Self { failure: Some(Failure::of(failure)), ..ended }
    }

    /// The end of a session whose model answered, and whose judge failed.
    fn unjudged(failure: Error, grounded: Option<bool>, provider: Option<String>) -> Self {
        let ended = Self::of(Verdict::unfinished(&failure), grounded, provider);
        Self { failure: Some(Failure::of(&failure)), unjudged: Some(failure), ..ended }
    }
}
