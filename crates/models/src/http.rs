//! One client for every server of models: bounded, timed, never redirected.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use reqwest::{Client, RequestBuilder, Response, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use storage::Secret;
use tokio::sync::Semaphore;
use url::{Host, Url};

use crate::config::{Kind, Provider};
use crate::error::{Error, Result};

/// Calls that one server works on at a time; a server of models gains nothing by more.
pub(crate) const CALLS: usize = 4;
/// The largest answer that is read: a batch of the longest vectors is a tenth of it.
const MAX_ANSWER: usize = 64 << 20;
/// How long a connection may take; a server that is down must not cost the whole timeout of a call.
const CONNECT: Duration = Duration::from_secs(5);
/// How long an unused connection is kept: shorter than servers keep theirs, so that no call meets one that is closing.
const IDLE: Duration = Duration::from_secs(3);
/// How much of a server's message is kept.
const MAX_MESSAGE: usize = 300;
/// The longest wait that a server may ask for, in seconds.
const MAX_RETRY_AFTER: u64 = 3600;

/// A provider that can be called.
pub(crate) struct Server {
    name: String,
    kind: Kind,
    /// Ends in `/`, so that routes are joined below it.
    base: Url,
    api_key: Secret,
    prefix: String,
    timeout: Duration,
    client: Client,
    places: Semaphore,
}

/// A whole answer, whatever its status.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Server {
    /// Checks the settings of the provider `name`.
    pub(crate) fn settle(name: &str, settings: &Provider) -> Result<Self> {
        let refused = |field: &str, rule| Error::BadProvider { key: format!("models.providers.{name}.{field}"), rule };
        let base = base_url(&settings.url).map_err(|rule| refused("url", rule))?;
        if settings.kind == Kind::Lakehouse && !settings.prefix.is_empty() {
            return Err(refused("prefix", "the other process puts its own prefix before each text"));
        }
        if settings.api_key.expose().contains(|c: char| !c.is_ascii_graphic()) {
            return Err(refused("api_key", "it holds a character that no key has"));
        }
        let client = client(&base).map_err(|_| refused("url", "no connection can be prepared for it"))?;
        Ok(Self {
            name: name.to_owned(),
            kind: settings.kind,
            base,
            api_key: settings.api_key.clone(),
            prefix: settings.prefix.clone(),
            timeout: settings.timeout.0,
            client,
            places: Semaphore::new(CALLS),
        })
    }

    /// What it speaks.
    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    /// The provider's name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The text that is put before every text.
    pub(crate) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The texts as the server gets them.
    pub(crate) fn prefixed<'a>(&self, texts: &'a [Arc<str>]) -> Vec<Cow<'a, str>> {
        let plain = self.prefix.is_empty();
        let prefixed = |text: &'a Arc<str>| if plain { Cow::Borrowed(&**text) } else { self.prefix_to(text) };
        texts.iter().map(prefixed).collect()
    }

    fn prefix_to<'a>(&self, text: &str) -> Cow<'a, str> {
        Cow::Owned(format!("{}{text}", self.prefix))
    }

    /// The answer to a GET of `route`.
    pub(crate) async fn get(&self, route: &str) -> Result<Answer> {
        self.call(self.client.get(self.url(route)?)).await
    }

    /// The answer to a POST of `body` as JSON to `route`; `accept` names the type of the answer.
    pub(crate) async fn post(&self, route: &str, accept: &'static str, body: &impl Serialize) -> Result<Answer> {
        self.call(self.client.post(self.url(route)?).header(ACCEPT, accept).json(body)).await
    }

    /// An error of this server that has no other name.
    pub(crate) fn failed(&self, reason: impl Into<String>) -> Error {
        Error::Upstream { provider: self.name.clone(), reason: reason.into(), source: None }
    }

    /// What an answer with an error status means when nothing else is known of it.
    pub(crate) fn refusal(&self, answer: &Answer) -> Error {
        let provider = self.name.clone();
        match answer.status {
            StatusCode::TOO_MANY_REQUESTS => Error::RateLimited { provider, retry_after: answer.retry_after() },
            StatusCode::GATEWAY_TIMEOUT | StatusCode::REQUEST_TIMEOUT => Error::UpstreamTimeout { provider },
            // What it says about a key may hold parts of the key.
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => self.failed("it refuses the key it was given"),
            status => Error::Upstream {
                provider,
                reason: format!("it answered {}{}", status.as_u16(), meaning(status)),
                source: self.message(answer).map(Into::into),
            },
        }
    }

    /// What the server says went wrong, in one short line without the key: for the log only, since it may tell paths
    /// and other keys.
    fn message(&self, answer: &Answer) -> Option<String> {
        let body: Value = serde_json::from_slice(&answer.body).ok()?;
        let places = ["/error/message", "/error", "/detail", "/message"];
        let said = places.iter().find_map(|place| body.pointer(place)?.as_str())?;
        let shown: String = said.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let shown = match self.api_key.is_empty() {
            true => shown,
            false => shown.replace(self.api_key.expose(), "***"),
        };
        Some(shown.chars().take(MAX_MESSAGE).collect())
    }

    /// The parts of an answer that must have come with success.
    pub(crate) fn read<T: DeserializeOwned>(&self, answer: &Answer) -> Result<T> {
        if !answer.status.is_success() {
            return Err(self.refusal(answer));
        }
        serde_json::from_slice(&answer.body).map_err(|why| Error::Upstream {
            provider: self.name.clone(),
            reason: "its answer is not what this route answers".to_owned(),
            source: Some(why.into()),
        })
    }

    fn url(&self, route: &str) -> Result<Url> {
        self.base.join(route).map_err(|_| self.failed("its address cannot be used"))
    }

    async fn call(&self, request: RequestBuilder) -> Result<Answer> {
        let _place = self.places.acquire().await.map_err(|_| self.failed("it is being closed"))?;
        let request = match self.api_key.is_empty() {
            true => request,
            false => request.bearer_auth(self.api_key.expose()),
        };
        let answer = request.timeout(self.timeout).send().await.map_err(|why| match why.is_connect() {
            true => self.broken(why, "it cannot be reached"),
            false => self.broken(why, "it broke the connection off"),
        })?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        let body = self.body(answer).await?;
        Ok(Answer { status, headers, body })
    }

    async fn body(&self, mut answer: Response) -> Result<Vec<u8>> {
        let mut body = Vec::new();
        while let Some(piece) = answer.chunk().await.map_err(|why| self.broken(why, "its answer broke off"))? {
            if body.len() + piece.len() > MAX_ANSWER {
                return Err(self.failed("its answer is too large"));
            }
            body.extend_from_slice(&piece);
        }
        Ok(body)
    }

    fn broken(&self, why: reqwest::Error, reason: &str) -> Error {
        let provider = self.name.clone();
        if why.is_timeout() && !why.is_connect() {
            return Error::UpstreamTimeout { provider };
        }
        Error::Upstream { provider, reason: reason.to_owned(), source: Some(why.without_url().into()) }
    }
}

