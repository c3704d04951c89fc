//! The head: the newest state that this process knows, and how it catches up with other writers.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use base::{Seams, Timestamp, Version};
use storage::Store;
use tokio::sync::Mutex;

use crate::checkpoint::{self, Role};
use crate::config::Config;
use crate::error::{Error, Result};
use crate::log::Log;
use crate::record::Record;
use crate::state::State;

/// After so many microseconds a look at the store proves nothing any more: records that were not there then may have
/// come and expired since. Expiry leaves records for longer than this, so that no commit falls into a hole unseen.
const DOUBT: i64 = 10 * 60 * 1_000_000;

/// The newest state known, shared by readers and the committer.
#[derive(Debug)]
pub(crate) struct Head {
    store: Store,
    log: Log,
    seams: Seams,
    state: RwLock<Arc<State>>,
    /// For how many microseconds a look at the store is trusted; 0 asks every time.
    trust: i64,
    /// When the store was last asked, in microseconds.
    asked: AtomicI64,
    /// Held by whoever asks the store; counts the rounds that ended well.
    turn: Mutex<()>,
    begun: AtomicU64,
    ended: AtomicU64,
}

impl Head {
    /// Loads the newest state: the newest sound checkpoint, then the records after it.
    pub async fn load(store: &Store, log: Log, config: &Config, seams: Seams) -> Result<Self> {
        let remote = store.uri().starts_with("s3://");
        let trust = if remote { i64::try_from(config.max_staleness.0.as_micros()).unwrap_or(i64::MAX) } else { 0 };
        let asked = seams.now().micros();
        let mut state = checkpoint::newest(store, None).await?;
        let checkpointed = state.version;
        if checkpointed > Version(0) {
            // A checkpoint is derived: what it tells must be in the log, or the next commit would rewrite history.
            log.expect(checkpointed).await?;
        }
        for record in log.after(state.version).await? {
            state.apply(&record);
        }
        log.expect_end(state.version).await?;
        if state.version.0 - checkpointed.0 >= config.checkpoint_every {
            checkpoint::write_or_warn(store, &state).await;
        }
        Ok(Self {
            store: store.clone(),
            log,
            trust,
            asked: AtomicI64::new(asked),
            seams,
            state: RwLock::new(Arc::new(state)),
            turn: Mutex::new(()),
            begun: AtomicU64::new(0),
            ended: AtomicU64::new(0),
        })
    }

    /// The newest state known, without asking.
    pub fn known(&self) -> Arc<State> {
        Arc::clone(&self.state.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The newest state, as fresh as the kind of store demands.
    pub async fn fresh(&self) -> Result<Arc<State>> {
        let age = self.seams.now().micros().saturating_sub(self.asked.load(Ordering::Acquire));
        if (0..self.trust).contains(&age) { Ok(self.known()) } else { self.ask().await }
    }

    /// A state that is not older than `min`.
    pub async fn at_least(&self, min: Version) -> Result<Arc<State>> {
        let state = self.fresh().await?;
        if state.version >= min {
            return Ok(state);
        }
        let state = self.ask().await?;
        if state.version >= min { Ok(state) } else { Err(Error::Behind { min, newest: state.version }) }
    }

    /// The newest state, by asking the store. Calls that overlap share one look, provided it began after they did.
    pub async fn ask(&self) -> Result<Arc<State>> {
        let arrived = self.begun.load(Ordering::Acquire);
        let turn = self.turn.lock().await;
        if self.ended.load(Ordering::Acquire) > arrived {
            return Ok(self.known());
        }
        let round = self.begun.fetch_add(1, Ordering::AcqRel) + 1;
        let now = self.seams.now().micros();
        if self.is_expired(self.known().version, self.looked()).await? {
            let state = checkpoint::newest(&self.store, None).await?;
            *self.state.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(state);
        }
        for record in self.log.after(self.known().version).await? {
            self.advance(&record);
        }
        self.asked.store(now, Ordering::Release);
        self.ended.store(round, Ordering::Release);
        drop(turn);
        Ok(self.known())
    }

    /// The newest state known, and the moment of a look at the store that proved it or an earlier one. Asks again when the
    /// last look proves nothing any more.
    pub async fn undoubted(&self) -> Result<(Arc<State>, Timestamp)> {
        if self.is_long_ago(self.looked()) {
            self.ask().await?;
        }
        // In this order: whoever asks meanwhile notes the moment last, so it is never younger than the state.
        let looked = self.looked();
        Ok((self.known(), looked))
    }

    /// Whether versions up to this one may have expired unseen, and have: what is found or created right after it by
    /// whoever looked at that moment then lies in a hole of the log and is no history. Costs nothing when that was lately.
    pub async fn is_expired(&self, version: Version, looked: Timestamp) -> Result<bool> {
        let expired = || checkpoint::list(&self.store, Role::Base, Some(version));
        Ok(self.is_long_ago(looked) && !expired().await?.is_empty())
    }

    /// Whether a look at that moment proves nothing any more.
    pub fn is_long_ago(&self, looked: Timestamp) -> bool {
        let age = self.seams.now().micros().saturating_sub(looked.micros());
        !(0..DOUBT).contains(&age)
    }

    /// When the store was last asked.
    fn looked(&self) -> Timestamp {
        Timestamp::from_micros(self.asked.load(Ordering::Acquire))
    }

    /// Takes the next record in; one that is known already changes nothing.
    pub fn advance(&self, record: &Record) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        if record.version == state.version.next() {
            Arc::make_mut(&mut state).apply(record);
        }
    }
}
