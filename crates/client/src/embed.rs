//! Texts to vectors.

use http::HeaderName;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::client::{Client, json_request};
use crate::error::{Error, Result};
use crate::storage::text;

/// Says which weights, tokenizer and rules made the vectors of an answer.
const FINGERPRINT: HeaderName = HeaderName::from_static("x-lakehouse-model-fingerprint");

/// Texts to be embedded.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Embed {
    /// The texts, none of them empty.
    pub texts: Vec<String>,
    /// The model; the default one when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// What happens to a text over the model's limit: `error` (the default), `truncate` or `chunk`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overflow: Option<String>,
}

/// One vector for each text, in the order of the texts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Embedded {
    /// The model.
    pub model: String,
    /// Length of each vector.
    pub dimension: usize,
    /// The vectors.
    pub vectors: Vec<Vec<f32>>,
    /// The model's fingerprint, which the answer states in a header.
    #[serde(skip)]
    pub fingerprint: Option<String>,
}

/// How the cache of vectors fares.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EmbedStats {
    /// Texts answered from the cache.
    pub hits: u64,
    /// Texts that were computed.
    pub misses: u64,
    /// Hits among all, from 0 to 1.
    pub hit_rate: f64,
    /// Texts in the cache.
    pub size: u64,
}

/// The models that can be asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EmbedModels {
    /// Each with its name, provider and state.
    pub models: Vec<Map<String, Value>>,
}

impl Client {
    /// Makes vectors of texts.
    pub async fn embed(&self, embed: &Embed) -> Result<Embedded> {
        let answer = self.call(json_request("/v1/embed", embed)?).await?;
        let fingerprint = text(answer.headers(), &FINGERPRINT);
        let body = answer.into_body().bytes().await?;
        let embedded: Embedded = serde_json::from_slice(&body).map_err(|why| Error::Answer(why.to_string()))?;
        Ok(Embedded { fingerprint, ..embedded })
    }

    /// How the cache of vectors fares.
    pub async fn embed_stats(&self) -> Result<EmbedStats> {
        self.get_json("/v1/embed/stats").await
    }

    /// The models that can be asked for.
    pub async fn embed_models(&self) -> Result<EmbedModels> {
        self.get_json("/v1/embed/models").await
    }
}
