//! storaged: objects put, read, listed and deleted.

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use base::{Facts, Timestamp};
use http::header::{ACCEPT_RANGES, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde::{Deserialize, Serialize};
use storage::{Entry, Key, Objects, Page, Reading};

use crate::error::{Error, Result};
use crate::health::Readiness;
use crate::request::{Nothing, Params, Rest, declared_length, pieces};
use crate::role::Role;
use crate::shared::{Shared, gated, no_route};

mod condition;

/// Most objects on one page of a list.
const MAX_PAGE: usize = 10_000;

/// The door of storaged over the users' key space.
pub fn storaged(objects: Objects, shared: Shared) -> Router {
    let (short, long) = shared.gates();
    let quick = Router::new().route("/storage/list", get(list)).with_state(objects.clone());
    let object = get(read).head(head).put(put).delete(delete);
    let slow = Router::new()
        .route("/storage/objects/", object.clone())
        .route("/storage/objects/{*key}", object)
        .with_state(objects.clone());
    let readiness = Readiness::new(move || {
        let objects = objects.clone();
        async move { Ok(objects.list("", None, 1).await.map(|_| Facts::new())?) }
    });
    shared.door(Role::Storaged, gated(quick, short).merge(gated(slow, long)).fallback(no_route), readiness)
}

async fn put(State(objects): State<Objects>, ObjectKey(key): ObjectKey, request: Request) -> Result<Response> {
    let condition = condition::of_put(request.headers())?;
    let declared = declared_length(request.headers());
    let stored = objects.put(&key, condition, declared, pieces(request)).await?;
    let status = if stored.created { StatusCode::CREATED } else { StatusCode::OK };
    let etag = quoted(&stored.etag);
    Ok((status, [(ETAG, etag)], axum::Json(stored)).into_response())
}

async fn read(State(objects): State<Objects>, ObjectKey(key): ObjectKey, headers: HeaderMap) -> Result<Response> {
    if !condition::is_conditional(&headers) {
        return Ok(content(objects.get(&key, None).await?, StatusCode::OK));
    }
    let entry = objects.head(&key).await?;
    condition::require(&headers, &key, &entry)?;
    if condition::is_unchanged(&headers, &entry) {
        return Ok((StatusCode::NOT_MODIFIED, [(ETAG, quoted(&entry.etag))]).into_response());
    }
    let range = condition::range(&headers, &entry)?;
    let status = if range.is_some() { StatusCode::PARTIAL_CONTENT } else { StatusCode::OK };
    let reading = objects.get(&key, range).await?;
    // The object may have been replaced since.
    condition::require(&headers, &key, &reading.entry)?;
    Ok(content(reading, status))
}

async fn head(State(objects): State<Objects>, ObjectKey(key): ObjectKey, headers: HeaderMap) -> Result<Response> {
    let entry = objects.head(&key).await?;
    condition::require(&headers, &key, &entry)?;
    if condition::is_unchanged(&headers, &entry) {
        return Ok((StatusCode::NOT_MODIFIED, [(ETAG, quoted(&entry.etag))]).into_response());
    }
    let mut answer = described(&entry, Body::empty());
    answer.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(entry.size));
    Ok(answer)
}

async fn delete(State(objects): State<Objects>, ObjectKey(key): ObjectKey, headers: HeaderMap) -> Result<StatusCode> {
    objects.delete(&key, condition::of_delete(&headers)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn list(State(objects): State<Objects>, Params(asked): Params<Asked>) -> Result<Response> {
    let limit = asked.limit.unwrap_or(MAX_PAGE);
    if !(1..=MAX_PAGE).contains(&limit) {
        return Err(Error::Parameter(format!("limit is a number from 1 to {MAX_PAGE}")).into());
    }
    let page = objects.list(&asked.prefix, asked.after.as_deref(), limit).await?;
    Ok(axum::Json(Listed::from(page)).into_response())
}

/// The key of the path, percent-decoded; empty under `/storage/objects/`. No parameters stand beside it.
struct ObjectKey(Key);

impl<S: Send + Sync> axum::extract::FromRequestParts<S> for ObjectKey {
    type Rejection = crate::error::Refusal;

    async fn from_request_parts(parts: &mut http::request::Parts, state: &S) -> Result<Self> {
        Params::<Nothing>::from_request_parts(parts, state).await?;
        let text = match parts.uri.path() {
            "/storage/objects/" => String::new(),
            _ => Rest::from_request_parts(parts, state).await?.0,
        };
        Ok(Self(text.parse()?))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    #[serde(default)]
    prefix: String,
    after: Option<String>,
    limit: Option<usize>,
}

#[derive(Serialize)]
struct Listed {
    objects: Vec<Line>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

#[derive(Serialize)]
struct Line {
    key: String,
    size: u64,
    modified: Timestamp,
    etag: String,
}

impl From<Page> for Listed {
    fn from(page: Page) -> Self {
        let line = |entry: Entry| {
            let Entry { path: key, size, modified, etag, .. } = entry;
            Line { key, size, modified, etag }
        };
        Self { objects: page.entries.into_iter().map(line).collect(), next: page.next }
    }
}

/// A whole object or a part of one.
fn content(reading: Reading, status: StatusCode) -> Response {
    let Reading { entry, range, stream, .. } = reading;
    let mut answer = described(&entry, Body::from_stream(stream));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(range.end - range.start));
    if status == StatusCode::PARTIAL_CONTENT
        && let Ok(place) = HeaderValue::try_from(format!("bytes {}-{}/{}", range.start, range.end - 1, entry.size))
    {
        answer.headers_mut().insert(CONTENT_RANGE, place);
    }
    answer
}

/// An answer about an object. Its bytes are whatever a user stored, so no browser may take them for a page.
fn described(entry: &Entry, body: Body) -> Response {
    let headers = [
        (ETAG, quoted(&entry.etag)),
        (ACCEPT_RANGES, HeaderValue::from_static("bytes")),
        (CONTENT_TYPE, HeaderValue::from_static("application/octet-stream")),
        (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    ];
    (headers, body).into_response()
}

/// An ETag as HTTP writes it.
fn quoted(etag: &str) -> HeaderValue {
    HeaderValue::try_from(format!("\"{etag}\"")).unwrap_or_else(|_| HeaderValue::from_static("\"\""))
}
