//! Models behind OpenAI's API, which many servers speak.

use std::borrow::Cow;
use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::batch::{self, Asks, Limits, Told};
use crate::embedder::{Card, Embedder, Overflow};
use crate::error::{Error, Result};
use crate::http::Server;

/// One model of a server.
pub(crate) struct Openai {
    server: Arc<Server>,
    model: String,
    told: Told,
}

#[derive(Serialize)]
struct Request<'a> {
    model: &'a str,
    input: Vec<Cow<'a, str>>,
    encoding_format: &'static str,
}

#[derive(Deserialize)]
struct Answered {
    data: Vec<Embedding>,
}

#[derive(Deserialize)]
struct Embedding {
    index: usize,
    embedding: Vec<f32>,
}

impl Openai {
    /// The model that the server calls `model`.
    pub(crate) fn new(server: Arc<Server>, model: &str) -> Self {
        Self { server, model: model.to_owned(), told: Told::default() }
    }
}

#[async_trait]
impl Embedder for Openai {
    async fn card(&self) -> Result<Arc<Card>> {
        if let Some(card) = self.known() {
            return Ok(card);
        }
        let dimension = batch::dimension(self).await?;
        Ok(self.told.tell(Card {
            name: format!("{}/{}", self.server.name(), self.model),
            provider: self.server.name().to_owned(),
            dimension,
            fingerprint: batch::fingerprint("openai", &self.model, dimension, None, self.server.prefix()),
            max_tokens: None,
        }))
    }

    fn known(&self) -> Option<Arc<Card>> {
        self.told.ever()
    }

    async fn embed(&self, texts: &[Arc<str>], overflow: Overflow) -> Result<Vec<Vec<f32>>> {
        let unknown = |overflow| Error::NoOverflow { provider: self.server.name().to_owned(), overflow };
        match overflow {
            Overflow::Error => batch::embed(self, &*self.card().await?, texts, overflow).await,
            Overflow::Truncate => Err(unknown("truncate")),
            Overflow::Chunk => Err(unknown("chunk")),
        }
    }
}

#[async_trait]
impl Asks for Openai {
    const LIMITS: Limits = Limits { texts: 64, bytes: 256 << 10 };

    async fn ask(&self, texts: &[Arc<str>], _overflow: Overflow) -> Result<Vec<Vec<f32>>> {
        let input = self.server.prefixed(texts);
        let request = Request { model: &self.model, input, encoding_format: "float" };
        let answer = self.server.post("embeddings", "application/json", &request).await?;
        if answer.blames_texts() {
            return Err(batch::refused(&self.server, &answer));
        }
        let mut data = self.server.read::<Answered>(&answer)?.data;
        data.sort_by_key(|embedding| embedding.index);
        if data.iter().enumerate().any(|(position, embedding)| embedding.index != position) {
            return Err(self.server.failed("it did not answer every text once"));
        }
        Ok(data.into_iter().map(|embedding| embedding.embedding).collect())
    }

    fn server(&self) -> &Server {
        &self.server
    }
}
