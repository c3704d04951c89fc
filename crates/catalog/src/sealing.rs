//! Seals: what an index has acknowledged becomes part of a version, alone or together with a table.
//!
//! What an index holds is none of the catalog's business: a [`Sealer`] stages files that hold it, and the record names
//! them. When another process has sealed meanwhile, the sealer stages anew on top of that, so a race refuses nobody.

use std::sync::Arc;

use async_trait::async_trait;
use base::{Fault, IndexName, Version};
use serde::{Deserialize, Serialize};
use storage::Store;
use tables::io;

use crate::catalog::Catalog;
use crate::committer::{Description, Proposal, Settled, Subject};
use crate::error::{Error, Result};
use crate::index::not_found;
use crate::record::{Change, IndexSeal};
use crate::staging::may_stand;
use crate::state::{IndexEntry, State};
use crate::unswept;

/// What a version pins of the items of an index: the rows of its segments, save those that have ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sealed {
    /// The last fragment whose changes it holds.
    pub fragment: u64,
    /// How many items.
    pub length: u64,
    /// The files that hold rows, by their names within [`SEGMENTS`], oldest first.
    pub segments: Vec<String>,
    /// The file among them that says which of the rows have ended.
    pub ends: String,
}

/// Where an index keeps the files of its seals, below its location.
pub const SEGMENTS: &str = "segments";
/// Where an index keeps what can be made again of its segments, below its location.
pub const DERIVED: &str = "derived";

impl Sealed {
    /// The files that it reads, below the location of the index.
    pub fn files(&self, location: &str) -> impl Iterator<Item = String> {
        let names = self.segments.iter().chain([&self.ends]);
        names.map(move |name| format!("{location}/{SEGMENTS}/{name}"))
    }
}

/// A seal that is ready to be committed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StagedSeal {
    /// What the next version pins.
    pub sealed: Sealed,
    /// The files that were written for it, relative to the lake's root.
    pub files: Vec<String>,
}

/// Stages seals: implemented by the room that knows what an index holds.
#[async_trait]
pub trait Sealer: Send + Sync {
    /// Writes what shall be sealed of an index on top of what `entry` has sealed; none when that need not change.
    async fn stage(&self, name: &IndexName, entry: &Arc<IndexEntry>) -> Result<Option<StagedSeal>, SealFault>;
}

/// Why a sealer staged nothing. It leaves this room with its own kind, code and facts.
#[derive(Debug)]
pub struct SealFault(pub(crate) Box<dyn Fault>);

impl<F: Fault> From<F> for SealFault {
    fn from(fault: F) -> Self {
        Self(Box::new(fault))
    }
}

/// Indexes that are to be sealed together.
#[derive(Clone)]
pub struct Seals {
    /// Who stages them.
    pub sealer: Arc<dyn Sealer>,
    /// Which they are.
    pub indexes: Vec<IndexName>,
}

impl Catalog {
    /// Seals an index: its newest entry, and the version it stands in. When the caller goes away while the seal is staged,
    /// what was written is left to the sweep; once it waits for its commit it goes on to its end.
    pub async fn seal(
        &self,
        name: &IndexName,
        sealer: Arc<dyn Sealer>,
        author: &str,
    ) -> Result<(Arc<IndexEntry>, Version)> {
        let mut sealing = Sealing::new(self.store().clone(), sealer, name.clone(), author);
        // Long work is done before others have to wait for it.
        sealing.prepare(&*self.room.head.ask().await?).await?;
        let Settled { committed, state, .. } = self.put_through(sealing).await?;
        let entry = state.indexes.get(name).ok_or_else(|| not_found(&state, name))?;
        Ok((Arc::clone(entry), if committed { state.version } else { self.known_head() }))
    }
}

/// A seal of one index on its way through the committer.
pub(crate) struct Sealing {
    store: Store,
    sealer: Arc<dyn Sealer>,
    name: IndexName,
    author: String,
    prepared: Option<Prepared>,
    /// Files of earlier decisions, proven not to be committed.
    superseded: Vec<String>,
}

/// What was staged, and the entry that it builds on.
struct Prepared {
    entry: Arc<IndexEntry>,
    staged: Option<StagedSeal>,
}

impl Sealing {
    pub fn new(store: Store, sealer: Arc<dyn Sealer>, name: IndexName, author: &str) -> Self {
        Self { store, sealer, name, author: author.to_owned(), prepared: None, superseded: Vec::new() }
    }

    /// Stages the seal on top of what a state has sealed, unless what was staged fits.
    pub async fn prepare(&mut self, state: &State) -> Result<()> {
        let entry = state.indexes.get(&self.name).ok_or_else(|| not_found(state, &self.name))?;
        if !self.fits(state, entry).await? {
            self.supersede();
            let staged = self.sealer.stage(&self.name, entry).await.map_err(Error::Sealer)?;
            self.prepared = Some(Prepared { entry: Arc::clone(entry), staged });
        }
        Ok(())
    }

    async fn fits(&self, state: &State, entry: &IndexEntry) -> Result<bool> {
        let Some(prepared) = &self.prepared else { return Ok(false) };
        let of_entry = (prepared.entry.index_id, &prepared.entry.sealed) == (entry.index_id, &entry.sealed);
        let files = prepared.staged.iter().flat_map(|staged| &staged.files).map(String::as_str);
        Ok(of_entry && unswept::all(&self.store, state, files).await?)
    }

    fn supersede(&mut self) {
        let staged = self.prepared.take().and_then(|prepared| prepared.staged);
        self.superseded.extend(staged.into_iter().flat_map(|staged| staged.files));
    }

    /// What the seal changes of a state; none when nothing.
    pub async fn change(&mut self, state: &State) -> Result<Option<Change>> {
        self.prepare(state).await?;
        let change = self.prepared.as_ref().and_then(|Prepared { entry, staged }| {
            let sealed = staged.as_ref()?.sealed.clone();
            let (name, location) = (self.name.clone(), entry.location.clone());
            Some(Change::IndexSeal(IndexSeal { name, index_id: entry.index_id, location, sealed }))
        });
        Ok(change)
    }

    /// Deletes what is not needed, now that it is known whether the change may have been committed.
    pub async fn end(&mut self, committed: bool) {
        if !committed {
            self.supersede();
        }
        io::discard(&self.store, std::mem::take(&mut self.superseded)).await;
    }
}

#[async_trait]
impl Proposal for Sealing {
    fn subject(&self) -> Subject {
        Subject::Index(self.name.clone())
    }

    fn describe(&self) -> Description {
        let message = format!("seal index {}", self.name);
        Description { author: self.author.clone(), message, idempotency_key: None, request: None }
    }

    async fn decide(&mut self, state: &State) -> Result<Vec<Change>> {
        Ok(self.change(state).await?.into_iter().collect())
    }

    async fn settle(&mut self, outcome: &Result<Settled>) {
        self.end(may_stand(outcome)).await;
    }
}
