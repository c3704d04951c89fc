//! Settings of embedding.

use base::{ByteSize, Span};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Settings of embedding.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The model of a request that names none.
    pub default_model: String,
    /// Texts whose vectors are remembered, about 1.7 KB each for the default model; 0 remembers none.
    pub cache_size: usize,
    /// How long one request may take, however many texts it holds.
    pub timeout: Span,
    /// Where Ollama answers, for models named `ollama/<model>`.
    pub provider_url: String,
    /// Texts that one request may hold.
    pub max_texts: usize,
    /// Bytes that the texts of one request may have together.
    pub max_text_bytes: ByteSize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            default_model: "all-MiniLM-L6-v2".to_owned(),
            cache_size: 10_000,
            timeout: Span::secs(60),
            provider_url: "http://127.0.0.1:11434".to_owned(),
            max_texts: 10_000,
            max_text_bytes: ByteSize::mib(32),
        }
    }
}
