//! The vector indexes of a lake, by name.

use std::num::NonZero;
use std::sync::Arc;

use base::{Fault, IndexName, Seams, Version};
use catalog::{Catalog, IndexEntry, IndexSettings, Pin};
use futures::{StreamExt, stream};
use storage::{CacheDir, task};
use tokio::sync::Semaphore;

use crate::answer::{Added, Description, Found, IndexModelState, Listing, Removed, StoredItem};
use crate::change::Item;
use crate::check;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::field::Field;
use crate::fragments::are_within;
use crate::index::Index;
use crate::journal::Freshness;
use crate::open::{OpenIndexes, Opened};
use crate::request::{Near, NewIndex};

/// How many indexes a list looks at at once.
const LOOKED_AT_AT_ONCE: usize = 4;
/// A list opens an index to count its items when its fragments are at most so many files, and bytes together.
const LIGHT: (usize, u64) = (1000, 16 << 20);

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
    open: OpenIndexes,
    /// Held by each scan: more at once than there are cores would only take memory bandwidth from each other.
    scans: Semaphore,
}

impl Vectors {
    /// The indexes of the catalog's lake. Nothing is read before an index is asked for.
    pub fn new(catalog: Catalog, cache: CacheDir, config: &Config, seams: Seams) -> Self {
        let scans = Semaphore::new(std::thread::available_parallelism().map_or(1, NonZero::get));
        let room = Room { catalog, cache, config: config.clone(), seams, open: OpenIndexes::new(), scans };
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

    /// At most `limit` indexes whose names come after `after`, sorted by name; one that cannot be read says so and
    /// hides no other. Large ones that are not open stay closed, and state no length.
    pub async fn list(&self, after: Option<&str>, limit: usize) -> Result<Listing> {
        let pin = self.room.catalog.pin(None).await?;
        let (version, (page, next)) = (pin.version(), page(&pin, after, limit));
        let described = page.into_iter().map(|(name, entry)| self.room.described(version, name, entry));
        let indexes = stream::iter(described).buffered(LOOKED_AT_AT_ONCE).collect().await;
        Ok(Listing { indexes, next, version })
    }

    /// One index.
    pub async fn describe(&self, name: &IndexName) -> Result<Description> {
        let found = self.room.find(name).await?;
        found.index().await?.describe(found.version).await
    }

    /// Drops an index with all its items; the version that no longer has it.
    pub async fn delete(&self, name: &IndexName, author: &str) -> Result<Version> {
        let version = self.room.catalog.drop_index(name, author).await?;
        self.room.open.forget(&self.room.catalog.pin(None).await?);
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
        self.room.open.lengths()
    }
}

impl Room {
    async fn find(&self, name: &IndexName) -> Result<Named<'_>> {
        let (entry, version) = self.catalog.index(name).await?;
        Ok(Named { room: self, name: name.clone(), entry, version })
    }

    async fn described(&self, version: Version, name: IndexName, entry: Arc<IndexEntry>) -> Description {
        let named = Named { room: self, name, entry, version };
        named.listed().await.unwrap_or_else(|error: Error| {
            let cause = std::error::Error::source(&error);
            tracing::error!(index = %named.name, error = %error, cause = ?cause, "an index does not read");
            let unread = Description::unread(&named.name, &named.entry, version);
            Description { error: Some(error.code()), ..unread }
        })
    }
}

/// At most `limit` indexes whose names come after `after`, and the last one's name when more come after it.
fn page(pin: &Pin, after: Option<&str>, limit: usize) -> (Vec<(IndexName, Arc<IndexEntry>)>, Option<IndexName>) {
    let mut rest = pin.indexes().filter(|(name, _)| after.is_none_or(|after| name.as_str() > after));
    let page: Vec<_> = rest.by_ref().take(limit).map(|(name, entry)| (name.clone(), Arc::clone(entry))).collect();
    let next = rest.next().and(page.last()).map(|(name, _)| name.clone());
    (page, next)
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

    /// As a list shows it.
    async fn listed(&self) -> Result<Description> {
        let (store, (files, bytes)) = (self.room.catalog.store(), LIGHT);
        let is_open = self.room.open.get(self.entry.index_id).is_some();
        if is_open || are_within(store, &self.entry.location, files, bytes).await? {
            return self.index().await?.describe(self.version).await;
        }
        Ok(Description::unread(&self.name, &self.entry, self.version))
    }

    /// The open index.
    async fn index(&self) -> Result<Index> {
        let open = &self.room.open;
        let opened = match open.get(self.entry.index_id) {
            Some(opened) => opened,
            None => self.begin().await?,
        };
        if let Some(index) = opened.index.get() {
            return Ok(index.clone());
        }
        let index = opened.index.get_or_try_init(|| self.read()).await?;
        open.trim();
        Ok(index.clone())
    }

    async fn begin(&self) -> Result<Opened> {
        self.room.open.forget(&self.room.catalog.pin(None).await?);
        Ok(self.room.open.begin(self.entry.index_id, &self.name))
    }

    async fn read(&self) -> Result<Index> {
        let Room { catalog, cache, seams, .. } = self.room;
        let freshness = Freshness::new(catalog.config(), seams.clone());
        Index::open(catalog.store(), cache, &self.name, &self.entry, freshness).await
    }
}
