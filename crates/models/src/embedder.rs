//! What every model can do: say what it is, and turn texts into vectors.

use std::sync::Arc;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::Result;

/// A model that turns texts into vectors.
#[async_trait]
pub trait Embedder: Send + Sync {
    /// What the model is. Loads it or asks its server when that is not known yet.
    async fn card(&self) -> Result<Arc<Card>>;

    /// What the model is, if that is known without asking anybody.
    fn known(&self) -> Option<Arc<Card>>;

    /// One vector per text, in the order of the texts. Texts are not empty; bounded batches are made inside.
    async fn embed(&self, texts: &[Arc<str>], overflow: Overflow) -> Result<Vec<Vec<f32>>>;
}

/// What a model is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Card {
    /// The full name under which it is asked for, such as `ollama/nomic-embed-text`.
    pub name: String,
    /// Who runs it: `embedded` or the name of a provider.
    pub provider: String,
    /// How many numbers a vector has.
    pub dimension: usize,
    /// 64 hexadecimal digits that change with anything that changes the vectors.
    pub fingerprint: String,
    /// The longest text in tokens, those that mark its ends included; none when the server does not state it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<usize>,
}

/// What happens to a text with more tokens than the model reads.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Overflow {
    /// The request is refused, naming the text.
    #[default]
    Error,
    /// What is too much at the end is not read.
    Truncate,
    /// Overlapping windows are read, and their mean is the vector.
    Chunk,
}
