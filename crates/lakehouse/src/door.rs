//! One way to a lake: a running gateway, or a lake opened in this process behind the same routes.

use std::time::Duration;

use client::Client;
use http::Request;
use ingest::Progress;
use models::Models;
use storage::{Location, Secret};
use tower::ServiceExt;

use crate::assemble::{Assembly, Extent, shared};
use crate::cli::Target;
use crate::config::{Config, Settled, Sources, settle};

/// How long the gateway at the default port may take to say that it is there.
const GREETING: Duration = Duration::from_millis(500);
/// Longer than any load: thirty days.
const FOREVER: base::Span = base::Span::secs(30 * 24 * 3600);

/// What a command is about to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Work on what is there: a lake that is not there is misspelt, and none is made.
    Existing,
    /// Bring something in: a lake that is not there is made.
    MakesLake,
    /// Ask models, for which no lake is needed.
    Models,
}

/// An open door. Close it, so that what runs in this process ends in order.
pub struct Door {
    pub client: Client,
    /// What an in-process load raises while it works; `None` behind a gateway.
    pub progress: Option<Progress>,
    /// What is behind the door, in words.
    pub place: String,
    assembly: Option<Assembly>,
}

impl Door {
    /// Opens what was named, else the running gateway at the default port, else the default lake.
    pub async fn open(target: &Target, sources: &Sources, purpose: Purpose) -> anyhow::Result<Self> {
        let settled = settle(&Sources { lake: target.lake.clone(), ..sources.clone() })?;
        let variable = || sources.environment.get("LAKEHOUSE_TOKEN").map(Secret::new);
        let token = target.token.clone().or_else(variable);
        if let Some(url) = &target.gateway {
            return Self::remote(url.as_str(), token);
        }
        if target.lake.is_none()
            && let Some(door) = Self::running(&settled, token).await
        {
            return Ok(door);
        }
        match purpose {
            Purpose::Existing => expect_lake(&settled.config)?,
            Purpose::MakesLake => {}
            Purpose::Models => return Self::inside(settled.config, false).await,
        }
        Self::local(settled.config).await
    }

    fn remote(url: &str, token: Option<Secret>) -> anyhow::Result<Self> {
        let client = Client::remote(url)?;
        let client = token.map_or(Ok(client.clone()), |token| client.with_token(token.expose()))?;
        Ok(Self { client, progress: None, place: format!("the gateway at {url}"), assembly: None })
    }

    /// The gateway at its configured port, if one answers there. Its token may stand in the same settings.
    async fn running(settled: &Settled, token: Option<Secret>) -> Option<Self> {
        let url = settled.config.url(api::Role::Gateway);
        let door = Self::remote(&url, token.or_else(|| settled.config.auth.token.clone())).ok()?;
        let health = tokio::time::timeout(GREETING, door.client.health()).await.ok()?.ok()?;
        (health.service == api::Role::Gateway.name()).then_some(door)
    }

    /// Opens the lake in this process.
    pub async fn local(config: Config) -> anyhow::Result<Self> {
        Self::inside(config, true).await
    }

    async fn inside(config: Config, lake: bool) -> anyhow::Result<Self> {
        let place = format!("the lake {}", config.lake.location);
        let config = unbounded(config);
        let assembly =
            Assembly::open(&config, Extent { lake, embeds: false, chats: false }, shared(&config, usize::MAX)?).await?;
        let progress = Progress::default();
        let router = assembly.gateway()?.layer(axum::Extension(progress.clone()));
        let service = tower::service_fn(move |request: Request<client::Body>| {
            router.clone().oneshot(request.map(axum::body::Body::new))
        });
        Ok(Self { client: Client::local(service), progress: Some(progress), place, assembly: Some(assembly) })
    }

    /// The models of this process; none behind a gateway.
    pub fn models(&self) -> Option<&Models> {
        self.assembly.as_ref().map(Assembly::models)
    }

    /// How far the fetching of the model is, when this process may fetch it.
    pub fn fetching(&self) -> Option<models::Progress> {
        self.models().map(Models::progress)
    }

    /// Ends what runs in this process.
    pub async fn close(self) {
        let Self { client, assembly, .. } = self;
        drop(client);
        if let Some(assembly) = assembly {
            assembly.close().await;
        }
    }
}

/// Refuses a directory in which no lake was ever made.
pub fn expect_lake(config: &Config) -> anyhow::Result<()> {
    let place = &config.lake.location;
    let Location::Directory(path) = place.parse()? else { return Ok(()) };
    if path.join("_lake").is_dir() {
        return Ok(());
    }
    let (missing, told) = match path.is_dir() {
        true => (format!("{place}/_lake"), "this directory holds no lake"),
        false => (place.clone(), "there is no such lake"),
    };
    let missing = anyhow::Error::new(storage::Error::NotFound { path: missing });
    Err(missing.context(format!("{told}; `lakehouse ingest` and `serve` make one")))
}

/// The caps on one request protect servers; a person's own process takes any upload for as long as it takes, and waits
/// until the model is fetched.
fn unbounded(mut config: Config) -> Config {
    config.gateway.settings.deadline = FOREVER;
    config.embedd.settings.timeout = FOREVER;
    config.ingestd.settings.max_ingest_bytes = base::ByteSize(u64::MAX);
    config.gateway.settings.long_deadline = FOREVER;
    config
}
