//! Models behind Ollama's own API.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::batch::{self, Asks, Limits, Told};
use crate::embedder::{Card, Embedder, Overflow};
use crate::error::{Error, Result};
use crate::http::Server;

/// How long a model is taken for what it was: another may be pulled under its name.
const FRESH: Duration = Duration::from_secs(60);

/// One model of a server.
pub(crate) struct Ollama {
    server: Arc<Server>,
    model: String,
    told: Told,
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

impl Ollama {
    /// The model that the server calls `model`.
    pub(crate) fn new(server: Arc<Server>, model: &str) -> Self {
        Self { server, model: model.to_owned(), told: Told::default() }
    }

    async fn read_card(&self) -> Result<Card> {
        let dimension = batch::dimension(self).await?;
        let digest = self.digest().await?;
        let (model, prefix) = (&self.model, self.server.prefix());
        Ok(Card {
            name: format!("{}/{}", self.server.name(), self.model),
            provider: self.server.name().to_owned(),
            dimension,
            fingerprint: batch::fingerprint("ollama", model, dimension, digest.as_deref(), prefix),
            max_tokens: self.context_length().await?,
        })
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
        match (self.read_card().await, self.told.ever()) {
            (Ok(card), _) => Ok(self.told.tell(card)),
            // While the server is away, vectors made before are still those of the model it had.
            (Err(_), Some(before)) => Ok(before),
            (Err(error), None) => Err(error),
        }
    }

    async fn embed(&self, texts: &[Arc<str>], overflow: Overflow) -> Result<Vec<Vec<f32>>> {
        if overflow == Overflow::Chunk {
            return Err(Error::NoOverflow { provider: self.server.name().to_owned(), overflow: "chunk" });
        }
        batch::embed(self, &*self.card().await?, texts, overflow).await
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
