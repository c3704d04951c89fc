//! Validator packs: further checks, as data.

use axum::Json as Wrapped;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use base::AsOf;
use http::StatusCode;
use serde::Deserialize;
use serde_json::json;
use validate::Pack;

use super::Desk;
use crate::error::{Error, Result};
use crate::request::{InPath, Json, Nothing, Params, json_at, with_version};

/// Sessions that a pack is tried on when the call does not say.
const DEFAULT_SESSIONS: usize = 100;
/// The most sessions that a pack is tried on.
const MOST_SESSIONS: usize = 1_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct At {
    as_of: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TryCall {
    pack: Pack,
    limit: Option<usize>,
}

pub(super) async fn list(State(desk): State<Desk>, Params(at): Params<At>) -> Result<Response> {
    let as_of: Option<AsOf> = at.as_of.as_deref().map(str::parse).transpose().map_err(Error::from)?;
    let (packs, version) = desk.iterate.validator().packs().at(as_of.as_ref()).await?;
    Ok(json_at(version, &json!({ "packs": *packs, "version": version })))
}

pub(super) async fn put(State(desk): State<Desk>, _: Params<Nothing>, Json(pack): Json<Pack>) -> Result<Response> {
    let version = desk.iterate.validator().packs().put(&pack).await?;
    let told = json!({ "name": pack.name, "kind": pack.kind, "version": version });
    Ok(with_version(version, (StatusCode::CREATED, Wrapped(told)).into_response()))
}

pub(super) async fn remove(
    State(desk): State<Desk>,
    InPath(name): InPath<String>,
    _: Params<Nothing>,
) -> Result<Response> {
    let version = desk.iterate.validator().packs().drop(&name).await?;
    Ok(with_version(version, StatusCode::NO_CONTENT.into_response()))
}

pub(super) async fn try_out(
    State(desk): State<Desk>,
    _: Params<Nothing>,
    Json(call): Json<TryCall>,
) -> Result<Response> {
    let limit = call.limit.unwrap_or(DEFAULT_SESSIONS);
    if !(1..=MOST_SESSIONS).contains(&limit) {
        return Err(Error::Body(format!("limit is a number from 1 to {MOST_SESSIONS}")).into());
    }
    let tried = desk.iterate.validator().packs().try_out(&call.pack, limit).await?;
    Ok(Wrapped(tried).into_response())
}
