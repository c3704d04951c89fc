//! The head: the newest state that this process knows, and how it catches up with other writers.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use base::{Seams, Version};
use storage::Store;
use tokio::sync::Mutex;

use crate::checkpoint;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::log::Log;
use crate::record::Record;
use crate::state::State;

/// The newest state known, shared by readers and the committer.
#[derive(Debug)]
pub(crate) struct Head {
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
            log,
            trust,
            asked: AtomicI64::new(seams.now().micros()),
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
        for record in self.log.after(self.known().version).await? {
            self.advance(&record);
        }
        self.asked.store(now, Ordering::Release);
        self.ended.store(round, Ordering::Release);
        drop(turn);
        Ok(self.known())
    }

    /// Takes the next record in; one that is known already changes nothing.
    pub fn advance(&self, record: &Record) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        if record.version == state.version.next() {
            Arc::make_mut(&mut state).apply(record);
        }
    }
}
