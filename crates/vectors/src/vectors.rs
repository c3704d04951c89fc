//! The vector indexes of a lake, by name.

use std::collections::HashMap;
use std::num::NonZero;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base::{Fault, IndexName, Seams, Version};
use catalog::{Catalog, IndexEntry, IndexSettings, Pin};
use futures::{StreamExt, stream};
use storage::{CacheDir, task};
use tokio::sync::{OnceCell, Semaphore};
use uuid::Uuid;

use crate::answer::{Added, Description, Found, IndexModelState, Removed, StoredItem};
use crate::change::Item;
use crate::check;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::field::Field;
use crate::index::Index;
use crate::journal::Freshness;
use crate::request::{Near, NewIndex};

/// How many indexes a list opens at once.
const OPENED_AT_ONCE: usize = 4;

/// The vector indexes of a lake. Cheap to clone.
#[derive(Clone)]
pub struct Vectors {
    room: Arc<Room>,
}

struct Room {
    catalog: Catalog,
    cache: CacheDir,
    config: Config,
    seams: Seams,
    /// By the index's own id: an index created anew under an old name is another one.
    open: Mutex<HashMap<Uuid, Opened>>,
    /// Held by each scan: more at once than there are cores would only take memory bandwidth from each other.
    scans: Semaphore,
}

/// An index that was asked for; those who ask while it is being opened wait for the same.
#[derive(Clone)]
struct Opened {
    name: IndexName,
    index: Arc<OnceCell<Index>>,
}

impl Vectors {
    /// The indexes of the catalog's lake. Nothing is read before an index is asked for.
    pub fn new(catalog: Catalog, cache: CacheDir, config: &Config, seams: Seams) -> Self {
        let scans = Semaphore::new(std::thread::available_parallelism().map_or(1, NonZero::get));
        let room = Room { catalog, cache, config: config.clone(), seams, open: Mutex::default(), scans };
        Self { room: Arc::new(room) }
    }

    /// The catalog of the lake.
    pub fn catalog(&self) -> &Catalog {
        &self.room.catalog
    }

    /// Creates an index.
    pub async fn create(&self, index: NewIndex) -> Result<Description> {
        check::settings(&index, &self.room.config)?;
        let NewIndex { name, dimension, distance, m, ef_search, model, author } = index;
        let settings = IndexSettings { dimension, distance, m, ef_search, model };
        let new = catalog::NewIndex { name: name.clone(), settings, author };
        let (entry, version) = self.room.catalog.create_index(new).await?;
        Ok(Description { length: Some(0), ..Description::unread(&name, &entry, version) })
    }

    /// All indexes, sorted by name; one that cannot be read says so and hides no other.
    pub async fn list(&self) -> Result<Vec<Description>> {
        let pin = self.room.catalog.pin(None).await?;
        let entries: Vec<_> = pin.indexes().map(|(name, entry)| (name.clone(), Arc::clone(entry))).collect();
        let described = entries.into_iter().map(|(name, entry)| self.room.described(pin.version(), name, entry));
        Ok(stream::iter(described).buffered(OPENED_AT_ONCE).collect().await)
    }

    /// One index.
    pub async fn describe(&self, name: &IndexName) -> Result<Description> {
        let found = self.room.find(name).await?;
        found.index().await?.describe(found.version).await
    }

    /// Drops an index with all its items; the version that no longer has it.
    pub async fn delete(&self, name: &IndexName, author: &str) -> Result<Version> {
        let version = self.room.catalog.drop_index(name, author).await?;
        self.room.forget(&self.room.catalog.pin(None).await?);
        Ok(version)
    }

    /// Adds items, or replaces those of the same id: all or none, durable when this returns. Replacing without
    /// metadata keeps what was there. Goes on to its end when the caller goes away.
    pub async fn add(&self, name: &IndexName, items: Vec<Item>, fingerprint: Option<String>) -> Result<Added> {
        let found = self.room.find(name).await?;
        let items = found.checked(items).await?;
        found.index().await?.add(items, fingerprint, found.version).await
    }

