//! An index as readers see it at one moment: now, or as a version has it.

use std::sync::Arc;

use base::{IndexName, Version};
use catalog::{IndexEntry, IndexSettings};
use storage::task;
use tokio::sync::Semaphore;

use crate::answer::{Description, Found, Hit, IndexModelState, StoredItem};
use crate::check;
use crate::error::{Error, Result};
use crate::field::Field;
use crate::request::Near;
use crate::search::{By, Neighbour, Target, Wanted};
use crate::snapshot::Snapshot;
use crate::table::Kept;

/// A scan of so many bytes of vectors that were read before takes about 0.15 ms: handing it to another thread and back
/// would cost a good part of that again.
const QUICK_SCAN: usize = 8 << 20;
/// What an item costs an answer beside its metadata, in bytes of metadata.
const ITEM: usize = 64;
/// Looking for more of the nearest than this is no work for an async thread.
const QUICK_DEPTH: usize = 100;
/// Answers of fewer bytes are made on the spot.
const QUICK_ANSWER: usize = 256 << 10;
/// The metadata of so few rows is read on the spot for a filter.
const QUICK_READ: usize = 256;

/// One index at one moment. Cheap to clone.
#[derive(Clone)]
pub(crate) struct View {
    pub name: IndexName,
    pub entry: Arc<IndexEntry>,
    /// The lake's version.
    pub version: Version,
    pub snapshot: Arc<Snapshot>,
}

impl View {
    pub fn describe(&self) -> Description {
        Description {
            length: Some(self.snapshot.length),
            fragment: self.snapshot.fragment,
            fingerprint: self.snapshot.fingerprint.clone(),
            coded: self.snapshot.coded(),
            keeps_texts: Some(self.snapshot.has_texts()),
            ..Description::unread(&self.name, &self.entry, self.version)
        }
    }

    /// The nearest items; a search that takes long holds one of `scans`.
    pub async fn search(self, near: Near, scans: &Semaphore) -> Result<Found> {
        self.snapshot.expect_model(near.fingerprint.as_deref())?;
        let Self { entry, version, snapshot, .. } = self;
        let (by, fragment) = (by(&near, &entry.settings), snapshot.fragment);
        let wanted = Wanted { k: near.k, filter: near.filter.filter(|filter| !filter.is_empty()), by };
        let target = Target::new(entry.settings.distance, near.vector);
        let results = if is_quick(&snapshot, &wanted) {
            hits(&target, &snapshot, wanted)?
        } else {
            let _scan = scans.acquire().await.map_err(|_| Error::Broken)?;
            blocking("search", move || hits(&target, &snapshot, wanted)).await??
        };
        Ok(Found { results, version, fragment })
    }

    /// The item of this id among those that are sealed.
    pub async fn sealed_item(&self, id: &str) -> Result<StoredItem> {
        let (snapshot, wanted) = (Arc::clone(&self.snapshot), id.to_owned());
        let kept = blocking("find an item", move || snapshot.sealed_item(&wanted)).await??;
        self.item(id, kept)
    }

    /// An item as it is answered, if there is one.
    pub fn item(&self, id: &str, kept: Option<Kept>) -> Result<StoredItem> {
        let kept = kept.ok_or_else(|| Error::ItemNotFound { index: self.name.clone(), id: id.to_owned() })?;
        let metadata = members(kept.metadata.as_deref())?;
        let (version, fragment) = (self.version, self.snapshot.fragment);
        Ok(StoredItem { id: id.to_owned(), vector: kept.vector, metadata, text: kept.text, version, fragment })
    }

    pub async fn fields(self) -> Result<Vec<Field>> {
        blocking("read fields", move || self.snapshot.fields()).await
    }

    pub fn model(&self) -> IndexModelState {
        let settings = &self.entry.settings;
        let fingerprint = self.snapshot.fingerprint.clone();
        IndexModelState { dimension: settings.dimension, model: settings.model.clone(), fingerprint }
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
            sealed: entry.sealed.as_ref().map_or(0, |sealed| sealed.fragment),
            segments: entry.sealed.as_ref().map_or(0, |sealed| sealed.segments.len()),
            coded: 0,
            keeps_texts: None,
            created_at: entry.created_at,
            recall: None,
            error: None,
        }
    }

    /// What the version itself has of an index, without reading it.
    pub(crate) fn sealed(name: &IndexName, entry: &IndexEntry, version: Version) -> Self {
        let length = entry.sealed.as_ref().map_or(0, |sealed| sealed.length);
        let unread = Self::unread(name, entry, version);
        Self { length: Some(usize::try_from(length).unwrap_or(usize::MAX)), fragment: unread.sealed, ..unread }
    }
}

/// How the nearest are found: as the search says, or the index.
pub(crate) fn by(near: &Near, settings: &IndexSettings) -> By {
    if near.exact {
        return By::Proof;
    }
    By::Codes(near.ef_search.or(settings.ef_search).unwrap_or_default() as usize)
}

/// Whether a search ends about as soon as another thread would begin it.
fn is_quick(snapshot: &Snapshot, wanted: &Wanted) -> bool {
    let described = snapshot.described().checked_div(snapshot.length).unwrap_or_default();
    let by_codes = matches!(wanted.by, By::Codes(depth) if depth.max(wanted.k) <= QUICK_DEPTH);
    let (work, answer) = (snapshot.work(by_codes), wanted.k.min(snapshot.length) * (described + ITEM));
    let unread = wanted.filter.as_ref().map_or(0, |filter| snapshot.unread(filter));
    work <= QUICK_SCAN && answer <= QUICK_ANSWER && unread <= QUICK_READ && snapshot.is_warm(by_codes)
}

fn hits(target: &Target, snapshot: &Snapshot, mut wanted: Wanted) -> Result<Vec<Hit>> {
    wanted.k = match &wanted.filter {
        Some(filter) if wanted.k > check::MAX_FOUND => check::found(wanted.k, snapshot.matching(filter)?.count())?,
        _ => check::found(wanted.k, snapshot.length)?,
    };
    target.nearest(snapshot, &wanted)?.iter().map(hit).collect()
}

fn hit(neighbour: &Neighbour) -> Result<Hit> {
    let metadata = members(neighbour.metadata)?;
    Ok(Hit { id: neighbour.id.to_owned(), distance: neighbour.distance(), metadata })
}

/// Metadata was written from an object, and its bytes are checked when it is read.
pub(crate) fn members(text: Option<&[u8]>) -> Result<serde_json::Map<String, serde_json::Value>> {
    text.map_or(Ok(serde_json::Map::new()), |text| serde_json::from_slice(text).map_err(|_| Error::Broken))
}

/// Work that may take long, off the runtime's own threads.
pub(crate) async fn blocking<T, W>(name: &'static str, work: W) -> Result<T>
where
    T: Send + 'static,
    W: FnOnce() -> T + Send + 'static,
{
    task::blocking(name, work).await.map_err(|_| Error::Broken)
}
