//! The vector indexes of a lake, by name.

use std::num::NonZero;
use std::sync::Arc;

use async_trait::async_trait;
use base::{AsOf, Fault, IndexName, Seams, Version};
use catalog::{Catalog, IndexEntry, IndexSettings, Pin, SealFault, Sealer, StagedSeal};
use filters::Filter;
use futures::{StreamExt, stream};
use storage::{CacheDir, task};
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::answer::{Added, Description, Found, IndexModelState, IndexSealed, Listing, Removed, StoredItem};
use crate::change::{Change, Item};
use crate::check;
use crate::coder::Coder;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::field::Field;
use crate::fragments::are_within;
use crate::ground::Grounds;
use crate::index::Index;
use crate::journal::Freshness;
use crate::lake_seals::LakeSeals;
use crate::open::{OpenIndexes, Opened};
use crate::past::Past;
use crate::recall;
use crate::request::{NewIndex, Search};
use crate::snapshot::Snapshot;
use crate::table::Outcome;
use crate::view::View;

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
    grounds: Grounds,
    coder: Arc<Coder>,
    past: Past,
    /// Held by each scan: more at once than there are cores would only take memory bandwidth from each other.
    scans: Semaphore,
}

impl Vectors {
    /// The indexes of the catalog's lake. Nothing is read before an index is asked for.
    pub fn new(catalog: Catalog, cache: CacheDir, config: &Config, seams: Seams) -> Self {
        let scans = Semaphore::new(std::thread::available_parallelism().map_or(1, NonZero::get));
        let grounds = Grounds::new(catalog.store().clone(), cache.clone());
        let coder = Arc::new(Coder::new(catalog.store().clone(), cache.clone()));
        let (open, past, config) = (OpenIndexes::new(), Past::new(grounds.clone()), config.clone());
        Self { room: Arc::new(Room { catalog, cache, config, seams, open, grounds, coder, past, scans }) }
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
    /// hides no other. Large ones that are not open stay closed, and state no length. As of a version they have the
    /// lengths that are sealed in it.
    pub async fn list(&self, after: Option<&str>, limit: usize, as_of: Option<&AsOf>) -> Result<Listing> {
        let pin = self.room.catalog.pin(as_of).await?;
        let (version, (page, next)) = (pin.version(), page(&pin, after, limit));
        if as_of.is_some() {
            let indexes = page.iter().map(|(name, entry)| Description::sealed(name, entry, version)).collect();
            return Ok(Listing { indexes, next, version });
        }
        let described = page.into_iter().map(|(name, entry)| self.room.described(version, name, entry));
        let indexes = stream::iter(described).buffered(LOOKED_AT_AT_ONCE).collect().await;
        Ok(Listing { indexes, next, version })
    }

    /// One index, now or as a version has it.
    pub async fn describe(&self, name: &IndexName, as_of: Option<&AsOf>) -> Result<Description> {
        let view = self.room.view(name, as_of).await?;
        let recall = if as_of.is_none() { recall::last(self.room.catalog.store(), &view.entry).await } else { None };
        Ok(Description { recall, ..view.describe() })
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
        let found = self.room.find(name, None).await?;
        let items = found.checked(items, check::items).await?;
        found.index().await?.add(items, fingerprint, found.version).await
    }

    /// Adds items as another index has them, some of which were stored before there was a bound to what they are.
    pub(crate) async fn take_over(
        &self,
        name: &IndexName,
        items: Vec<Item>,
        fingerprint: Option<String>,
    ) -> Result<Added> {
        let found = self.room.find(name, None).await?;
        let items = found.checked(items, check::stored).await?;
        found.index().await?.add(items, fingerprint, found.version).await
    }

    /// The items that a search finds, now or as a version has them.
    pub async fn search(&self, name: &IndexName, search: Search, as_of: Option<&AsOf>) -> Result<Found> {
        let found = self.room.find(name, as_of).await?;
        check::search(&search, &found.entry.settings)?;
        let view = found.view(as_of).await?;
        if search.by.nearness().is_some() {
            self.find_codes(&view.snapshot).await;
        }
        view.search(search, &self.room.scans).await
    }

    /// One item, now or as a version has it.
    pub async fn item(&self, name: &IndexName, id: &str, as_of: Option<&AsOf>) -> Result<StoredItem> {
        let found = self.room.find(name, as_of).await?;
        match as_of {
            None => found.index().await?.item(id, found.version).await,
            Some(_) => found.view(as_of).await?.sealed_item(id).await,
        }
    }

    /// Deletes items. Ids that are not there are counted as missing.
    pub async fn remove(&self, name: &IndexName, ids: Vec<String>) -> Result<Removed> {
        let found = self.room.find(name, None).await?;
        check::batch("ids", ids.len(), &self.room.config)?;
        found.index().await?.remove(ids, found.version).await
    }

    /// Deletes the items of which a filter holds, all at one moment. One that holds of all is refused.
    pub async fn remove_matching(&self, name: &IndexName, filter: Filter) -> Result<Removed> {
        if filter.is_empty() {
            return Err(filters::Error::Bad("it is empty, and would delete all items".to_owned()).into());
        }
        let found = self.room.find(name, None).await?;
        found.index().await?.remove_matching(filter, found.version).await
    }

    /// Seals what an index has acknowledged by now into a version. When nothing is new, the version that has it is
    /// answered. Goes on to its end when the caller goes away.
    pub async fn seal(&self, name: &IndexName, author: &str) -> Result<IndexSealed> {
        self.seal_by(name, self.sealer(), author).await
    }

    /// The same, staged by somebody else.
    pub(crate) async fn seal_by(&self, name: &IndexName, sealer: Arc<dyn Sealer>, author: &str) -> Result<IndexSealed> {
        let before = self.room.find(name, None).await?.entry.version;
        let (entry, version) = self.room.catalog.seal(name, sealer, author).await?;
        self.settle(name, &entry).await;
        let (fragment, segments, length) = match &entry.sealed {
            Some(sealed) => (sealed.fragment, sealed.segments.len(), sealed.length),
            None => (0, 0, 0),
        };
        let sealed = entry.version > before;
        Ok(IndexSealed { name: name.clone(), version, fragment, segments, length, sealed })
    }

    pub(crate) fn seams(&self) -> &Seams {
        &self.room.seams
    }

    pub(crate) fn config(&self) -> &Config {
        &self.room.config
    }

    pub(crate) fn grounds(&self) -> &Grounds {
        &self.room.grounds
    }

    /// Opens the codes of what a snapshot reads.
    pub(crate) async fn find_codes(&self, snapshot: &Snapshot) {
        self.room.coder.find_all(snapshot).await;
    }

    /// Waits for a turn to scan.
    pub(crate) async fn scan(&self) -> Result<SemaphorePermit<'_>> {
        self.room.scans.acquire().await.map_err(|_| Error::Broken)
    }

