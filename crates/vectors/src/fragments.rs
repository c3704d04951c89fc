//! The run of fragments of one index on the store: `<index>/fragments/<20 digits>.lhvf`, each created once and never
//! changed.

use std::sync::Arc;

use bytes::Bytes;
use futures::stream::{self, BoxStream};
use futures::{StreamExt, TryStreamExt};
use storage::{CacheDir, Mapped, Store, task};

use crate::error::{Error, Result};
use crate::fragment::{Fragment, LARGE, Owner};
use crate::layout::Flaw;

/// What the names of fragments end in.
const SUFFIX: &str = ".lhvf";
/// How many fragments are asked for at once, at most.
pub(crate) const WINDOW: u64 = 32;
/// How many names one listing asks for.
const PAGE: usize = 100_000;

/// Whether the fragments of an index that lies at `location` are at most so many files, and bytes together.
pub(crate) async fn are_within(store: &Store, location: &str, files: usize, bytes: u64) -> storage::Result<bool> {
    let page = store.list(&format!("{location}/fragments/"), None, files).await?;
    Ok(page.next.is_none() && page.entries.iter().map(|entry| entry.size).sum::<u64>() <= bytes)
}

/// Reads and creates the fragments of one index.
#[derive(Debug, Clone)]
pub(crate) struct Fragments {
    store: Store,
    cache: CacheDir,
    directory: Arc<str>,
    owner: Arc<Owner>,
}

impl Fragments {
    /// The fragments of an index that lies at `location`.
    pub fn new(store: Store, cache: CacheDir, location: &str, owner: Owner) -> Self {
        let directory = format!("{location}/fragments/").into();
        Self { store, cache, directory, owner: Arc::new(owner) }
    }

    /// Whose fragments these are.
    pub fn owner(&self) -> &Arc<Owner> {
        &self.owner
    }

    /// The fragment of this number; none when it is not there.
    pub async fn read(&self, number: u64) -> Result<Option<Fragment>> {
        match self.bytes(number).await {
            Ok(bytes) => self.parse(number, bytes).await.map(Some),
            Err(storage::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// A large fragment is read in place; a small one comes in one piece.
    async fn bytes(&self, number: u64) -> storage::Result<Mapped> {
        let path = self.path(number);
        let reading = self.store.read(&path, None).await?;
        if reading.entry.size >= LARGE {
            return self.store.mapped(&path, &self.cache).await;
        }
        let pieces: Vec<Bytes> = reading.stream.try_collect().await?;
        Ok(Bytes::from(pieces.concat()).into())
    }

    /// Checks the bytes of a fragment; many of them off the runtime's own threads.
    pub async fn parse(&self, number: u64, bytes: Mapped) -> Result<Fragment> {
        let (owner, is_long) = (Arc::clone(&self.owner), bytes.len() as u64 >= LARGE);
        let parse = move || Fragment::read(bytes, &owner, number).map_err(|flaw| owner.fault(number, flaw));
        if !is_long {
            return parse();
        }
        task::blocking("check a fragment", parse).await.map_err(|_| Error::Broken)?
    }

    /// The fragments from `first` to `last`, both included, in order; each of them must be there.
    pub fn range(&self, first: u64, last: u64) -> BoxStream<'_, Result<Fragment>> {
        stream::iter(first..=last).map(|number| self.expect(number)).buffered(WINDOW as usize).boxed()
    }

    async fn expect(&self, number: u64) -> Result<Fragment> {
        let missing = || self.owner.fault(number, Flaw::Broken("it is missing, and later ones are there"));
        self.read(number).await?.ok_or_else(missing)
    }

    /// The number of the last fragment that a list shows; 0 when there is none. Later ones may be there.
    pub async fn last(&self) -> Result<u64> {
        let (mut last, mut after) = (0, None);
        loop {
            let page = self.store.list(&self.directory, after.as_deref(), PAGE).await?;
            last = page.entries.iter().filter_map(|entry| self.number(&entry.path)).fold(last, u64::max);
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok(last),
            }
        }
    }

    /// The unbroken run of fragments after `number`, at most `limit`.
    pub async fn after(&self, number: u64, limit: u64) -> Result<Vec<Fragment>> {
        let asked = (number + 1..=number + limit).map(|number| self.read(number));
        let mut answers = stream::iter(asked).buffered(WINDOW as usize);
        let mut run = Vec::new();
        // A later one may be there when an earlier one was not yet: only the unbroken run is taken.
        while let Some(Some(fragment)) = answers.try_next().await? {
            run.push(fragment);
        }
        Ok(run)
    }

    /// Creates a fragment under its number.
    pub async fn create(&self, fragment: &Fragment) -> storage::Result<()> {
        self.store.create(&self.path(fragment.number()), fragment.bytes()).await.map(drop)
    }

    /// Twenty digits, so that names sort like numbers.
    fn path(&self, number: u64) -> String {
        format!("{}{number:020}{SUFFIX}", self.directory)
    }

    fn number(&self, path: &str) -> Option<u64> {
        path.strip_prefix(&*self.directory)?.strip_suffix(SUFFIX)?.parse().ok()
    }
}
