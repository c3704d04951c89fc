//! Models behind Ollama's own API.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::batch::{self, Asks, Limits, Told};
use crate::embedder::{Card, Embedder, Overflow};
use crate::error::{Error, Result};
use crate::http::Server;

#[cfg(test)]
mod tests;

/// How long a model is taken for what it was: another may be pulled under its name.
const FRESH: Duration = Duration::from_secs(60);
/// How long a server that failed to say so again is left alone.
const PAUSE: Duration = Duration::from_secs(10);

/// One model of a server.
pub(crate) struct Ollama {
    server: Arc<Server>,
    model: String,
    told: Told,
    /// When it failed last to renew what was told; held by the one call that tries.
    failed: Mutex<Option<Instant>>,
}

#[derive(Serialize)]
struct Request<'a> {
    model: &'a str,
    input: Vec<Cow<'a, str>>,
    truncate: bool,
}

#[derive(Deserialize)]
struct Answered {
    embeddings: Vec<Vec<f32>>,
}

#[derive(Deserialize)]
struct Tags {
    models: Vec<Tag>,
}

#[derive(Deserialize)]
struct Tag {
    name: String,
    #[serde(default)]
    digest: Option<String>,
}

#[derive(Deserialize)]
struct Shown {
    #[serde(default)]
    model_info: Map<String, Value>,
}

/// The names of the models that a server has.
pub(crate) async fn names(server: &Arc<Server>) -> Result<Vec<String>> {
    let answer = server.get("api/tags").await?;
    Ok(server.read::<Tags>(&answer)?.models.into_iter().map(|tag| tag.name).collect())
}

impl Ollama {
    /// The model that the server calls `model`.
    pub(crate) fn new(server: Arc<Server>, model: &str) -> Self {
        Self { server, model: model.to_owned(), told: Told::default(), failed: Mutex::default() }
    }

    async fn read_card(&self) -> Result<Card> {
        let dimension = batch::dimension(self).await?;
        Ok(Card {
            name: format!("{}/{}", self.server.name(), self.model),
            provider: self.server.name().to_owned(),
            dimension,
            fingerprint: self.fingerprint(dimension).await?,
            max_tokens: self.context_length().await?,
        })
    }

    /// Refuses vectors that another model may have made than the one of this card: it was replaced under its name.
    async fn unchanged(&self, card: &Card) -> Result<()> {
        if self.fingerprint(card.dimension).await? == card.fingerprint {
            return Ok(());
        }
        self.told.forget();
        Err(self.server.failed(format!("its model {} was replaced: ask again for vectors of the new one", self.model)))
    }

    async fn fingerprint(&self, dimension: usize) -> Result<String> {
        let digest = self.digest().await?;
        Ok(batch::fingerprint("ollama", &self.model, dimension, digest.as_deref(), self.server.prefix()))
    }

    /// The card as it is now, or as it was: while another call asks, and while the server is away, vectors made before
    /// are still those of the model it had.
    async fn renewed(&self, before: Arc<Card>) -> Arc<Card> {
        let Ok(mut failed) = self.failed.try_lock() else { return before };
        if failed.is_some_and(|at: Instant| at.elapsed() < PAUSE) {
            return before;
        }
        match self.read_card().await {
            Ok(card) => {
                *failed = None;
                self.told.tell(card)
            }
            Err(error) => {
                tracing::warn!(model = %before.name, error = %error, "it is unknown whether the model is still the same");
                *failed = Some(Instant::now());
                before
            }
        }
    }

    /// What the server states to identify the weights.
    async fn digest(&self) -> Result<Option<String>> {
        let answer = self.server.get("api/tags").await?;
        let tags = self.server.read::<Tags>(&answer)?.models;
        let named = |tag: &Tag| tag.name == self.model || tag.name.strip_suffix(":latest") == Some(&*self.model);
        Ok(tags.into_iter().find(named).and_then(|tag| tag.digest))
    }

    /// The tokens that the model reads, where the server states them.
    async fn context_length(&self) -> Result<Option<usize>> {
        let answer = self.server.post("api/show", "application/json", &json!({ "model": self.model })).await?;
        let shown: Shown = self.server.read(&answer)?;
        let stated = shown.model_info.iter().find(|(name, _)| name.ends_with(".context_length"));
        Ok(stated.and_then(|(_, length)| usize::try_from(length.as_u64()?).ok()))
    }
}

#[async_trait]
impl Embedder for Ollama {
    async fn card(&self) -> Result<Arc<Card>> {
        if let Some(card) = self.told.within(FRESH) {
            return Ok(card);
        }
        match self.told.ever() {
            Some(before) => Ok(self.renewed(before).await),
            None => Ok(self.told.tell(self.read_card().await?)),
        }
    }

    fn known(&self) -> Option<Arc<Card>> {
        self.told.ever()
    }

    async fn embed(&self, texts: &[Arc<str>], overflow: Overflow) -> Result<Vec<Vec<f32>>> {
        if overflow == Overflow::Chunk {
            return Err(Error::NoOverflow { provider: self.server.name().to_owned(), overflow: "chunk" });
        }
        let card = self.card().await?;
        let vectors = batch::embed(self, &card, texts, overflow).await?;
        self.unchanged(&card).await?;
        Ok(vectors)
    }
}

#[async_trait]
impl Asks for Ollama {
    const LIMITS: Limits = Limits { texts: 32, bytes: 256 << 10 };

    async fn ask(&self, texts: &[Arc<str>], overflow: Overflow) -> Result<Vec<Vec<f32>>> {
        let input = self.server.prefixed(texts);
        let request = Request { model: &self.model, input, truncate: overflow == Overflow::Truncate };
        let answer = self.server.post("api/embed", "application/json", &request).await?;
        if answer.blames_texts() {
            return Err(batch::refused(&self.server, &answer));
        }
        Ok(self.server.read::<Answered>(&answer)?.embeddings)
    }

    fn server(&self) -> &Server {
        &self.server
    }
}
