//! What every language model can do: continue a conversation.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

use crate::error::{Error, Result};

/// The highest temperature that any server takes.
const MAX_TEMPERATURE: f64 = 2.0;

/// A model that continues conversations.
#[async_trait]
pub trait LanguageModel: Send + Sync {
    /// What the model says next.
    async fn chat(&self, request: &ChatRequest) -> Result<ChatAnswer>;
}

/// A conversation to be continued.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChatRequest {
    /// Who continues it: `<provider>/<model>`, `<model>:cloud`, or a model of the default provider.
    pub model: String,
    /// What was said so far, the oldest first.
    pub messages: Vec<Message>,
    /// How freely words are chosen, 0 to 2: 0 is always the likeliest, absent is as the server likes.
    pub temperature: Option<f64>,
    /// Tokens of the answer at most; as the server likes when absent. The embedded model says 1,024 at most.
    pub max_tokens: Option<u32>,
    /// The form of the answer; plain text when absent.
    pub format: Option<Format>,
    /// Joins the hops of one piece of work, and is passed on to another process of ours.
    pub trace_id: Option<String>,
}

/// One thing that was said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Message {
    /// Who said it.
    pub role: Speaker,
    /// What was said.
    pub content: String,
}

/// Who said something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Speaker {
    /// Whoever set the conversation up.
    System,
    /// The person, or the program that asks.
    User,
    /// The model.
    Assistant,
}

/// The form of an answer that is more than text.
#[derive(Debug, Clone, PartialEq)]
pub enum Format {
    /// Some JSON; written `"json"`.
    Json,
    /// JSON of this schema, as far as the server can force it; written as the schema itself.
    Schema(Map<String, Value>),
}

/// What a model said.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ChatAnswer {
    /// The text.
    pub content: String,
    /// Why it ends where it ends.
    pub finish_reason: FinishReason,
    /// Who runs the model.
    pub provider: String,
    /// The model, as its provider calls it.
    pub model: String,
    /// What it took.
    pub usage: Usage,
    /// Milliseconds from the request to the whole answer.
    pub latency_ms: u64,
}

/// Why an answer ends where it ends.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FinishReason {
    /// The model had said all it wanted.
    Stop,
    /// It was cut off: `max_tokens`, or the model's own limit.
    Length,
    /// The provider withheld the rest.
    ContentFilter,
    /// The provider did not say.
    #[default]
    Unknown,
}

/// Tokens that an answer took, as far as its provider states them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Usage {
    /// Those of the conversation.
    #[serde(default)]
    pub prompt_tokens: Option<u64>,
    /// Those of the answer.
    #[serde(default)]
    pub completion_tokens: Option<u64>,
}

impl ChatRequest {
    /// Refuses what no model could answer.
    pub(crate) fn check(&self) -> Result<()> {
        let refused = |field, rule| Err(Error::BadChat { field, rule });
        if self.model.is_empty() {
            return refused("model", "it is empty");
        }
        if self.messages.is_empty() {
            return refused("messages", "there is none");
        }
        if self.max_tokens == Some(0) {
            return refused("max_tokens", "it is at least 1");
        }
        match self.temperature {
            Some(given) if !(0.0..=MAX_TEMPERATURE).contains(&given) => refused("temperature", "it is from 0 to 2"),
            _ => Ok(()),
        }
    }
}

impl Message {
    /// Something that whoever set the conversation up says.
    pub fn system(content: impl Into<String>) -> Self {
        Self { role: Speaker::System, content: content.into() }
    }

    /// Something that the person says.
    pub fn user(content: impl Into<String>) -> Self {
        Self { role: Speaker::User, content: content.into() }
    }

    /// Something that the model said.
    pub fn assistant(content: impl Into<String>) -> Self {
        Self { role: Speaker::Assistant, content: content.into() }
    }
}

impl FinishReason {
    /// What a server's word means; words that are not known say nothing.
    pub(crate) fn of(word: &str) -> Self {
        match word {
            "stop" | "eos" => Self::Stop,
            "length" | "max_tokens" => Self::Length,
            "content_filter" => Self::ContentFilter,
            _ => Self::Unknown,
        }
    }

    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stop => "stop",
            Self::Length => "length",
            Self::ContentFilter => "content_filter",
            Self::Unknown => "unknown",
        }
    }
}

impl Serialize for Format {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Json => to.serialize_str("json"),
            Self::Schema(schema) => schema.serialize(to),
        }
    }
}

impl<'de> Deserialize<'de> for Format {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        use serde::de::Error;
        match Value::deserialize(from)? {
            Value::String(word) if word == "json" => Ok(Self::Json),
            Value::Object(schema) => Ok(Self::Schema(schema)),
            _ => Err(D::Error::custom("`format` is \"json\" or a JSON Schema")),
        }
    }
}
