//! The indexes that are open. Those that were not used for the longest are closed when others need the room.

use std::sync::Arc;
use std::sync::{Mutex, MutexGuard, PoisonError};

use base::IndexName;
use catalog::Pin;
use lru::LruCache;
use tokio::sync::OnceCell;
use uuid::Uuid;

use crate::index::Index;

/// The most indexes that stay open.
const MOST: usize = 256;
/// Memory that open indexes keep together, in bytes. One alone may take more.
const MEMORY: usize = 1 << 30;

/// The open indexes by their own ids: one created anew under an old name is another one.
pub(crate) struct OpenIndexes(Mutex<LruCache<Uuid, Opened>>);

/// An index that was asked for; those who ask while it is being opened wait for the same.
#[derive(Clone)]
pub(crate) struct Opened {
    pub name: IndexName,
    pub index: Arc<OnceCell<Index>>,
}

impl OpenIndexes {
    /// None yet.
    pub fn new() -> Self {
        Self(Mutex::new(LruCache::unbounded()))
    }

    /// An index that is open, or being opened.
    pub fn get(&self, id: Uuid) -> Option<Opened> {
        self.lock().get(&id).cloned()
    }

    /// An index that is to be opened, unless somebody else has begun.
    pub fn begin(&self, id: Uuid, name: &IndexName) -> Opened {
        self.lock().get_or_insert(id, || Opened { name: name.clone(), index: Arc::default() }).clone()
    }

    /// Closes the indexes that this version no longer has.
    pub fn forget(&self, pin: &Pin) {
        let mut open = self.lock();
        let gone = |(id, opened): (&Uuid, &Opened)| {
            let known = pin.index(&opened.name).is_some_and(|entry| entry.index_id == *id);
            (!known).then_some(*id)
        };
        let gone: Vec<Uuid> = open.iter().filter_map(gone).collect();
        gone.iter().for_each(|id| drop(open.pop(id)));
    }

    /// Closes the longest unused until the others fit. Whoever still works with one of them keeps it to the end.
    pub fn trim(&self) {
        let mut open = self.lock();
        let memory = |opened: &Opened| opened.index.get().map_or(0, Index::memory);
        let mut all: usize = open.iter().map(|(_, opened)| memory(opened)).sum();
        while open.len() > MOST || (all > MEMORY && open.len() > 1) {
            let Some((_, closed)) = open.pop_lru() else { return };
            all = all.saturating_sub(memory(&closed));
        }
    }

    /// Those that are open, by name.
    pub fn all(&self) -> Vec<(IndexName, Index)> {
        let open = self.lock();
        let opened = |(_, opened): (&Uuid, &Opened)| Some((opened.name.clone(), opened.index.get()?.clone()));
        open.iter().filter_map(opened).collect()
    }

    /// How many items each has, as far as is known without asking the store.
    pub fn lengths(&self) -> Vec<(String, u64)> {
        let open = self.lock();
        let length = |(_, opened): (&Uuid, &Opened)| {
            let index = opened.index.get()?;
            Some((opened.name.to_string(), index.length() as u64))
        };
        open.iter().filter_map(length).collect()
    }

    /// No caller's code runs under the lock, so what a panic left behind is whole.
    fn lock(&self) -> MutexGuard<'_, LruCache<Uuid, Opened>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
