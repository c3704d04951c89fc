//! Reading requests: strict JSON bodies, strict query strings, the headers that routes share.

use std::sync::Arc;
use std::time::Duration;

use axum::Json as Wrapped;
use axum::body::BodyDataStream;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::response::{IntoResponse, Response};
use base::{ByteSize, Version};
use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use futures::stream::{BoxStream, try_unfold};
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use storage::BodyError;
use tokio::time::Instant;

use crate::error::{Error, Refusal, Result};
use crate::host::Arrived;
use crate::limits::Limits;

/// The version an answer was computed at.
pub const VERSION: HeaderName = HeaderName::from_static("x-lakehouse-version");
/// The version an answer must at least be computed at.
pub const MIN_VERSION: HeaderName = HeaderName::from_static("x-lakehouse-min-version");
/// What must come of a body, in bytes, each time that its sender's patience is measured.
const LEAST: usize = 16 << 10;
/// Longest stretch of a parser's message that is passed on; it may quote the request.
const MAX_MESSAGE: usize = 300;

/// A JSON object as body. Other content types, larger bodies and unknown members are refused.
pub struct Json<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, _: &S) -> Result<Self> {
        Ok(Self(parse_object(&document(request).await?)?))
    }
}

/// A JSON object as body, where nothing needs to be said: no body at all is an empty object.
pub struct MaybeJson<T>(pub T);

impl<T: DeserializeOwned + Default, S: Send + Sync> FromRequest<S> for MaybeJson<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, _: &S) -> Result<Self> {
        let bytes = document(request).await?;
        Ok(Self(if bytes.is_empty() { T::default() } else { parse_object(&bytes)? }))
    }
}

/// The parameters of the query string. Unknown and repeated ones are refused.
pub struct Params<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Params<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        let query: Query<T> = Query::try_from_uri(&parts.uri).map_err(|why| Error::Parameter(innermost(&why)))?;
        Ok(Self(query.0))
    }
}

/// The parameters of a route that knows none, so that each one is refused.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

/// What stands in a path where its pattern has names, percent-decoded.
pub struct InPath<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for InPath<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        let found = Path::<T>::from_request_parts(parts, state).await;
        Ok(Self(found.map_err(|_| Error::Path)?.0))
    }
}

/// The wildcard of a path, percent-decoded.
pub struct Rest(pub String);

impl<S: Send + Sync> FromRequestParts<S> for Rest {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        Ok(Self(InPath::from_request_parts(parts, state).await?.0))
    }
}

/// An answer in JSON that states the version it was computed at.
pub(crate) fn json_at(version: Version, body: &impl Serialize) -> Response {
    with_version(version, Wrapped(body).into_response())
}

/// `answer`, stating the version it was computed at.
pub(crate) fn with_version(version: Version, mut answer: Response) -> Response {
    answer.headers_mut().insert(VERSION, HeaderValue::from(version.0));
    answer
}

/// The version a request demands at least.
pub(crate) fn min_version(headers: &HeaderMap) -> Result<Option<Version>, Error> {
    let Some(value) = headers.get(MIN_VERSION) else { return Ok(None) };
    let number = value.to_str().ok().and_then(|text| text.parse().ok());
    let wrong = Error::Header { name: "X-Lakehouse-Min-Version", rule: "it holds one version number" };
    number.map(|number| Some(Version(number))).ok_or(wrong)
}

/// A header as text; none when it is absent or no text.
pub(crate) fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// The media type without its parameters, in lower case; empty when the request states none.
pub(crate) fn media_type(headers: &HeaderMap) -> String {
    let stated = text(headers, &CONTENT_TYPE).unwrap_or_default();
    stated.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// The length a request declares for its body.
pub(crate) fn declared_length(headers: &HeaderMap) -> Option<u64> {
    text(headers, &CONTENT_LENGTH)?.parse().ok()
}

/// Refuses a body whose declared length is over `limit`.
pub(crate) fn fits(headers: &HeaderMap, limit: ByteSize) -> Result<(), Error> {
    if declared_length(headers).is_some_and(|length| length > limit.0) {
        return Err(Error::TooLarge { limit });
    }
    Ok(())
}

/// The limits that the door has laid over its requests.
pub(crate) fn limits_of(request: &Request) -> Arc<Limits> {
    request.extensions().get().cloned().unwrap_or_default()
}

/// The body of a request, piece by piece. A sender that stands still, or nearly, would hold what it uses for ever, so
/// over a socket [`LEAST`] must come in time; what is read from this process, such as a pipe, may take as long as it
/// likes. Only waiting for the sender counts.
pub(crate) fn pieces(request: Request) -> BoxStream<'static, Result<Bytes, BodyError>> {
    let arrived = request.extensions().get::<Arrived>();
    let patience = arrived.map_or(Duration::MAX, |_| limits_of(&request).body_timeout.0);
    let body = request.into_body().into_data_stream();
    try_unfold(Coming { body, patience, waited: Duration::ZERO, come: 0 }, Coming::next).boxed()
}

