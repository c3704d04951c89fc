//! The line of a search.

use base::Version;
use serde::Serialize;
use vectors::{Found, Hit};

use super::{ASKED, cut};
use crate::search::{Search, Sought};

/// How many of the items that were found are named.
const NAMED: usize = 500;

/// What was sought, and what was found.
#[derive(Serialize)]
pub(crate) struct Hunt {
    index: String,
    mode: &'static str,
    rerank: bool,
    /// The text that was sought; none for a search by a vector alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    query: Option<String>,
    k: usize,
    /// As JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    filter: Option<String>,
    exact: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    ef_search: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lake_version: Option<Version>,
    /// How many were found.
    found: usize,
    /// The best of them, in the order of the answer.
    results: Vec<Named>,
}

#[derive(Serialize)]
struct Named {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    score: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    distance: Option<f32>,
}

impl Hunt {
    /// What is sought.
    pub(crate) fn asked(search: &Search) -> Self {
        Self {
            index: search.index.to_string(),
            mode: mode(&search.sought),
            rerank: search.rerank,
            query: search.sought.text().map(|text| cut(text, ASKED)),
            k: search.k,
            filter: search.filter.as_ref().map(|filter| cut(filter.text(), ASKED)),
            exact: search.effort.exact,
            ef_search: search.effort.ef_search,
            lake_version: None,
            found: 0,
            results: Vec::new(),
        }
    }

    /// What was found.
    pub(crate) fn finds(&mut self, found: &Found) {
        self.lake_version = Some(found.version);
        self.found = found.results.len();
        let named = found.results.iter().take(NAMED);
        let name = |hit: &Hit| Named { id: hit.id.clone(), score: hit.score, distance: hit.distance };
        self.results = named.map(name).collect();
    }
}

/// The word on the wire.
fn mode(sought: &Sought) -> &'static str {
    match sought {
        Sought::Vector(_) | Sought::Meaning(..) => "vector",
        Sought::Words(..) => "keyword",
        Sought::Both(..) => "hybrid",
    }
}
