//! vectord: vector indexes made, filled, searched and emptied.

use std::collections::HashMap;

use axum::extract::{FromRequestParts, State};
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json as Wrapped, Router};
use base::{AsOf, IndexName};
use flows::Texts;
use http::StatusCode;
use http::request::Parts;

use crate::batch::{Batch, Batches};
use crate::error::{Error, Refusal, Result};
use crate::fresh::{freshen, readiness};
use crate::request::{InPath, Json, Nothing, Params, json_at, with_version};
use crate::role::Role;
use crate::run::InRun;
use crate::shared::{AUTHOR, Shared, gated, no_route};

mod calls;

use calls::{
    At, MergeCall, NewIndexCall, PageAsked, RecallCall, RemoveCall, SearchCall, TextBatch, Unwanted, VectorBatch,
};

/// From this many items on an answer is written off the threads that answer requests.
const LONG_TO_WRITE: usize = 256;

/// The door of vectord over indexes and what makes vectors of their texts.
pub fn vectord(texts: Texts, shared: Shared) -> Router {
    let (short, long) = shared.gates();
    let catalog = texts.vectors().catalog().clone();
    let quick = Router::new()
        .route("/vectors/index", get(list))
        .route("/vectors/index/{name}", get(describe).delete(delete))
        .route("/vectors/index/{name}/items/{id}", get(item).delete(remove_item));
    let slow = Router::new()
        .route("/vectors/index", post(create))
        .route("/vectors/index/{name}/add", post(add))
        .route("/vectors/index/{name}/add_text", post(add_text))
        .route("/vectors/index/{name}/search", post(search))
        .route("/vectors/index/{name}/delete", post(remove))
        .route("/vectors/index/{name}/seal", post(seal))
        .route("/vectors/index/{name}/merge", post(merge))
        .route("/vectors/index/{name}/recall", post(recall))
        .layer(Batches::layer());
    let fresh = middleware::from_fn_with_state(catalog.clone(), freshen);
    let [quick, slow] = [quick, slow].map(|routes| routes.route_layer(fresh.clone()).with_state(texts.clone()));
    let routes = gated(quick, short).merge(gated(slow, long)).fallback(no_route);
    shared.door(Role::Vectord, routes, readiness(catalog))
}

async fn create(State(texts): State<Texts>, _: Params<Nothing>, Json(call): Json<NewIndexCall>) -> Result<Response> {
    let index = texts.create_index(call.into_index(AUTHOR)?).await?;
    let answer = (StatusCode::CREATED, Wrapped(&index)).into_response();
    Ok(with_version(index.version, answer))
}

async fn list(State(texts): State<Texts>, Params(page): Params<PageAsked>) -> Result<Response> {
    let listing = texts.vectors().list(page.after.as_deref(), page.limit()?, page.as_of()?.as_ref()).await?;
    Ok(json_at(listing.version, &listing))
}

async fn describe(State(texts): State<Texts>, NamedAt(name, as_of): NamedAt) -> Result<Response> {
    let index = texts.vectors().describe(&name, as_of.as_ref()).await?;
    Ok(json_at(index.version, &index))
}

async fn delete(State(texts): State<Texts>, Named(name): Named) -> Result<Response> {
    let version = texts.vectors().delete(&name, AUTHOR).await?;
    Ok(with_version(version, StatusCode::NO_CONTENT.into_response()))
}

async fn add(
    State(texts): State<Texts>,
    Named(name): Named,
    Batch { call, place: _place }: Batch<VectorBatch>,
) -> Result<Response> {
    let (items, fingerprint) = call.into_items();
    let added = texts.vectors().add(&name, items, fingerprint).await?;
    Ok(json_at(added.version, &added))
}

async fn add_text(
    State(texts): State<Texts>,
    Named(name): Named,
    Batch { call, place: _place }: Batch<TextBatch>,
) -> Result<Response> {
    let (items, overflow) = call.into_items();
    let added = texts.index_text(&name, items, overflow).await?;
    Ok(json_at(added.version, &added))
}

