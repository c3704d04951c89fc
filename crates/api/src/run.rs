//! The run that a request belongs to: whoever names a trace, in the body or in the headers, makes it a step of that run.

use axum::extract::FromRequestParts;
use base::RequestId;
use flows::Step;
use http::request::Parts;

use crate::error::{Error, Refusal};
use crate::request::text;
use crate::role::Role;
use crate::trace::{MALFORMED, TRACE_ID, TRACE_ONLY, TRACEPARENT, parent_span};

/// What a run may be called.
const NAME: &str = "it is 1 to 128 letters, digits, `-`, `_` or `.`";

/// What the headers say of a request's run.
pub(crate) struct InRun {
    /// The trace of the request, be it made up for the log.
    pub(crate) trace_id: Option<String>,
    /// Whether the caller named it.
    is_named: bool,
    /// What of the caller's work it is part of.
    span_id: Option<String>,
}

impl<S: Send + Sync> FromRequestParts<S> for InRun {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        let headers = &parts.headers;
        if headers.get(&TRACE_ONLY) == Some(&MALFORMED) {
            // Another name in its place would be a run that nobody finds again.
            return Err(Error::Header { name: "X-Lakehouse-Trace-Id", rule: NAME }.into());
        }
        let trace_id = text(headers, &TRACE_ID).map(str::to_owned);
        let is_named = trace_id.is_some() && !headers.contains_key(&TRACE_ONLY);
        let parent = text(headers, &TRACEPARENT).and_then(parent_span);
        let span_id = parent.filter(|(trace, _)| Some(*trace) == trace_id.as_deref()).map(|(_, span)| span.to_owned());
        Ok(Self { trace_id, is_named, span_id })
    }
}

impl InRun {
    /// The step of a run that `role` works on, where the body or else the headers name one.
    pub(crate) fn step(self, body: Option<&str>, role: Role) -> Result<Option<Step>, Error> {
        let named = self.trace_id.filter(|_| self.is_named);
        let step = |run_id, span_id| Step { run_id, span_id, iteration: None, daemon: role.name() };
        Ok(match body {
            Some(given) => Some(step(accepted(given)?, self.span_id.filter(|_| named.as_deref() == Some(given)))),
            None => named.map(|run_id| step(run_id, self.span_id)),
        })
    }
}

/// A trace as a body names it.
pub(crate) fn accepted(given: &str) -> Result<String, Error> {
    RequestId::accept(given).map(|id| id.to_string()).ok_or_else(|| Error::Body(format!("trace_id is refused: {NAME}")))
}
