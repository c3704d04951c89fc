//! Namespaces by the protocol: one level, `default` first.

use std::collections::BTreeSet;

use axum::extract::State;
use axum::response::Response;
use base::name::DEFAULT_NAMESPACE;
use catalog::{Catalog, NamespaceWish, Properties};
use serde::Deserialize;
use serde_json::{Value, json};

use super::page::PageAsked;
use super::{Asking, done};
use crate::error::Result;
use crate::request::{InPath, Json, Params, json_at};

pub(super) async fn list(State(catalog): State<Catalog>, Params(asked): Params<PageAsked>) -> Result<Response> {
    let pin = catalog.pin_fresh().await?;
    let mut names: Vec<String> = match asked.parent.as_deref() {
        // There is nothing within a namespace but tables.
        Some(parent) if !parent.is_empty() => catalog.namespace(&pin, parent).map(|_| Vec::new())?,
        _ => pin.namespaces().map(str::to_owned).collect(),
    };
    let default_first = |name: &str| (name != DEFAULT_NAMESPACE, name.to_owned());
    names.sort_by_key(|name| default_first(name));
    let (names, next) = asked.page(names, default_first)?;
    let names: Vec<[String; 1]> = names.into_iter().map(|name| [name]).collect();
    Ok(json_at(pin.version(), &json!({ "namespaces": names, "next-page-token": next })))
}

pub(super) async fn create(
    State(catalog): State<Catalog>,
    Asking(caller): Asking,
    Json(new): Json<NewNamespace>,
) -> Result<Response> {
    let (namespace, properties) = (new.namespace.join("."), new.properties.unwrap_or_default());
    let wish = NamespaceWish::Create { namespace: namespace.clone(), properties: properties.clone() };
    let version = catalog.change_namespace(wish.asked(), caller).await?.version;
    Ok(json_at(version, &described(&namespace, &properties)))
}

pub(super) async fn load(State(catalog): State<Catalog>, InPath(namespace): InPath<String>) -> Result<Response> {
    let pin = catalog.pin_fresh().await?;
    let properties = catalog.namespace(&pin, &namespace)?;
    Ok(json_at(pin.version(), &described(&namespace, &properties)))
}

pub(super) async fn exists(State(catalog): State<Catalog>, InPath(namespace): InPath<String>) -> Result<Response> {
    let pin = catalog.pin_fresh().await?;
    catalog.namespace(&pin, &namespace)?;
    Ok(done(pin.version()))
}

pub(super) async fn note(
    State(catalog): State<Catalog>,
    InPath(namespace): InPath<String>,
    Asking(caller): Asking,
    Json(notes): Json<Notes>,
) -> Result<Response> {
    let (updates, removals) = (notes.updates.unwrap_or_default(), notes.removals.unwrap_or_default());
    let wish = NamespaceWish::Note { namespace, updates, removals };
    let changed = catalog.change_namespace(wish.asked(), caller).await?;
    Ok(json_at(changed.version, &changed.told))
}

pub(super) async fn drop(
    State(catalog): State<Catalog>,
    InPath(namespace): InPath<String>,
    Asking(caller): Asking,
) -> Result<Response> {
    let wish = NamespaceWish::Drop { namespace };
    Ok(done(catalog.change_namespace(wish.asked(), caller).await?.version))
}

/// There are no views.
pub(super) async fn views(State(catalog): State<Catalog>, InPath(namespace): InPath<String>) -> Result<Response> {
    let pin = catalog.pin_fresh().await?;
    catalog.namespace(&pin, &namespace)?;
    Ok(json_at(pin.version(), &json!({ "identifiers": [], "next-page-token": null })))
}

fn described(namespace: &str, properties: &Properties) -> Value {
    json!({ "namespace": [namespace], "properties": properties })
}

#[derive(Deserialize)]
pub(super) struct NewNamespace {
    namespace: Vec<String>,
    properties: Option<Properties>,
}

#[derive(Deserialize)]
pub(super) struct Notes {
    updates: Option<Properties>,
    removals: Option<BTreeSet<String>>,
}
