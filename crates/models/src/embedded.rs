//! Models inside this process: all-MiniLM-L6-v2, with its real weights and tokenizer, what ranks texts anew, and a small
//! language model.
//!
//! Reading order: `lazy` (loaded once), `files` (where they come from: `hub`, `package`) and `kit` (which they are),
//! `engine` (texts through the model, on all cores) and `turns`, `tokens` (a text becomes tokens), `forward` (tokens become
//! a vector or a score) with `weights`, `panels`, `bytes` and `kernel`, [`reranker`] with `cross` and `onnx`, [`talker`] with `blocks`.

use std::sync::Arc;

use async_trait::async_trait;

use crate::config::{Config, HERE};
use crate::embedded::engine::Engine;
use crate::embedded::files::Source;
use crate::embedded::kit::MINILM;
use crate::embedded::lazy::{Build, Lazy};
use crate::embedded::weights::Precision;
use crate::embedder::{Card, Embedder, Overflow};
use crate::error::{Error, Result};
use crate::models::Listed;
use crate::progress::Progress;

mod blocks;
mod bytes;
mod cross;
mod engine;
mod files;
mod forward;
mod hub;
mod kernel;
mod kit;
mod lazy;
mod onnx;
mod package;
mod panels;
pub mod reranker;
pub(crate) mod talker;
mod tokens;
mod turns;
mod weights;

/// The name of the embedded model.
pub const NAME: &str = "all-MiniLM-L6-v2";
/// The same, computed with the weights as they are in the file.
pub const NAME_F32: &str = "all-MiniLM-L6-v2-f32";
/// Who runs both.
pub const PROVIDER: &str = HERE;

/// The embedded model in one precision, loaded or not.
pub(crate) struct Embedded {
    card: Arc<Card>,
    model: Lazy<Engine>,
}

impl Embedded {
    /// The model with these settings in both its precisions, the usual one first; nothing is loaded yet.
    pub(crate) fn both(config: &Config) -> [Arc<Self>; 2] {
        let source = Source::new(config, &MINILM, Some(&config.hub_url), config.model_dir.as_ref());
        let builds: [(Precision, Build<Engine>); 2] = [
            (Precision::Int8, |weights, tokenizer| Engine::load(weights, tokenizer, Precision::Int8)),
            (Precision::F32, |weights, tokenizer| Engine::load(weights, tokenizer, Precision::F32)),
        ];
        builds.map(|(precision, build)| {
            let (card, model) = (Arc::new(engine::card(precision)), Lazy::new(Arc::clone(&source), build));
            Arc::new(Self { card, model })
        })
    }

    /// Fetches the files in the background when they are absent; loads them too when `warm`.
    pub(crate) fn prepare(&self, warm: bool) {
        self.model.prepare(warm);
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
        self.model.source().progress.clone()
    }

    /// As it is listed.
    pub(crate) fn listed(&self) -> Listed {
        Listed {
            name: self.card.name.clone(),
            provider: PROVIDER.to_owned(),
            state: self.model.state(),
            dimension: Some(self.card.dimension),
            fingerprint: Some(self.card.fingerprint.clone()),
        }
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
        let engine = self.model.get().await.map_err(|reasons| Error::NoWeights { reasons })?;
        engine.embed(texts, overflow).await
    }
}