fn meaning(status: StatusCode) -> &'static str {
    if status == StatusCode::NOT_FOUND { ": it may not have this model" } else { "" }
}

impl Answer {
    /// The media type, without its parameters.
    pub(crate) fn media(&self) -> &str {
        let stated = self.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        stated.split(';').next().unwrap_or_default().trim()
    }

    /// Whether the server says that it is the texts it cannot read.
    pub(crate) fn blames_texts(&self) -> bool {
        matches!(
            self.status,
            StatusCode::BAD_REQUEST | StatusCode::PAYLOAD_TOO_LARGE | StatusCode::UNPROCESSABLE_ENTITY
        )
    }

    fn retry_after(&self) -> u64 {
        let stated = self.headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
        stated.unwrap_or(1).clamp(1, MAX_RETRY_AFTER)
    }
}

fn base_url(written: &str) -> Result<Url, &'static str> {
    let mut url: Url = written.parse().map_err(|_| "write it as http://127.0.0.1:11434")?;
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return Err("its scheme must be http or https");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("it must not hold a name or password: the key goes into api_key");
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("it must end with its path");
    }
    if !url.path().ends_with('/') {
        url.set_path(&format!("{}/", url.path()));
    }
    Ok(url)
}

fn client(base: &Url) -> reqwest::Result<Client> {
    let client = Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(CONNECT)
        .pool_idle_timeout(IDLE)
        .pool_max_idle_per_host(CALLS);
    // A proxy is for the way out, not for this machine.
    if is_here(base) { client.no_proxy().build() } else { client.build() }
}

fn is_here(base: &Url) -> bool {
    match base.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}
