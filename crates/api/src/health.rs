//! Whether a role is alive, and whether it is ready to work.

use std::sync::Arc;

use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use base::{Facts, Fault};
use futures::FutureExt;
use futures::future::BoxFuture;
use http::header::{CONTENT_TYPE, HeaderValue};
use serde_json::{Value, json};

use crate::error::{Error, Result};
use crate::request::{Nothing, Params};
use crate::role::Role;

/// Asks a role what it needs to work: the members it states when ready, or what is missing.
#[derive(Clone)]
pub(crate) struct Readiness(Arc<dyn Fn() -> BoxFuture<'static, Result<Facts, Unready>> + Send + Sync>);

/// Why a role is not ready.
pub(crate) struct Unready {
    pub(crate) reason: String,
    pub(crate) roles: Facts,
}

impl<F: Fault> From<F> for Unready {
    fn from(fault: F) -> Self {
        Self { reason: fault.to_string(), roles: Facts::new() }
    }
}

impl Readiness {
    pub(crate) fn new<A, W>(ask: A) -> Self
    where
        A: Fn() -> W + Send + Sync + 'static,
        W: Future<Output = Result<Facts, Unready>> + Send + 'static,
    {
        Self(Arc::new(move || ask().boxed()))
    }
}

/// Whether `path` is one of the health routes, which are never traced.
pub(crate) fn is_health(path: &str) -> bool {
    matches!(path, "/health" | "/livez" | "/readyz")
}

/// `/health`, `/livez` and `/readyz` of a role.
pub(crate) fn routes(role: Role, readiness: Readiness) -> Router {
    let alive = move |_: Params<Nothing>| async move { json_text(format!(r#"{{"status":"ok","service":"{role}"}}"#)) };
    let ready = move |_: Params<Nothing>| ready(role, readiness.clone());
    Router::new().route("/health", get(alive)).route("/livez", get(alive)).route("/readyz", get(ready))
}

async fn ready(role: Role, readiness: Readiness) -> Result<Response> {
    let known = (readiness.0)().await;
    let facts = known.map_err(|Unready { reason, roles }| Error::NotReady { role, reason, roles })?;
    let mut body = json!({ "status": "ready", "service": role.name() });
    if !facts.is_empty() {
        match role {
            Role::Gateway => body["roles"] = Value::Object(facts),
            _ => body.as_object_mut().into_iter().for_each(|body| body.extend(facts.clone())),
        }
    }
    Ok(json_text(body.to_string()))
}

fn json_text(text: String) -> Response {
    ([(CONTENT_TYPE, HeaderValue::from_static("application/json"))], text).into_response()
}
