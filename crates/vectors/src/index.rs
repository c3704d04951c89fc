//! One open index: its journal, and the live set that the journal keeps up to date.

use std::sync::Arc;

use base::{IndexName, Version};
use catalog::IndexEntry;
use storage::{CacheDir, Store, task};
use tokio::sync::Semaphore;

use crate::answer::{Added, Description, Found, Hit, IndexModelState, Removed, StoredItem};
use crate::change::{Change, Item};
use crate::check;
use crate::error::{Error, Result};
use crate::field::Field;
use crate::journal::{Freshness, Journal};
use crate::request::Near;
use crate::search::{Neighbour, Target};
use crate::snapshot::Snapshot;
use crate::table::Table;

/// A scan of so many bytes of vectors that were read before takes about 0.15 ms: handing it to another thread and back
/// would cost a good part of that again.
const QUICK_SCAN: usize = 8 << 20;
/// What a row costs a scan beside its vector, in bytes of vectors.
const ROW: usize = 64;
/// Answers of fewer bytes are made on the spot.
const QUICK_ANSWER: usize = 256 << 10;

/// One index, open. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Index {
    name: IndexName,
    entry: Arc<IndexEntry>,
    table: Arc<Table>,
    journal: Journal<Table>,
}

impl Index {
    /// Opens an index: takes in all its fragments.
    pub async fn open(
        store: &Store,
        cache: &CacheDir,
        name: &IndexName,
        entry: &Arc<IndexEntry>,
        freshness: Freshness,
    ) -> Result<Self> {
        let model = entry.settings.model.as_ref();
        let table = Arc::new(Table::new(model.map(|model| model.fingerprint.clone())));
        let journal = Journal::open(store, cache, name, entry, freshness, Arc::clone(&table)).await?;
        Ok(Self { name: name.clone(), entry: Arc::clone(entry), table, journal })
    }

    /// How many items are known now, without asking the store.
    pub fn length(&self) -> usize {
        self.table.snapshot().length
    }

    /// How many bytes of memory it keeps, about.
    pub fn memory(&self) -> usize {
        self.table.snapshot().memory()
    }

    /// The newest state, as fresh as the kind of store demands.
    async fn fresh(&self) -> Result<Arc<Snapshot>> {
        self.journal.fresh().await?;
        Ok(self.table.snapshot())
    }

    pub async fn describe(&self, version: Version) -> Result<Description> {
        let snapshot = self.fresh().await?;
        let description = Description {
            length: Some(snapshot.length),
            fragment: snapshot.fragment,
            fingerprint: snapshot.fingerprint.clone(),
            ..Description::unread(&self.name, &self.entry, version)
        };
        Ok(description)
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
        let snapshot = self.fresh().await?;
        let (table, known) = (Arc::clone(&self.table), ids.clone());
        if !blocking("find items", move || table.has_any(&known)).await? {
            let (missing, length, fragment) = (ids.len(), snapshot.length, snapshot.fragment);
            return Ok(Removed { deleted: 0, missing, length, version, fragment });
        }
        let landed = self.journal.append(Change::Delete { ids }).await?;
        let outcome = landed.outcome;
        Ok(Removed {
            deleted: outcome.deleted,
            missing: outcome.missing,
            length: outcome.length,
            version,
            fragment: landed.number,
        })
    }

    /// The nearest items; a search that takes long holds one of `scans`.
    pub async fn search(&self, near: Near, version: Version, scans: &Semaphore) -> Result<Found> {
        let snapshot = self.fresh().await?;
        if let (Some(known), Some(given)) = (&snapshot.fingerprint, &near.fingerprint)
            && known != given
        {
            return Err(Error::other_model(known, given));
        }
        let k = check::found(near.k, snapshot.length)?;
        let fragment = snapshot.fragment;
        let target = Target::new(self.entry.settings.distance, near.vector);
        let results = if is_quick(&snapshot, k) {
            hits(&target, &snapshot, k)?
        } else {
            let _scan = scans.acquire().await.map_err(|_| Error::Broken)?;
            blocking("search", move || hits(&target, &snapshot, k)).await??
        };
        Ok(Found { results, version, fragment })
    }

    pub async fn item(&self, id: &str, version: Version) -> Result<StoredItem> {
        let fragment = self.fresh().await?.fragment;
        let (table, wanted) = (Arc::clone(&self.table), id.to_owned());
        let kept = blocking("find an item", move || table.item(&wanted)).await?;
        let kept = kept.ok_or_else(|| Error::ItemNotFound { index: self.name.clone(), id: id.to_owned() })?;
        let metadata = members(kept.metadata.as_deref())?;
        Ok(StoredItem { id: id.to_owned(), vector: kept.vector, metadata, version, fragment })
    }

    pub async fn fields(&self) -> Result<Vec<Field>> {
        let snapshot = self.fresh().await?;
        blocking("read fields", move || snapshot.fields()).await
    }

    pub async fn model(&self) -> Result<IndexModelState> {
        let settings = &self.entry.settings;
        let fingerprint = self.fresh().await?.fingerprint.clone();
        Ok(IndexModelState { dimension: settings.dimension, model: settings.model.clone(), fingerprint })
    }
}

impl Description {
    /// What the catalog alone knows of an index.
    pub(crate) fn unread(name: &IndexName, entry: &IndexEntry, version: Version) -> Self {
        let settings = &entry.settings;
        let model = settings.model.as_ref();
        Self {
            name: name.clone(),
            dimension: settings.dimension,
            distance: settings.distance,
            m: settings.m,
            ef_search: settings.ef_search,
            model: model.map(|model| model.name.clone()),
            fingerprint: model.map(|model| model.fingerprint.clone()),
            length: None,
            version,
            fragment: 0,
            created_at: entry.created_at,
            error: None,
        }
    }
}

/// Whether a search ends about as soon as another thread would begin it.
fn is_quick(snapshot: &Snapshot, k: usize) -> bool {
    let described = snapshot.described().checked_div(snapshot.length).unwrap_or_default();
    let (scan, answer) = (snapshot.size() + snapshot.rows() * ROW, k * (described + ROW));
    scan <= QUICK_SCAN && answer <= QUICK_ANSWER && snapshot.is_warm()
}

fn hits(target: &Target, snapshot: &Snapshot, k: usize) -> Result<Vec<Hit>> {
    target.nearest(snapshot, k).iter().map(hit).collect()
}

fn hit(neighbour: &Neighbour) -> Result<Hit> {
    let metadata = members(neighbour.metadata)?;
    Ok(Hit { id: neighbour.id.to_owned(), distance: neighbour.distance(), metadata })
}

/// Metadata was written from an object, and its bytes are checked when it is read.
fn members(text: Option<&[u8]>) -> Result<serde_json::Map<String, serde_json::Value>> {
    text.map_or(Ok(serde_json::Map::new()), |text| serde_json::from_slice(text).map_err(|_| Error::Broken))
}

async fn blocking<T: Send + 'static>(name: &'static str, work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    task::blocking(name, work).await.map_err(|_| Error::Broken)
}
