//! Recall: the share of the true nearest that searches find, measured on items of the index and kept with it.

use std::sync::Arc;

use base::{Distance, IndexName, Timestamp, Version};
use catalog::{DERIVED, IndexEntry};
use serde::{Deserialize, Serialize};
use storage::Store;
use uuid::Uuid;

use crate::check;
use crate::error::{Error, Result};
use crate::request::Survey;
use crate::search::{Target, Wanted, Way};
use crate::snapshot::Snapshot;
use crate::vectors::Vectors;
use crate::view::blocking;

#[cfg(test)]
mod tests;

/// The format of what is kept.
const FORMAT: u64 = 1;

/// How many of the true nearest searches have found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Recall {
    /// The share of the nearest that were found, 0 to 1.
    pub recall: f64,
    /// How many items stood for queries; none of them counts as found by itself.
    pub sample: usize,
    /// How many of the nearest were asked for.
    pub k: usize,
    /// How many were looked for by codes, if that was said.
    #[serde(default)]
    pub ef_search: Option<u32>,
    /// How many items the index had.
    pub length: usize,
    /// How many of them were found through codes.
    pub coded: usize,
    /// The last fragment that was searched.
    pub fragment: u64,
    /// The lake's version.
    pub version: Version,
    /// When it was measured.
    pub measured_at: Timestamp,
}

#[derive(Serialize, Deserialize)]
struct Note {
    format: u64,
    index: Uuid,
    #[serde(flatten)]
    recall: Recall,
}

impl Vectors {
    /// Compares what searches find with what comparing every vector finds, and keeps the result with the index.
    pub async fn measure_recall(&self, name: &IndexName, survey: Survey) -> Result<Recall> {
        check::survey(&survey)?;
        let view = self.view(name).await?;
        self.find_codes(&view.snapshot).await;
        let depth = survey.ef_search.or(view.entry.settings.ef_search).unwrap_or_default() as usize;
        let (snapshot, sample) = (Arc::clone(&view.snapshot), survey.sample);
        let queries = blocking("choose items", move || sampled(&snapshot, sample)).await??;
        let sample = queries.len();
        let (mut hits, mut all) = (0, 0);
        for query in queries {
            let (snapshot, distance) = (Arc::clone(&view.snapshot), view.entry.settings.distance);
            let compare = move || query.compare(&snapshot, distance, survey.k, depth);
            let _scan = self.scan().await?;
            let (found, wanted) = blocking("measure recall", compare).await??;
            (hits, all) = (hits + found, all + wanted);
        }
        let described = view.describe();
        let recall = Recall {
            recall: if all == 0 { 1.0 } else { hits as f64 / all as f64 },
            sample,
            k: survey.k,
            ef_search: survey.ef_search,
            length: view.snapshot.length,
            coded: described.coded,
            fragment: described.fragment,
            version: described.version,
            measured_at: self.seams().now(),
        };
        keep(self.catalog().store(), &view.entry, recall.clone()).await?;
        Ok(recall)
    }
}

/// An item that stands for a query.
struct Query {
    id: String,
    vector: Vec<f32>,
}

/// So many of the items, spread evenly; all where there are fewer.
fn sampled(snapshot: &Snapshot, sample: usize) -> Result<Vec<Query>> {
    let rows = snapshot.blocks.iter().flat_map(|block| block.seen_at(snapshot.fragment).map(move |row| (block, row)));
    let chosen = rows.enumerate().filter(|(at, _)| is_chosen(*at, sample, snapshot.length));
    chosen
        .map(|(_, (block, row))| Ok(Query { id: block.id(row)?.to_owned(), vector: block.vector(row)?.to_vec() }))
        .collect()
}

/// Whether the item at a place is one of so many that are spread evenly over all.
fn is_chosen(at: usize, sample: usize, length: usize) -> bool {
    let before = |at: usize| at * sample.min(length) / length;
    before(at) < before(at + 1)
}

impl Query {
    /// How many of the true nearest were found, and how many there are.
    fn compare(&self, snapshot: &Snapshot, distance: Distance, k: usize, depth: usize) -> Result<(usize, usize)> {
        let target = Target::new(distance, self.vector.clone());
        let others = |way| -> Result<Vec<f32>> {
            let wanted = Wanted { k: k + 1, way, ..Wanted::default() };
            let found = target.nearest(snapshot, &wanted)?;
            let others = found.iter().filter(|found| found.id != self.id).take(k);
            Ok(others.map(|found| found.distance()).collect())
        };
        let (truth, found) = (others(Way::Vectors)?, others(Way::Codes(depth))?);
        // An item at the same distance as the last of the nearest is as good.
        let last = truth.last().copied().unwrap_or(f32::NEG_INFINITY);
        Ok((found.iter().filter(|distance| **distance <= last).count(), truth.len()))
    }
}

fn place(entry: &IndexEntry) -> String {
    format!("{}/{DERIVED}/recall.json", entry.location)
}

async fn keep(store: &Store, entry: &IndexEntry, recall: Recall) -> Result<()> {
    let note = Note { format: FORMAT, index: entry.index_id, recall };
    let bytes = serde_json::to_vec(&note).map_err(|_| Error::Broken)?;
    store.put(&place(entry), bytes.into()).await?;
    Ok(())
}

/// What was measured last, if it can be read: it says nothing about the items.
pub(crate) async fn last(store: &Store, entry: &IndexEntry) -> Option<Recall> {
    let note: Note = serde_json::from_slice(&store.get(&place(entry)).await.ok()?).ok()?;
    (note.format == FORMAT && note.index == entry.index_id).then_some(note.recall)
}
