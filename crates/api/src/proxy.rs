//! Passing a request on to a role with an address of its own, and its answer back, unchanged and unbuffered.

use std::ops::RangeInclusive;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use bytes::Bytes;
use http::header::{CONNECTION, EXPECT, HOST, ORIGIN, TE, TRAILER, TRANSFER_ENCODING, UPGRADE};
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderMap, HeaderName, Uri, Version};
use hyper::body::{Frame, SizeHint};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use storage::BodyError;
use tokio::time::Instant;
use url::Url;

use crate::error::{Error, Refusal, Result};
use crate::request::media_type;
use crate::role::Role;
use crate::upload::BROKE_OFF;

/// How long a role may take to accept a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// The statuses of answers that end a request. A role asks for no other protocol and invents no status.
const ANSWERS: RangeInclusive<u16> = 200..=599;
/// Headers that speak of one connection, not of the message.
const HOP_BY_HOP: [HeaderName; 5] = [CONNECTION, TE, TRAILER, TRANSFER_ENCODING, UPGRADE];
/// The same, for names without a constant.
const HOP_BY_HOP_NAMES: [&str; 4] = ["keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection"];

/// A line to a role with an address of its own. Clones share its connections.
#[derive(Clone)]
pub(crate) struct Proxy {
    role: Role,
    authority: Authority,
    prefix: String,
    http: Client<HttpConnector, Body>,
    timeout: Duration,
}

impl Proxy {
    /// A line to `role` at `address`; `timeout` is how long nothing may move.
    pub(crate) fn new(role: Role, address: &Url, timeout: Duration) -> Result<Self, Error> {
        let authority = address.authority().parse().map_err(|_| unusable(role, address.as_str()))?;
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(CONNECT_TIMEOUT));
        connector.set_nodelay(true);
        let http = Client::builder(TokioExecutor::new()).pool_timer(TokioTimer::new()).build(connector);
        let prefix = address.path().trim_end_matches('/').to_owned();
        Ok(Self { role, authority, prefix, http, timeout })
    }

    /// Sends a request whose path has lost its `/v1`, and answers what the role answers.
    pub(crate) async fn forward(&self, request: Request) -> Result<Response> {
        let moved = Moved::now();
        let media = media_type(request.headers());
        let request = self.readdress(request, &moved)?;
        let answer = within(self.http.request(request), &moved, self.timeout).await;
        let answer = answer.ok_or(Error::UpstreamTimeout { role: self.role })?;
        let answer = answer.map_err(|why| match moved.broke_off() {
            true => broken_off(self.role, &media),
            false => Error::Unreachable { role: self.role, cause: Some(why.into()) }.into(),
        })?;
        if !ANSWERS.contains(&answer.status().as_u16()) {
            return Err(Error::Unreachable { role: self.role, cause: None }.into());
        }
        let mut answer = answer.map(Body::new);
        // What the role speaks is between it and us.
        *answer.version_mut() = Version::HTTP_11;
        drop_hop_by_hop(answer.headers_mut());
        answer.extensions_mut().clear();
        Ok(answer)
    }

    /// The path goes on byte for byte: a key may hold what a URL library would tidy away.
    fn readdress(&self, request: Request, moved: &Moved) -> Result<Request, Error> {
        let (mut parts, body) = request.into_parts();
        let path = parts.uri.path_and_query().map_or("/", PathAndQuery::as_str);
        let target = Uri::builder().scheme(Scheme::HTTP).authority(self.authority.clone());
        let target = target.path_and_query(format!("{}{path}", self.prefix)).build();
        parts.uri = target.map_err(|_| Error::Parameter("the path is not a valid URL path".to_owned()))?;
        drop_hop_by_hop(&mut parts.headers);
        for answered_here in [HOST, ORIGIN, EXPECT] {
            parts.headers.remove(answered_here);
        }
        parts.extensions.clear();
        Ok(Request::from_parts(parts, Body::new(Watched { body, moved: moved.clone() })))
    }
}

/// What a role answers to a body that breaks off. It cannot say so itself: its own connection breaks with the body.
fn broken_off(role: Role, media: &str) -> Refusal {
    match role {
        Role::Ingestd if media == "multipart/form-data" => Error::Multipart(BROKE_OFF.to_owned()).into(),
        Role::Storaged | Role::Ingestd => BodyError::Broken("it broke off".into()).into(),
        Role::Gateway
        | Role::Catalogd
        | Role::Queryd
        | Role::Vectord
        | Role::Embedd
        | Role::Chatd
        | Role::Validatord => Error::Body("it broke off".to_owned()).into(),
    }
}

/// The address of an upstream as an operator writes it.
pub(crate) fn parse_address(role: Role, given: &str) -> Result<Url, Error> {
    let wrong = |rule| Error::UpstreamAddress { role, given: given.to_owned(), rule };
    if !given.contains("://") {
        return Err(wrong("it has no scheme; write it as http://127.0.0.1:3211"));
    }
    let address: Url = given.parse().map_err(|_| wrong("it is not a URL such as http://127.0.0.1:3211"))?;
    match address.scheme() {
        "http" if address.host().is_some() => Ok(address),
        "http" => Err(wrong("it names no host")),
        _ => Err(wrong("its scheme must be http")),
    }
}

fn unusable(role: Role, given: &str) -> Error {
    Error::UpstreamAddress { role, given: given.to_owned(), rule: "it names no host" }
}

fn drop_hop_by_hop(headers: &mut HeaderMap) {
    let listed: Vec<String> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|name| name.trim().to_ascii_lowercase())
        .collect();
    for name in listed.iter().map(String::as_str).chain(HOP_BY_HOP_NAMES) {
        headers.remove(name);
    }
    for name in HOP_BY_HOP {
        headers.remove(name);
    }
}

/// Waits for `call` as long as the request's body moves, and then `limit` more.
async fn within<T>(call: impl Future<Output = T>, moved: &Moved, limit: Duration) -> Option<T> {
    let mut call = pin!(call);
    loop {
        let patience = moved.last() + limit;
        match tokio::time::timeout_at(patience, &mut call).await {
            Ok(answer) => return Some(answer),
            Err(_) if moved.last() + limit > patience => {}
            Err(_) => return None,
        }
    }
}

/// When the body of a request last moved, and whether it broke off then.
#[derive(Clone)]
struct Moved(Arc<Mutex<(Instant, bool)>>);

impl Moved {
    fn now() -> Self {
        Self(Arc::new(Mutex::new((Instant::now(), false))))
    }

    fn last(&self) -> Instant {
        self.lock().0
    }

    fn broke_off(&self) -> bool {
        self.lock().1
    }

    fn touch(&self, broken: bool) {
        *self.lock() = (Instant::now(), broken);
    }

    fn lock(&self) -> MutexGuard<'_, (Instant, bool)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A body that notes when it moves.
struct Watched {
    body: Body,
    moved: Moved,
}

impl hyper::body::Body for Watched {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        if let Poll::Ready(frame) = &frame {
            self.moved.touch(matches!(frame, Some(Err(_))));
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
