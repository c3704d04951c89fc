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
        self.judge(self.log.expect(version).await, version, version).await
    }

    /// The records from `first` to `last`, both included, in order.
    pub async fn records(&self, first: Version, last: Version) -> Result<Vec<Record>> {
        self.judge(self.log.range(first, last).await, first, last).await
    }

    /// What was found of records: those that have expired since their reader began are unknown, not damaged.
    async fn judge<T>(&self, found: Result<T>, first: Version, last: Version) -> Result<T> {
        let Err(error @ Error::Damaged { .. }) = found else { return found };
        let head = self.head.ask().await?;
        let gone = (first.0..=last.0).map(Version).find(|version| !head.holds(*version));
        Err(gone.map_or(error, |gone| self.unknown(&AsOf::Version(gone))))
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
        let state = match self.rebuild(version).await {
            // Records on the way to it have expired, and a base for its tag has come.
            Err(Error::UnknownVersion { .. }) if self.head.known().holds(version) => self.rebuild(version).await,
            state => state,
        };
        let state = Arc::new(state?);
        let mut kept = self.kept();
        kept.push_back(Arc::clone(&state));
        if kept.len() > KEPT {
            kept.pop_front();
        }
        drop(kept);
        Ok(state)
    }

    async fn rebuild(&self, version: Version) -> Result<State> {
        let mut state = checkpoint::newest(&self.store, Some(version)).await?;
        if state.version < version {
            for record in self.records(state.version.next(), version).await? {
                state.apply(&record);
            }
        }
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
