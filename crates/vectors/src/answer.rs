//! What an index answers, as it goes over the wire.

use base::{Distance, IndexName, Timestamp, Version};
use catalog::IndexModel;
use serde::Serialize;
use serde_json::{Map, Value};

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
    /// When it was created.
    pub created_at: Timestamp,
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
    /// Nearest first; those at the same distance by id.
    pub results: Vec<Hit>,
    /// The lake's version.
    pub version: Version,
    /// The last fragment that was searched.
    pub fragment: u64,
}

/// One of the nearest items.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Hit {
    /// Its id.
    pub id: String,
    /// How far it is away; smaller is nearer.
    pub distance: f32,
    /// Its metadata, empty when it has none.
    pub metadata: Map<String, Value>,
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
