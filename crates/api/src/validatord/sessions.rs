//! The answers of sessions, as they stand on the wire.

use axum::Json as Wrapped;
use axum::response::{IntoResponse, Response};
use flows::{Attempt, Session, Verdict};
use http::StatusCode;
use serde::Serialize;
use serde_json::Value;
use validate::Report;

#[derive(Serialize)]
struct Accepted<'a> {
    artifact: Value,
    validation: Report,
    iterations: usize,
    history: &'a [Attempt],
    trace_id: &'a str,
}

#[derive(Serialize)]
struct Failed<'a> {
    error: String,
    iterations: usize,
    history: &'a [Attempt],
    trace_id: &'a str,
}

/// 200 for a proposal that counts, 422 when none did, 502 when the model could not be reached.
pub(super) fn answer(session: Session) -> Response {
    let Session { verdict, history, trace_id, .. } = session;
    let (iterations, history, trace_id) = (history.len(), history.as_slice(), trace_id.as_str());
    let failed = |status, error| (status, Wrapped(Failed { error, iterations, history, trace_id })).into_response();
    match verdict {
        Verdict::Accepted { artifact, validation } => {
            Wrapped(Accepted { artifact, validation, iterations, history, trace_id }).into_response()
        }
        Verdict::Exhausted { attempts } => {
            failed(StatusCode::UNPROCESSABLE_ENTITY, format!("no proposal passed within {attempts} attempts"))
        }
        Verdict::Infra { reason } => failed(StatusCode::BAD_GATEWAY, format!("infra_error: {reason}")),
    }
}
