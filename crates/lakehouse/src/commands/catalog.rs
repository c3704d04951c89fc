//! `lakehouse catalog`: datasets and versions.

use std::collections::BTreeMap;

use base::AsOf;
use client::{Client, Listing, Manifest};
use serde_json::{Map, Value};

use super::{upkeep, versions};
use crate::cli::{Catalog, CatalogVerb};
use crate::config::Sources;
use crate::door::{Door, Purpose};
use crate::exit::Usage;
use crate::output::{Output, Sheet, grouped, plain};

pub async fn run(catalog: &Catalog, sources: &Sources, output: Output) -> anyhow::Result<()> {
    let door = Door::open(&catalog.target, sources, Purpose::Existing).await?;
    let outcome = show(&catalog.verb, &door.client, output).await;
    door.close().await;
    outcome
}

async fn show(verb: &CatalogVerb, client: &Client, output: Output) -> anyhow::Result<()> {
    match verb {
        CatalogVerb::List { as_of } => list(client, as_of_argument(as_of.as_deref())?.as_ref(), output).await,
        CatalogVerb::Show { name, as_of } => {
            one(&client.manifest(name, as_of_argument(as_of.as_deref())?.as_ref()).await?, output)
        }
        CatalogVerb::History { name } => {
            let snapshots = all_snapshots(client, name).await?;
            records(&snapshots, &["version", "snapshot_id", "operation", "mode", "row_count", "at"], output)
        }
        CatalogVerb::Pii { name, column, kind } => classify(client, name, column, kind, output).await,
        CatalogVerb::Versions => {
            let versions = all_versions(client).await?;
            let versions = if output.json { versions } else { versions.iter().map(told_as_one).collect() };
            records(&versions, &["version", "at", "commits", "author", "message"], output)
        }
        CatalogVerb::Tag { tag, version } => versions::tag(client, tag, version.as_deref(), output).await,
        CatalogVerb::Tags => versions::tags(client, output).await,
        CatalogVerb::Untag { tag } => versions::untag(client, tag, output).await,
        CatalogVerb::Diff { version, from } => versions::diff(client, from.as_deref(), version, output).await,
        CatalogVerb::Rollback { name, to } => versions::roll_back(client, name, to, output).await,
        CatalogVerb::Drop { name } => versions::drop(client, name, output).await,
        CatalogVerb::Compact(how) => upkeep::compact_by(how, client, output).await,
        CatalogVerb::Expire(how) => upkeep::expire_by(how, client, output).await,
        CatalogVerb::Sweep(how) => upkeep::sweep_by(how, client, output).await,
    }
}

/// `--as-of` as the service takes it, or why not.
pub fn as_of_argument(text: Option<&str>) -> Result<Option<AsOf>, Usage> {
    text.map(str::parse).transpose().map_err(|error: base::AsOfError| Usage(error.to_string()))
}

async fn classify(client: &Client, name: &str, column: &str, kind: &str, output: Output) -> anyhow::Result<()> {
    let kind = (kind != "none").then(|| kind.to_owned());
    let said = client.classify(name, &BTreeMap::from([(column.to_owned(), kind)])).await?;
    let held = said.columns.get(column).cloned().flatten().unwrap_or_else(|| "nothing personal".to_owned());
    let words = format!("{}: {column} holds {held}, as of version {}", output.bold(&said.name), said.version);
    output.told(&said, || Ok(output.line(words)?))
}

async fn list(client: &Client, as_of: Option<&AsOf>, output: Output) -> anyhow::Result<()> {
    let listing = client.list(as_of).await?;
    if listing.datasets.is_empty() && !output.json {
        output.remark("no datasets yet: lakehouse ingest NAME FILE.csv makes one");
    }
    for broken in listing.datasets.iter().filter(|dataset| dataset.error.is_some() && !output.json) {
        output.remark(format!("{} cannot be read; --json shows why", broken.name));
    }
    output.rows(&listing, || datasets(&listing))
}

