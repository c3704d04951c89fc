//! queryd: questions in SQL, answered as JSON or as a stream.

use answers::Format;
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, post};
use base::{AsOf, QueryId, Version};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use query::{Answer, Ask, Query};
use serde::Deserialize;

use crate::accept;
use crate::error::{Error, Result};
use crate::fresh::{freshen, readiness};
use crate::request::{Json, Nothing, Params, Rest, with_version};
use crate::role::Role;
use crate::shared::{Shared, gated, no_route};

/// The form of an answer.
#[derive(Debug, Clone, Copy)]
enum Wanted {
    /// One JSON document with a row limit.
    Json,
    /// A stream without one.
    Stream(Format),
}

/// Every form with its media type, the preferred one first.
const FORMS: [(&str, Wanted); 4] = [
    ("application/json", Wanted::Json),
    ("application/vnd.apache.arrow.stream", Wanted::Stream(Format::Arrow)),
    ("text/csv", Wanted::Stream(Format::Csv)),
    ("application/x-ndjson", Wanted::Stream(Format::Ndjson)),
];

impl Wanted {
    fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Stream(format) => format.content_type(),
        }
    }
}

/// Names the query of an answer, for `DELETE /sql/{query_id}`.
pub const QUERY_ID: HeaderName = HeaderName::from_static("x-lakehouse-query-id");

/// The door of queryd over a query engine.
pub fn queryd(query: Query, shared: Shared) -> Router {
    let (short, long) = shared.gates();
    let catalog = query.catalog().clone();
    let asks = Router::new()
        .route("/sql", post(ask))
        .route_layer(middleware::from_fn_with_state(catalog.clone(), freshen))
        .with_state(query.clone());
    let cancels = Router::new().route("/sql/{query_id}", delete(cancel)).with_state(query);
    let routes = gated(asks, long).merge(gated(cancels, short)).fallback(no_route);
    shared.door(Role::Queryd, routes, readiness(catalog))
}

async fn ask(
    State(query): State<Query>,
    _: Params<Nothing>,
    headers: HeaderMap,
    Json(asked): Json<Asked>,
) -> Result<Response> {
    let wanted = accept::best(&headers, &FORMS)?;
    let max_rows = asked.max_rows(&query, wanted)?;
    let Asked { sql, as_of, params, .. } = asked;
    let answer = query.run(Ask { sql, as_of, params }).await?;
    let (version, id) = (answer.version, answer.id);
    let body = match wanted {
        Wanted::Json => Body::from(answers::json(answer, max_rows).await?),
        Wanted::Stream(format) => streamed(answer, format),
    };
    Ok(answered(version, id, wanted, body))
}

async fn cancel(State(query): State<Query>, Rest(id): Rest, _: Params<Nothing>) -> Result<StatusCode> {
    let id: QueryId = id.parse().map_err(|_| Error::QueryId)?;
    if query.cancel(id) { Ok(StatusCode::NO_CONTENT) } else { Err(Error::NoQuery.into()) }
}

/// A failing piece breaks the connection off: an answer that ends cleanly is whole.
fn streamed(answer: Answer, format: Format) -> Body {
    Body::from_stream(answers::stream(answer, format))
}

fn answered(version: Version, id: QueryId, wanted: Wanted, body: Body) -> Response {
    let mut answer = with_version(version, body.into_response());
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(wanted.content_type()));
    if let Ok(id) = HeaderValue::try_from(id.to_string()) {
        answer.headers_mut().insert(QUERY_ID, id);
    }
    answer
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    sql: String,
    as_of: Option<AsOf>,
    #[serde(default)]
    params: Vec<serde_json::Value>,
    max_rows: Option<u64>,
}

impl Asked {
    /// Only a JSON answer has a row limit; on a stream it would be a silent cut.
    fn max_rows(&self, query: &Query, wanted: Wanted) -> Result<usize> {
        match wanted {
            Wanted::Stream(_) if self.max_rows.is_some() => {
                Err(Error::Body("max_rows belongs to JSON answers; use LIMIT".to_owned()).into())
            }
            _ => Ok(query.max_rows(self.max_rows)?),
        }
    }
}
