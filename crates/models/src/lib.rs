//! Models: texts become vectors here, and conversations go on, by the embedded model, Ollama or an OpenAI-compatible server.
//!
//! It never caches answers, never reads the lake and is the only room that calls a model. Reading order: [`models`]
//! (a name finds its model), [`embedder`] (what every model of vectors can do), [`language`] (what every language model can
//! do), [`chat`] (a name finds who continues a conversation), `embedded` (models inside this process, [`Reranker`] too),
//! `http` and `batch` with `ollama`, `openai` and `remote` (models behind a server), [`config`], [`progress`], [`error`].

mod batch;
pub mod chat;
pub mod config;
mod embedded;
pub mod embedder;
pub mod error;
mod http;
pub mod language;
pub mod models;
mod ollama;
mod openai;
pub mod progress;
mod remote;

pub use chat::{Chat, ChatConfig, ChatRouting, ChatStream, ListedProvider, Piece};
pub use config::{Config, Kind, Provider};
pub use embedded::reranker::Reranker;
pub use embedder::{Card, Embedder, Overflow};
pub use error::{Error, Relayed, Result};
pub use language::{ChatAnswer, ChatRequest, FinishReason, Format, LanguageModel, Message, Speaker, Usage};
pub use models::{Listed, Models, Routing, State};
pub use progress::{Phase, Progress};
