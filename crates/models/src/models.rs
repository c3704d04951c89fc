//! A name finds its model.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};

use lru::LruCache;
use serde::Serialize;

use crate::config::{Api, Config, Kind, Provider};
use crate::embedded::reranker::Reranker;
use crate::embedded::{self, Embedded};
use crate::embedder::{Card, Embedder};
use crate::error::{Error, Result};
use crate::http::Server;
use crate::ollama::{self, Ollama};
use crate::openai::Openai;
use crate::progress::Progress;
use crate::remote::Remote;

#[cfg(test)]
mod tests;

/// How many models of servers are remembered. Names come from requests, so there is no end to them.
const REMEMBERED: NonZeroUsize = NonZeroUsize::new(64).expect("64 is not zero");
/// The provider that need not be configured.
const OLLAMA: &str = "ollama";
/// The provider that answers for every model when another process embeds.
const UPSTREAM: &str = "embedd";

/// What the room that embeds decides about names.
#[derive(Debug, Clone)]
pub struct Routing {
    /// The model of a request that names none.
    pub default_model: String,
    /// Where Ollama answers, unless `providers.ollama` says otherwise.
    pub ollama_url: String,
    /// Another process's embedding routes; every model is asked for there then.
    pub upstream: Option<Provider>,
}

/// All models of this process. Clones share them.
#[derive(Clone)]
pub struct Models(Arc<Inner>);

struct Inner {
    default_model: String,
    /// In each precision, the usual one first.
    embedded: [Arc<Embedded>; 2],
    reranker: Reranker,
    warm: bool,
    servers: BTreeMap<String, Arc<Server>>,
    upstream: Option<Arc<Server>>,
    remembered: Mutex<LruCache<String, Arc<dyn Embedder>>>,
}

/// A model as it is listed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Listed {
    /// The full name.
    pub name: String,
    /// Who runs it: `embedded` or the name of a provider.
    pub provider: String,
    /// Whether it answers at once.
    pub state: State,
    /// How many numbers a vector has, once that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dimension: Option<usize>,
    /// The fingerprint, once that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
}

/// Whether a model answers at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It is loaded, or its server has answered.
    Ready,
    /// It is being fetched or loaded.
    Loading,
    /// It will be fetched, loaded or asked on its first use.
    Idle,
    /// The last try to have it failed; its next use tries again.
    Failed,
}

impl Models {
    /// Checks the settings. Nothing is loaded, fetched or called before it is asked for.
    pub fn new(config: &Config, routing: Routing) -> Result<Self> {
        let mut servers = BTreeMap::new();
        let completed = config.providers.iter().map(|(name, provider)| (name, provider.completed(name)));
        for (name, provider) in completed.filter(|(_, provider)| provider.kind.api().is_some()) {
            servers.insert(name.clone(), Arc::new(Server::settle(name, &provider)?));
        }
        if !servers.contains_key(OLLAMA) {
            let server = Server::settle(OLLAMA, &Provider::at(Kind::Ollama, &routing.ollama_url))?;
            servers.insert(OLLAMA.to_owned(), Arc::new(server));
        }
        let upstream = routing.upstream.map(|provider| Server::settle(UPSTREAM, &provider)).transpose()?;
        Ok(Self(Arc::new(Inner {
            default_model: routing.default_model,
            embedded: Embedded::both(config),
            reranker: Reranker::new(config),
            warm: config.warm,
            servers,
            upstream: upstream.map(Arc::new),
            remembered: Mutex::new(LruCache::new(REMEMBERED)),
        })))
    }

    /// The model of this name, or the default one. A name is `all-MiniLM-L6-v2`, `all-MiniLM-L6-v2-f32`,
    /// `ollama/<model>` or `<provider>/<model>`. Whether a server knows its model is found out on the first use.
    pub fn embedder(&self, name: Option<&str>) -> Result<Arc<dyn Embedder>> {
        let name = name.unwrap_or(&self.0.default_model);
        if let Some(server) = &self.0.upstream {
            return Ok(self.0.remember(server, name, name));
        }
        if let Some(embedded) = self.0.embedded(name) {
            return Ok(Arc::clone(embedded) as Arc<dyn Embedder>);
        }
        let (server, model) = self.0.server_of(name).ok_or_else(|| self.0.unknown(name))?;
        Ok(self.0.remember(server, name, model))
    }

    /// The model that ranks texts anew.
    pub fn reranker(&self) -> &Reranker {
        &self.0.reranker
    }

