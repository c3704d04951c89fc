//! `lakehouse vectors`: indexes and their items.

use std::path::Path;

use client::{Client, Index, Indexes, MergeInto, Merged, NewIndex, Recall, StoredItem, Survey};
use serde_json::json;

use super::watch::fetching;
use crate::cli::{CreateIndex, Vectors, VectorsVerb};
use crate::config::Sources;
use crate::door::{Door, Purpose};
use crate::output::{Output, Sheet, cell, grouped};

mod add;
mod items;

use add::Texts;

pub async fn run(vectors: &Vectors, sources: &Sources, output: Output) -> anyhow::Result<()> {
    let door = Door::open(&vectors.target, sources, purpose(&vectors.verb)).await?;
    let outcome = show(&vectors.verb, &door, output).await;
    door.close().await;
    outcome
}

fn purpose(verb: &VectorsVerb) -> Purpose {
    match verb {
        VectorsVerb::Create(_) => Purpose::MakesLake,
        _ => Purpose::Existing,
    }
}

async fn show(verb: &VectorsVerb, door: &Door, output: Output) -> anyhow::Result<()> {
    let client = &door.client;
    match verb {
        VectorsVerb::Create(create) => one(&self::create(create, door).await?, output),
        VectorsVerb::List => list(client, output).await,
        VectorsVerb::Show { index } => one(&client.index(index).await?, output),
        VectorsVerb::Add { index, file, overflow, no_keep_text } => {
            let added =
                add::file(door, index, Path::new(file), Texts { overflow: *overflow, kept: !no_keep_text }).await?;
            output.told(&added, || Ok(output.line(add::told(index, &added))?))
        }
        VectorsVerb::Seal { index } => seal(client, index, output).await,
        VectorsVerb::Recall { index, sample, k, ef_search } => {
            let survey = Survey { sample: Some(*sample), k: Some(*k), ef_search: *ef_search };
            recall(index, &client.measure_recall(index, &survey).await?, output)
        }
        VectorsVerb::Merge { source, dest, clear_source } => {
            let merge = MergeInto { dest: dest.clone(), clear_source: Some(*clear_source) };
            merged(source, dest, &client.merge_index(source, &merge).await?, output)
        }
        VectorsVerb::Get { index, id } => item(&client.item(index, id).await?, output),
        VectorsVerb::Remove { index, ids, filter } => {
            let removed = match filter {
                Some(filter) => client.remove_matching(index, filter.clone()).await?,
                None => client.remove_items(index, ids.clone()).await?,
            };
            let [deleted, missing, left] = [removed.deleted, removed.missing, removed.length].map(grouped);
            let words = format!("{deleted} deleted, {missing} were not there, {left} left");
            output.told(&removed, || Ok(output.line(words)?))
        }
        VectorsVerb::Delete { index } => {
            client.delete_index(index).await?;
            let told = json!({ "name": index, "deleted": true });
            output.told(&told, || Ok(output.line(format!("{index} is gone"))?))
        }
    }
}

async fn seal(client: &Client, index: &str, output: Output) -> anyhow::Result<()> {
    let sealed = client.seal_index(index).await?;
    let (length, version) = (grouped(sealed.length), sealed.version);
    let told = if sealed.sealed { "now holds" } else { "held already, as nothing is new," };
    output.told(&sealed, || Ok(output.line(format!("version {version} {told} the {length} items of {index}"))?))
}

fn recall(index: &str, measured: &Recall, output: Output) -> anyhow::Result<()> {
    let Recall { recall, sample, k, coded, length, .. } = measured;
    let of = format!("{} of {} items have codes", grouped(*coded), grouped(*length));
    let words = format!("{recall:.4} of the nearest {k} to {sample} items of {index} are found; {of}");
    output.told(measured, || Ok(output.line(words)?))
}

fn merged(source: &str, dest: &str, merged: &Merged, output: Output) -> anyhow::Result<()> {
    let [added, updated, length] = [merged.added, merged.updated, merged.length].map(grouped);
    let left = grouped(merged.source_length);
    let words = format!("{added} added, {updated} replaced: {length} in {dest}, {left} in {source}");
    output.told(merged, || Ok(output.line(words)?))
}

/// Without a dimension the index is for texts, and as wide as the vectors of the model.
async fn create(create: &CreateIndex, door: &Door) -> anyhow::Result<Index> {
    let mut index = NewIndex {
        name: create.index.clone(),
        distance: Some(create.distance),
        model: create.model.clone(),
        ..NewIndex::default()
    };
    index.dimension = match create.dimension {
        Some(dimension) => dimension,
        None => {
            let ask = client::Embed { texts: vec![create.index.clone()], model: create.model.clone(), overflow: None };
            let embedded = fetching(door.fetching(), door.client.embed(&ask)).await??;
            index.model = Some(embedded.model);
            u32::try_from(embedded.dimension)?
        }
    };
    Ok(fetching(door.fetching(), door.client.create_index(&index)).await??)
}

async fn list(client: &Client, output: Output) -> anyhow::Result<()> {
    let listing = all(client).await?;
    if listing.indexes.is_empty() && !output.json {
        output.remark("no indexes yet: lakehouse vectors create NAME makes one");
    }
    output.rows(&listing, || sheet(&listing))
}

fn sheet(listing: &Indexes) -> Sheet {
    let header = ["name", "items", "dimension", "distance", "model"].map(str::to_owned).to_vec();
    let rows = listing.indexes.iter().map(|index| {
        let model = index.model.clone().unwrap_or_default();
        let (length, dimension) = (length(index), index.dimension.to_string());
        vec![index.name.clone(), length, dimension, index.distance.to_string(), model]
    });
    Sheet { header, rows: rows.collect(), numeric: vec![false, true, true] }
}

/// The indexes of all pages.
async fn all(client: &Client) -> anyhow::Result<Indexes> {
    let mut all = client.indexes(None, None).await?;
    while let Some(next) = all.next.take() {
        let page = client.indexes(Some(&next), None).await?;
        all.indexes.extend(page.indexes);
        all.next = page.next;
    }
    Ok(all)
}

/// The number of items; an index that cannot be read, or was not for a list, does not state it.
fn length(index: &Index) -> String {
    index.length.map_or_else(|| "?".to_owned(), grouped)
}

fn one(index: &Index, output: Output) -> anyhow::Result<()> {
    output.told(index, || describe(index, output))
}

fn describe(index: &Index, output: Output) -> anyhow::Result<()> {
    let name = output.bold(&index.name);
    output.line(format!("{name}  {} items of {} numbers, {}", length(index), index.dimension, index.distance))?;
    if let Some(model) = &index.model {
        output.line(format!("model {model}"))?;
    }
    if let Some(fingerprint) = &index.fingerprint {
        output.line(format!("fingerprint {fingerprint}"))?;
    }
    if let Some(kept) = index.keeps_texts.filter(|_| index.length != Some(0)) {
        output.line(if kept { "texts are kept: searches by words find them" } else { "no texts are kept" })?;
    }
    Ok(output.line(format!("version {}, fragment {}, made {}", index.version, index.fragment, index.created_at))?)
}

fn item(item: &StoredItem, output: Output) -> anyhow::Result<()> {
    output.told(item, || members(item, output))
}

fn members(item: &StoredItem, output: Output) -> anyhow::Result<()> {
    output.line(output.bold(&cell(&item.id.as_str().into())))?;
    for (field, value) in &item.metadata {
        output.line(format!("{}: {}", cell(&field.as_str().into()), cell(value)))?;
    }
    Ok(output.line(serde_json::to_string(&item.vector)?)?)
}
