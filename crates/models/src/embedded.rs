//! The model inside this process: all-MiniLM-L6-v2.

use std::sync::Arc;

use async_trait::async_trait;

use crate::config::Config;
use crate::embedder::{Card, Embedder, Overflow};
use crate::error::{Error, Result};
use crate::models::{Listed, State};
use crate::progress::Progress;

/// The name of the embedded model.
pub const NAME: &str = "all-MiniLM-L6-v2";
/// The same with its provider.
pub const FULL_NAME: &str = "embedded/all-MiniLM-L6-v2";

/// The embedded model, loaded or not.
pub struct Embedded {
    progress: Progress,
}

impl Embedded {
    /// The model with these settings; nothing is loaded yet.
    pub(crate) fn new(_config: &Config) -> Self {
        Self { progress: Progress::default() }
    }

    /// Fetches the files in the background when they are absent.
    pub(crate) fn prepare(&self) {}

    pub(crate) fn progress(&self) -> Progress {
        self.progress.clone()
    }

    pub(crate) fn listed(&self) -> Listed {
        Listed {
            name: NAME.to_owned(),
            provider: "embedded".to_owned(),
            state: State::Idle,
            dimension: None,
            fingerprint: None,
        }
    }
}

#[async_trait]
impl Embedder for Embedded {
    async fn card(&self) -> Result<Arc<Card>> {
        Err(Error::NoWeights { reasons: "not yet".to_owned() })
    }

    async fn embed(&self, _texts: &[Arc<str>], _overflow: Overflow) -> Result<Vec<Vec<f32>>> {
        Err(Error::NoWeights { reasons: "not yet".to_owned() })
    }
}
