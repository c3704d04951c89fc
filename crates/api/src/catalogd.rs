//! catalogd: datasets registered and described, versions told.

use std::collections::BTreeMap;

use axum::Router;
use axum::extract::State;
use axum::middleware;
use axum::response::Response;
use axum::routing::{delete, get, post, put};
use base::{AsOf, DatasetName, Version};
use catalog::{Catalog, Classify, Pii, Published, Register, Registered, StatedObject};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use upkeep::Upkeep;

use self::maintenance::Keeping;
use crate::error::{Error, Refusal, Result};
use crate::fresh::{freshen, readiness};
use crate::iceberg;
use crate::request::{Json, Nothing, Params, Rest, json_at};
use crate::role::Role;
use crate::shared::{AUTHOR, Shared, gated, no_route};

mod maintenance;
mod tags;

/// Lines on a page of a list when the request does not say.
const DEFAULT_PAGE: usize = 100;
/// Most lines on one page.
const MAX_PAGE: usize = 1000;

/// The door of catalogd over a catalog.
pub fn catalogd(catalog: Catalog, shared: Shared) -> Router {
    let (short, long) = shared.gates();
    let reads = Router::new()
        .route("/catalog/manifest/{name}", get(manifest))
        .route("/catalog/list", get(list))
        .route("/catalog/history/{name}", get(history))
        .route("/catalog/versions", get(versions))
        .route("/catalog/versions/{version}", get(version))
        .route("/catalog/versions/{version}/diff", get(diff))
        .route("/catalog/tags", get(tags::list))
        .route("/catalog/tags/{tag}", get(tags::tell).put(tags::put).delete(tags::remove))
        .route_layer(middleware::from_fn_with_state(catalog.clone(), freshen))
        .with_state(catalog.clone());
    let writes = Router::new()
        .route("/catalog/register", post(register))
        .route("/catalog/pii/{name}", put(classify))
        .route("/catalog/rollback/{name}", post(roll_back))
        .route("/catalog/datasets/{name}", delete(remove))
        .with_state(catalog.clone());
    let keeping = Keeping { upkeep: Upkeep::new(catalog.clone(), shared.seams.clone()), catalog: catalog.clone() };
    let upkeep = Router::new()
        .route("/catalog/maintenance/compact", post(maintenance::compact))
        .route("/catalog/maintenance/expire", post(maintenance::expire))
        .route("/catalog/maintenance/sweep", post(maintenance::sweep))
        .with_state(keeping);
    let writes = writes.merge(upkeep);
    let outside = iceberg::routes(catalog.clone(), short.clone(), long.clone());
    let routes = gated(reads, short).merge(gated(writes, long)).merge(outside).fallback(no_route);
    shared.door(Role::Catalogd, routes, readiness(catalog))
}

async fn register(
    State(catalog): State<Catalog>,
    _: Params<Nothing>,
    Json(call): Json<RegisterCall>,
) -> Result<Response> {
    let Registered { existing, manifest } = catalog.register(call.try_into()?).await?;
    Ok(json_at(manifest.version, &json!({ "existing": existing, "manifest": manifest })))
}

async fn classify(
    State(catalog): State<Catalog>,
    Rest(name): Rest,
    _: Params<Nothing>,
    Json(columns): Json<BTreeMap<String, Option<Pii>>>,
) -> Result<Response> {
    let name: DatasetName = name.parse().map_err(Error::from)?;
    let Published { existing, version, table, .. } =
        catalog.classify(Classify { name, columns, author: AUTHOR.to_owned() }).await?;
    let columns: Map<String, Value> =
        table.columns().iter().map(|column| (column.name.clone(), json!(column.pii))).collect();
    Ok(json_at(version, &json!({ "name": table.name(), "version": version, "existing": existing, "columns": columns })))
}

async fn manifest(State(catalog): State<Catalog>, Rest(name): Rest, Params(at): Params<At>) -> Result<Response> {
    let name: DatasetName = name.parse().map_err(Error::from)?;
    let pin = catalog.pin_for(&name, at.as_of()?.as_ref()).await?;
    let manifest = catalog.manifest(&pin, &name).await?;
    Ok(json_at(pin.version(), &manifest))
}

async fn list(State(catalog): State<Catalog>, Params(at): Params<At>) -> Result<Response> {
    let pin = catalog.pin(at.as_of()?.as_ref()).await?;
    let datasets = catalog.list(&pin).await?;
    Ok(json_at(pin.version(), &json!({ "datasets": datasets })))
}

