//! What callers want to change of an index.

use std::sync::Arc;

use filters::Filter;
use serde_json::{Map, Value};

/// An item to be stored.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Item {
    /// Names the item within its index.
    pub id: String,
    /// As many numbers as the index has dimensions.
    pub vector: Vec<f32>,
    /// What is kept beside the vector. None keeps what an item of this id had; an empty object clears it.
    pub metadata: Option<Map<String, Value>>,
    /// What the vector was made of, for searches by words. None lets go of what an item of this id had.
    pub text: Option<Arc<str>>,
}

impl Item {
    /// About how many bytes it takes in a fragment, without its metadata.
    pub(crate) fn size(&self) -> usize {
        let text = self.text.as_ref().map_or(0, |text| text.len());
        self.vector.len() * size_of::<f32>() + self.id.len() + text + 64
    }
}

/// A change of an index, seen wholly or not at all.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Change {
    /// Items that are added, or replace those of the same id.
    Put {
        items: Vec<Item>,
        /// The model that the vectors come from, where it is stated.
        fingerprint: Option<String>,
    },
    /// Items that are removed.
    Delete { ids: Vec<String> },
    /// Items that are removed if all of them are still these.
    DeleteSame { items: Vec<Item> },
    /// The items of which a filter holds when the change takes effect.
    DeleteMatching { filter: Filter },
}

impl Change {
    /// The model that the change states.
    pub fn fingerprint(&self) -> Option<&str> {
        match self {
            Self::Put { fingerprint, .. } => fingerprint.as_deref(),
            _ => None,
        }
    }

    /// About how many bytes the change takes in a fragment, where it says so itself.
    pub fn size(&self) -> usize {
        match self {
            Self::Put { items, .. } => items.iter().map(Item::size).sum(),
            _ => self.deleted().map(|id| id.len() + 8).sum(),
        }
    }

    /// The ids that it removes, where it says so itself.
    pub fn deleted(&self) -> impl Iterator<Item = &String> {
        let (ids, items): (&[String], &[Item]) = match self {
            Self::Put { .. } | Self::DeleteMatching { .. } => (&[], &[]),
            Self::Delete { ids } => (ids, &[]),
            Self::DeleteSame { items } => (&[], items),
        };
        ids.iter().chain(items.iter().map(|item| &item.id))
    }

    /// Whether it is decided on a state that no other change of the same fragment may alter.
    pub fn goes_alone(&self) -> bool {
        matches!(self, Self::DeleteSame { .. } | Self::DeleteMatching { .. })
    }
}
