//! Tables by the protocol.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use catalog::{Adoption, Asked, Catalog, Identifier, LoadedTable, NewTable, TableChanges, Transaction};
use http::header::{ETAG, IF_NONE_MATCH};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::page::PageAsked;
use super::{Asking, done, new_name, table_of};
use crate::error::{Error, Result};
use crate::request::{InPath, Json, Params, json_at, text, with_version};

pub(super) async fn list(
    State(catalog): State<Catalog>,
    InPath(namespace): InPath<String>,
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
    InPath(namespace): InPath<String>,
    Asking(caller): Asking,
    Json(new): Json<Asked<NewTable>>,
) -> Result<Response> {
    let name = new_name(&namespace, &new.what.name)?;
    Ok(told(&catalog.create_outside(&name, new, caller).await?))
}

pub(super) async fn load(
    State(catalog): State<Catalog>,
    path: InPath<(String, String)>,
    Params(asked): Params<Loading>,
    headers: HeaderMap,
) -> Result<Response> {
    asked.expect()?;
    let pin = catalog.pin_fresh().await?;
    let loaded = catalog.load_outside(&pin, &table_of(path)?).await?;
    let known = text(&headers, &IF_NONE_MATCH).is_some_and(|known| etag(&loaded).is_some_and(|etag| etag == known));
    Ok(if known { with_version(pin.version(), StatusCode::NOT_MODIFIED.into_response()) } else { told(&loaded) })
}

pub(super) async fn exists(State(catalog): State<Catalog>, path: InPath<(String, String)>) -> Result<Response> {
    let (pin, name) = (catalog.pin_fresh().await?, table_of(path)?);
    pin.expect(&name)?;
    Ok(done(pin.version()))
}

pub(super) async fn commit(
    State(catalog): State<Catalog>,
    path: InPath<(String, String)>,
    Asking(caller): Asking,
    Json(changes): Json<Asked<TableChanges>>,
) -> Result<Response> {
    Ok(told(&catalog.commit_outside(&table_of(path)?, changes, caller).await?))
}

pub(super) async fn commit_all(
    State(catalog): State<Catalog>,
    Asking(caller): Asking,
    Json(changes): Json<Asked<Transaction>>,
) -> Result<Response> {
    Ok(done(catalog.commit_all_outside(changes, caller).await?))
}

pub(super) async fn register(
    State(catalog): State<Catalog>,
    InPath(namespace): InPath<String>,
    Asking(caller): Asking,
    Json(adoption): Json<Asked<Adoption>>,
) -> Result<Response> {
    let name = new_name(&namespace, &adoption.what.name)?;
    Ok(told(&catalog.adopt_outside(&name, adoption, caller).await?))
}

pub(super) async fn rename(
    State(catalog): State<Catalog>,
    Asking(caller): Asking,
    Json(renaming): Json<Renaming>,
) -> Result<Response> {
    let from = renaming.source.dataset().map_err(Error::NoTable)?;
    let to = renaming.destination.dataset().map_err(Error::from)?;
    Ok(done(catalog.rename(&from, &to, caller).await?))
}

/// Nothing is purged, as earlier versions of the lake read the files; sweeps take what no version needs.
pub(super) async fn drop(
    State(catalog): State<Catalog>,
    path: InPath<(String, String)>,
    Params(asked): Params<Dropping>,
    Asking(caller): Asking,
) -> Result<Response> {
    asked.expect()?;
    Ok(done(catalog.drop_outside(&table_of(path)?, caller).await?))
}

/// Reports of clients are welcome and not kept.
pub(super) async fn metrics(
    State(catalog): State<Catalog>,
    path: InPath<(String, String)>,
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

/// Which snapshots are asked for. All of them are told, as the protocol allows.
#[derive(Deserialize)]
pub(super) struct Loading {
    snapshots: Option<String>,
}

impl Loading {
    fn expect(&self) -> Result<(), Error> {
        match self.snapshots.as_deref() {
            None | Some("all" | "refs") => Ok(()),
            Some(_) => Err(Error::Parameter("snapshots is all or refs".to_owned())),
        }
    }
}

/// Whether the files shall go at once.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Dropping {
    purge_requested: Option<String>,
}

impl Dropping {
    /// Some clients write their own language's `True`.
    fn expect(&self) -> Result<(), Error> {
        match self.purge_requested.as_deref().map(str::to_ascii_lowercase).as_deref() {
            None | Some("true" | "false") => Ok(()),
            Some(_) => Err(Error::Parameter("purgeRequested is true or false".to_owned())),
        }
    }
}

#[derive(Deserialize)]
pub(super) struct Renaming {
    source: Identifier,
    destination: Identifier,
}