/// A body on its way, and how long its sender has kept us waiting for the current [`LEAST`] of it.
struct Coming {
    body: BodyDataStream,
    patience: Duration,
    waited: Duration,
    come: usize,
}

impl Coming {
    async fn next(mut self) -> Result<Option<(Bytes, Self)>, BodyError> {
        let asked = Instant::now();
        let rest = self.patience.saturating_sub(self.waited);
        let piece = tokio::time::timeout(rest, self.body.next()).await.map_err(|_| BodyError::TooSlow)?;
        let Some(piece) = piece.transpose().map_err(|why| BodyError::Broken(why.into()))? else { return Ok(None) };
        self.waited += asked.elapsed();
        self.come += piece.len();
        if self.come >= LEAST {
            (self.waited, self.come) = (Duration::ZERO, 0);
        }
        Ok(Some((piece, self)))
    }
}

/// A request that states no type at all is taken at its word: many scripts send JSON that way.
pub(crate) fn expect_json(headers: &HeaderMap) -> Result<(), Error> {
    expect_plain(headers)?;
    let given = media_type(headers);
    if given.is_empty() || given == "application/json" || given.ends_with("+json") {
        return Ok(());
    }
    Err(Error::MediaType { expected: "application/json", given: given.chars().take(100).collect() })
}

/// Refuses a body that is compressed: it would be read as if it were not.
fn expect_plain(headers: &HeaderMap) -> Result<(), Error> {
    expect_encoding(headers, "bodies as they are", &[])
}

/// Refuses a body that is encoded in another way than these, and tells what is `expected`.
pub(crate) fn expect_encoding(headers: &HeaderMap, expected: &'static str, known: &[&str]) -> Result<(), Error> {
    let is_known = |given: &str| ["identity"].iter().chain(known).any(|known| given.trim().eq_ignore_ascii_case(known));
    let mut given = headers.get_all(CONTENT_ENCODING).iter().map(|given| given.to_str().unwrap_or("?"));
    match given.find(|given| !is_known(given)) {
        Some(given) => Err(Error::Encoding { expected, given: given.chars().take(100).collect() }),
        None => Ok(()),
    }
}

/// The body of a request that sends JSON.
async fn document(request: Request) -> Result<Bytes> {
    expect_json(request.headers())?;
    let limit = limits_of(&request).json_limit;
    whole(request, limit).await
}

/// The body of a request that sends JSON, or a JSON object a line.
pub(crate) async fn json_lines(request: Request) -> Result<Bytes> {
    expect_plain(request.headers())?;
    let given = media_type(request.headers());
    if !matches!(given.as_str(), "application/x-ndjson" | "application/jsonl") {
        expect_json(request.headers())?;
    }
    let limit = limits_of(&request).json_limit;
    whole(request, limit).await
}

async fn whole(request: Request, limit: ByteSize) -> Result<Bytes> {
    fits(request.headers(), limit)?;
    let (mut pieces, mut whole) = (pieces(request), BytesMut::new());
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(unread)?;
        if (whole.len() + piece.len()) as u64 > limit.0 {
            return Err(Error::TooLarge { limit }.into());
        }
        whole.extend_from_slice(&piece);
    }
    Ok(whole.freeze())
}

/// Why a body that should have been a document could not be read.
pub(crate) fn unread(why: BodyError) -> Refusal {
    match why {
        BodyError::Broken(_) => Error::Body("it broke off".to_owned()).into(),
        slow => slow.into(),
    }
}

/// Serde would also read a struct from an array; the wire knows objects only. Nesting is bounded by the parser (128).
pub(crate) fn parse_object<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Error> {
    match bytes.iter().find(|byte| !byte.is_ascii_whitespace()) {
        Some(b'{') => {}
        Some(_) => return Err(Error::Body("it is not a JSON object".to_owned())),
        None => return Err(Error::Body("there is none; this route reads a JSON object".to_owned())),
    }
    serde_json::from_slice(bytes).map_err(|why| Error::Body(shorten(&why.to_string())))
}

fn innermost(why: &(dyn std::error::Error + 'static)) -> String {
    let mut inner = why;
    while let Some(next) = inner.source() {
        inner = next;
    }
    shorten(&inner.to_string())
}

fn shorten(message: &str) -> String {
    message.chars().take(MAX_MESSAGE).collect()
}
