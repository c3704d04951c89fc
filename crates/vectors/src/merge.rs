//! Merging: the items of one index go into another, and leave the first only when they are durable in the second.

use std::collections::HashSet;

use base::{Distance, IndexName};
use serde_json::Map;

use crate::answer::Merged;
use crate::block::Block;
use crate::change::{Change, Item};
use crate::check;
use crate::error::{Error, Result};
use crate::snapshot::Snapshot;
use crate::vectors::Vectors;
use crate::view::{View, blocking, members};

#[cfg(test)]
mod tests;

/// About how many bytes of items go over at a time.
const BATCH: usize = 8 << 20;
/// How often the source is read again for items that changed while they went over.
const ROUNDS: usize = 8;

impl Vectors {
    /// Puts the items of `source` into `dest`, where they replace those of the same ids. With `clear_source` each leaves
    /// the source once it is durable in `dest`; one that was changed meanwhile goes over as it is then.
    pub async fn merge(&self, source: &IndexName, dest: &IndexName, clear_source: bool) -> Result<Merged> {
        let view = self.view(source).await?;
        self.expect_mergeable(&view, dest).await?;
        let (mut merged, mut rest) = (Merged::of(self.describe(dest, None).await?), None);
        for _ in 0..ROUNDS {
            let view = self.view(source).await?;
            let changed = self.merge_view(&view, dest, clear_source, rest.as_ref(), &mut merged).await?;
            if changed.is_empty() {
                break;
            }
            rest = Some(changed);
        }
        merged.source_length = self.describe(source, None).await?.length.unwrap_or_default();
        Ok(merged)
    }

    /// Refuses what cannot go over, before anything does.
    async fn expect_mergeable(&self, source: &View, dest: &IndexName) -> Result<()> {
        let target = self.view(dest).await?;
        let (from, to) = (&source.entry.settings, &target.entry.settings);
        if source.name == *dest {
            return Err(Error::BadMerge(format!("{dest} cannot be merged into itself")));
        }
        if from.dimension != to.dimension {
            let why = format!("{} has dimension {}, {dest} has {}", source.name, from.dimension, to.dimension);
            return Err(Error::BadMerge(why));
        }
        if let (Some(given), Some(known)) = (&source.snapshot.fingerprint, &target.snapshot.fingerprint)
            && given != known
        {
            return Err(Error::other_model(known, given));
        }
        if to.distance == Distance::Cosine && from.distance != Distance::Cosine {
            let (view, name) = (source.clone(), dest.clone());
            blocking("look for zero vectors", move || expect_directions(&view.snapshot, &name)).await??;
        }
        Ok(())
    }

    /// Brings over what a view of the source holds, or those of these ids. Answers the ids that changed meanwhile.
    async fn merge_view(
        &self,
        view: &View,
        dest: &IndexName,
        clear_source: bool,
        only: Option<&HashSet<String>>,
        merged: &mut Merged,
    ) -> Result<HashSet<String>> {
        let (mut next, mut changed) = ((0, 0), HashSet::new());
        loop {
            let (snapshot, begin) = (view.snapshot.clone(), next);
            let (mut items, end) = blocking("read items", move || batch(&snapshot, begin)).await??;
            if end == begin {
                return Ok(changed);
            }
            next = end;
            items.retain(|item| only.is_none_or(|only| only.contains(&item.id)));
            if items.is_empty() {
                continue;
            }
            let added = self.take_over(dest, items.clone(), view.snapshot.fingerprint.clone()).await?;
            merged.count(&added);
            if clear_source {
                self.clear(&view.name, items, merged, &mut changed).await?;
            }
        }
    }

    /// Deletes items from the source that are still what went over; notes the others.
    async fn clear(
        &self,
        source: &IndexName,
        items: Vec<Item>,
        merged: &mut Merged,
        changed: &mut HashSet<String>,
    ) -> Result<()> {
        match self.append(source, Change::DeleteSame { items: items.clone() }).await {
            Ok(removed) => {
                merged.removed += removed.deleted;
                Ok(())
            }
            Err(Error::Changed) if items.len() > 1 => {
                let mut items = items;
                let later = items.split_off(items.len() / 2);
                Box::pin(self.clear(source, items, merged, changed)).await?;
                Box::pin(self.clear(source, later, merged, changed)).await
            }
            Err(Error::Changed) => {
                changed.extend(items.into_iter().map(|item| item.id));
                Ok(())
            }
            Err(error) => Err(error),
        }
    }
}

/// The items from a place on, as many as go over at a time, and the place after them; none where the snapshot ends.
fn batch(snapshot: &Snapshot, (mut at, mut row): (usize, usize)) -> Result<(Vec<Item>, (usize, usize))> {
    let (mut items, mut size) = (Vec::new(), 0);
    while let Some(block) = snapshot.blocks.get(at) {
        if row == block.rows() {
            (at, row) = (at + 1, 0);
            continue;
        }
        if size >= BATCH || items.len() >= check::GOES_OVER {
            break;
        }
        if block.is_visible(row, snapshot.fragment) {
            let item = item(block, row)?;
            size += item.size() + block.metadata(row)?.map_or(0, |text| text.len());
            items.push(item);
        }
        row += 1;
    }
    Ok((items, (at, row)))
}

fn item(block: &Block, row: usize) -> Result<Item> {
    let metadata = block.metadata(row)?.map_or(Ok(Map::new()), |text| members(Some(text)))?;
    let text = block.text(row)?.map(Into::into);
    Ok(Item { id: block.id(row)?.to_owned(), vector: block.vector(row)?.to_vec(), metadata: Some(metadata), text })
}

/// Refuses vectors that a cosine index cannot compare.
fn expect_directions(snapshot: &Snapshot, dest: &IndexName) -> Result<()> {
    for block in &snapshot.blocks {
        for row in block.odd()?.iter().filter(|row| block.is_visible(**row, snapshot.fragment)) {
            if block.vector(*row)?.iter().all(|value| *value == 0.0) {
                let id = block.id(*row)?;
                let why = format!("{id:?} is a zero vector, which has no direction for the cosine distance of {dest}");
                return Err(Error::BadMerge(why));
            }
        }
    }
    Ok(())
}