async fn history(
    State(catalog): State<Catalog>,
    Rest(name): Rest,
    Params(page): Params<PageAsked>,
) -> Result<Response> {
    let name: DatasetName = name.parse().map_err(Error::from)?;
    let pin = catalog.pin_for(&name, None).await?;
    let lines = catalog.history(&pin, &name, page_limit(page.limit)?, page.before).await?;
    Ok(json_at(pin.version(), &listed("snapshots", &lines.items, lines.next)))
}

async fn versions(State(catalog): State<Catalog>, Params(page): Params<PageAsked>) -> Result<Response> {
    let head = catalog.pin(None).await?;
    let limit = page_limit(page.limit)?;
    let records = catalog.versions(page.before, limit).await?;
    let next = records.last().filter(|last| records.len() == limit && last.version > head.oldest());
    Ok(json_at(head.version(), &listed("versions", &records, next.map(|last| last.version))))
}

async fn version(State(catalog): State<Catalog>, Rest(version): Rest, _: Params<Nothing>) -> Result<Response> {
    let wrong = || Error::Parameter("a version is a number".to_owned());
    let version = Version(version.parse().map_err(|_| wrong())?);
    let record = catalog.version(version).await?;
    Ok(json_at(version, &record))
}

async fn diff(
    State(catalog): State<Catalog>,
    Rest(version): Rest,
    Params(asked): Params<DiffAsked>,
) -> Result<Response> {
    let to = version.parse().map_err(Error::AsOf)?;
    let from = asked.from.as_deref().map(str::parse).transpose().map_err(Error::AsOf)?;
    let diff = catalog.diff(from.as_ref(), &to).await?;
    Ok(json_at(diff.to.max(diff.from), &diff))
}

async fn roll_back(
    State(catalog): State<Catalog>,
    Rest(name): Rest,
    _: Params<Nothing>,
    Json(call): Json<RollbackCall>,
) -> Result<Response> {
    let name: DatasetName = name.parse().map_err(Error::from)?;
    let Published { existing, version, table, .. } = catalog.roll_back(&name, &call.to, AUTHOR).await?;
    let (snapshot_id, row_count) = (table.snapshot_id().map(|id| id.to_string()), table.row_count());
    let answer = json!({
        "name": name, "version": version, "snapshot_id": snapshot_id, "row_count": row_count, "existing": existing
    });
    Ok(json_at(version, &answer))
}

async fn remove(State(catalog): State<Catalog>, Rest(name): Rest, _: Params<Nothing>) -> Result<Response> {
    let name: DatasetName = name.parse().map_err(Error::from)?;
    let version = catalog.drop_dataset(&name, AUTHOR).await?;
    Ok(json_at(version, &json!({ "name": name, "version": version })))
}

/// A page; `next` is what `before` takes to go on.
fn listed<T: serde::Serialize>(name: &str, items: &[T], next: Option<Version>) -> Value {
    match next {
        Some(next) => json!({ name: items, "next": next.to_string() }),
        None => json!({ name: items }),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct At {
    as_of: Option<String>,
}

impl At {
    fn as_of(&self) -> Result<Option<AsOf>, Error> {
        Ok(self.as_of.as_deref().map(str::parse).transpose()?)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DiffAsked {
    from: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RollbackCall {
    to: AsOf,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PageAsked {
    before: Option<Version>,
    limit: Option<usize>,
}

/// How many items a page has at most.
fn page_limit(asked: Option<usize>) -> Result<usize, Error> {
    let limit = asked.unwrap_or(DEFAULT_PAGE);
    let wrong = || Error::Parameter(format!("limit is a number from 1 to {MAX_PAGE}"));
    if (1..=MAX_PAGE).contains(&limit) { Ok(limit) } else { Err(wrong()) }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RegisterCall {
    name: String,
    schema_fingerprint: String,
    objects: Vec<StatedObject>,
    row_count: u64,
}

impl TryFrom<RegisterCall> for Register {
    type Error = Refusal;

    fn try_from(call: RegisterCall) -> Result<Self> {
        let name = call.name.parse().map_err(Error::from)?;
        let RegisterCall { schema_fingerprint, objects, row_count, .. } = call;
        Ok(Self { name, schema_fingerprint, objects, row_count, author: AUTHOR.to_owned() })
    }
}
