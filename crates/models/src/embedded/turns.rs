//! Work of many requests on the cores of one machine: a few compute at once, the others wait in the order in which they
//! came.

use std::sync::Arc;

use storage::task;
use tokio::sync::Semaphore;

use crate::error::{Error, Result};

/// A model that requests take turns at.
pub(crate) struct Turns<T> {
    model: Arc<T>,
    turns: Semaphore,
}

impl<T: Send + Sync + 'static> Turns<T> {
    pub(crate) fn at(model: T) -> Self {
        Self { model: Arc::new(model), turns: Semaphore::new(2 * rayon::current_num_threads()) }
    }

    /// Runs `work` off the runtime's own threads, when its turn has come.
    pub(crate) async fn turn<O: Send + 'static>(&self, work: impl FnOnce(&T) -> O + Send + 'static) -> Result<O> {
        let turn = self.turns.acquire().await.map_err(|error| lost(error.into()))?;
        let model = Arc::clone(&self.model);
        let done = task::blocking("run a model", move || work(&model)).await.map_err(|error| lost(error.into()));
        drop(turn);
        done
    }
}

fn lost(source: crate::error::Cause) -> Error {
    Error::Broken { what: "run it", source: Some(source) }
}
