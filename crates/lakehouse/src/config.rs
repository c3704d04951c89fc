//! Settings: defaults ← file ← secrets file ← environment ← `--set`, settled once at the start.
//!
//! Each crate owns its section; this module only lists them. Nothing reads the environment after [`settle`].

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;

use api::{Exposure, Role};
use base::Seams;
use models::{Chat, ChatRouting, Models, Provider, Routing};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

mod bounds;
mod daemon;
mod environment;
mod faults;
mod keys;
mod layer;
#[cfg(test)]
mod page;
mod places;
pub mod secrets;
mod settle;
#[cfg(test)]
mod tests;
mod tokens;

pub use daemon::Daemon;
pub use environment::Environment;
pub use faults::Faults;
pub use settle::{Settled, Sources, settle, upstream};

/// Every setting. Sizes are written `256MiB`, durations `30s`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Which lake is served or opened.
    pub lake: Lake,
    /// The one public edge; its limits hold for every role's own port too.
    pub gateway: Daemon<api::Limits>,
    /// Objects: caps and durability of everything the lake writes.
    pub storaged: Daemon<storage::Config>,
    /// The dataset registry and its log.
    pub catalogd: Daemon<catalog::Config>,
    /// Files becoming tables.
    pub ingestd: Daemon<ingest::Config>,
    /// SQL.
    pub queryd: Daemon<query::Config>,
    /// Vector indexes.
    pub vectord: Daemon<vectors::Config>,
    /// Texts becoming vectors.
    pub embedd: Daemon<embed::Config>,
    /// Conversations with language models.
    pub chatd: Daemon<models::ChatConfig>,
    /// The models that turn texts into vectors, and the servers of all models.
    pub models: models::Config,
    /// Checks of what language models propose.
    pub validatord: Daemon<flows::ValidatorConfig>,
    /// What is written down of runs.
    pub evidence: flows::EvidenceConfig,
    /// Who may ask.
    pub auth: api::AuthConfig,
    /// Files that are derived or fetched, and may be deleted while nothing runs.
    pub cache: Cache,
    /// Roles that run elsewhere: the gateway proxies to these URLs.
    pub upstreams: Upstreams,
    /// The S3 server of lakes named `s3://…`.
    pub s3: storage::S3Config,
    /// The roles that the environment lets leave loopback, as long as there is a token.
    #[serde(skip)]
    pub exposed: Vec<Role>,
}

/// Which lake is served or opened.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Lake {
    /// A directory, or `s3://bucket/prefix`. `--lake` and `$LAKEHOUSE_LAKE` set it too.
    pub location: String,
}

impl Default for Lake {
    fn default() -> Self {
        Self { location: "./lake".to_owned() }
    }
}

/// Files that are derived or fetched, and may be deleted while nothing runs.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Cache {
    /// Where they are kept, outside the lake; `lakehouse` in the user's cache directory when not given.
    pub dir: Option<PathBuf>,
}

/// URLs of roles that run in other processes. Each must begin with `http://` or `https://`.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Upstreams {
    /// Where storaged answers, such as `http://127.0.0.1:3211`.
    pub storaged: Option<String>,
    /// Where catalogd answers.
    pub catalogd: Option<String>,
    /// Where ingestd answers.
    pub ingestd: Option<String>,
    /// Where queryd answers.
    pub queryd: Option<String>,
    /// Where vectord answers.
    pub vectord: Option<String>,
    /// Where embedd answers. Every process without that role asks there for the vectors of texts.
    pub embedd: Option<String>,
    /// Where chatd answers. Every process without that role asks there for what language models say.
    pub chatd: Option<String>,
    /// Where validatord answers.
    pub validatord: Option<String>,
}

