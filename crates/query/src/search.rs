//! The search behind `vector_search`, `keyword_search` and `hybrid_search`: what this room asks of whoever has the
//! indexes, and what it is answered.

use std::fmt;

use async_trait::async_trait;
use base::{Fault, IndexName, Version};
use serde_json::{Map, Value};

/// Finds items of vector indexes. Asked on the runtime of whoever asks the query; dropped when the query ends first.
#[async_trait]
pub trait IndexSearches: Send + Sync {
    /// Items of an index, nearest or best first: now, or as a version has them.
    async fn search(
        &self,
        index: &IndexName,
        search: IndexSearch,
        as_of: Option<Version>,
    ) -> Result<Vec<Neighbour>, SearchFault>;

    /// The fields of the metadata of an index, each with the type that all of its values have.
    async fn fields(&self, index: &IndexName, as_of: Option<Version>) -> Result<Vec<SearchField>, SearchFault>;
}

/// A search in an index.
#[derive(Debug, Clone, PartialEq)]
pub struct IndexSearch {
    /// What is searched for.
    pub sought: Sought,
    /// How many items at most.
    pub k: usize,
    /// What must hold of their metadata: a filter as JSON.
    pub filter: Option<String>,
}

/// What is searched for.
#[derive(Debug, Clone, PartialEq)]
pub enum Sought {
    /// What means about the same as a text, to be embedded as the index wants it.
    Meaning(String),
    /// What lies near a vector of finite numbers, of any length.
    Vector(Vec<f32>),
    /// What holds the words of a text.
    Words(String),
    /// What holds the words of a text, or lies near it.
    Both(String),
}

/// One item that was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Neighbour {
    /// The item's id.
    pub id: String,
    /// How far it is, in the index's distance, where that was asked for; smaller is nearer.
    pub distance: Option<f64>,
    /// How well it answers, where words were asked for; larger is better.
    pub score: Option<f64>,
    /// Its metadata; empty when it has none.
    pub metadata: Map<String, Value>,
}

/// One top-level field of an index's metadata, which becomes a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchField {
    /// The stored spelling.
    pub name: String,
    /// What its values are.
    pub ty: FieldType,
}

/// What the values of a field are. Null is of every type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldType {
    /// Texts: a VARCHAR.
    Text,
    /// Integers within 64 bits: a BIGINT.
    Integer,
    /// Numbers: a DOUBLE.
    Number,
    /// A BOOLEAN.
    Boolean,
    /// Anything else, and a mix of these: a VARCHAR of texts as they are and JSON for everything else.
    Json,
}

/// Why there is no answer. It leaves this room with its own kind, code and facts.
#[derive(Debug)]
pub struct SearchFault(Box<dyn Fault>);

impl SearchFault {
    /// The fault itself.
    pub fn fault(&self) -> &dyn Fault {
        self.0.as_ref()
    }
}

impl<F: Fault> From<F> for SearchFault {
    fn from(fault: F) -> Self {
        Self(Box::new(fault))
    }
}

impl fmt::Display for SearchFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for SearchFault {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source()
    }
}
