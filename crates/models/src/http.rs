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
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};
use url::{Host, Url};

use crate::config::{Api, Provider};
use crate::error::{Error, Result};

/// Calls that one server works on at a time; a server of models gains nothing by more.
pub(crate) const CALLS: usize = 4;
/// Conversations with one server at a time: those that run elsewhere work on many, and one on this machine has a queue of
/// its own.
const CONVERSATIONS: usize = 16;
/// The longest answer in a conversation: far more than any model says.
const MAX_SAID: usize = 8 << 20;
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
/// Joins the hops of one piece of work.
const TRACE_ID: &str = "x-lakehouse-trace-id";
/// Says that it does no more than that: whoever asks writes the conversation down.
const TRACE_ONLY: &str = "x-lakehouse-trace-only";

/// A provider that can be called.
pub(crate) struct Server {
    name: String,
    api: Api,
    /// Ends in `/`, so that routes are joined below it.
    base: Url,
    api_key: Secret,
    needs_key: bool,
    prefix: String,
    timeout: Duration,
    client: Client,
    places: Arc<Semaphore>,
    max_answer: usize,
}

/// A question in a conversation.
pub(crate) struct Asked<'a, B> {
    pub(crate) route: &'a str,
    pub(crate) body: &'a B,
    pub(crate) trace_id: Option<&'a str>,
}

