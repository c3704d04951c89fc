//! One whole state of an index, for readers.

use std::sync::Arc;

use crate::block::Block;
use crate::field::{Field, Fields};

/// The items after one fragment. It costs nothing to hold and never changes: rows that end later are still seen.
#[derive(Debug, Clone, Default)]
pub(crate) struct Snapshot {
    pub blocks: Vec<Arc<Block>>,
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

    /// The fields of the items' metadata, sorted by name; the first call after a change reads what is new.
    pub fn fields(&self) -> Vec<Field> {
        let mut fields = Fields::default();
        self.blocks.iter().for_each(|block| fields.join(block.fields()));
        fields.list()
    }
}