fn datasets(listing: &Listing) -> Sheet {
    let header = ["name", "rows", "columns", "files", "version", "updated"].map(str::to_owned).to_vec();
    let rows = listing.datasets.iter().map(|manifest| {
        vec![
            manifest.name.clone(),
            grouped(manifest.row_count),
            manifest.schema.fields.len().to_string(),
            manifest.objects.len().to_string(),
            manifest.version.to_string(),
            manifest.updated_at.to_string(),
        ]
    });
    Sheet { header, rows: rows.collect(), numeric: vec![false, true, true, true, true, false] }
}

/// For people with what else there is to say; rows are the columns alone.
fn one(manifest: &Manifest, output: Output) -> anyhow::Result<()> {
    if output.form().is_some() {
        return output.rows(manifest, || columns(manifest));
    }
    output.line(format!(
        "{}  {} rows, version {}",
        output.bold(&manifest.name),
        grouped(manifest.row_count),
        manifest.version
    ))?;
    output.line(format!("dataset {}  fingerprint {}", manifest.dataset_id, manifest.schema_fingerprint))?;
    output.sheet(&columns(manifest))?;
    for object in &manifest.objects {
        output.line(output.dim(&object.key))?;
    }
    Ok(())
}

/// The columns of a dataset, drawn wherever the output goes.
pub fn describe(manifest: &Manifest, output: Output) -> anyhow::Result<()> {
    Ok(output.drawn(&columns(manifest))?)
}

fn columns(manifest: &Manifest) -> Sheet {
    let header = ["id", "column", "type", "personal"].map(str::to_owned).to_vec();
    let rows = manifest.schema.fields.iter().map(|field| {
        let personal = field.pii.clone().unwrap_or_default();
        vec![field.id.to_string(), field.name.clone(), field.ty.clone(), personal]
    });
    Sheet { header, rows: rows.collect(), numeric: vec![true, false, false, false] }
}

async fn all_snapshots(client: &Client, name: &str) -> anyhow::Result<Vec<Map<String, Value>>> {
    let mut all = Vec::new();
    let mut next = None;
    loop {
        let page = client.history(name, next.as_deref(), None).await?;
        all.extend(page.snapshots);
        match page.next {
            Some(before) => next = Some(before),
            None => return Ok(all),
        }
    }
}

async fn all_versions(client: &Client) -> anyhow::Result<Vec<Map<String, Value>>> {
    let mut all = Vec::new();
    let mut next = None;
    loop {
        let page = client.versions(next.as_deref(), None).await?;
        all.extend(page.versions);
        match page.next {
            Some(before) => next = Some(before),
            None => return Ok(all),
        }
    }
}

/// A version with its commits told together, as `versions()` tells them in SQL.
fn told_as_one(version: &Map<String, Value>) -> Map<String, Value> {
    let commits = version.get("commits").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let each = |name: &str| commits.iter().filter_map(|commit| commit[name].as_str()).collect::<Vec<_>>();
    let (mut authors, messages) = (Vec::new(), each("message"));
    for author in each("author") {
        if !authors.contains(&author) {
            authors.push(author);
        }
    }
    let told = [
        ("commits", commits.len().into()),
        ("author", authors.join(", ").into()),
        ("message", messages.join("; ").into()),
    ];
    version.clone().into_iter().chain(told.map(|(name, value)| (name.to_owned(), value))).collect()
}

/// Records as JSON, or the named members of each as a table.
fn records(records: &[Map<String, Value>], members: &[&str], output: Output) -> anyhow::Result<()> {
    output.rows(&records, || {
        let member = |record: &Map<String, Value>, name: &str| record.get(name).map(plain).unwrap_or_default();
        let rows = records.iter().map(|record| members.iter().map(|name| member(record, name)).collect());
        let header = members.iter().map(|name| (*name).to_owned()).collect();
        Sheet { header, rows: rows.collect(), numeric: Vec::new() }
    })
}
