//! One whole state of an index, for readers.

use std::sync::Arc;

use base::Version;
use filters::Filter;

use crate::block::Block;
use crate::chosen::Chosen;
use crate::error::{Error, Result};
use crate::field::{Field, Fields};
use crate::segment::Hash;
use crate::table::Kept;

/// The items after one fragment. It costs nothing to hold and never changes: rows that end later are still seen.
#[derive(Debug, Clone, Default)]
pub(crate) struct Snapshot {
    pub blocks: Vec<Arc<Block>>,
    /// The fields of items that are in no block any more.
    pub past: Arc<Fields>,
    /// The last fragment taken in; 0 for none.
    pub fragment: u64,
    /// How many items.
    pub length: usize,
    /// The model of the vectors, if any has stated one.
    pub fingerprint: Option<String>,
    /// The version whose seal the segments among the blocks are.
    pub ground: Version,
}

impl Snapshot {
    /// How much a search reads, about, in bytes of vectors that are compared one after another.
    pub fn work(&self, by_codes: bool) -> usize {
        self.blocks.iter().map(|block| block.work(by_codes)).sum()
    }

    /// The segments that it reads, oldest first.
    pub fn segments(&self) -> impl Iterator<Item = &Arc<Block>> {
        self.blocks.iter().filter(|block| block.segment().is_some())
    }

    /// The rows that no seal holds.
    pub fn fresh(&self) -> impl Iterator<Item = &Arc<Block>> {
        self.blocks.iter().filter(|block| block.segment().is_none())
    }

    /// Refuses what comes from another model than the vectors, where both are known.
    pub fn expect_model(&self, given: Option<&str>) -> Result<()> {
        match (&self.fingerprint, given) {
            (Some(known), Some(given)) if known != given => Err(Error::other_model(known, given)),
            _ => Ok(()),
        }
    }

    /// One of the items that are sealed.
    pub fn sealed_item(&self, id: &str) -> Result<Option<Kept>> {
        let hash = Hash::of(id);
        for block in self.segments() {
            let Some(segment) = block.segment() else { continue };
            if let Some(row) = segment.find(hash, id)?.filter(|row| block.is_visible(*row, self.fragment)) {
                return Kept::of(block, row).map(Some);
            }
        }
        Ok(None)
    }

    /// The rows that have not ended and of which a filter holds.
    pub fn matching(&self, filter: &Filter) -> Result<impl Iterator<Item = (&Block, usize)>> {
        let chosen = |block| Block::chosen(block, filter).map(|chosen| (block, chosen));
        let chosen: Vec<(&Block, Chosen)> = self.blocks.iter().map(Arc::as_ref).map(chosen).collect::<Result<_>>()?;
        Ok(chosen.into_iter().flat_map(|(block, chosen)| {
            let rows: Vec<usize> = chosen.within(0..block.rows()).collect();
            rows.into_iter().filter(|row| block.is_visible(*row, self.fragment)).map(move |row| (block, row))
        }))
    }

    /// How many rows have metadata that has to be read for a filter.
    pub fn unread(&self, filter: &Filter) -> usize {
        self.blocks.iter().filter(|block| !block.knows(filter)).map(|block| block.rows()).sum()
    }

    /// How many rows that live have codes.
    pub fn coded(&self) -> usize {
        self.blocks.iter().filter(|block| block.coded().is_there()).map(|block| block.lives()).sum()
    }

    /// Whether texts are kept, so that searches by words find anything.
    pub fn has_texts(&self) -> bool {
        self.blocks.iter().any(|block| block.lives() > 0 && block.has_texts())
    }

    /// Whether what a search touches was read before: the first search does more, and may wait for the disk.
    pub fn is_warm(&self, by_codes: bool) -> bool {
        self.blocks.iter().all(|block| block.is_warm(by_codes))
    }

    /// How many bytes of memory the blocks keep, about.
    pub fn memory(&self) -> usize {
        self.blocks.iter().map(|block| block.memory()).sum()
    }

    /// How many bytes the metadata is.
    pub fn described(&self) -> usize {
        self.blocks.iter().map(|block| block.described()).sum()
    }

    /// The fields of the metadata of all items that ever were, so that no statement loses a column when an item goes.
    /// Sorted by name; the first call after a change reads what is new.
    pub fn fields(&self) -> Vec<Field> {
        self.all_fields().list()
    }

    /// The same, as a seal keeps them.
    pub fn all_fields(&self) -> Fields {
        let mut fields = Fields::clone(&self.past);
        self.blocks.iter().for_each(|block| fields.join(block.fields()));
        fields
    }
}
