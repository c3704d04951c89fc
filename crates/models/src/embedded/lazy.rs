//! A model that is fetched and loaded once, on its first use, and tried again a while after a failure.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use storage::{Mapped, task};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::embedded::files::Source;
use crate::error::Result;
use crate::models::State;

/// So long after a failure nobody tries again to have the files: every try costs seconds.
const PAUSE: Duration = Duration::from_secs(30);

/// A model of type `T`, loaded or not. Clones share it.
pub(crate) struct Lazy<T> {
    source: Arc<Source>,
    build: Build<T>,
    loading: Arc<Mutex<Option<Loading<T>>>>,
}

/// Makes the model of its weights and its tokenizer, which is empty where the weights' file holds it.
pub(crate) type Build<T> = fn(Mapped, &[u8]) -> Result<T>;

/// A load that runs, or ran. It goes on when those who wait for it go away.
type Loading<T> = watch::Receiver<Option<Outcome<T>>>;

enum Outcome<T> {
    Ready(Arc<T>),
    Failed { reasons: String, at: Instant },
}

impl<T> Clone for Lazy<T> {
    fn clone(&self) -> Self {
        Self { source: Arc::clone(&self.source), build: self.build, loading: Arc::clone(&self.loading) }
    }
}

impl<T: Send + Sync + 'static> Lazy<T> {
    /// Nothing is loaded yet.
    pub(crate) fn new(source: Arc<Source>, build: Build<T>) -> Self {
        Self { source, build, loading: Arc::default() }
    }

    /// Fetches the files in the background when they are absent; loads them too when `warm`.
    pub(crate) fn prepare(&self, warm: bool) {
        let lazy = self.clone();
        task::spawn("look for a model", async move {
            if warm || !lazy.source.is_here().await {
                lazy.load();
            }
        });
    }

    /// The model, or why each way to its files is closed.
    pub(crate) async fn get(&self) -> Result<Arc<T>, String> {
        let mut loading = self.load();
        match loading.wait_for(Option::is_some).await.as_deref() {
            Ok(Some(Outcome::Ready(model))) => Ok(Arc::clone(model)),
            Ok(Some(Outcome::Failed { reasons, .. })) => Err(reasons.clone()),
            Ok(None) | Err(_) => Err("loading it ended without an answer".to_owned()),
        }
    }

    /// Where its files come from.
    pub(crate) fn source(&self) -> &Source {
        &self.source
    }

    /// Whether it answers at once.
    pub(crate) fn state(&self) -> State {
        let loading = self.loading.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(loading) = loading.as_ref() else { return State::Idle };
        match &*loading.borrow() {
            None => State::Loading,
            Some(Outcome::Ready(_)) => State::Ready,
            Some(Outcome::Failed { .. }) => State::Failed,
        }
    }

    /// The load that runs or succeeded, or a new one.
    fn load(&self) -> Loading<T> {
        let mut loading = self.loading.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = loading.as_ref().filter(|known| still_holds(known)) {
            return known.clone();
        }
        let (tell, told) = watch::channel(None);
        let (source, build) = (Arc::clone(&self.source), self.build);
        task::spawn("load a model", async move {
            let outcome = match source.load(build).await {
                Ok(model) => Outcome::Ready(Arc::new(model)),
                Err(reasons) => Outcome::Failed { reasons, at: Instant::now() },
            };
            tell.send_replace(Some(outcome));
        });
        loading.insert(told).clone()
    }
}

fn still_holds<T>(loading: &Loading<T>) -> bool {
    match &*loading.borrow() {
        // A task that panicked has dropped its end.
        None => loading.has_changed().is_ok(),
        Some(Outcome::Ready(_)) => true,
        Some(Outcome::Failed { at, .. }) => at.elapsed() < PAUSE,
    }
}
