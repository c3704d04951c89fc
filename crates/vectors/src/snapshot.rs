//! One whole state of an index, for readers.

use std::sync::Arc;

use crate::block::Block;
use crate::field::{Field, Fields};

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
}

impl Snapshot {
    /// How many bytes a search reads.
    pub fn size(&self) -> usize {
        self.blocks.iter().map(|block| block.size()).sum()
    }

    /// How many rows a search reads.
    pub fn rows(&self) -> usize {
        self.blocks.iter().map(|block| block.rows()).sum()
    }

    /// Whether all vectors were read before: the first search does more, and may wait for the disk.
    pub fn is_warm(&self) -> bool {
        self.blocks.iter().all(|block| block.is_warm())
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
        let mut fields = Fields::clone(&self.past);
        self.blocks.iter().for_each(|block| fields.join(block.fields()));
        fields.list()
    }
}
