//! `Client`: one raw door, and what all verbs share.

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, Response};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tower::Service;
use url::Url;

use crate::body::Body;
use crate::error::{BoxError, Error, Problem, Result};
use crate::transport::Transport;

#[cfg(test)]
mod tests;

/// Longest refusal that is read; a proxy's error page must not fill the memory.
const MAX_PROBLEM_BYTES: usize = 1 << 20;

/// A client of one gateway. Cheap to clone; clones share connections.
#[derive(Clone)]
pub struct Client {
    transport: Transport,
    token: Option<HeaderValue>,
}

/// The answer of a health check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Health {
    /// `ok`.
    pub status: String,
    /// The role that answered.
    pub service: String,
}

impl Client {
    /// A client of the gateway at `url`, such as `http://127.0.0.1:3110`. No connection is made yet.
    pub fn remote(url: &str) -> Result<Self> {
        let wrong = || Error::Request(format!("{url:?} is not a gateway address such as http://127.0.0.1:3110"));
        let base: Url = url.parse().map_err(|_| wrong())?;
        if !matches!(base.scheme(), "http" | "https") || base.host().is_none() {
            return Err(wrong());
        }
        Ok(Self { transport: Transport::remote(base)?, token: None })
    }

    /// A client of a gateway in this process, such as an assembled router.
    pub fn local<S, B>(service: S) -> Self
    where
        S: Service<Request<Body>, Response = Response<B>> + Clone + Send + Sync + 'static,
        S::Error: Into<BoxError>,
        S::Future: Send,
        B: hyper::body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        Self { transport: Transport::local(service), token: None }
    }

    /// The same client, showing `token` with every request.
    pub fn with_token(self, token: &str) -> Result<Self> {
        let wrong = |_| Error::Request("the token holds characters that a header cannot carry".to_owned());
        let mut token = HeaderValue::try_from(format!("Bearer {token}")).map_err(wrong)?;
        token.set_sensitive(true);
        Ok(Self { token: Some(token), ..self })
    }

    /// The raw door: sends a request to the path of its URI and hands back the answer, whatever its status.
    pub async fn send(&self, mut request: Request<Body>) -> Result<Response<Body>> {
        if let Some(token) = &self.token {
            request.headers_mut().entry(AUTHORIZATION).or_insert_with(|| token.clone());
        }
        self.transport.send(request).await
    }

    /// Whether the gateway answers at all.
    pub async fn health(&self) -> Result<Health> {
        self.get_json("/health").await
    }

    /// Whether the gateway and everything behind it is ready to work; an error says what is not.
    pub async fn ready(&self) -> Result<()> {
        self.call(request(Method::GET, "/readyz", Body::empty())?).await.map(drop)
    }

    /// Sends a request; an answer that is no success becomes its `Problem`.
    pub(crate) async fn call(&self, request: Request<Body>) -> Result<Response<Body>> {
        self.accepted(self.send(request).await?).await
    }

    /// An answer that is a success; another becomes its `Problem`.
    pub(crate) async fn accepted(&self, answer: Response<Body>) -> Result<Response<Body>> {
        if answer.status().is_success() {
            return Ok(answer);
        }
        Err(Error::Refused(Box::new(problem_of(answer).await?)))
    }

    pub(crate) async fn call_json<T: DeserializeOwned>(&self, request: Request<Body>) -> Result<T> {
        let answer = self.call(request).await?.into_body().bytes().await?;
        serde_json::from_slice(&answer).map_err(|why| Error::Answer(why.to_string()))
    }

    pub(crate) async fn get_json<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        self.call_json(request(Method::GET, path, Body::empty())?).await
    }

    pub(crate) async fn post_json<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T> {
        self.call_json(json_request(path, body)?).await
    }
}

/// A request to `path`, which is already percent-encoded.
pub(crate) fn request(method: Method, path: &str, body: Body) -> Result<Request<Body>> {
    let built = Request::builder().method(method).uri(path).body(body);
    built.map_err(|why| Error::Request(format!("the request cannot be sent: {why}")))
}

/// A POST of `body` as JSON.
pub(crate) fn json_request(path: &str, body: &impl Serialize) -> Result<Request<Body>> {
    let bytes = serde_json::to_vec(body).map_err(|why| Error::Request(why.to_string()))?;
    let mut request = request(Method::POST, path, bytes.into())?;
    request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(request)
}

/// `path` with those of `pairs` that are given, as a query string.
pub(crate) fn with_query(path: &str, pairs: &[(&str, Option<String>)]) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in pairs {
        if let Some(value) = value {
            query.append_pair(name, value);
        }
    }
    let query = query.finish();
    if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
}

/// `text` as one segment of a path: everything but unreserved characters escaped, `/` too, so that no component of a
/// key (`.`, an empty one) can be taken for a step in the URL.
pub(crate) fn segment(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'~') || (byte == b'.' && text.len() > 2) {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}

async fn problem_of(answer: Response<Body>) -> Result<Problem> {
    let status = answer.status();
    let stated = http_body_util::Limited::new(answer.into_body(), MAX_PROBLEM_BYTES);
    let bytes = Body::wrap(stated).bytes().await.unwrap_or_default();
    if let Ok(problem) = serde_json::from_slice::<Problem>(&bytes) {
        return Ok(problem);
    }
    Ok(Problem {
        page: String::new(),
        title: status.canonical_reason().unwrap_or("unknown status").to_owned(),
        status: status.as_u16(),
        detail: String::new(),
        code: String::new(),
        request_id: String::new(),
        facts: base::Facts::new(),
    })
}
