//! A name finds the provider that continues a conversation.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use futures::stream::BoxStream;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::config::{CLOUD, Config, Kind, Provider};
use crate::error::{Error, Result};
use crate::http::Server;
use crate::language::{ChatAnswer, ChatRequest, FinishReason, LanguageModel, Usage};

mod lines;
mod ollama;
mod openai;
mod remote;
#[cfg(test)]
mod tests;

/// The provider that need not be configured.
const OLLAMA: &str = "ollama";
/// What the names of models in Ollama's cloud end in.
const CLOUD_MARK: &str = ":cloud";
/// The provider that answers for every model when another process chats.
const UPSTREAM: &str = "chatd";

/// Settings of conversations with language models.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ChatConfig {
    /// The provider of models whose name names none: `ollama`, or one of `models.providers`.
    pub default_provider: String,
}

impl Default for ChatConfig {
    fn default() -> Self {
        Self { default_provider: OLLAMA.to_owned() }
    }
}

/// Who is asked when several could be.
#[derive(Debug, Clone)]
pub struct ChatRouting {
    /// Where Ollama answers, unless `providers.ollama` says otherwise.
    pub ollama_url: String,
    /// Another process's chat routes; every model is asked for there then.
    pub upstream: Option<Provider>,
}

/// All language models that can be asked. Clones share them.
#[derive(Clone)]
pub struct Chat(Arc<Inner>);

struct Inner {
    default: String,
    providers: BTreeMap<String, Arc<Server>>,
    upstream: Option<Arc<Server>>,
}

/// A provider as it is listed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ListedProvider {
    /// The name that stands before the `/` of a model's name.
    pub name: String,
    /// What it speaks.
    pub kind: Kind,
    /// Whether models that name no provider are asked for there.
    pub default: bool,
    /// Whether it has the key that it needs, if it needs one.
    pub has_key: bool,
}

/// An answer that comes piece by piece.
pub struct ChatStream {
    /// Who runs the model.
    pub provider: String,
    /// The model, as its provider calls it.
    pub model: String,
    /// What it says, then one [`Piece::End`]; a failure ends it too.
    pub pieces: BoxStream<'static, Result<Piece>>,
}

/// A piece of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// The next words.
    Text(String),
    /// There are no more.
    End(FinishReason, Usage),
}

/// Who was found for a name, and what the model is called there.
struct Found<'a> {
    server: &'a Arc<Server>,
    model: &'a str,
}

impl Chat {
    /// Checks the settings. Nobody is called before a model is asked for.
    pub fn new(config: &Config, chat: &ChatConfig, routing: ChatRouting) -> Result<Self> {
        let mut providers = BTreeMap::new();
        for (name, settings) in with_known(config, &routing.ollama_url) {
            providers.insert(name.clone(), Arc::new(Server::talking(&name, &settings)?));
        }
        if !providers.contains_key(&chat.default_provider) {
            let key = "chatd.default_provider".to_owned();
            return Err(Error::BadProvider { key, rule: "no provider has this name" });
        }
        let upstream = routing.upstream.map(|provider| Server::talking(UPSTREAM, &provider)).transpose()?;
        Ok(Self(Arc::new(Inner {
            default: chat.default_provider.clone(),
            providers,
            upstream: upstream.map(Arc::new),
        })))
    }

    /// What the model of `request` says, as it says it. The provider's time holds for the whole answer.
    pub async fn stream(&self, request: &ChatRequest) -> Result<ChatStream> {
        request.check()?;
        let Found { server, model } = self.0.find(&request.model)?;
        let pieces = match server.kind() {
            Kind::Ollama => ollama::stream(server, model, request).await?,
            Kind::Openai => openai::stream(server, model, request).await?,
            Kind::Lakehouse => remote::stream(server, model, request).await?,
        };
        Ok(ChatStream { provider: server.name().to_owned(), model: model.to_owned(), pieces })
    }

    /// Every provider, by name.
    pub fn providers(&self) -> Vec<ListedProvider> {
        let listed = |(name, server): (&String, &Arc<Server>)| ListedProvider {
            name: name.clone(),
            kind: server.kind(),
            default: *name == self.0.default,
            has_key: !server.lacks_key(),
        };
        self.0.providers.iter().map(listed).collect()
    }
}

#[async_trait]
impl LanguageModel for Chat {
    async fn chat(&self, request: &ChatRequest) -> Result<ChatAnswer> {
        request.check()?;
        let Found { server, model } = self.0.find(&request.model)?;
        let begun = Instant::now();
        let answer = match server.kind() {
            Kind::Ollama => ollama::chat(server, model, request).await?,
            Kind::Openai => openai::chat(server, model, request).await?,
            Kind::Lakehouse => remote::chat(server, model, request).await?,
        };
        let latency_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        Ok(ChatAnswer { latency_ms, ..answer })
    }
}

impl Inner {
    /// The provider that a name means. One that stands before a `/` goes before the mark of the cloud, and that before
    /// the default.
    fn find<'a>(&'a self, name: &'a str) -> Result<Found<'a>> {
        if let Some(server) = &self.upstream {
            return Ok(Found { server, model: name });
        }
        let (provider, model) = match (name.split_once('/'), name.strip_suffix(CLOUD_MARK)) {
            (Some((provider, model)), _) if self.providers.contains_key(provider) => (provider, model),
            (_, Some(model)) => (CLOUD, model),
            (Some((provider, model)), None) => (provider, model),
            (None, None) => (&*self.default, name),
        };
        if model.is_empty() {
            return Err(Error::BadChat { field: "model", rule: "it names a provider and no model" });
        }
        let server = self.providers.get(provider).ok_or_else(|| self.unknown(provider))?;
        if server.lacks_key() {
            return Err(Error::NoKey { provider: provider.to_owned() });
        }
        Ok(Found { server, model })
    }

    fn unknown(&self, provider: &str) -> Error {
        Error::UnknownProvider { provider: provider.to_owned(), known: self.providers.keys().cloned().collect() }
    }
}

/// The providers of the settings and those that need not be there.
fn with_known(config: &Config, ollama_url: &str) -> BTreeMap<String, Provider> {
    let mut providers: BTreeMap<String, Provider> =
        config.providers.iter().map(|(name, one)| (name.clone(), one.completed(name))).collect();
    providers.entry(OLLAMA.to_owned()).or_insert_with(|| Provider::at(Kind::Ollama, ollama_url));
    providers.entry(CLOUD.to_owned()).or_insert_with(|| Provider::default().completed(CLOUD));
    providers
}
