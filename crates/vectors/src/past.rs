//! What versions have of indexes, kept for a while.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base::{IndexName, Version};
use catalog::IndexEntry;
use lru::LruCache;
use uuid::Uuid;

use crate::error::Result;
use crate::fragment::Owner;
use crate::ground::Grounds;
use crate::snapshot::Snapshot;

/// How many are kept.
const KEPT: usize = 16;

/// Answers `as_of`.
pub(crate) struct Past {
    grounds: Grounds,
    /// By the index's own id and the version that last sealed it.
    kept: Mutex<LruCache<(Uuid, Version), Arc<Snapshot>>>,
}

impl Past {
    pub fn new(grounds: Grounds) -> Self {
        Self { grounds, kept: Mutex::new(LruCache::unbounded()) }
    }

    /// The items that an entry has sealed.
    pub async fn snapshot(&self, name: &IndexName, entry: &IndexEntry) -> Result<Arc<Snapshot>> {
        let key = (entry.index_id, entry.version);
        if let Some(kept) = self.kept().get(&key) {
            return Ok(Arc::clone(kept));
        }
        let owner = Arc::new(Owner::of(name, entry));
        let snapshot = Arc::new(self.grounds.open(&owner, entry).await?.snapshot());
        let mut kept = self.kept();
        kept.put(key, Arc::clone(&snapshot));
        while kept.len() > KEPT {
            kept.pop_lru();
        }
        drop(kept);
        Ok(snapshot)
    }

    /// No caller's code runs under the lock, so what a panic left behind is whole.
    fn kept(&self) -> MutexGuard<'_, LruCache<(Uuid, Version), Arc<Snapshot>>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
