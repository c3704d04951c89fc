//! What an index answers, as it goes over the wire.

use std::sync::Arc;

use base::{Distance, IndexName, Timestamp, Version};
use catalog::IndexModel;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::recall::Recall;

/// An index and its settings.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Description {
    /// Its name.
    pub name: IndexName,
    /// How many numbers each of its vectors has.
    pub dimension: u32,
    /// How far two of its vectors are apart.
    pub distance: Distance,
    /// Neighbours of each vector in a graph.
    pub m: u32,
    /// Candidates that a search in a graph follows.
    pub ef_search: Option<u32>,
    /// The name of the model that its texts go through.
    pub model: Option<String>,
    /// The fingerprint of the model that its vectors come from, once the index or one of them stated it.
    pub fingerprint: Option<String>,
    /// How many items it has; none when it cannot be read, or when a list met it unopened and it is large.
    pub length: Option<usize>,
    /// The lake's version.
    pub version: Version,
    /// The number of its last fragment; 0 for none.
    pub fragment: u64,
    /// The last fragment that the version holds, so that it is answered as of then; 0 before the first seal.
    pub sealed: u64,
    /// How many segments the version reads.
    pub segments: usize,
    /// How many of its items this process finds through codes; the others are compared one by one.
    pub coded: usize,
    /// Whether texts of its items are kept, so that searches by words find them; none when it was not read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keeps_texts: Option<bool>,
    /// When it was created.
    pub created_at: Timestamp,
    /// How many of the true nearest its searches found, when that was measured last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recall: Option<Recall>,
    /// The code of what keeps it from being read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<&'static str>,
}

/// A page of the indexes of one version.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Listing {
    /// Sorted by name.
    pub indexes: Vec<Description>,
    /// The name after which the next page begins; none when this page is the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<IndexName>,
    /// The lake's version.
    #[serde(skip)]
    pub version: Version,
}

/// What a seal did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct IndexSealed {
    /// The index.
    pub name: IndexName,
    /// The first version that answers so.
    pub version: Version,
    /// The last fragment that it holds.
    pub fragment: u64,
    /// How many segments it reads.
    pub segments: usize,
    /// How many items it has.
    pub length: u64,
    /// Whether there was anything to seal.
    pub sealed: bool,
}

/// What an add did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Added {
    /// Items that were not there before.
    pub added: usize,
    /// Items that were replaced.
    pub updated: usize,
    /// Items afterwards.
    pub length: usize,
    /// The lake's version.
    pub version: Version,
    /// The number of the fragment that holds them.
    pub fragment: u64,
}

/// What a merge of two indexes did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Merged {
    /// Items that the destination did not have.
    pub added: usize,
    /// Items that replaced others there.
    pub updated: usize,
    /// Items that have left the source.
    pub removed: usize,
    /// Items of the destination afterwards.
    pub length: usize,
    /// Items of the source afterwards.
    pub source_length: usize,
    /// The lake's version.
    pub version: Version,
    /// The number of the destination's last fragment.
    pub fragment: u64,
}

impl Merged {
    /// Nothing yet, of a destination as it is.
    pub(crate) fn of(dest: Description) -> Self {
        let Description { length, version, fragment, .. } = dest;
        let length = length.unwrap_or_default();
        Self { added: 0, updated: 0, removed: 0, length, source_length: 0, version, fragment }
    }

    /// Counts what one add to the destination did.
    pub(crate) fn count(&mut self, added: &Added) {
        self.added += added.added;
        self.updated += added.updated;
        (self.length, self.version, self.fragment) = (added.length, added.version, added.fragment);
    }
}

/// What a delete did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Removed {
    /// Items that are no longer there.
    pub deleted: usize,
    /// Ids that were not there.
    pub missing: usize,
    /// Items afterwards.
    pub length: usize,
    /// The lake's version.
    pub version: Version,
    /// The number of the fragment that says so.
    pub fragment: u64,
}

/// What a search found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Found {
    /// The nearest or best first; those at the same distance, or of the same score, by id.
    pub results: Vec<Hit>,
    /// The lake's version.
    pub version: Version,
    /// The last fragment that was searched.
    pub fragment: u64,
}

/// One item that was found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Hit {
    /// Its id.
    pub id: String,
    /// How well it answers, where words count; larger is better, and only the scores of one search compare.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
    /// How far it is away, where it is among the nearest of a search by nearness; smaller is nearer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub distance: Option<f32>,
    /// Where it stands in each of the two lists of a search by words and nearness.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ranks: Option<Ranks>,
    /// Its metadata, empty when it has none.
    pub metadata: Map<String, Value>,
    /// Its text, where that was asked for and the index keeps it.
    #[serde(skip)]
    pub text: Option<Arc<str>>,
}

/// Places in lists, from 1; none where an item is not on the list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Ranks {
    /// Among the nearest.
    pub vector: Option<usize>,
    /// Among those that hold the words.
    pub keyword: Option<usize>,
}

/// One item.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StoredItem {
    /// Its id.
    pub id: String,
    /// Its vector, as given.
    pub vector: Vec<f32>,
    /// Its metadata, empty when it has none.
    pub metadata: Map<String, Value>,
    /// What the vector was made of, where the index keeps it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<Arc<str>>,
    /// The lake's version.
    pub version: Version,
    /// The last fragment that was looked at.
    pub fragment: u64,
}

/// What text for an index has to go through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexModelState {
    /// How many numbers each of its vectors has.
    pub dimension: u32,
    /// The model in its settings.
    pub model: Option<IndexModel>,
    /// The model's fingerprint: that of the settings, or of the first vectors that stated one.
    pub fingerprint: Option<String>,
}
