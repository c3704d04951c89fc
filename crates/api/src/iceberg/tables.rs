//! Tables by the protocol.

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use catalog::{Adoption, Asked, Catalog, Identifier, LoadedTable, NewTable, TableChanges, Transaction};
use http::header::{ETAG, IF_NONE_MATCH};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::page::PageAsked;
use super::{caller, done, new_name, table_of};
use crate::error::{Error, Result};
use crate::request::{Json, Params, json_at, text, with_version};

pub(super) async fn list(
    State(catalog): State<Catalog>,
    Path(namespace): Path<String>,
    Params(asked): Params<PageAsked>,
) -> Result<Response> {
    let pin = catalog.pin_fresh().await?;
    catalog.namespace(&pin, &namespace)?;
    let within = pin.names().filter(|name| name.namespace() == namespace);
    let (names, next) = asked.page(within.map(|name| name.table().to_owned()).collect(), str::to_owned)?;
    let identifier = |name: String| json!({ "namespace": [namespace], "name": name });
    let identifiers: Vec<Value> = names.into_iter().map(identifier).collect();
    Ok(json_at(pin.version(), &json!({ "identifiers": identifiers, "next-page-token": next })))
}

pub(super) async fn create(
    State(catalog): State<Catalog>,
    Path(namespace): Path<String>,
    headers: HeaderMap,
    Json(new): Json<Asked<NewTable>>,
) -> Result<Response> {
    let name = new_name(&namespace, &new.what.name)?;
    Ok(told(&catalog.create_outside(&name, new, caller(&headers)?).await?))
}

pub(super) async fn load(
    State(catalog): State<Catalog>,
    path: Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response> {
    let pin = catalog.pin_fresh().await?;
    let loaded = catalog.load_outside(&pin, &table_of(path)?).await?;
    let known = text(&headers, &IF_NONE_MATCH).is_some_and(|known| etag(&loaded).is_some_and(|etag| etag == known));
    Ok(if known { with_version(pin.version(), StatusCode::NOT_MODIFIED.into_response()) } else { told(&loaded) })
}

pub(super) async fn exists(State(catalog): State<Catalog>, path: Path<(String, String)>) -> Result<Response> {
    let (pin, name) = (catalog.pin_fresh().await?, table_of(path)?);
    pin.expect(&name)?;
    Ok(done(pin.version()))
}

pub(super) async fn commit(
    State(catalog): State<Catalog>,
    path: Path<(String, String)>,
    headers: HeaderMap,
    Json(changes): Json<Asked<TableChanges>>,
) -> Result<Response> {
    Ok(told(&catalog.commit_outside(&table_of(path)?, changes, caller(&headers)?).await?))
}

pub(super) async fn commit_all(
    State(catalog): State<Catalog>,
    headers: HeaderMap,
    Json(changes): Json<Asked<Transaction>>,
) -> Result<Response> {
    Ok(done(catalog.commit_all_outside(changes, caller(&headers)?).await?))
}

pub(super) async fn register(
    State(catalog): State<Catalog>,
    Path(namespace): Path<String>,
    headers: HeaderMap,
    Json(adoption): Json<Asked<Adoption>>,
) -> Result<Response> {
    let name = new_name(&namespace, &adoption.what.name)?;
    Ok(told(&catalog.adopt_outside(&name, adoption, caller(&headers)?).await?))
}

pub(super) async fn rename(
    State(catalog): State<Catalog>,
    headers: HeaderMap,
    Json(renaming): Json<Renaming>,
) -> Result<Response> {
    let from = renaming.source.dataset().map_err(Error::NoTable)?;
    let to = renaming.destination.dataset().map_err(Error::from)?;
    Ok(done(catalog.rename(&from, &to, caller(&headers)?).await?))
}

/// Nothing is purged, as earlier versions of the lake read the files; sweeps take what no version needs.
pub(super) async fn drop(
    State(catalog): State<Catalog>,
    path: Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response> {
    Ok(done(catalog.drop_outside(&table_of(path)?, caller(&headers)?).await?))
}

/// Reports of clients are welcome and not kept.
pub(super) async fn metrics(
    State(catalog): State<Catalog>,
    path: Path<(String, String)>,
    _: Json<Value>,
) -> Result<Response> {
    let (pin, name) = (catalog.pin_fresh().await?, table_of(path)?);
    pin.expect(&name)?;
    Ok(done(pin.version()))
}

fn told(loaded: &LoadedTable) -> Response {
    let mut answer = axum::Json(loaded).into_response();
    if let Some(Ok(etag)) = etag(loaded).map(HeaderValue::try_from) {
        answer.headers_mut().insert(ETAG, etag);
    }
    match loaded.version() {
        Some(version) => with_version(version, answer),
        None => answer,
    }
}

/// Metadata never changes under its name. A staged table has none.
fn etag(loaded: &LoadedTable) -> Option<String> {
    Some(loaded.tag()).filter(|tag| !tag.is_empty()).map(|tag| format!("\"{tag}\""))
}

#[derive(Deserialize)]
pub(super) struct Renaming {
    source: Identifier,
    destination: Identifier,
}
