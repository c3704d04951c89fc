//! An index as readers see it at one moment: now, or as a version has it.

use std::sync::Arc;

use base::{IndexName, Version};
use catalog::{IndexEntry, IndexSettings};
use filters::Filter;
use storage::task;
use tokio::sync::Semaphore;

use crate::answer::{Description, Found, Hit, IndexModelState, StoredItem};
use crate::block::Block;
use crate::check;
use crate::error::{Error, Result};
use crate::field::Field;
use crate::request::{By, Effort, Nearness, Search};
use crate::search::{Neighbour, Target, Wanted, Way};
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

    /// What a search finds; one that takes long holds one of `scans`.
    pub async fn search(self, search: Search, scans: &Semaphore) -> Result<Found> {
        if let Some(near) = search.by.nearness() {
            self.snapshot.expect_model(near.fingerprint.as_deref())?;
        }
        let (version, fragment) = (self.version, self.snapshot.fragment);
        let search = Search { filter: search.filter.filter(|filter| !filter.is_empty()), ..search };
        let results = if self.is_quick(&search) {
            self.hits(search)?
        } else {
            let _scan = scans.acquire().await.map_err(|_| Error::Broken)?;
            blocking("search", move || self.hits(search)).await??
        };
        Ok(Found { results, version, fragment })
    }

    fn hits(&self, search: Search) -> Result<Vec<Hit>> {
        let Search { by, k, filter, with_texts } = search;
        let k = self.count(k, filter.as_ref())?;
        let answers = match by {
            By::Near(near) => {
                let nearest = self.nearest(near, k, filter)?;
                return nearest.iter().map(|neighbour| hit(neighbour, with_texts)).collect();
            }
            By::Words(text) => self.saying(&text, k, filter.as_ref())?,
            By::Both(text, near) => self.near_or_saying(&text, near, k, filter)?,
        };
        answers.into_iter().map(|answer| answer.hit(with_texts)).collect()
    }

    /// How many items a search for `k` finds, if one answer may hold them.
    fn count(&self, k: usize, filter: Option<&Filter>) -> Result<usize> {
        match filter {
            Some(filter) if k > check::MAX_FOUND => check::found(k, self.snapshot.matching(filter)?.count()),
            _ => check::found(k, self.snapshot.length),
        }
    }

    /// The `k` items that lie nearest, the nearest first.
    pub(crate) fn nearest(&self, near: Nearness, k: usize, filter: Option<Filter>) -> Result<Vec<Neighbour<'_>>> {
        let settings = &self.entry.settings;
        let wanted = Wanted { k, filter, way: way(near.effort, settings) };
        Target::new(settings.distance, near.vector).nearest(&self.snapshot, &wanted)
    }

    /// Whether a search ends about as soon as another thread would begin it.
    fn is_quick(&self, search: &Search) -> bool {
        let (By::Near(near), false) = (&search.by, search.with_texts) else { return false };
        let (snapshot, k) = (&self.snapshot, search.k);
        let described = snapshot.described().checked_div(snapshot.length).unwrap_or_default();
        let way = way(near.effort, &self.entry.settings);
        let by_codes = matches!(way, Way::Codes(depth) if depth.max(k) <= QUICK_DEPTH);
        let (work, answer) = (snapshot.work(by_codes), k.min(snapshot.length) * (described + ITEM));
        let unread = search.filter.as_ref().map_or(0, |filter| snapshot.unread(filter));
        work <= QUICK_SCAN && answer <= QUICK_ANSWER && unread <= QUICK_READ && snapshot.is_warm(by_codes)
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
fn way(effort: Effort, settings: &IndexSettings) -> Way {
    if effort.exact {
        return Way::Proof;
    }
    Way::Codes(effort.ef_search.or(settings.ef_search).unwrap_or_default() as usize)
}

fn hit(neighbour: &Neighbour, with_text: bool) -> Result<Hit> {
    let (metadata, text) = (members(neighbour.metadata)?, text(neighbour.place, with_text)?);
    let (id, distance) = (neighbour.id.to_owned(), Some(neighbour.distance()));
    Ok(Hit { id, score: None, distance, ranks: None, metadata, text })
}

/// The text of a row, where it is wanted and there is one.
pub(crate) fn text((block, row): (&Block, usize), is_wanted: bool) -> Result<Option<Arc<str>>> {
    Ok(if is_wanted { block.text(row)?.map(Into::into) } else { None })
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