async fn search(
    State(texts): State<Texts>,
    Named(name): Named,
    run: InRun,
    Json(call): Json<SearchCall>,
) -> Result<Response> {
    let step = run.step(call.trace_id(), Role::Vectord)?;
    let found = texts.search(call.search(name)?, step.as_ref()).await?;
    if found.results.len() < LONG_TO_WRITE {
        return Ok(json_at(found.version, &found));
    }
    let answer = storage::task::blocking("write what was found", move || json_at(found.version, &found)).await;
    Ok(answer.map_err(|_| Error::Panicked)?)
}

async fn item(State(texts): State<Texts>, NamedAt(name, as_of): NamedAt, ItemId(id): ItemId) -> Result<Response> {
    let item = texts.vectors().item(&name, &id, as_of.as_ref()).await?;
    Ok(json_at(item.version, &item))
}

async fn seal(State(texts): State<Texts>, Named(name): Named) -> Result<Response> {
    let sealed = texts.vectors().seal(&name, AUTHOR).await?;
    Ok(json_at(sealed.version, &sealed))
}

async fn remove_item(State(texts): State<Texts>, Named(name): Named, ItemId(id): ItemId) -> Result<Response> {
    let removed = texts.vectors().remove(&name, vec![id.clone()]).await?;
    if removed.deleted == 0 {
        return Err(vectors::Error::ItemNotFound { index: name, id }.into());
    }
    Ok(with_version(removed.version, StatusCode::NO_CONTENT.into_response()))
}

async fn remove(
    State(texts): State<Texts>,
    Named(name): Named,
    Batch { call, place: _place }: Batch<RemoveCall>,
) -> Result<Response> {
    let removed = match call.unwanted()? {
        Unwanted::Ids(ids) => texts.vectors().remove(&name, ids).await?,
        Unwanted::Matching(filter) => texts.vectors().remove_matching(&name, filter).await?,
    };
    Ok(json_at(removed.version, &removed))
}

async fn recall(State(texts): State<Texts>, Named(name): Named, Json(call): Json<RecallCall>) -> Result<Response> {
    let measured = texts.vectors().measure_recall(&name, call.into_survey()).await?;
    Ok(json_at(measured.version, &measured))
}

async fn merge(State(texts): State<Texts>, Named(name): Named, Json(call): Json<MergeCall>) -> Result<Response> {
    let (dest, clear_source) = call.into_parts()?;
    let merged = texts.vectors().merge(&name, &dest, clear_source).await?;
    Ok(json_at(merged.version, &merged))
}

/// The index that the path names. No parameters stand beside it.
struct Named(IndexName);

impl<S: Send + Sync> FromRequestParts<S> for Named {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        Params::<Nothing>::from_request_parts(parts, state).await?;
        Ok(Self(part_of_path(parts, state, "name").await?.parse().map_err(Error::from)?))
    }
}

/// The index that the path names, and the version beside it.
struct NamedAt(IndexName, Option<AsOf>);

impl<S: Send + Sync> FromRequestParts<S> for NamedAt {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        let Params(at) = Params::<At>::from_request_parts(parts, state).await?;
        Ok(Self(part_of_path(parts, state, "name").await?.parse().map_err(Error::from)?, at.as_of()?))
    }
}

/// The item that the path names.
struct ItemId(String);

impl<S: Send + Sync> FromRequestParts<S> for ItemId {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        Ok(Self(part_of_path(parts, state, "id").await?))
    }
}

async fn part_of_path<S: Send + Sync>(parts: &mut Parts, state: &S, name: &str) -> Result<String> {
    let InPath(mut path) = InPath::<HashMap<String, String>>::from_request_parts(parts, state).await?;
    Ok(path.remove(name).unwrap_or_default())
}
