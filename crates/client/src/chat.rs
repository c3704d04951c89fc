//! Conversations with language models.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::client::Client;
use crate::error::Result;

/// A conversation to be continued.
#[derive(Debug, Clone, Default, PartialEq, Serialize, JsonSchema)]
pub struct ChatRequest {
    /// `<provider>/<model>`, `<model>:cloud` for Ollama's cloud, or a model of the default provider.
    pub model: String,
    /// What was said so far, the oldest first.
    pub messages: Vec<ChatMessage>,
    /// How freely words are chosen, from 0 to 2; as the provider likes when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
    /// Tokens of the answer at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<u32>,
    /// `"json"`, or a JSON Schema that the answer should follow; plain text when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<Value>,
    /// The run that it is a step of, and is recorded with; the one that the headers name when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<String>,
}

/// One thing that was said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChatMessage {
    /// Who said it: `system`, `user` or `assistant`.
    pub role: String,
    /// What was said.
    pub content: String,
}

/// What a model said.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ChatAnswer {
    /// The text.
    pub content: String,
    /// Why it ends: `stop`, `length` when it was cut off, `content_filter` or `unknown`.
    pub finish_reason: String,
    /// Who runs the model.
    pub provider: String,
    /// The model, as its provider calls it.
    pub model: String,
    /// What it took.
    pub usage: ChatUsage,
    /// Milliseconds from the request to the whole answer.
    pub latency_ms: u64,
}

/// Tokens that an answer took; null where the provider does not state them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChatUsage {
    /// Those of the conversation.
    pub prompt_tokens: Option<u64>,
    /// Those of the answer.
    pub completion_tokens: Option<u64>,
}

/// The providers of language models.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChatProviders {
    /// By name.
    pub providers: Vec<ChatProvider>,
}

/// A provider of language models.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChatProvider {
    /// The name that stands before the `/` of a model's name.
    pub name: String,
    /// What it speaks: `ollama`, `openai` or `lakehouse`.
    pub kind: String,
    /// Whether models that name no provider are asked for there.
    pub default: bool,
    /// Whether it has the key that it needs, if it needs one.
    pub has_key: bool,
}

impl Client {
    /// Lets a model continue a conversation.
    pub async fn chat(&self, request: &ChatRequest) -> Result<ChatAnswer> {
        self.post_json("/v1/chat", request).await
    }

    /// The providers of language models.
    pub async fn chat_providers(&self) -> Result<ChatProviders> {
        self.get_json("/v1/chat/providers").await
    }
}
