//! What follows a request through the house: its ids, its one line in the log, and the net below a panic.

use std::panic::AssertUnwindSafe;

use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base::{RequestId, Seams, Timestamp};
use futures::FutureExt;
use http::header::CONTENT_LENGTH;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use hyper::body::Body as _;

use crate::error::Error;
use crate::health;
use crate::iceberg::is_iceberg;
use crate::metrics::Metrics;
use crate::problem::{Problem, Words};
use crate::request::text;
use crate::role::Role;

#[cfg(test)]
mod tests;

/// Joins the hops of one piece of work.
pub const TRACE_ID: HeaderName = HeaderName::from_static("x-lakehouse-trace-id");
/// Says of the trace beside it that it joins hops and makes no call a step of a run: whoever states it made the trace up for
/// the log, or writes the call down itself.
pub const TRACE_ONLY: HeaderName = HeaderName::from_static("x-lakehouse-trace-only");
/// What it says where nobody named a trace.
const MADE_UP: HeaderValue = HeaderValue::from_static("1");
/// What it says where the trace has another in its place, since it was none.
pub(crate) const MALFORMED: HeaderValue = HeaderValue::from_static("malformed");
/// Names one request.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The W3C form of a trace: `00-<32 hex>-<16 hex>-<2 hex>`.
pub const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// What the trace of one door needs.
#[derive(Clone)]
pub(crate) struct Tracer {
    pub(crate) role: Role,
    pub(crate) seams: Seams,
    pub(crate) metrics: Metrics,
}

impl Tracer {
    /// The body of a refusal, which is counted.
    fn written(&self, answer: Response, ids: &Ids, words: Words) -> Response {
        if let Some(code) = Problem::code_of(&answer) {
            self.metrics.refused(self.role, code);
        }
        Problem::write(answer, &ids.request, words)
    }

    /// Logs and counts a request that is answered.
    fn tell(&self, method: &Method, served: &Served, answer: &Response, ids: &Ids, started: Timestamp) {
        let micros = self.seams.now().micros() - started.micros();
        log(method, served, answer, ids, micros);
        let seconds = micros.max(0) as f64 / 1e6;
        self.metrics.answered(served.role, served.route.clone(), method, answer.status(), seconds);
    }
}

/// Marks a request that another door of this process already follows, so that it is logged once.
#[derive(Clone)]
struct Followed;

/// Which door and which route answered, told to the door in front.
#[derive(Clone)]
pub(crate) struct Served {
    role: Role,
    route: String,
}

impl Served {
    /// A role with an address of its own: which of its routes answered is in its own log.
    pub(crate) fn behind(role: Role) -> Self {
        Self { role, route: "/*".to_owned() }
    }
}

/// Follows one request: gives it its ids, writes the body of a refusal, answers with the ids, logs one line.
pub(crate) async fn follow(State(tracer): State<Tracer>, mut request: Request, next: Next) -> Response {
    let ids = Ids::of(request.headers(), &tracer.seams);
    if health::is_health(request.uri().path()) {
        return tracer.written(guarded(next, request).await, &ids, Words::Problem);
    }
    let inner = request.extensions_mut().insert(Followed).is_some();
    let _working = (!inner).then(|| tracer.metrics.working(tracer.role));
    ids.put(request.headers_mut());
    ids.mark(request.headers_mut());
    let (route, method) = (route_of(&request), request.method().clone());
    let words = Words::of(request.uri().path());
    let started = tracer.seams.now();
    let mut answer = tracer.written(guarded(next, request).await, &ids, words);
    ids.put(answer.headers_mut());
    if method == Method::HEAD {
        answer = bare(answer);
    }
    let served = served(&answer, Served { role: tracer.role, route });
    if !inner {
        tracer.tell(&method, &served, &answer, &ids, started);
    }
    answer.extensions_mut().insert(served);
    answer
}

/// The answer to a HEAD: the headers of the GET, of which the length of the body is one, without the body.
fn bare(mut answer: Response) -> Response {
    if let Some(length) = answer.body().size_hint().exact().filter(|length| *length > 0) {
        answer.headers_mut().entry(CONTENT_LENGTH).or_insert(HeaderValue::from(length));
    }
    answer.map(|_| Body::empty())
}