    /// The nearest items.
    pub async fn search(&self, name: &IndexName, near: Near) -> Result<Found> {
        let found = self.room.find(name).await?;
        check::near(&near, &found.entry.settings)?;
        found.index().await?.search(near, found.version, &self.room.scans).await
    }

    /// One item.
    pub async fn item(&self, name: &IndexName, id: &str) -> Result<StoredItem> {
        let found = self.room.find(name).await?;
        found.index().await?.item(id, found.version).await
    }

    /// Deletes items. Ids that are not there are counted as missing.
    pub async fn remove(&self, name: &IndexName, ids: Vec<String>) -> Result<Removed> {
        let found = self.room.find(name).await?;
        check::batch("ids", ids.len(), &self.room.config)?;
        found.index().await?.remove(ids, found.version).await
    }

    /// The metadata fields of all items that an index ever had, sorted by name.
    pub async fn fields(&self, name: &IndexName) -> Result<Vec<Field>> {
        self.room.find(name).await?.index().await?.fields().await
    }

    /// What text for an index has to go through.
    pub async fn model_of(&self, name: &IndexName) -> Result<IndexModelState> {
        self.room.find(name).await?.index().await?.model().await
    }

    /// How many items the open indexes have, as far as is known without asking the store.
    pub fn lengths(&self) -> Vec<(String, u64)> {
        let open = self.room.open();
        let lengths = open.values().filter_map(|opened| {
            let length = opened.index.get()?.length();
            Some((opened.name.to_string(), length as u64))
        });
        lengths.collect()
    }
}

impl Room {
    async fn find(&self, name: &IndexName) -> Result<Named<'_>> {
        let (entry, version) = self.catalog.index(name).await?;
        Ok(Named { room: self, name: name.clone(), entry, version })
    }

    async fn described(&self, version: Version, name: IndexName, entry: Arc<IndexEntry>) -> Description {
        let named = Named { room: self, name, entry, version };
        let read = async { named.index().await?.describe(version).await };
        read.await.unwrap_or_else(|error: Error| {
            let cause = std::error::Error::source(&error);
            tracing::error!(index = %named.name, error = %error, cause = ?cause, "an index does not read");
            let unread = Description::unread(&named.name, &named.entry, version);
            Description { error: Some(error.code()), ..unread }
        })
    }

    fn opened(&self, id: Uuid) -> Option<Opened> {
        self.open().get(&id).cloned()
    }

    /// Lets go of indexes that this version no longer has.
    fn forget(&self, pin: &Pin) {
        let mut open = self.open();
        open.retain(|id, opened| pin.index(&opened.name).is_some_and(|entry| entry.index_id == *id));
    }

    fn open(&self) -> MutexGuard<'_, HashMap<Uuid, Opened>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An index as one version names it.
struct Named<'a> {
    room: &'a Room,
    name: IndexName,
    entry: Arc<IndexEntry>,
    version: Version,
}

impl Named<'_> {
    /// The items, if all of them can be stored.
    async fn checked(&self, items: Vec<Item>) -> Result<Vec<Item>> {
        let (entry, config) = (Arc::clone(&self.entry), self.room.config.clone());
        let check = move || check::items(&items, &entry.settings, &config).map(|()| items);
        task::blocking("check items", check).await.map_err(|_| Error::Broken)?
    }

    /// The open index.
    async fn index(&self) -> Result<Index> {
        let opened = match self.room.opened(self.entry.index_id) {
            Some(opened) => opened,
            None => self.begin().await?,
        };
        let index = opened.index.get_or_try_init(|| self.read()).await?;
        Ok(index.clone())
    }

    async fn begin(&self) -> Result<Opened> {
        self.room.forget(&self.room.catalog.pin(None).await?);
        let unread = Opened { name: self.name.clone(), index: Arc::default() };
        Ok(self.room.open().entry(self.entry.index_id).or_insert(unread).clone())
    }

    async fn read(&self) -> Result<Index> {
        let Room { catalog, cache, seams, .. } = self.room;
        let freshness = Freshness::new(catalog.config(), seams.clone());
        Index::open(catalog.store(), cache, &self.name, &self.entry, freshness).await
    }
}
