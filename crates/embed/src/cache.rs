//! Which texts are known, being computed or to be computed: no text is computed twice at the same time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::FutureExt;
use futures::future::Shared;
use lru::LruCache;
use models::Overflow;
use serde::Serialize;
use sha2::{Digest, Sha256};
use tokio::sync::oneshot;

/// The vector of a text.
pub(crate) type Vector = Arc<[f32]>;

/// The vector of a text that another request computes. It fails when that request fails or goes away.
pub(crate) type Flight = Shared<oneshot::Receiver<Vector>>;

/// What decides a vector: the model's fingerprint, what happens to a text that is too long, and the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Key([u8; 32]);

impl Key {
    pub(crate) fn new(fingerprint: &str, overflow: Overflow, text: &str) -> Self {
        let overflow = match overflow {
            Overflow::Error => b'e',
            Overflow::Truncate => b't',
            Overflow::Chunk => b'c',
        };
        let text = Sha256::digest(text);
        let whole = Sha256::new().chain_update(fingerprint).chain_update([0, overflow]).chain_update(text);
        Self(whole.finalize().into())
    }
}

/// How the cache fares.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Stats {
    /// Texts that were answered without computing them.
    pub hits: u64,
    /// Texts that were computed.
    pub misses: u64,
    /// Hits among all texts, from 0 to 1; 0 before the first.
    pub hit_rate: f64,
    /// Texts whose vectors are remembered now.
    pub size: usize,
}

/// The vectors used lately, and the computations under way. Clones share them.
#[derive(Clone)]
pub(crate) struct Cache(Arc<Mutex<Inner>>);

struct Inner {
    limit: usize,
    kept: LruCache<Key, Vector>,
    flights: HashMap<Key, Flight>,
    hits: u64,
    misses: u64,
}

/// What to do about a text that is being computed elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Patience {
    /// Wait for it.
    Waits,
    /// Compute it as well.
    Computes,
}

/// Where the vector of a text is.
pub(crate) enum Place {
    /// Here.
    Known(Vector),
    /// With another request.
    InFlight(Flight),
    /// Nowhere: whoever asked computes it.
    Missing(Claim),
}

impl Cache {
    /// A cache of `limit` texts. The memory is taken as they come.
    pub(crate) fn new(limit: usize) -> Self {
        let kept = LruCache::unbounded();
        Self(Arc::new(Mutex::new(Inner { limit, kept, flights: HashMap::new(), hits: 0, misses: 0 })))
    }

    pub(crate) fn place(&self, key: Key, patience: Patience) -> Place {
        let mut inner = self.lock();
        if let Some(vector) = inner.kept.get(&key) {
            return Place::Known(Arc::clone(vector));
        }
        let waiting = match inner.flights.get(&key) {
            Some(flight) if patience == Patience::Waits => return Place::InFlight(flight.clone()),
            Some(_) => None,
            None => {
                let (sender, receiver) = oneshot::channel();
                inner.flights.insert(key, receiver.shared());
                Some(sender)
            }
        };
        Place::Missing(Claim { cache: self.clone(), key, waiting })
    }

    /// Notes that `texts` were answered, of which `computed` had to be computed.
    pub(crate) fn count(&self, texts: usize, computed: usize) {
        let mut inner = self.lock();
        inner.hits += texts.saturating_sub(computed) as u64;
        inner.misses += computed as u64;
    }

    pub(crate) fn stats(&self) -> Stats {
        let inner = self.lock();
        let (hits, misses) = (inner.hits, inner.misses);
        let hit_rate = if hits == 0 { 0.0 } else { hits as f64 / (hits + misses) as f64 };
        Stats { hits, misses, hit_rate, size: inner.kept.len() }
    }

    /// No caller's code runs under the lock, so what a panic left behind is whole.
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn keep(&mut self, key: Key, vector: Vector) {
        self.kept.put(key, vector);
        while self.kept.len() > self.limit {
            self.kept.pop_lru();
        }
    }
}

/// The duty to compute one text. Dropped unfilled, it lets those who wait for it know.
pub(crate) struct Claim {
    cache: Cache,
    key: Key,
    /// None when another request computes the text as well, and others wait for that one.
    waiting: Option<oneshot::Sender<Vector>>,
}

impl Claim {
    pub(crate) fn key(&self) -> Key {
        self.key
    }

    pub(crate) fn fill(mut self, vector: Vector) {
        self.cache.lock().keep(self.key, Arc::clone(&vector));
        if let Some(waiting) = self.land() {
            // Perhaps nobody waits any more.
            let _ = waiting.send(vector);
        }
    }

    fn land(&mut self) -> Option<oneshot::Sender<Vector>> {
        let waiting = self.waiting.take()?;
        self.cache.lock().flights.remove(&self.key);
        Some(waiting)
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        drop(self.land());
    }
}
