//! Iceberg's REST protocol over the catalog: other engines list, read and change tables at `/iceberg`.
//!
//! Parameters that the protocol may grow are let through unread, where our own routes refuse what they do not know.

use axum::Router;
use axum::extract::FromRequestParts;
use axum::middleware;
use axum::routing::{get, post};
use base::{DatasetName, Version};
use catalog::{Caller, Catalog};
use http::StatusCode;
use http::request::Parts;

use crate::auth::MayTakeAway;
use crate::error::{Error, Refusal, Result};
use crate::fresh::freshen;
use crate::gate::Gate;
use crate::ingestd::idempotency_key;
use crate::request::{InPath, with_version};
use crate::shared::{AUTHOR, gated};

mod config;
mod envelope;
mod namespaces;
mod page;
mod tables;

pub(crate) use envelope::{Envelope, is_iceberg, status_of};

/// The routes of the protocol. Commits look at files, so they have time.
pub(crate) fn routes(catalog: Catalog, short: Gate, long: Gate) -> Router {
    let space = get(namespaces::load).head(namespaces::exists).delete(namespaces::drop);
    let quick = Router::new()
        .route("/iceberg/v1/config", get(config::config))
        .route("/iceberg/v1/namespaces", get(namespaces::list).post(namespaces::create))
        .route("/iceberg/v1/namespaces/{namespace}", space)
        .route("/iceberg/v1/namespaces/{namespace}/properties", post(namespaces::note))
        .route("/iceberg/v1/namespaces/{namespace}/tables", get(tables::list).post(tables::create))
        .route("/iceberg/v1/namespaces/{namespace}/tables/{table}/metrics", post(tables::metrics))
        .route("/iceberg/v1/namespaces/{namespace}/views", get(namespaces::views))
        .route("/iceberg/v1/namespaces/{namespace}/views/{view}", get(no_view).delete(no_view))
        .route("/iceberg/v1/tables/rename", post(tables::rename))
        .with_state(catalog.clone());
    let table = get(tables::load).head(tables::exists).post(tables::commit).delete(tables::drop);
    let slow = Router::new()
        .route("/iceberg/v1/namespaces/{namespace}/tables/{table}", table)
        .route("/iceberg/v1/namespaces/{namespace}/register", post(tables::register))
        .route("/iceberg/v1/transactions/commit", post(tables::commit_all))
        .with_state(catalog.clone());
    let fresh = middleware::from_fn_with_state(catalog, freshen);
    gated(quick, short).merge(gated(slow, long)).route_layer(fresh)
}

async fn no_view() -> Error {
    Error::NoView
}

/// A table of the path. A name that no table can have names none.
fn table_of(InPath((namespace, table)): InPath<(String, String)>) -> Result<DatasetName, Error> {
    DatasetName::new(&namespace, &table).map_err(Error::NoTable)
}

/// Who asks.
struct Asking(Caller);

impl<S: Sync> FromRequestParts<S> for Asking {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        let MayTakeAway(may_take_away) = MayTakeAway::from_request_parts(parts, state).await?;
        let idempotency_key = idempotency_key(&parts.headers)?;
        Ok(Self(Caller { author: AUTHOR.to_owned(), idempotency_key, may_take_away }))
    }
}

/// An answer without a body.
fn done(version: Version) -> axum::response::Response {
    with_version(version, axum::response::IntoResponse::into_response(StatusCode::NO_CONTENT))
}

/// The name of a table to be created or named anew.
fn new_name(namespace: &str, table: &str) -> Result<DatasetName, Refusal> {
    Ok(DatasetName::new(namespace, table).map_err(Error::from)?)
}
