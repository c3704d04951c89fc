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

/// A search in an index.
#[derive(Debug, Clone)]
pub struct Search {
    /// By what items are found.
    pub by: By,
    /// How many are wanted, 1 or more: all where the index has fewer.
    pub k: usize,
    /// What must hold of them.
    pub filter: Option<Filter>,
    /// Whether the answer holds their texts.
    pub with_texts: bool,
}

/// By what items are found.
#[derive(Debug, Clone)]
pub enum By {
    /// They lie near a vector.
    Near(Nearness),
    /// Their texts hold the words of this one.
    Words(String),
    /// Their texts hold its words, or they lie near: the best of both lists by the places that they have there.
    Both(String, Nearness),
}

/// What items lie near to.
#[derive(Debug, Clone)]
pub struct Nearness {
    /// The vector.
    pub vector: Vec<f32>,
    /// The model that it comes from, where that is known.
    pub fingerprint: Option<String>,
    /// How much is done to find the nearest.
    pub effort: Effort,
}

/// How much is done to find the nearest.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Effort {
    /// Whether the answer is to be that of comparing every vector, always: codes leave aside only what is proven to be
    /// farther away.
    pub exact: bool,
    /// How many of the nearest are looked for by codes before the first `k` are answered, if that is more: the more, the
    /// surer. What the index's settings say when absent.
    pub ef_search: Option<u32>,
}

impl Search {
    /// The `k` items that are found best by this, whatever they are, without their texts.
    pub fn new(by: By, k: usize) -> Self {
        Self { by, k, filter: None, with_texts: false }
    }
}

impl By {
    /// What the items lie near to, where that counts.
    pub fn nearness(&self) -> Option<&Nearness> {
        match self {
            Self::Near(nearness) | Self::Both(_, nearness) => Some(nearness),
            Self::Words(_) => None,
        }
    }
}

impl Nearness {
    /// Near a vector of an unknown model, with the effort that the index's settings say.
    pub fn to(vector: Vec<f32>) -> Self {
        Self { vector, fingerprint: None, effort: Effort::default() }
    }
}
