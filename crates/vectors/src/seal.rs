//! Sealing: what fragments have added up to since the last seal is written as one segment, which a version then names.

use std::sync::Arc;

use base::Seams;
use bytes::Bytes;
use catalog::{IndexEntry, SEGMENTS, Sealed, StagedSeal};
use storage::Store;

use crate::block::Block;
use crate::codes::most_rows;
use crate::ends::{Ends, Heading, SegmentLine, bits};
use crate::error::{Error, Result};
use crate::fragment::Owner;
use crate::segment::{self, Part};
use crate::snapshot::Snapshot;

#[cfg(test)]
mod tests;

/// Where the files of the seals of one index go.
pub(crate) struct Shelf {
    pub store: Store,
    pub seams: Seams,
    pub owner: Arc<Owner>,
    /// The directory of the index.
    pub location: String,
}

impl Shelf {
    /// Stages what a snapshot holds on top of what an entry has sealed; none when that is all of it.
    pub async fn seal(&self, snapshot: &Snapshot, entry: &IndexEntry) -> Result<Option<StagedSeal>> {
        let sealed = entry.sealed.as_ref().map_or(0, |sealed| sealed.fragment);
        if snapshot.fragment <= sealed {
            return Ok(None);
        }
        let fragment = snapshot.fragment;
        let parts: Vec<Part> = snapshot.fresh().map(|block| part(block, fragment)).collect();
        let mut draft = Draft::of(snapshot.segments(), fragment)?;
        self.write(parts, &mut draft).await?;
        self.end(draft, snapshot).await.map(Some)
    }

    /// Writes rows as segments of a seal, none of them larger than codes can be made of.
    pub async fn write(&self, parts: Vec<Part>, draft: &mut Draft) -> Result<()> {
        for parts in share_out(parts, most_rows(self.owner.dimension)) {
            let (id, rows) = (self.seams.uuid(), parts.iter().map(|part| part.rows.len()).sum());
            let name = format!("{:020}-{id}.lhvs", draft.fragment);
            segment::write(&self.store, &self.path(&name), &self.owner, (draft.fragment, id), parts).await?;
            draft.add(name, rows);
        }
        Ok(())
    }

    /// Writes what the seal says beside the rows.
    pub async fn end(&self, draft: Draft, snapshot: &Snapshot) -> Result<StagedSeal> {
        let Draft { fragment, lines, ended, written } = draft;
        let ends = format!("{fragment:020}-{}.lhve", self.seams.uuid());
        let segments = lines.iter().map(|line| line.name.clone()).collect();
        let heading = Heading {
            index: self.owner.index,
            fragment,
            fingerprint: snapshot.fingerprint.clone(),
            fields: snapshot.all_fields(),
            segments: lines,
        };
        let bytes = Ends { heading, ended }.encode().map_err(|_| Error::Broken)?;
        self.store.put(&self.path(&ends), bytes).await?;
        let files = written.iter().chain([&ends]).map(|name| self.path(name)).collect();
        let sealed = Sealed { fragment, length: snapshot.length as u64, segments, ends };
        Ok(StagedSeal { sealed, files })
    }

    fn path(&self, name: &str) -> String {
        format!("{}/{SEGMENTS}/{name}", self.location)
    }
}

/// A seal on its way: the segments that it names, and which of their rows have ended.
pub(crate) struct Draft {
    fragment: u64,
    lines: Vec<SegmentLine>,
    ended: Vec<Bytes>,
    written: Vec<String>,
}

impl Draft {
    /// A seal that keeps these segments as readers of a fragment see them. Those of which no row is seen go.
    pub fn of<'a>(blocks: impl Iterator<Item = &'a Arc<Block>>, fragment: u64) -> Result<Self> {
        let mut draft = Self { fragment, lines: Vec::new(), ended: Vec::new(), written: Vec::new() };
        draft.keep(blocks)?;
        Ok(draft)
    }

    /// Keeps these segments as well.
    pub fn keep<'a>(&mut self, blocks: impl Iterator<Item = &'a Arc<Block>>) -> Result<()> {
        for block in blocks {
            let segment = block.segment().ok_or(Error::Broken)?;
            let (bits, ended) = bits(block.rows(), |row| !block.is_visible(row, self.fragment));
            if ended < block.rows() as u64 {
                self.lines.push(SegmentLine { name: segment.name().to_string(), rows: block.rows() as u64, ended });
                self.ended.push(bits);
            }
        }
        Ok(())
    }

    /// Adds a segment that was written for the seal, none of whose rows has ended.
    fn add(&mut self, name: String, rows: usize) {
        self.lines.push(SegmentLine { name: name.clone(), rows: rows as u64, ended: 0 });
        self.ended.push(Bytes::new());
        self.written.push(name);
    }
}

/// The rows of a block that readers of a fragment see.
pub(crate) fn part(block: &Arc<Block>, fragment: u64) -> Part {
    Part { block: Arc::clone(block), rows: block.seen_at(fragment).map(|row| row as u32).collect() }
}

/// Rows in runs of at most so many.
fn share_out(parts: Vec<Part>, most: usize) -> Vec<Vec<Part>> {
    let (mut shares, mut room) = (Vec::<Vec<Part>>::new(), 0);
    for Part { block, mut rows } in parts {
        while !rows.is_empty() {
            if room == 0 {
                shares.push(Vec::new());
                room = most;
            }
            let later = rows.split_off(rows.len().min(room));
            room -= rows.len();
            shares.last_mut().into_iter().for_each(|share| {
                share.push(Part { block: Arc::clone(&block), rows: std::mem::take(&mut rows) });
            });
            rows = later;
        }
    }
    shares
}
