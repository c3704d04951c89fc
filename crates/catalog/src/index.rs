//! Vector indexes as the catalog knows them: that they exist, where they lie and how they were settled.

use async_trait::async_trait;
use base::{Distance, IndexName, Seams};
use serde::{Deserialize, Serialize};

use crate::committer::{Description, Proposal, Settled, Subject};
use crate::error::{Error, Result};
use crate::near::near;
use crate::record::{Change, IndexPut};
use crate::state::State;

/// How an index is settled; never changed while it exists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexSettings {
    /// How many numbers each vector has.
    pub dimension: u32,
    /// How far two vectors are apart.
    pub distance: Distance,
    /// How many neighbours a graph keeps for each vector.
    pub m: u32,
    /// How many candidates a search of a graph keeps; none leaves it to the program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ef_search: Option<u32>,
    /// The model whose vectors the index holds; none when it was not stated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<IndexModel>,
}

/// The model whose vectors an index holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexModel {
    /// The name under which it was asked for.
    pub name: String,
    /// What names its vectors: models of another fingerprint make other vectors.
    pub fingerprint: String,
}

/// An index that shall exist.
#[derive(Debug, Clone)]
pub struct NewIndex {
    /// Its name, which no index may have yet.
    pub name: IndexName,
    /// How it is settled.
    pub settings: IndexSettings,
    /// Who asks for it.
    pub author: String,
}

/// A change of one index on its way through the committer.
pub(crate) struct Indexing {
    subject: Subject,
    author: String,
    wish: Wish,
}

enum Wish {
    Create(Box<IndexPut>),
    Drop(IndexName),
}

impl Indexing {
    /// Creates an index, with an id and a place that no earlier one of its name had.
    pub fn create(new: NewIndex, seams: &Seams) -> Self {
        let suffix = hex::encode(&seams.roll()[..5]);
        let location = format!("indexes/{}-{suffix}", new.name);
        let subject = Subject::Index(new.name.clone());
        let put = IndexPut { name: new.name, index_id: seams.uuid(), location, settings: new.settings };
        Self { subject, author: new.author, wish: Wish::Create(Box::new(put)) }
    }

    /// Drops an index. Its files stay for the versions that still know it.
    pub fn drop(name: &IndexName, author: &str) -> Self {
        Self { subject: Subject::Index(name.clone()), author: author.to_owned(), wish: Wish::Drop(name.clone()) }
    }
}

#[async_trait]
impl Proposal for Indexing {
    fn subject(&self) -> Subject {
        self.subject.clone()
    }

    fn describe(&self) -> Description {
        let message = match &self.wish {
            Wish::Create(put) => format!("create index {}", put.name),
            Wish::Drop(name) => format!("drop index {name}"),
        };
        Description { author: self.author.clone(), message, idempotency_key: None, request: None }
    }

    async fn decide(&mut self, state: &State) -> Result<Vec<Change>> {
        match &self.wish {
            Wish::Create(put) if state.indexes.contains_key(&put.name) => {
                Err(Error::IndexExists { name: put.name.clone() })
            }
            Wish::Create(put) => Ok(vec![Change::IndexPut(put.as_ref().clone())]),
            Wish::Drop(name) if state.indexes.contains_key(name) => Ok(vec![Change::IndexDrop { name: name.clone() }]),
            Wish::Drop(name) => Err(not_found(state, name)),
        }
    }

    async fn settle(&mut self, _: &Result<Settled>) {}
}

/// The refusal of an index that `state` does not hold.
pub(crate) fn not_found(state: &State, name: &IndexName) -> Error {
    let near = near(name.as_str(), state.indexes.keys().map(ToString::to_string));
    Error::IndexNotFound { name: name.clone(), near }
}
