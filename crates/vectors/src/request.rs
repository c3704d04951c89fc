//! What is asked of an index.

use base::{Distance, IndexName};
use catalog::IndexModel;
use filters::Filter;

/// An index to be created.
#[derive(Debug, Clone)]
pub struct NewIndex {
    /// Its name.
    pub name: IndexName,
    /// How many numbers each of its vectors has.
    pub dimension: u32,
    /// How far two of its vectors are apart.
    pub distance: Distance,
    /// Kept with the index, and used by nothing: a setting of graphs, which other systems search by.
    pub m: u32,
    /// How many of the nearest are looked for by codes, in searches that do not say so themselves.
    pub ef_search: Option<u32>,
    /// The model that its vectors come from.
    pub model: Option<IndexModel>,
    /// Who creates it.
    pub author: String,
}

/// How recall is to be measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Survey {
    /// How many items stand for queries, 1 to 1000: all where the index has fewer.
    pub sample: usize,
    /// How many of the nearest are asked for, 1 to 100.
    pub k: usize,
    /// As in a search.
    pub ef_search: Option<u32>,
}

/// A search by words, and by nearness as well where that is asked for.
#[derive(Debug, Clone, Default)]
pub struct Wording {
    /// What the texts of the items shall say.
    pub text: String,
    /// How many are wanted, 1 or more.
    pub k: usize,
    /// What must hold of the items that are found.
    pub filter: Option<Filter>,
    /// What they shall be near to; how many, and a filter of its own, do not count.
    pub near: Option<Near>,
    /// Whether the answer holds the texts.
    pub with_texts: bool,
}

/// A search for the nearest items.
#[derive(Debug, Clone, Default)]
pub struct Near {
    /// What they shall be near to.
    pub vector: Vec<f32>,
    /// How many are wanted, 1 or more: all where the index has fewer.
    pub k: usize,
    /// The model that the vector comes from.
    pub fingerprint: Option<String>,
    /// What must hold of the items that are found.
    pub filter: Option<Filter>,
    /// Whether the answer is to be that of comparing every vector, always: codes leave aside only what is proven to be
    /// farther away.
    pub exact: bool,
    /// How many of the nearest are looked for by codes before the first `k` are answered, if that is more: the more, the
    /// surer. What the index's settings say when absent.
    pub ef_search: Option<u32>,
}
