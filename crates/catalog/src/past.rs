//! Versions of the past: found by number, time or tag, and kept for a while.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use base::{AsOf, Timestamp, Version};
use storage::Store;

use crate::checkpoint;
use crate::error::{Error, Result};
use crate::head::Head;
use crate::log::Log;
use crate::record::Record;
use crate::state::State;
use crate::tag;

/// How many states of the past are kept.
const KEPT: usize = 16;

/// Answers `as_of`.
#[derive(Debug)]
pub(crate) struct Past {
    store: Store,
    log: Log,
    head: Arc<Head>,
    kept: Mutex<VecDeque<Arc<State>>>,
}

impl Past {
    pub fn new(store: Store, log: Log, head: Arc<Head>) -> Self {
        Self { store, log, head, kept: Mutex::default() }
    }

    /// The state that `as_of` names.
    pub async fn find(&self, as_of: &AsOf) -> Result<Arc<State>> {
        self.state(self.version(as_of).await?).await
    }

    /// The version that `as_of` names.
    pub async fn version(&self, as_of: &AsOf) -> Result<Version> {
        // A time, a tag or a number that is new may be another process's work of this moment.
        let head = self.head.ask().await?;
        self.resolve(as_of, &head).await?.ok_or_else(|| self.unknown(as_of))
    }

    /// The version that `as_of` names among those up to `head`.
    async fn resolve(&self, as_of: &AsOf, head: &State) -> Result<Option<Version>> {
        match as_of {
            AsOf::Version(version) => Ok(head.holds(*version).then_some(*version)),
            AsOf::Time(time) => self.last_until(*time, head).await,
            AsOf::Tag(tag) => Ok(head.tags.get(tag).copied()),
        }
    }

    /// The last version at or before a time. Record times never go backwards, so halving finds it.
    pub async fn last_until(&self, time: Timestamp, head: &State) -> Result<Option<Version>> {
        if head.version > Version(0) && head.at <= time {
            return Ok(Some(head.version));
        }
        let (mut low, mut high) = (head.oldest.0 - 1, head.version.0);
        // Everything up to `low` is at or before the time, everything from `high` on is after it.
        while high > low + 1 {
            let middle = low + (high - low) / 2;
            let at = self.record(Version(middle)).await?.at;
            if at <= time { low = middle } else { high = middle }
        }
        Ok(Some(Version(low)).filter(|version| *version >= head.oldest))
    }

    /// The record of a version that exists.
    pub async fn record(&self, version: Version) -> Result<Record> {
        match self.log.expect(version).await {
            Err(Error::Damaged { .. }) if self.is_gone(version).await? => Err(self.unknown(&AsOf::Version(version))),
            found => found,
        }
    }

    /// The records from `first` to `last`, both included, in order.
    pub async fn records(&self, first: Version, last: Version) -> Result<Vec<Record>> {
        match self.log.range(first, last).await {
            Err(Error::Damaged { .. }) if self.is_gone(first).await? => Err(self.unknown(&AsOf::Version(first))),
            found => found,
        }
    }

    /// Whether a version that was there when its reader began has expired since: what lingered of it may be swept.
    async fn is_gone(&self, version: Version) -> Result<bool> {
        Ok(version < self.head.ask().await?.oldest)
    }

    /// The state at a version that exists.
    pub async fn state(&self, version: Version) -> Result<Arc<State>> {
        let known = self.head.known();
        if known.version == version {
            return Ok(known);
        }
        if let Some(kept) = self.kept().iter().find(|state| state.version == version) {
            return Ok(Arc::clone(kept));
        }
        let mut state = checkpoint::newest(&self.store, Some(version)).await?;
        if state.version < version {
            for record in self.records(state.version.next(), version).await? {
                state.apply(&record);
            }
        }
        let state = Arc::new(state);
        let mut kept = self.kept();
        kept.push_back(Arc::clone(&state));
        if kept.len() > KEPT {
            kept.pop_front();
        }
        drop(kept);
        Ok(state)
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, VecDeque<Arc<State>>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The refusal of a version that does not exist.
    pub fn unknown(&self, as_of: &AsOf) -> Error {
        let head = self.head.known();
        if let AsOf::Tag(tag) = as_of {
            return tag::not_found(&head, tag);
        }
        let newest = head.version;
        let tagged = head.tagged_below(head.oldest).into_iter().collect();
        Error::UnknownVersion { as_of: as_of.clone(), oldest: head.oldest.min(newest), newest, tagged }
    }
}
