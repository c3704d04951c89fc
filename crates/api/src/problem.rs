//! A refusal as bytes: `application/problem+json`.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use base::{Facts, Fault, RequestId};
use http::header::{CONTENT_RANGE, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde::Serialize;
use serde_json::Value;

use crate::iceberg::{self, Envelope};

/// Seconds after which a busy service may be asked again, unless the fault says otherwise.
const RETRY_AFTER_SECONDS: u64 = 1;

/// A refusal that has not learnt its request's id yet. It travels as an extension of an empty answer to the trace,
/// which knows the id and writes the body.
#[derive(Debug, Clone)]
pub(crate) struct Problem {
    status: StatusCode,
    code: &'static str,
    detail: String,
    facts: Facts,
    causes: String,
}

/// In whose words a refusal is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Words {
    /// Ours: `application/problem+json`.
    Problem,
    /// Those of Iceberg's protocol.
    Iceberg,
}

impl Words {
    /// The words for requests of a path.
    pub(crate) fn of(path: &str) -> Self {
        if iceberg::is_iceberg(path) { Self::Iceberg } else { Self::Problem }
    }
}

/// The members in the order in which they stand on the wire.
#[derive(Serialize)]
struct Wire<'a> {
    r#type: String,
    title: &'a str,
    status: u16,
    detail: &'a str,
    code: &'a str,
    request_id: &'a str,
    #[serde(flatten)]
    facts: &'a Facts,
}

impl Problem {
    /// The refusal that a fault becomes under the status that the error table gives it.
    pub(crate) fn of(fault: &dyn Fault, status: StatusCode) -> Self {
        Self { status, code: fault.code(), detail: fault.to_string(), facts: fault.facts(), causes: fault.causes() }
    }

    /// Writes the body of `answer` if it is a refusal that still lacks it, and logs what only the operator may know.
    pub(crate) fn write(mut answer: Response, request: &RequestId, words: Words) -> Response {
        let Some(problem) = answer.extensions_mut().remove::<Self>() else { return answer };
        problem.log(request);
        let (media_type, body) = match words {
            Words::Problem => ("application/problem+json", problem.body(request)),
            Words::Iceberg => ("application/json", problem.envelope(&mut answer)),
        };
        answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
        answer.headers_mut().insert(http::header::CONTENT_LENGTH, HeaderValue::from(body.len()));
        *answer.body_mut() = Body::from(body);
        answer
    }

    /// The body as text, in the middle of an answer.
    pub(crate) fn told(&self, request: Option<&RequestId>) -> String {
        let Some(request) = request else { return String::from("{}") };
        self.log(request);
        String::from_utf8(self.body(request)).unwrap_or_default()
    }

    fn log(&self, request: &RequestId) {
        if self.status.is_server_error() || !self.causes.is_empty() {
            let (code, causes) = (self.code, self.causes.as_str());
            tracing::warn!(request_id = %request, code, detail = self.detail, causes, "request refused");
        }
    }

    /// The body for the request of this id.
    pub(crate) fn body(&self, request: &RequestId) -> Vec<u8> {
        let wire = Wire {
            r#type: format!("/docs/errors/{}", self.code),
            title: self.status.canonical_reason().unwrap_or("Error"),
            status: self.status.as_u16(),
            detail: &self.detail,
            code: self.code,
            request_id: request.as_str(),
            facts: &self.facts,
        };
        serde_json::to_vec(&wire).unwrap_or_default()
    }

    /// The body in Iceberg's words, and its status where that differs.
    fn envelope(&self, answer: &mut Response) -> Vec<u8> {
        let status = iceberg::status_of(self.code, self.status);
        if status != self.status {
            *answer.status_mut() = status;
            answer.headers_mut().remove(RETRY_AFTER);
        }
        serde_json::to_vec(&Envelope::new(&self.detail, self.code, status)).unwrap_or_default()
    }

    /// The code of the refusal that `answer` carries and that nobody has written yet.
    pub(crate) fn code_of(answer: &Response) -> Option<&'static str> {
        answer.extensions().get::<Self>().map(|problem| problem.code)
    }

    fn add_headers(&self, headers: &mut HeaderMap) {
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static(r#"Bearer realm="lakehouse""#));
        }
        if matches!(self.status, StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS) {
            let seconds = self.facts.get("retry_after").and_then(Value::as_u64).unwrap_or(RETRY_AFTER_SECONDS);
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        let size = self.facts.get("size").and_then(Value::as_u64);
        if self.status == StatusCode::RANGE_NOT_SATISFIABLE
            && let Some(Ok(whole)) = size.map(|size| HeaderValue::try_from(format!("bytes */{size}")))
        {
            headers.insert(CONTENT_RANGE, whole);
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut answer = Response::new(Body::empty());
        *answer.status_mut() = self.status;
        self.add_headers(answer.headers_mut());
        answer.extensions_mut().insert(self);
        answer
    }
}
