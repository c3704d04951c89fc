//! A pinned version: an immutable view of the whole lake that costs nothing to hold.

use std::sync::Arc;

use base::{DatasetName, IndexName, Tag, Timestamp, Version};

use crate::error::Result;
use crate::near;
use crate::state::{IndexEntry, State, TableEntry};

/// The lake at one version.
#[derive(Debug, Clone)]
pub struct Pin {
    pub(crate) state: Arc<State>,
}

impl Pin {
    /// The version.
    pub fn version(&self) -> Version {
        self.state.version
    }

    /// The oldest version that it knew to be readable, besides tagged ones.
    pub fn oldest(&self) -> Version {
        self.state.oldest
    }

    /// When the version was published.
    pub fn at(&self) -> Timestamp {
        self.state.at
    }

    /// The datasets, sorted by name.
    pub fn names(&self) -> impl Iterator<Item = &DatasetName> {
        self.state.tables.keys()
    }

    /// The namespaces, sorted by name; `default` always exists.
    pub fn namespaces(&self) -> impl Iterator<Item = &str> {
        self.state.namespaces.keys().map(String::as_str)
    }

    /// What the version pins of a dataset.
    pub fn entry(&self, name: &DatasetName) -> Option<&TableEntry> {
        self.state.tables.get(name).map(Arc::as_ref)
    }

    /// Refuses a dataset that the version does not hold.
    pub fn expect(&self, name: &DatasetName) -> Result<()> {
        self.state.table(name).map(drop)
    }

    /// Names that could have been meant by `name`, nearest first.
    pub fn near(&self, name: &DatasetName) -> Vec<String> {
        near::near(&name.to_string(), self.names().map(ToString::to_string))
    }

    /// What the version pins of a vector index.
    pub fn index(&self, name: &IndexName) -> Option<&Arc<IndexEntry>> {
        self.state.indexes.get(name)
    }

    /// The tags with the versions that they name, sorted by tag.
    pub fn tags(&self) -> impl Iterator<Item = (&Tag, Version)> {
        self.state.tags.iter().map(|(tag, version)| (tag, *version))
    }

    /// The vector indexes, sorted by name.
    pub fn indexes(&self) -> impl Iterator<Item = (&IndexName, &Arc<IndexEntry>)> {
        self.state.indexes.iter()
    }
}