    /// Makes codes of what has none and is worth them, one block after another.
    pub(crate) async fn make_codes(&self) {
        for segment in self.room.grounds.segments() {
            self.room.coder.code_segment(&segment).await;
        }
        for (_, index) in self.open_indexes() {
            index.make_codes(&self.room.coder).await;
        }
    }

    /// The indexes that are open in this process.
    pub(crate) fn open_indexes(&self) -> Vec<(IndexName, Index)> {
        self.room.open.all()
    }

    /// An index as it is now.
    pub(crate) async fn view(&self, name: &IndexName) -> Result<View> {
        self.room.view(name, None).await
    }

    /// Makes a change of an index durable.
    pub(crate) async fn append(&self, name: &IndexName, change: Change) -> Result<Outcome> {
        self.room.find(name, None).await?.index().await?.append(change).await
    }

    /// What stages the seals of these indexes, for commits that carry them.
    pub fn sealer(&self) -> Arc<dyn Sealer> {
        Arc::new(self.clone())
    }

    /// Goes over to a seal that was made here, so that memory keeps no longer what the seal has.
    async fn settle(&self, name: &IndexName, entry: &IndexEntry) {
        let followed = async {
            match self.room.open.get(entry.index_id).and_then(|opened| opened.index.get().cloned()) {
                Some(index) => index.follow(entry).await,
                None => Ok(()),
            }
        };
        if let Err(error) = followed.await {
            tracing::warn!(index = %name, %error, "an index goes on without its newest seal");
        }
    }

    /// The metadata fields of all items that an index ever had, sorted by name; up to a version, if one is given.
    pub async fn fields(&self, name: &IndexName, as_of: Option<&AsOf>) -> Result<Vec<Field>> {
        self.room.view(name, as_of).await?.fields().await
    }

    /// What text for an index has to go through.
    pub async fn model_of(&self, name: &IndexName, as_of: Option<&AsOf>) -> Result<IndexModelState> {
        Ok(self.room.view(name, as_of).await?.model())
    }

