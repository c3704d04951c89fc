//! One open index: its journal, and the live set that the journal keeps up to date.

use std::sync::Arc;

use base::{IndexName, Version};
use catalog::{IndexEntry, StagedSeal};
use filters::Filter;
use storage::{CacheDir, Store};
use uuid::Uuid;

use crate::answer::{Added, Removed, StoredItem};
use crate::change::{Change, Item};
use crate::coder::Coder;
use crate::error::Result;
use crate::fragment::Owner;
use crate::joining::due;
use crate::journal::{Freshness, Journal, Landed};
use crate::lake_seals::LakeSeals;
use crate::seal::Shelf;
use crate::table::{Outcome, Table};
use crate::view::{View, blocking};

/// One index, open. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Index {
    name: IndexName,
    entry: Arc<IndexEntry>,
    table: Arc<Table>,
    journal: Journal<Table>,
    shelf: Arc<Shelf>,
}

impl Index {
    /// Opens an index: what its entry has sealed, and all later fragments.
    pub async fn open(
        store: &Store,
        cache: &CacheDir,
        name: &IndexName,
        entry: &Arc<IndexEntry>,
        freshness: Freshness,
        seals: LakeSeals,
    ) -> Result<Self> {
        let (owner, seams) = (Arc::new(Owner::of(name, entry)), freshness.seams.clone());
        let shelf = Shelf { store: store.clone(), seams, owner, location: entry.location.clone() };
        let (journal, table) = Journal::open(store, cache, name, entry, freshness, Arc::new(seals)).await?;
        Ok(Self { name: name.clone(), entry: Arc::clone(entry), table, journal, shelf: Arc::new(shelf) })
    }

    /// The index's own id.
    pub fn id(&self) -> Uuid {
        self.entry.index_id
    }

    /// The last fragment that it knows to be sealed.
    pub fn sealed(&self) -> u64 {
        self.journal.succession().sealed()
    }

    /// The last fragment that was taken in.
    pub fn reached(&self) -> u64 {
        self.table.snapshot().fragment
    }

    /// How many bytes of vectors and metadata no seal holds.
    pub fn fresh_bytes(&self) -> usize {
        self.table.snapshot().fresh().map(|block| block.size() + block.described()).sum()
    }

    /// Whether several of its segments should become one.
    pub fn is_to_be_joined(&self) -> bool {
        let segments: Vec<_> = self.table.snapshot().segments().cloned().collect();
        due(&segments).is_some()
    }

    /// Makes codes of the fresh rows that are worth them.
    pub async fn make_codes(&self, coder: &Coder) {
        for block in self.table.snapshot().fresh().filter(|block| block.coded().is_due(block.rows(), block.size())) {
            coder.code_fresh(block, self.entry.settings.distance).await;
        }
    }

    /// Where the files of its seals go.
    pub fn shelf(&self) -> &Arc<Shelf> {
        &self.shelf
    }

    /// Makes a change durable.
    pub async fn append(&self, change: Change) -> Result<Outcome> {
        Ok(self.journal.append(change).await?.outcome)
    }

    /// Makes sure that what a newer entry has sealed is answered.
    pub async fn keep_up(&self, entry: &Arc<IndexEntry>) -> Result<()> {
        self.journal.succession().keep_up(entry).await
    }

    /// Stands on what an entry has sealed, or on something newer, when this returns.
    pub async fn follow(&self, entry: &IndexEntry) -> Result<()> {
        self.journal.succession().follow(entry).await
    }

    /// Stages all that is acknowledged by now on top of what an entry has sealed; none when that is all of it.
    pub async fn stage_seal(&self, entry: &IndexEntry) -> Result<Option<StagedSeal>> {
        self.follow(entry).await?;
        self.journal.fresh().await?;
        let snapshot = self.table.snapshot();
        // Who follows a newer seal cannot add to an older one, nor would such a seal be committed.
        if snapshot.ground > entry.version { Ok(None) } else { self.shelf.seal(&snapshot, entry).await }
    }

    /// How many items are known now, without asking the store.
    pub fn length(&self) -> usize {
        self.table.snapshot().length
    }

    /// How many bytes of memory it keeps, about.
    pub fn memory(&self) -> usize {
        self.table.snapshot().memory()
    }

    /// The index as it is now, as fresh as the kind of store demands, with the entry that a version has of it.
    pub async fn view(&self, entry: &Arc<IndexEntry>, version: Version) -> Result<View> {
        self.journal.fresh().await?;
        let (name, entry, snapshot) = (self.name.clone(), Arc::clone(entry), self.table.snapshot());
        Ok(View { name, entry, version, snapshot })
    }

    pub async fn add(&self, items: Vec<Item>, fingerprint: Option<String>, version: Version) -> Result<Added> {
        let landed = self.journal.append(Change::Put { items, fingerprint }).await?;
        let outcome = landed.outcome;
        Ok(Added {
            added: outcome.added,
            updated: outcome.updated,
            length: outcome.length,
            version,
            fragment: landed.number,
        })
    }

    pub async fn remove(&self, ids: Vec<String>, version: Version) -> Result<Removed> {
        let snapshot = self.view(&self.entry, version).await?.snapshot;
        let (table, known) = (Arc::clone(&self.table), ids.clone());
        if !blocking("find items", move || table.has_any(&known)).await?? {
            let (missing, length, fragment) = (ids.len(), snapshot.length, snapshot.fragment);
            return Ok(Removed { deleted: 0, missing, length, version, fragment });
        }
        Ok(removed(self.journal.append(Change::Delete { ids }).await?, version))
    }

    /// Removes the items of which a filter holds when the change takes effect.
    pub async fn remove_matching(&self, filter: Filter, version: Version) -> Result<Removed> {
        let snapshot = self.view(&self.entry, version).await?.snapshot;
        let (table, wanted) = (Arc::clone(&self.table), filter.clone());
        if blocking("find items", move || table.matching(&wanted)).await??.is_empty() {
            let (length, fragment) = (snapshot.length, snapshot.fragment);
            return Ok(Removed { deleted: 0, missing: 0, length, version, fragment });
        }
        Ok(removed(self.journal.append(Change::DeleteMatching { filter }).await?, version))
    }

    pub async fn item(&self, id: &str, version: Version) -> Result<StoredItem> {
        let view = self.view(&self.entry, version).await?;
        let (table, wanted) = (Arc::clone(&self.table), id.to_owned());
        view.item(id, blocking("find an item", move || table.item(&wanted)).await??)
    }
}

fn removed(landed: Landed<Outcome>, version: Version) -> Removed {
    let Landed { number, outcome } = landed;
    let Outcome { deleted, missing, length, .. } = outcome;
    Removed { deleted, missing, length, version, fragment: number }
}
