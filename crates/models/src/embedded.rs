//! The model inside this process: all-MiniLM-L6-v2, with its real weights and tokenizer.
//!
//! Reading order: `files` (where they come from: `hub`, `package`), `engine` (texts through the model, on all cores),
//! `tokens` (a text becomes tokens), `forward` (tokens become a vector) with `weights`, `panels`, `bytes` and `kernel`.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use storage::task;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::config::Config;
use crate::embedded::engine::Engine;
use crate::embedded::files::Source;
use crate::embedded::weights::Precision;
use crate::embedder::{Card, Embedder, Overflow};
use crate::error::{Error, Result};
use crate::models::{Listed, State};
use crate::progress::Progress;

mod bytes;
mod engine;
mod files;
mod forward;
mod hub;
mod kernel;
mod package;
mod panels;
mod tokens;
mod weights;

/// The name of the embedded model.
pub const NAME: &str = "all-MiniLM-L6-v2";
/// The same, computed with the weights as they are in the file.
pub const NAME_F32: &str = "all-MiniLM-L6-v2-f32";
/// Who runs both.
pub const PROVIDER: &str = "embedded";
/// So long after a failure nobody tries again to have the files: every try costs seconds.
const PAUSE: Duration = Duration::from_secs(30);

/// The embedded model, loaded or not.
pub(crate) struct Embedded {
    card: Arc<Card>,
    precision: Precision,
    source: Arc<Source>,
    loading: Arc<Mutex<Option<Loading>>>,
}

/// A load that runs, or ran. It goes on when those who wait for it go away.
type Loading = watch::Receiver<Option<Outcome>>;

#[derive(Clone)]
enum Outcome {
    Ready(Arc<Engine>),
    Failed { reasons: String, at: Instant },
}

impl Embedded {
    /// The model with these settings in both its precisions, the usual one first; nothing is loaded yet.
    pub(crate) fn both(config: &Config) -> [Arc<Self>; 2] {
        let source = Arc::new(Source::new(config));
        [Precision::Int8, Precision::F32].map(|precision| {
            let (card, source) = (Arc::new(engine::card(precision)), Arc::clone(&source));
            Arc::new(Self { card, precision, source, loading: Arc::default() })
        })
    }

    /// Fetches the files in the background when they are absent; loads them too when `warm`.
    pub(crate) fn prepare(&self, warm: bool) {
        let (source, loading, precision) = (Arc::clone(&self.source), Arc::clone(&self.loading), self.precision);
        task::spawn("look for the embedded model", async move {
            if warm || !source.is_here().await {
                load(&source, &loading, precision);
            }
        });
    }

    /// Under which it is asked for.
    pub(crate) fn name(&self) -> &str {
        &self.card.name
    }

    /// Of its vectors.
    pub(crate) fn fingerprint(&self) -> &str {
        &self.card.fingerprint
    }

    /// How far the fetching of the files is.
    pub(crate) fn progress(&self) -> Progress {
        self.source.progress.clone()
    }

    /// As it is listed.
    pub(crate) fn listed(&self) -> Listed {
        Listed {
            name: self.card.name.clone(),
            provider: PROVIDER.to_owned(),
            state: self.state(),
            dimension: Some(self.card.dimension),
            fingerprint: Some(self.card.fingerprint.clone()),
        }
    }

    fn state(&self) -> State {
        let loading = self.loading.lock().unwrap_or_else(PoisonError::into_inner);
        match loading.as_ref().map(|loading| loading.borrow().clone()) {
            None => State::Idle,
            Some(None) => State::Loading,
            Some(Some(Outcome::Ready(_))) => State::Ready,
            Some(Some(Outcome::Failed { .. })) => State::Failed,
        }
    }

    async fn engine(&self) -> Result<Arc<Engine>> {
        let mut loading = load(&self.source, &self.loading, self.precision);
        let outcome = loading.wait_for(Option::is_some).await.ok().and_then(|outcome| outcome.clone());
        match outcome {
            Some(Outcome::Ready(engine)) => Ok(engine),
            Some(Outcome::Failed { reasons, .. }) => Err(Error::NoWeights { reasons }),
            None => Err(Error::NoWeights { reasons: "loading it ended without an answer".to_owned() }),
        }
    }
}

/// The load that runs or succeeded, or a new one.
fn load(source: &Arc<Source>, loading: &Mutex<Option<Loading>>, precision: Precision) -> Loading {
    let mut loading = loading.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = loading.as_ref().filter(|known| still_holds(known)) {
        return known.clone();
    }
    let (tell, told) = watch::channel(None);
    let source = Arc::clone(source);
    task::spawn("load the embedded model", async move {
        let outcome = match source.load(precision).await {
            Ok(engine) => Outcome::Ready(Arc::new(engine)),
            Err(reasons) => Outcome::Failed { reasons, at: Instant::now() },
        };
        tell.send_replace(Some(outcome));
    });
    loading.insert(told).clone()
}

fn still_holds(loading: &Loading) -> bool {
    match &*loading.borrow() {
        // A task that panicked has dropped its end.
        None => loading.has_changed().is_ok(),
        Some(Outcome::Ready(_)) => true,
        Some(Outcome::Failed { at, .. }) => at.elapsed() < PAUSE,
    }
}

#[async_trait]
impl Embedder for Embedded {
    /// The files are pinned, so this is known before they are there.
    async fn card(&self) -> Result<Arc<Card>> {
        Ok(Arc::clone(&self.card))
    }

    fn known(&self) -> Option<Arc<Card>> {
        Some(Arc::clone(&self.card))
    }

    async fn embed(&self, texts: &[Arc<str>], overflow: Overflow) -> Result<Vec<Vec<f32>>> {
        self.engine().await?.embed(texts, overflow).await
    }
}