    /// The model whose vectors have this fingerprint, of those that the name has stood for: the embedded one's vectors
    /// were once computed in another precision. Where none is known, the name as it is.
    pub fn name_of<'a>(&'a self, name: Option<&'a str>, fingerprint: Option<&str>) -> &'a str {
        let name = name.unwrap_or(&self.0.default_model);
        let same = |embedded: &&Arc<Embedded>| fingerprint == Some(embedded.fingerprint());
        let precise = self.0.embedded(name).and_then(|_| self.0.embedded.iter().find(same));
        precise.map_or(name, |embedded| embedded.name())
    }

    /// Fetches the embedded model's files in the background when they are absent and may be needed, and loads them when
    /// the settings want it warm.
    pub fn prepare(&self) {
        if self.0.upstream.is_none() {
            let [usual, _] = &self.0.embedded;
            usual.prepare(self.0.warm);
        }
    }

    /// How far the fetching of the embedded model is.
    pub fn progress(&self) -> Progress {
        let [usual, _] = &self.0.embedded;
        usual.progress()
    }

    /// The names of the models that the server `ollama` has. None of them is loaded for that.
    pub async fn of_ollama(&self) -> Result<Vec<String>> {
        let server = self.0.servers.get(OLLAMA).ok_or_else(|| self.0.unknown(OLLAMA))?;
        ollama::names(server).await
    }

    /// The embedded model, and the models of servers that were used lately and have answered.
    pub fn list(&self) -> Vec<Listed> {
        let mut listed = Vec::new();
        if self.0.upstream.is_none() {
            listed.extend(self.0.embedded.iter().map(|embedded| embedded.listed()));
        }
        // Names come from requests: what no server has ever confirmed is not listed, and none is asked for a list.
        let known = |(name, embedder): (String, Arc<dyn Embedder>)| Some(Listed::ready(name, &*embedder.known()?));
        listed.extend(self.0.lately().into_iter().filter_map(known));
        listed
    }
}

impl Inner {
    fn embedded(&self, name: &str) -> Option<&Arc<Embedded>> {
        let name = name.strip_prefix(embedded::PROVIDER).and_then(|name| name.strip_prefix('/')).unwrap_or(name);
        self.embedded.iter().find(|embedded| embedded.name() == name)
    }

    fn server_of<'a>(&self, name: &'a str) -> Option<(&Arc<Server>, &'a str)> {
        let (provider, model) = name.split_once('/')?;
        let server = self.servers.get(provider)?;
        (!model.is_empty()).then_some((server, model))
    }

    fn remember(&self, server: &Arc<Server>, name: &str, model: &str) -> Arc<dyn Embedder> {
        let mut remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = || behind(Arc::clone(server), model);
        Arc::clone(remembered.get_or_insert(name.to_owned(), fresh))
    }

    /// Names and models, in the order of their names.
    fn lately(&self) -> BTreeMap<String, Arc<dyn Embedder>> {
        let remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        remembered.iter().map(|(name, embedder)| (name.clone(), Arc::clone(embedder))).collect()
    }

    fn unknown(&self, name: &str) -> Error {
        let (provider, model) = name.split_once('/').unwrap_or((OLLAMA, name));
        let known = self.servers.keys().map(|known| format!("{known}/{model}"));
        let known = known.filter(|known| !model.is_empty() && alike(known.split('/').next(), provider));
        let embedded = self.embedded.iter().map(|embedded| embedded.name().to_owned());
        let embedded = embedded.filter(|known| alike(Some(known), name));
        Error::UnknownModel { model: name.to_owned(), near: embedded.chain(known).collect() }
    }
}

impl Listed {
    fn ready(name: String, card: &Card) -> Self {
        Self {
            name,
            provider: card.provider.clone(),
            state: State::Ready,
            dimension: Some(card.dimension),
            fingerprint: Some(card.fingerprint.clone()),
        }
    }
}

fn behind(server: Arc<Server>, model: &str) -> Arc<dyn Embedder> {
    match server.api() {
        Api::Ollama => Arc::new(Ollama::new(server, model)),
        Api::Openai => Arc::new(Openai::new(server, model)),
        Api::Lakehouse => Arc::new(Remote::new(server, model)),
    }
}

/// Whether a person may have meant `known` when writing `given`.
fn alike(known: Option<&str>, given: &str) -> bool {
    known.is_some_and(|known| strsim::jaro_winkler(&known.to_lowercase(), &given.to_lowercase()) > 0.85)
}
