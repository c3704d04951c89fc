//! `lakehouse vectors`: indexes and their items.

use std::path::Path;

use client::{Client, Index, Indexes, MergeInto, Merged, NewIndex, Recall, StoredItem, Survey};

use super::watch::fetching;
use crate::cli::{CreateIndex, Vectors, VectorsVerb};
use crate::config::Sources;
use crate::door::{Door, Purpose};
use crate::output::{Output, Sheet, cell, grouped};

mod add;
mod items;

pub async fn run(vectors: &Vectors, sources: &Sources, output: Output) -> anyhow::Result<()> {
    let door = Door::open(&vectors.target, sources, purpose(&vectors.verb)).await?;
    let outcome = show(&vectors.verb, &door, output).await;
    door.close().await;
    outcome
}

fn purpose(verb: &VectorsVerb) -> Purpose {
    match verb {
        VectorsVerb::Create(_) => Purpose::Write,
        _ => Purpose::Read,
    }
}

async fn show(verb: &VectorsVerb, door: &Door, output: Output) -> anyhow::Result<()> {
    let client = &door.client;
    match verb {
        VectorsVerb::Create(create) => one(&self::create(create, door).await?, output),
        VectorsVerb::List => list(client, output).await,
        VectorsVerb::Show { index } => one(&client.index(index).await?, output),
        VectorsVerb::Add { index, file, overflow } => {
            let added = add::file(door, index, Path::new(file), *overflow).await?;
            if output.json { output.document(&added) } else { Ok(output.line(add::told(index, &added))?) }
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
            if output.json {
                return output.document(&removed);
            }
            let (deleted, missing) = (grouped(removed.deleted), grouped(removed.missing));
            Ok(output.line(format!("{deleted} deleted, {missing} were not there, {} left", grouped(removed.length)))?)
        }
        VectorsVerb::Delete { index } => {
            client.delete_index(index).await?;
            if output.json { Ok(()) } else { Ok(output.line(format!("{index} is gone"))?) }
        }
    }
}

async fn seal(client: &Client, index: &str, output: Output) -> anyhow::Result<()> {
    let sealed = client.seal_index(index).await?;
    if output.json {
        return output.document(&sealed);
    }
    let (length, version) = (grouped(sealed.length), sealed.version);
    let told = if sealed.sealed { "now holds" } else { "held already, as nothing is new," };
    Ok(output.line(format!("version {version} {told} the {length} items of {index}"))?)
}

fn recall(index: &str, measured: &Recall, output: Output) -> anyhow::Result<()> {
    if output.json {
        return output.document(measured);
    }
    let Recall { recall, sample, k, coded, length, .. } = measured;
    let of = format!("{} of {} items have codes", grouped(*coded), grouped(*length));
    Ok(output.line(format!("{recall:.4} of the nearest {k} to {sample} items of {index} are found; {of}"))?)
}

fn merged(source: &str, dest: &str, merged: &Merged, output: Output) -> anyhow::Result<()> {
    if output.json {
        return output.document(merged);
    }
    let [added, updated, length] = [merged.added, merged.updated, merged.length].map(grouped);
    let left = grouped(merged.source_length);
    Ok(output.line(format!("{added} added, {updated} replaced: {length} in {dest}, {left} in {source}"))?)
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
    if output.json {
        return output.document(&listing);
    }
    if listing.indexes.is_empty() {
        output.remark("no indexes yet: lakehouse vectors create NAME makes one");
    }
    let header = ["name", "items", "dimension", "distance", "model"].map(str::to_owned).to_vec();
    let rows = listing.indexes.iter().map(|index| {
        let model = index.model.clone().unwrap_or_default();
        let (length, dimension) = (length(index), index.dimension.to_string());
        vec![index.name.clone(), length, dimension, index.distance.to_string(), model]
    });
    Ok(output.sheet(&Sheet { header, rows: rows.collect(), numeric: vec![false, true, true] })?)
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
    if output.json {
        return output.document(index);
    }
    let name = output.bold(&index.name);
    output.line(format!("{name}  {} items of {} numbers, {}", length(index), index.dimension, index.distance))?;
    if let Some(model) = &index.model {
        output.line(format!("model {model}"))?;
    }
    if let Some(fingerprint) = &index.fingerprint {
        output.line(format!("fingerprint {fingerprint}"))?;
    }
    Ok(output.line(format!("version {}, fragment {}, made {}", index.version, index.fragment, index.created_at))?)
}

fn item(item: &StoredItem, output: Output) -> anyhow::Result<()> {
    if output.json {
        return output.document(item);
    }
    output.line(output.bold(&cell(&item.id.as_str().into())))?;
    for (field, value) in &item.metadata {
        output.line(format!("{}: {}", cell(&field.as_str().into()), cell(value)))?;
    }
    Ok(output.line(serde_json::to_string(&item.vector)?)?)
}
