//! A name finds the provider that continues a conversation.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use base::Seams;
use futures::stream::BoxStream;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::config::{Api, CLOUD, Config, HERE, Kind, Provider};
use crate::embedded::talker::{Here, Talker};
use crate::error::{Error, Result};
use crate::http::Server;
use crate::language::{ChatAnswer, ChatRequest, FinishReason, LanguageModel, Usage};

mod here;
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
    /// The provider of models whose name names none: `ollama`, `embedded`, or one of `models.providers`.
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
    providers: BTreeMap<String, Host>,
    upstream: Option<Host>,
    warm: bool,
}

/// Who runs models.
enum Host {
    Server(Arc<Server>),
    Here(Here),
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
    host: &'a Host,
    model: &'a str,
}

impl Chat {
    /// Checks the settings. Nobody is called before a model is asked for.
    pub fn new(config: &Config, chat: &ChatConfig, routing: ChatRouting, seams: Seams) -> Result<Self> {
        let talker = Talker::new(config, seams);
        let mut providers = BTreeMap::new();
        for (name, settings) in with_known(config, &routing.ollama_url) {
            providers.insert(name.clone(), Host::settle(&name, &settings, &talker)?);
        }
        if !providers.contains_key(&chat.default_provider) {
            let key = "chatd.default_provider".to_owned();
            return Err(Error::BadProvider { key, rule: "no provider has this name" });
        }
        let upstream = routing.upstream.map(|provider| Host::settle(UPSTREAM, &provider, &talker)).transpose()?;
        Ok(Self(Arc::new(Inner { default: chat.default_provider.clone(), providers, upstream, warm: config.warm })))
    }

    /// What the model of `request` says, as it says it. The provider's time holds for the whole answer.
    pub async fn stream(&self, request: &ChatRequest) -> Result<ChatStream> {
        request.check()?;
        let Found { host, model } = self.0.find(&request.model)?;
        let pieces = match host {
            Host::Here(here) => here.stream(model, request).await?,
            Host::Server(server) => match server.api() {
                Api::Ollama => ollama::stream(server, model, request).await?,
                Api::Openai => openai::stream(server, model, request).await?,
                Api::Lakehouse => remote::stream(server, model, request).await?,
            },
        };
        Ok(ChatStream { provider: host.name().to_owned(), model: model.to_owned(), pieces })
    }

    /// Fetches the embedded model's file in the background when it is absent and the default provider needs it, and loads
    /// it when the settings want it warm.
    pub fn prepare(&self) {
        if let (None, Some(Host::Here(here))) = (&self.0.upstream, self.0.providers.get(&self.0.default)) {
            here.talker().prepare(self.0.warm);
        }
    }

    /// Every provider, by name.
    pub fn providers(&self) -> Vec<ListedProvider> {
        let listed = |(name, host): (&String, &Host)| ListedProvider {
            name: name.clone(),
            kind: host.kind(),
            default: *name == self.0.default,
            has_key: !host.lacks_key(),
        };
        self.0.providers.iter().map(listed).collect()
    }
}

#[async_trait]
impl LanguageModel for Chat {
    async fn chat(&self, request: &ChatRequest) -> Result<ChatAnswer> {
        request.check()?;
        let Found { host, model } = self.0.find(&request.model)?;
        let begun = Instant::now();
        let answer = match host {
            Host::Here(here) => here::chat(here, model, request).await?,
            Host::Server(server) => match server.api() {
                Api::Ollama => ollama::chat(server, model, request).await?,
                Api::Openai => openai::chat(server, model, request).await?,
                Api::Lakehouse => remote::chat(server, model, request).await?,
            },
        };
        let latency_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        Ok(ChatAnswer { latency_ms, ..answer })
    }
}

impl Host {
    /// Checks the settings of the provider `name`.
    fn settle(name: &str, settings: &Provider, talker: &Talker) -> Result<Self> {
        match settings.kind {
            Kind::Embedded => Here::settle(name, settings, talker).map(Self::Here),
            _ => Server::talking(name, settings).map(Arc::new).map(Self::Server),
        }
    }

    fn name(&self) -> &str {
        match self {
            Self::Server(server) => server.name(),
            Self::Here(here) => here.name(),
        }
    }

    fn kind(&self) -> Kind {
        match self {
            Self::Server(server) => server.api().into(),
            Self::Here(_) => Kind::Embedded,
        }
    }

    /// Whether it needs a key that it was not given.
    fn lacks_key(&self) -> bool {
        matches!(self, Self::Server(server) if server.lacks_key())
    }
}

impl Inner {
    /// The provider that a name means. One that stands before a `/` goes before the mark of the cloud, and that before
    /// the default.
    fn find<'a>(&'a self, name: &'a str) -> Result<Found<'a>> {
        if let Some(host) = &self.upstream {
            return Ok(Found { host, model: name });
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
        let host = self.providers.get(provider).ok_or_else(|| self.unknown(provider))?;
        if host.lacks_key() {
            return Err(Error::NoKey { provider: provider.to_owned() });
        }
        Ok(Found { host, model })
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
    providers.entry(HERE.to_owned()).or_insert_with(|| Provider::at(Kind::Embedded, ""));
    providers.entry(CLOUD.to_owned()).or_insert_with(|| Provider::default().completed(CLOUD));
    providers
}
