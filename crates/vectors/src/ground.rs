//! What is sealed of an index at one version, open: that on which later fragments come, and what `as_of` answers from.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use base::Version;
use bytes::Bytes;
use catalog::{IndexEntry, Sealed};
use storage::{CacheDir, Store};

use crate::block::Block;
use crate::ends::Ends;
use crate::error::{Error, Result};
use crate::field::Fields;
use crate::fragment::Owner;
use crate::layout::Flaw;
use crate::segment::Segment;
use crate::snapshot::Snapshot;

/// What is sealed of an index. It never changes.
#[derive(Debug, Clone)]
pub(crate) struct Ground {
    /// The version that last changed the index's entry.
    pub version: Version,
    /// The last fragment that is sealed; 0 when nothing is.
    pub fragment: u64,
    /// How many items.
    pub length: usize,
    /// The model of the vectors, if the index or one of them has stated it.
    pub fingerprint: Option<String>,
    /// The fields of all metadata that ever was.
    pub fields: Arc<Fields>,
    dimension: u32,
    parts: Vec<(Arc<Segment>, Bytes)>,
}

impl Ground {
    /// Of an index of which nothing is sealed.
    pub fn unsealed(entry: &IndexEntry) -> Self {
        Self {
            version: entry.version,
            fragment: 0,
            length: 0,
            fingerprint: entry.settings.model.as_ref().map(|model| model.fingerprint.clone()),
            fields: Arc::default(),
            dimension: entry.settings.dimension,
            parts: Vec::new(),
        }
    }

    /// The blocks of its segments, oldest first, as nobody has ended more of their rows.
    pub fn blocks(&self) -> impl Iterator<Item = Block> {
        self.parts.iter().map(|(segment, ended)| Block::of_segment(self.dimension, segment, ended))
    }

    /// The items as the version has them.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot {
            blocks: self.blocks().map(Arc::new).collect(),
            past: Arc::clone(&self.fields),
            fragment: self.fragment,
            length: self.length,
            fingerprint: self.fingerprint.clone(),
            ground: self.version,
        }
    }
}

/// Reads what is sealed of the indexes of a lake. A segment that several versions name is opened once. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Grounds {
    store: Store,
    cache: CacheDir,
    /// The segments that somebody holds, by their paths.
    held: Arc<Mutex<HashMap<String, Weak<Segment>>>>,
}

impl Grounds {
    pub fn new(store: Store, cache: CacheDir) -> Self {
        Self { store, cache, held: Arc::default() }
    }

    /// What an entry has sealed.
    pub async fn open(&self, owner: &Arc<Owner>, entry: &IndexEntry) -> Result<Ground> {
        let unsealed = Ground::unsealed(entry);
        let Some(sealed) = &entry.sealed else { return Ok(unsealed) };
        let directory = format!("{}/{}", entry.location, catalog::SEGMENTS);
        let Ends { heading, ended } = self.ends(owner, &directory, sealed).await?;
        let mut parts = Vec::with_capacity(ended.len());
        for (line, ended) in heading.segments.iter().zip(ended) {
            let segment = self.segment(owner, &format!("{directory}/{}", line.name), &line.name).await?;
            if segment.rows() as u64 != line.rows {
                return Err(owner.segment_fault(&line.name, Flaw::Broken("it has more or fewer rows than were sealed")));
            }
            parts.push((segment, ended));
        }
        Ok(Ground {
            fragment: sealed.fragment,
            length: usize::try_from(sealed.length).unwrap_or(usize::MAX),
            fingerprint: heading.fingerprint,
            fields: Arc::new(heading.fields),
            parts,
            ..unsealed
        })
    }

    async fn ends(&self, owner: &Owner, directory: &str, sealed: &Sealed) -> Result<Ends> {
        let fault = |flaw| owner.segment_fault(&sealed.ends, flaw);
        let bytes = self.store.get(&format!("{directory}/{}", sealed.ends)).await;
        let ends = Ends::decode(&bytes.map_err(|error| unread(error, fault))?).map_err(fault)?;
        let names = ends.heading.segments.iter().map(|line| &line.name);
        let same =
            (ends.heading.index, ends.heading.fragment) == (owner.index, sealed.fragment) && names.eq(&sealed.segments);
        if same { Ok(ends) } else { Err(fault(Flaw::Broken("it belongs to another seal"))) }
    }

    async fn segment(&self, owner: &Arc<Owner>, path: &str, name: &str) -> Result<Arc<Segment>> {
        if let Some(held) = self.held().get(path).and_then(Weak::upgrade) {
            return Ok(held);
        }
        let mapped = self.store.mapped(path, &self.cache).await;
        let mapped = mapped.map_err(|error| unread(error, |flaw| owner.segment_fault(name, flaw)))?;
        let opened = Arc::new(Segment::open(mapped, owner, name)?);
        let mut held = self.held();
        held.retain(|_, segment| segment.strong_count() > 0);
        held.insert(path.to_owned(), Arc::downgrade(&opened));
        Ok(opened)
    }

    /// The segments that somebody holds.
    pub fn segments(&self) -> Vec<Arc<Segment>> {
        self.held().values().filter_map(Weak::upgrade).collect()
    }

    /// No caller's code runs under the lock, so what a panic left behind is whole.
    fn held(&self) -> MutexGuard<'_, HashMap<String, Weak<Segment>>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What it means that a file of a seal does not read: damage when it is not there, else the store's failure.
fn unread(error: storage::Error, fault: impl Fn(Flaw) -> Error) -> Error {
    match error {
        storage::Error::NotFound { .. } => fault(Flaw::Broken("it is missing")),
        error => error.into(),
    }
}
