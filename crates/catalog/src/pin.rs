//! A pinned version: an immutable view of the whole lake that costs nothing to hold.

use std::sync::Arc;

use base::{DatasetName, Timestamp, Version};

use crate::state::{State, TableEntry};

/// How many near names an unknown one is answered with.
const NEAR_NAMES: usize = 3;

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
        self.state.namespaces.iter().map(String::as_str)
    }

    /// What the version pins of a dataset.
    pub fn entry(&self, name: &DatasetName) -> Option<&TableEntry> {
        self.state.tables.get(name).map(Arc::as_ref)
    }

    /// Names that could have been meant by `name`, nearest first.
    pub fn near(&self, name: &DatasetName) -> Vec<String> {
        let wanted = name.to_string().to_lowercase();
        let scored = self.names().filter_map(|known| {
            let known = known.to_string();
            let score = strsim::jaro_winkler(&wanted, &known.to_lowercase());
            (score > 0.8).then_some((score, known))
        });
        let mut scored: Vec<(f64, String)> = scored.collect();
        scored.sort_by(|(a, left), (b, right)| b.total_cmp(a).then_with(|| left.cmp(right)));
        scored.into_iter().take(NEAR_NAMES).map(|(_, known)| known).collect()
    }
}
