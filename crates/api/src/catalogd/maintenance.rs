//! Upkeep asked for: compaction, expiry, the sweep.

use std::num::NonZeroU64;

use axum::extract::State;
use axum::response::Response;
use base::{ByteSize, DatasetName, Span};
use catalog::{Catalog, Expiry};
use serde::{Deserialize, Serialize};
use serde_json::json;
use upkeep::{Compact, Sweep, Upkeep};

use super::page_limit;
use crate::error::{Error, Result};
use crate::request::{Json, Nothing, Params, json_at};
use crate::shared::AUTHOR;

/// No file is smaller for a good reason.
const SMALLEST: ByteSize = ByteSize(1 << 10);

/// What upkeep works on.
#[derive(Clone)]
pub struct Keeping {
    pub catalog: Catalog,
    pub upkeep: Upkeep,
}

pub async fn compact(
    State(keeping): State<Keeping>,
    _: Params<Nothing>,
    Json(call): Json<CompactCall>,
) -> Result<Response> {
    let name: Option<DatasetName> = call.name.map(|name| name.parse()).transpose().map_err(Error::from)?;
    let target = call.target_size.unwrap_or(Compact::TARGET);
    if target < SMALLEST {
        return Err(Error::Parameter(format!("target_size is at least {SMALLEST}")).into());
    }
    let compact = Compact { name, target, dry_run: call.dry_run, author: AUTHOR.to_owned() };
    let datasets = keeping.upkeep.compact(&compact).await?;
    Ok(keeping.answer(call.dry_run, &json!({ "datasets": datasets })))
}

pub async fn expire(
    State(keeping): State<Keeping>,
    _: Params<Nothing>,
    Json(call): Json<ExpireCall>,
) -> Result<Response> {
    let (older_than, keep_last) = (call.older_than, call.keep_last.map(NonZeroU64::get));
    let expiry = Expiry { older_than, keep_last, linger: Expiry::LINGER, author: AUTHOR.to_owned() };
    let expired = match call.dry_run {
        true => keeping.catalog.plan_expiry(&expiry).await?,
        false => keeping.catalog.expire(&expiry).await?,
    };
    Ok(keeping.answer(call.dry_run, &expired))
}

pub async fn sweep(
    State(keeping): State<Keeping>,
    _: Params<Nothing>,
    Json(call): Json<SweepCall>,
) -> Result<Response> {
    let (grace, dry_run) = (call.grace.unwrap_or(Sweep::GRACE), call.dry_run);
    let (name_first, name_after) = (page_limit(call.limit)?, call.after);
    let sweep = Sweep { grace, dry_run, name_first, name_after, author: AUTHOR.to_owned() };
    let swept = keeping.upkeep.sweep(&sweep).await?;
    Ok(keeping.answer(dry_run, &swept))
}

impl Keeping {
    /// What was done, or would be.
    fn answer(&self, dry_run: bool, done: &impl Serialize) -> Response {
        json_at(self.catalog.known_head(), &Done { dry_run, done })
    }
}

#[derive(Serialize)]
struct Done<'a, T> {
    dry_run: bool,
    #[serde(flatten)]
    done: &'a T,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CompactCall {
    name: Option<String>,
    target_size: Option<ByteSize>,
    #[serde(default)]
    dry_run: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpireCall {
    older_than: Option<Span>,
    keep_last: Option<NonZeroU64>,
    #[serde(default = "yes")]
    dry_run: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SweepCall {
    grace: Option<Span>,
    limit: Option<usize>,
    after: Option<String>,
    #[serde(default = "yes")]
    dry_run: bool,
}

/// What deletes says first what it would delete.
fn yes() -> bool {
    true
}