impl Upstreams {
    /// The URL written for a role, if any.
    pub fn of(&self, role: Role) -> Option<&str> {
        let written = match role {
            Role::Gateway => return None,
            Role::Storaged => &self.storaged,
            Role::Catalogd => &self.catalogd,
            Role::Ingestd => &self.ingestd,
            Role::Queryd => &self.queryd,
            Role::Vectord => &self.vectord,
            Role::Embedd => &self.embedd,
            Role::Chatd => &self.chatd,
            Role::Validatord => &self.validatord,
        };
        written.as_deref()
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            lake: Lake::default(),
            gateway: Daemon::at(default_bind(Role::Gateway)),
            storaged: Daemon::at(default_bind(Role::Storaged)),
            catalogd: Daemon::at(default_bind(Role::Catalogd)),
            ingestd: Daemon::at(default_bind(Role::Ingestd)),
            queryd: Daemon::at(default_bind(Role::Queryd)),
            vectord: Daemon::at(default_bind(Role::Vectord)),
            embedd: Daemon::at(default_bind(Role::Embedd)),
            chatd: Daemon::at(default_bind(Role::Chatd)),
            validatord: Daemon::at(default_bind(Role::Validatord)),
            models: models::Config::default(),
            evidence: flows::EvidenceConfig::default(),
            auth: api::AuthConfig::default(),
            cache: Cache::default(),
            upstreams: Upstreams::default(),
            s3: storage::S3Config::default(),
            exposed: Vec::new(),
        }
    }
}

impl Config {
    /// Where a role listens when it has a port of its own.
    pub fn bind(&self, role: Role) -> SocketAddr {
        let written = match role {
            Role::Gateway => self.gateway.bind,
            Role::Storaged => self.storaged.bind,
            Role::Catalogd => self.catalogd.bind,
            Role::Ingestd => self.ingestd.bind,
            Role::Queryd => self.queryd.bind,
            Role::Vectord => self.vectord.bind,
            Role::Embedd => self.embedd.bind,
            Role::Chatd => self.chatd.bind,
            Role::Validatord => self.validatord.bind,
        };
        written.unwrap_or_else(|| default_bind(role))
    }

    /// Where this machine reaches a role that has its configured port.
    pub fn url(&self, role: Role) -> String {
        url_of(self.bind(role))
    }

    /// Where derived files are kept.
    pub fn cache_dir(&self) -> PathBuf {
        self.cache.dir.clone().unwrap_or_else(|| PathBuf::from("lakehouse-cache"))
    }

    /// Who may ask.
    pub fn auth(&self) -> Result<api::Auth, api::Error> {
        api::Auth::settle(&self.auth)
    }

    /// The models; all of them behind `upstream`, another process of ours, when it is named.
    pub fn models(&self, upstream: Option<Provider>) -> Result<Models, models::Error> {
        let embedd = &self.embedd.settings;
        let (default_model, ollama_url) = (embedd.default_model.clone(), embedd.provider_url.clone());
        Models::new(&self.models, Routing { default_model, ollama_url, upstream })
    }

    /// The language models; all of them behind `upstream`, another process of ours, when it is named.
    pub fn chat(&self, upstream: Option<Provider>, seams: Seams) -> Result<Chat, models::Error> {
        let routing = ChatRouting { ollama_url: self.embedd.settings.provider_url.clone(), upstream };
        Chat::new(&self.models, &self.chatd.settings, routing, seams)
    }

    /// Whether a role may listen outside loopback.
    pub fn exposure(&self, role: Role) -> Exposure {
        let has_token = self.auth().is_ok_and(|auth| auth.has_token());
        Exposure { has_token, allowed: self.exposed.contains(&role) }
    }

    /// What the store needs: its own section with the S3 server's.
    pub fn storage(&self) -> storage::Config {
        storage::Config { s3: self.s3.clone(), ..self.storaged.settings.clone() }
    }

    /// The values as dotted keys, secrets hidden.
    pub fn entries(&self) -> anyhow::Result<BTreeMap<String, String>> {
        let written = toml::Table::try_from(self)?;
        Ok(layer::leaves(&written).into_iter().map(|(key, value)| (key, value.to_string())).collect())
    }
}

/// Where this machine reaches a socket. One that is bound to every address is reached over loopback: "every address" is
/// a name that no service answers to.
pub fn url_of(mut bound: SocketAddr) -> String {
    match bound.ip() {
        IpAddr::V4(every) if every.is_unspecified() => bound.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(every) if every.is_unspecified() => bound.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    format!("http://{bound}")
}

fn default_bind(role: Role) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, role.default_port()).into()
}
