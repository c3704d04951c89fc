//! A small language model inside this process: SmolLM2-135M-Instruct, with its real weights and words.
//!
//! Reading order: [`Here`] (the provider), `talk` (one answer), `words` (a conversation becomes tokens), `forward` (tokens
//! through the layers) with `memory` and `weights`, `choice` (which word comes next, of those that
//! `forms` lets through), `said` (bytes become text), `gguf` (the file).

use std::num::NonZero;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use base::Seams;
use forms::Form;
use futures::StreamExt;
use futures::stream::{BoxStream, unfold};
use storage::{Mapped, task};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::{Instant, timeout_at};

use crate::chat::Piece;
use crate::config::{Config, Provider};
use crate::embedded::files::Source;
use crate::embedded::kit::SMOLLM;
use crate::embedded::lazy::Lazy;
use crate::embedded::talker::choice::Choice;
use crate::embedded::talker::gguf::Gguf;
use crate::embedded::talker::talk::{Listener, Talk};
use crate::embedded::talker::weights::Weights;
use crate::embedded::talker::words::Words;
use crate::error::{Error, Result};
use crate::language::{ChatRequest, Format};

mod choice;
mod forward;
mod gguf;
mod memory;
mod said;
mod talk;
mod weights;
mod words;

#[cfg(test)]
mod tests;

/// The name of the model.
pub(crate) const NAME: &str = "SmolLM2-135M-Instruct";
/// The longest conversation with its answer, in tokens: half of what the model was trained with, at 46 KB each.
pub(crate) const CONTEXT: usize = 4096;
/// The longest answer, in tokens, whatever is asked for: so small a model goes in circles by then, for minutes if it may.
const LONGEST: usize = 1024;

/// Answers that are given at once at most: each may keep 190 MB of its conversation.
const PLACES: usize = 8;

/// The model that talks, loaded or not. Clones share it.
#[derive(Clone)]
pub(crate) struct Talker {
    model: Lazy<Model>,
    /// As many answers are given at once as there are cores, up to a limit; each takes one.
    places: Arc<Semaphore>,
    seams: Seams,
}

/// The loaded model.
struct Model {
    words: Words,
    weights: Weights,
}

impl Talker {
    /// The model with these settings; nothing is loaded yet.
    pub(crate) fn new(config: &Config, seams: Seams) -> Self {
        let source = Source::new(config, &SMOLLM, None, config.chat_dir.as_ref());
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        let places = Arc::new(Semaphore::new(cores.min(PLACES)));
        Self { model: Lazy::new(source, |weights, _| Model::load(&weights)), places, seams }
    }

    /// Fetches the file in the background when it is absent; loads it too when `warm`.
    pub(crate) fn prepare(&self, warm: bool) {
        self.model.prepare(warm);
    }
}

impl Model {
    fn load(file: &Mapped) -> Result<Self> {
        let read = || {
            let read = Gguf::read(file)?;
            let model = Self { words: Words::read(&read)?, weights: Weights::lay_out(file, &read)? };
            (model.words.count() == model.weights.shape.words).then_some(model)
        };
        read().ok_or(Error::Broken { what: "read the weights", source: None })
    }
}

/// The provider: the model under a name, with a time that holds for the whole answer.
pub(crate) struct Here {
    name: String,
    timeout: Duration,
    talker: Talker,
}

impl Here {
    /// Checks the settings of the provider `name`.
    pub(crate) fn settle(name: &str, settings: &Provider, talker: &Talker) -> Result<Self> {
        let given = [
            ("url", !settings.url.is_empty()),
            ("api_key", !settings.api_key.is_empty()),
            ("needs_key", settings.needs_key),
            ("prefix", !settings.prefix.is_empty()),
        ];
        if let Some((field, _)) = given.iter().find(|(_, given)| *given) {
            let key = format!("models.providers.{name}.{field}");
            return Err(Error::BadProvider { key, rule: "the model is in this process and has none" });
        }
        Ok(Self { name: name.to_owned(), timeout: settings.timeout.0, talker: talker.clone() })
    }

    /// The provider's name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The model behind it.
    pub(crate) fn talker(&self) -> &Talker {
        &self.talker
    }

    /// What the model says, as it says it. It stops when nobody listens any more.
    pub(crate) async fn stream(&self, model: &str, request: &ChatRequest) -> Result<BoxStream<'static, Result<Piece>>> {
        if model != NAME {
            let near = vec![format!("{}/{NAME}", self.name)];
            return Err(Error::UnknownModel { model: model.to_owned(), near });
        }
        let form = request.format.as_ref().map(form).transpose()?;
        let until = Instant::now() + self.timeout;
        let model = timeout_at(until, self.talker.model.get()).await;
        let late = || Err("it is still being fetched and loaded: try again in a while".to_owned());
        let model = model.unwrap_or_else(|_| late()).map_err(|reasons| Error::NoChatModel { reasons })?;
        let prepared = timeout_at(until, self.prepared(&model, request)).await;
        let (tokens, place) = prepared.map_err(|_| Error::UpstreamTimeout { provider: self.name.clone() })??;
        let most = longest(request);
        let (provider, seams) = (self.name.clone(), self.talker.seams.clone());
        let choice = Choice::of(request.temperature);
        Ok(heard(Talk { model, tokens, form, choice, most, context: CONTEXT, until, provider, seams }, place))
    }

    /// The tokens of the conversation, and a place.
    async fn prepared(&self, model: &Arc<Model>, request: &ChatRequest) -> Result<(Vec<u32>, OwnedSemaphorePermit)> {
        let place = Arc::clone(&self.talker.places).acquire_owned().await.map_err(|error| lost(error.into()))?;
        let (messages, reader) = (request.messages.clone(), Arc::clone(model));
        let tokens =
            task::blocking("tokenize a conversation", move || reader.words.conversation(&messages, CONTEXT)).await;
        let tokens = tokens.map_err(|error| lost(error.into()))?.map_err(lost)?;
        if tokens.len() >= CONTEXT {
            return Err(Error::ConversationTooLong { tokens: tokens.len(), limit: CONTEXT });
        }
        Ok((tokens, place))
    }
}

/// Tokens of the answer at most.
fn longest(request: &ChatRequest) -> usize {
    request.max_tokens.map_or(LONGEST, |most| LONGEST.min(most as usize))
}

fn form(format: &Format) -> Result<Form> {
    match format {
        Format::Json => Ok(Form::json()),
        Format::Schema(schema) => Ok(Form::of_schema(schema)?),
    }
}

/// What is said, piece by piece, while it is being said.
fn heard(talk: Talk, place: OwnedSemaphorePermit) -> BoxStream<'static, Result<Piece>> {
    let (listener, pieces): (Listener, _) = mpsc::unbounded_channel();
    task::spawn_blocking("talk", move || {
        talk.run(&listener);
        drop(place);
    });
    unfold(Some(pieces), async |pieces| {
        let mut pieces = pieces?;
        let piece = pieces.recv().await.unwrap_or_else(|| Err(lost("it ended without an end".into())));
        let goes_on = matches!(piece, Ok(Piece::Text(_)));
        Some((piece, goes_on.then_some(pieces)))
    })
    .boxed()
}

fn lost(source: crate::error::Cause) -> Error {
    Error::Broken { what: "run it", source: Some(source) }
}