/// An answer whose body is still to come.
pub(crate) struct Opened {
    server: Arc<Server>,
    answer: Response,
    read: usize,
    _place: OwnedSemaphorePermit,
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
        let api = settings.kind.api().ok_or_else(|| refused("kind", "no server is of this kind"))?;
        if api == Api::Lakehouse && !settings.prefix.is_empty() {
            return Err(refused("prefix", "the other process puts its own prefix before each text"));
        }
        if settings.api_key.expose().contains(|c: char| !c.is_ascii_graphic()) {
            return Err(refused("api_key", "it holds a character that no key has"));
        }
        let client = client(&base).map_err(|_| refused("url", "no connection can be prepared for it"))?;
        Ok(Self {
            name: name.to_owned(),
            api,
            base,
            api_key: settings.api_key.clone(),
            needs_key: settings.needs_key,
            prefix: settings.prefix.clone(),
            timeout: settings.timeout.0,
            client,
            places: Arc::new(Semaphore::new(CALLS)),
            max_answer: MAX_ANSWER,
        })
    }

    /// The same, for conversations.
    pub(crate) fn talking(name: &str, settings: &Provider) -> Result<Self> {
        let places = Arc::new(Semaphore::new(CONVERSATIONS));
        Ok(Self { places, max_answer: MAX_SAID, ..Self::settle(name, settings)? })
    }

    /// Whether it needs a key that it was not given.
    pub(crate) fn lacks_key(&self) -> bool {
        self.needs_key && self.api_key.is_empty()
    }

    /// What it speaks.
    pub(crate) fn api(&self) -> Api {
        self.api
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
    pub(crate) async fn get(self: &Arc<Self>, route: &str) -> Result<Answer> {
        self.call(self.client.get(self.url(route)?)).await
    }

    /// The answer to a POST of `body` as JSON to `route`; `accept` names the type of the answer.
    pub(crate) async fn post(
        self: &Arc<Self>,
        route: &str,
        accept: &'static str,
        body: &impl Serialize,
    ) -> Result<Answer> {
        self.call(self.client.post(self.url(route)?).header(ACCEPT, accept).json(body)).await
    }

    /// The whole answer to a question.
    pub(crate) async fn ask<B: Serialize>(self: &Arc<Self>, asked: Asked<'_, B>) -> Result<Answer> {
        self.open(asked).await?.whole().await
    }

    /// The answer to a question, its body still to come. The time of a call holds for all of it.
    pub(crate) async fn open<B: Serialize>(self: &Arc<Self>, asked: Asked<'_, B>) -> Result<Opened> {
        let request = self.client.post(self.url(asked.route)?).json(asked.body);
        let request = match asked.trace_id {
            Some(id) => request.header(TRACE_ID, id).header(TRACE_ONLY, "1"),
            None => request,
        };
        self.send(request).await
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

    /// The same, with what the server itself says about it. In a conversation that is for whoever asked: which model it
    /// does not have, what about the request it does not take.
    pub(crate) fn refusal_in_its_words(&self, answer: &Answer) -> Error {
        match self.refusal(answer) {
            Error::Upstream { provider, reason, source: Some(said) } => {
                Error::Upstream { provider, reason: format!("{reason}: {said}"), source: None }
            }
            plain => plain,
        }
    }

    /// What the server says in the middle of an answer that had begun well.
    pub(crate) fn complains(&self, said: &str) -> Error {
        self.failed(format!("it broke off with {}", self.shown(said)))
    }

    /// What the server says went wrong, in one short line without the key: for the log only, since it may tell paths
    /// and other keys.
    fn message(&self, answer: &Answer) -> Option<String> {
        let body: Value = serde_json::from_slice(&answer.body).ok()?;
        let places = ["/error/message", "/error", "/detail", "/message"];
        places.iter().find_map(|place| body.pointer(place)?.as_str()).map(|said| self.shown(said))
    }

    fn shown(&self, said: &str) -> String {
        let shown: String = said.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let shown = match self.api_key.is_empty() {
            true => shown,
            false => shown.replace(self.api_key.expose(), "***"),
        };
        shown.chars().take(MAX_MESSAGE).collect()
    }

    /// The parts of an answer that must have come with success.
    pub(crate) fn read<T: DeserializeOwned>(&self, answer: &Answer) -> Result<T> {
        if !answer.status.is_success() {
            return Err(self.refusal(answer));
        }
        serde_json::from_slice(&answer.body).map_err(|why| self.unreadable(why))
    }

    /// What it means when an answer has another form than this route's.
    pub(crate) fn unreadable(&self, why: serde_json::Error) -> Error {
        let reason = "its answer is not what this route answers".to_owned();
        Error::Upstream { provider: self.name.clone(), reason, source: Some(why.into()) }
    }

    fn url(&self, route: &str) -> Result<Url> {
        self.base.join(route).map_err(|_| self.failed("its address cannot be used"))
    }

    async fn call(self: &Arc<Self>, request: RequestBuilder) -> Result<Answer> {
        self.send(request).await?.whole().await
    }

    /// The head of the answer. Waiting for a place takes from the same time as the call.
    async fn send(self: &Arc<Self>, request: RequestBuilder) -> Result<Opened> {
        let until = Instant::now() + self.timeout;
        let place = timeout_at(until, Arc::clone(&self.places).acquire_owned()).await;
        let place = place.map_err(|_| Error::UpstreamTimeout { provider: self.name.clone() })?;
        let place = place.map_err(|_| self.failed("it is being closed"))?;
        let request = match self.api_key.is_empty() {
            true => request,
            false => request.bearer_auth(self.api_key.expose()),
        };
        let rest = until.saturating_duration_since(Instant::now());
        let answer = request.timeout(rest).send().await.map_err(|why| match why.is_connect() {
            true => self.broken(why, "it cannot be reached"),
            false => self.broken(why, "it broke the connection off"),
        })?;
        Ok(Opened { server: Arc::clone(self), answer, read: 0, _place: place })
    }

    fn broken(&self, why: reqwest::Error, reason: &str) -> Error {
        let provider = self.name.clone();
        if why.is_timeout() && !why.is_connect() {
            return Error::UpstreamTimeout { provider };
        }
        Error::Upstream { provider, reason: reason.to_owned(), source: Some(why.without_url().into()) }
    }
}

impl Opened {
    /// Who answers.
    pub(crate) fn server(&self) -> &Server {
        &self.server
    }

    /// The next bytes of the body; none at its end.
    pub(crate) async fn piece(&mut self) -> Result<Option<impl AsRef<[u8]> + use<>>> {
        let piece = self.answer.chunk().await;
        let piece = piece.map_err(|why| self.server.broken(why, "its answer broke off"))?;
        self.read += piece.as_ref().map_or(0, |piece| piece.len());
        let stated = self.answer.content_length().unwrap_or(0);
        if self.read > self.server.max_answer || stated > self.server.max_answer as u64 {
            return Err(self.server.failed("its answer is too large"));
        }
        Ok(piece)
    }

    /// The answer, if it comes with success; what `refusal` makes of it otherwise.
    pub(crate) async fn spoken(self, refusal: fn(&Server, &Answer) -> Error) -> Result<Self> {
        if self.answer.status().is_success() {
            return Ok(self);
        }
        let server = Arc::clone(&self.server);
        Err(refusal(&server, &self.whole().await?))
    }

    async fn whole(mut self) -> Result<Answer> {
        let (status, headers) = (self.answer.status(), self.answer.headers().clone());
        let mut body = Vec::new();
        while let Some(piece) = self.piece().await? {
            body.extend_from_slice(piece.as_ref());
        }
        Ok(Answer { status, headers, body })
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