    /// How many items the open indexes have, as far as is known without asking the store.
    pub fn lengths(&self) -> Vec<(String, u64)> {
        self.room.open.lengths()
    }
}

#[async_trait]
impl Sealer for Vectors {
    async fn stage(&self, name: &IndexName, entry: &Arc<IndexEntry>) -> Result<Option<StagedSeal>, SealFault> {
        let (entry, version) = (Arc::clone(entry), entry.version);
        let named = Named { room: &self.room, name: name.clone(), entry, version };
        Ok(named.index().await?.stage_seal(&named.entry).await?)
    }
}

impl Room {
    async fn find(&self, name: &IndexName, as_of: Option<&AsOf>) -> Result<Named<'_>> {
        let (entry, version) = self.catalog.index(name, as_of).await?;
        Ok(Named { room: self, name: name.clone(), entry, version })
    }

    async fn view(&self, name: &IndexName, as_of: Option<&AsOf>) -> Result<View> {
        self.find(name, as_of).await?.view(as_of).await
    }

    async fn described(&self, version: Version, name: IndexName, entry: Arc<IndexEntry>) -> Description {
        let named = Named { room: self, name, entry, version };
        named.listed().await.unwrap_or_else(|error: Error| {
            tracing::error!(index = %named.name, error = %error, cause = error.causes(), "an index does not read");
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

type Check = fn(&[Item], &IndexSettings, &Config) -> Result<()>;

/// An index as one version names it.
struct Named<'a> {
    room: &'a Room,
    name: IndexName,
    entry: Arc<IndexEntry>,
    version: Version,
}

impl Named<'_> {
    /// The items, if all of them can be stored.
    async fn checked(&self, items: Vec<Item>, check: Check) -> Result<Vec<Item>> {
        let (entry, config) = (Arc::clone(&self.entry), self.room.config.clone());
        let check = move || check(&items, &entry.settings, &config).map(|()| items);
        task::blocking("check items", check).await.map_err(|_| Error::Broken)?
    }

    /// As a list shows it.
    async fn listed(&self) -> Result<Description> {
        let (store, (files, bytes)) = (self.room.catalog.store(), LIGHT);
        let is_open = self.room.open.get(self.entry.index_id).is_some();
        if is_open || are_within(store, &self.entry.location, files, bytes).await? {
            return Ok(self.view(None).await?.describe());
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
            index.keep_up(&self.entry).await?;
            return Ok(index.clone());
        }
        let index = opened.index.get_or_try_init(|| self.read()).await?;
        open.trim();
        Ok(index.clone())
    }

    /// The index now, or as the version has it.
    async fn view(&self, as_of: Option<&AsOf>) -> Result<View> {
        let Some(as_of) = as_of else { return self.index().await?.view(&self.entry, self.version).await };
        let snapshot = match self.room.past.snapshot(&self.name, &self.entry).await {
            Err(error @ Error::Damaged { .. }) => {
                // Unless the version has expired under the reader, and its files are gone.
                self.room.catalog.pin(Some(as_of)).await?;
                return Err(error);
            }
            snapshot => snapshot?,
        };
        Ok(View { name: self.name.clone(), entry: Arc::clone(&self.entry), version: self.version, snapshot })
    }

    async fn begin(&self) -> Result<Opened> {
        self.room.open.forget(&self.room.catalog.pin(None).await?);
        Ok(self.room.open.begin(self.entry.index_id, &self.name))
    }

    /// Opens the index. When another process sealed more of it meanwhile, what the older seal needs may be gone.
    async fn read(&self) -> Result<Index> {
        let mut entry = Arc::clone(&self.entry);
        loop {
            match self.read_from(&entry).await {
                Err(error @ Error::Damaged { .. }) => {
                    let newest = self.room.catalog.pin_fresh().await?.index(&self.name).cloned();
                    let newer =
                        newest.filter(|newest| newest.index_id == entry.index_id && newest.version > entry.version);
                    entry = newer.ok_or(error)?;
                }
                read => return read,
            }
        }
    }

    async fn read_from(&self, entry: &Arc<IndexEntry>) -> Result<Index> {
        let Room { catalog, cache, seams, grounds, .. } = self.room;
        let freshness = Freshness::new(catalog.config(), seams.clone());
        let seals = LakeSeals::new(catalog.clone(), grounds.clone(), &self.name, entry);
        Index::open(catalog.store(), cache, &self.name, entry, freshness, seals).await
    }
}
