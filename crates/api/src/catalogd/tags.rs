//! Tags: put, moved, told and dropped.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use base::{AsOf, Tag};
use catalog::{Catalog, Tagged};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::error::{Error, Result};
use crate::request::{MaybeJson, Nothing, Params, Rest, json_at, with_version};
use crate::shared::AUTHOR;

pub async fn list(State(catalog): State<Catalog>, _: Params<Nothing>) -> Result<Response> {
    let pin = catalog.pin(None).await?;
    let tags: Vec<Value> = pin.tags().map(|(tag, version)| json!({ "tag": tag, "version": version })).collect();
    Ok(json_at(pin.version(), &json!({ "tags": tags })))
}

pub async fn tell(State(catalog): State<Catalog>, Rest(tag): Rest, _: Params<Nothing>) -> Result<Response> {
    let tag = parse(tag)?;
    let (version, at) = catalog.tag(&tag).await?;
    Ok(json_at(at, &json!({ "tag": tag, "version": version })))
}

pub async fn put(
    State(catalog): State<Catalog>,
    Rest(tag): Rest,
    _: Params<Nothing>,
    MaybeJson(call): MaybeJson<TagCall>,
) -> Result<Response> {
    let tag = parse(tag)?;
    let Tagged { version, moved_from, at } = catalog.put_tag(&tag, call.version.as_ref(), AUTHOR).await?;
    Ok(json_at(at, &json!({ "tag": tag, "version": version, "moved_from": moved_from })))
}

pub async fn remove(State(catalog): State<Catalog>, Rest(tag): Rest, _: Params<Nothing>) -> Result<Response> {
    let tag = parse(tag)?;
    let version = catalog.drop_tag(&tag, AUTHOR).await?;
    Ok(with_version(version, StatusCode::NO_CONTENT.into_response()))
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TagCall {
    version: Option<AsOf>,
}

fn parse(tag: String) -> Result<Tag, Error> {
    tag.parse().map_err(|_| Error::Tag { given: tag.chars().take(100).collect() })
}