async fn guarded(next: Next, request: Request) -> Response {
    let caught = AssertUnwindSafe(next.run(request)).catch_unwind().await;
    caught.unwrap_or_else(|_| Error::Panicked.into_response())
}

fn route_of(request: &Request) -> String {
    let matched = request.extensions().get::<MatchedPath>();
    matched.map_or_else(|| "/*".to_owned(), |path| path.as_str().to_owned())
}

/// The gateway names the role and route behind it when they are in this process.
fn served(answer: &Response, here: Served) -> Served {
    match answer.extensions().get::<Served>() {
        Some(behind) if is_iceberg(&behind.route) => behind.clone(),
        Some(behind) => Served { role: behind.role, route: format!("/v1{}", behind.route) },
        None => here,
    }
}

fn log(method: &Method, served: &Served, answer: &Response, ids: &Ids, latency_micros: i64) {
    tracing::info!(
        target: "lakehouse::request",
        role = served.role.name(),
        method = method.as_str(),
        route = served.route,
        status = answer.status().as_u16(),
        latency_ms = (latency_micros as f64) / 1000.0,
        request_id = %ids.request,
        trace_id = %ids.trace,
        "request"
    );
}

/// The names under which one request is known.
struct Ids {
    request: RequestId,
    trace: RequestId,
    /// Why the trace is no run's, if it is none.
    no_run: Option<HeaderValue>,
    parent: Option<HeaderValue>,
}

impl Ids {
    /// Those the request brings, if they are well-formed; new ones otherwise.
    fn of(headers: &HeaderMap, seams: &Seams) -> Self {
        let accepted = |name: &HeaderName| text(headers, name).and_then(RequestId::accept);
        let parent = text(headers, &TRACEPARENT).filter(|text| is_traceparent(text));
        let joined = parent.and_then(|parent| parent.get(3..35)).and_then(RequestId::accept);
        let named = accepted(&TRACE_ID).or(joined);
        let no_run = match headers.get(&TRACE_ONLY) {
            Some(told) => Some(told.clone()),
            None if headers.contains_key(&TRACE_ID) && accepted(&TRACE_ID).is_none() => Some(MALFORMED),
            None => named.is_none().then_some(MADE_UP),
        };
        Self {
            request: accepted(&REQUEST_ID).unwrap_or_else(|| RequestId::mint(seams)),
            no_run,
            trace: named.unwrap_or_else(|| RequestId::mint(seams)),
            parent: parent.and_then(|parent| HeaderValue::from_str(parent).ok()),
        }
    }

    /// States in the headers of the request passed on that its trace is no run.
    fn mark(&self, headers: &mut HeaderMap) {
        if let Some(why) = &self.no_run {
            headers.insert(TRACE_ONLY, why.clone());
        }
    }

    /// States the ids in the headers of the request passed on, and in those of the answer.
    fn put(&self, headers: &mut HeaderMap) {
        for (name, id) in [(REQUEST_ID, &self.request), (TRACE_ID, &self.trace)] {
            if let Ok(value) = HeaderValue::from_str(id.as_str()) {
                headers.insert(name, value);
            }
        }
        match &self.parent {
            Some(parent) => drop(headers.insert(TRACEPARENT, parent.clone())),
            None => drop(headers.remove(TRACEPARENT)),
        }
    }
}

/// Whether `text` is a version 00 `traceparent` whose ids are not all zero.
fn is_traceparent(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let hex = |part: &str, length: usize| {
        part.len() == length && part.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    };
    let named = |part: &str| part.bytes().any(|b| b != b'0');
    match parts.as_slice() {
        ["00", trace, span, flags] => hex(trace, 32) && hex(span, 16) && hex(flags, 2) && named(trace) && named(span),
        _ => false,
    }
}

/// The trace and the span that a well-formed `traceparent` names.
pub(crate) fn parent_span(text: &str) -> Option<(&str, &str)> {
    let mut parts = text.split('-').skip(1);
    Some((parts.next()?, parts.next()?))
}
