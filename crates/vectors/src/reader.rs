//! Taking fragments in: one at a time, in the order of their numbers, each once.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex as SyncMutex, MutexGuard, PoisonError, TryLockError};

use base::{Seams, Span};
use futures::TryStreamExt;
use storage::task;
use tokio::sync::Mutex;
use uuid::Uuid;

use crate::error::{Error, Result};
use crate::fragment::Fragment;
use crate::fragments::{Fragments, WINDOW};
use crate::journal::Replay;

/// Taking in more rows, or more ids to delete, than this is no work for an async thread.
const QUICK: usize = 1_000;

/// Takes the fragments of one index in. Shared by those who read and the one who appends.
pub(crate) struct Reader<R: Replay> {
    fragments: Fragments,
    replay: Arc<R>,
    seams: Seams,
    /// For how many microseconds a look at the store is trusted; 0 asks every time.
    trust: i64,
    /// When the store was last asked, in microseconds.
    asked: AtomicI64,
    /// Held by whoever looks for fragments.
    turn: Mutex<()>,
    /// Held while a fragment is taken in, also when whoever looked has gone away meanwhile.
    order: SyncMutex<()>,
    /// The number of the last fragment that was taken in.
    applied: AtomicU64,
    /// The last fragment that was passed over, because a seal holds what it said.
    passed: AtomicU64,
    /// Counts the looks that were begun, and the last one that ended well.
    begun: AtomicU64,
    ended: AtomicU64,
    watched: SyncMutex<Option<Watched<R::Outcome>>>,
}

/// A fragment that is being written here, and what its changes did once it is taken in, by whomever.
struct Watched<O> {
    writer: Uuid,
    outcomes: Option<Vec<O>>,
}

impl<R: Replay> Reader<R> {
    /// Takes in all fragments after `sealed` that are there.
    pub async fn open(
        fragments: Fragments,
        (replay, sealed): (Arc<R>, u64),
        seams: Seams,
        trust: Span,
    ) -> Result<Arc<Self>> {
        let reader = Arc::new(Self {
            trust: i64::try_from(trust.0.as_micros()).unwrap_or(i64::MAX),
            asked: AtomicI64::new(seams.now().micros()),
            turn: Mutex::new(()),
            order: SyncMutex::new(()),
            applied: AtomicU64::new(sealed),
            passed: AtomicU64::new(sealed),
            begun: AtomicU64::new(0),
            ended: AtomicU64::new(0),
            watched: SyncMutex::new(None),
            fragments,
            replay,
            seams,
        });
        // The list finds what lies beyond a gap, which asking for one number after the other would never see.
        let last = reader.fragments.last().await?;
        let mut known = reader.fragments.range(sealed + 1, last);
        while let Some(fragment) = known.try_next().await? {
            reader.apply(&fragment).await?;
        }
        drop(known);
        reader.ask().await?;
        Ok(reader)
    }

    /// What the fragments add up to.
    pub fn replay(&self) -> &R {
        &self.replay
    }

    /// The number of the last fragment that was taken in.
    pub fn applied(&self) -> u64 {
        self.applied.load(Ordering::Acquire)
    }

    /// The last fragment that was passed over.
    pub fn passed(&self) -> u64 {
        self.passed.load(Ordering::Acquire)
    }

    /// Goes over to what stands on a newer seal, once it has taken in as much as was taken in here. What the seal holds
    /// is passed over only where the fragments are gone.
    pub async fn succeed(self: &Arc<Self>, other: R, sealed: u64) -> Result<()> {
        let other = self.bring_up(other, sealed, self.applied()).await?;
        let _turn = self.turn.lock().await;
        self.catch_up().await?;
        let (begun, applied) = (other.1, self.applied());
        let (other, reached) = self.bring_up(other.0, begun, applied).await?;
        let reader = Arc::clone(self);
        let exchange = move || {
            let _order = reader.order.lock().unwrap_or_else(PoisonError::into_inner);
            reader.replay.become_like(other);
            if reached > reader.applied() {
                reader.passed.store(reached, Ordering::Release);
            }
            reader.applied.store(reached, Ordering::Release);
        };
        task::blocking("go over to a seal", exchange).await.map_err(|_| Error::Broken)
    }

    /// Lets a replay that has reached `from` take in the fragments up to `to`. Answers how far it has reached.
    async fn bring_up(&self, replay: R, from: u64, to: u64) -> Result<(R, u64)> {
        let (mut replay, mut reached) = (replay, from);
        let mut fragments = self.fragments.range(from + 1, to);
        while let Some(fragment) = fragments.try_next().await? {
            reached = fragment.number();
            let apply = move || {
                let applied = replay.apply(&fragment).map(drop);
                replay.tidy(usize::MAX);
                applied.map(|()| replay)
            };
            replay = task::blocking("take in a fragment", apply).await.map_err(|_| Error::Broken)??;
        }
        Ok((replay, reached))
    }

    /// Takes in what others have appended, unless a look a moment ago is to be trusted. Answers the last number.
    pub async fn fresh(self: &Arc<Self>) -> Result<u64> {
        let age = self.seams.now().micros().saturating_sub(self.asked.load(Ordering::Acquire));
        if (0..self.trust).contains(&age) { Ok(self.applied()) } else { self.ask().await }
    }

    /// Takes in all that others have appended. Calls that overlap share one look, provided it began after they did.
    pub async fn ask(self: &Arc<Self>) -> Result<u64> {
        let arrived = self.begun.load(Ordering::Acquire);
        let _turn = self.turn.lock().await;
        if self.ended.load(Ordering::Acquire) > arrived {
            return Ok(self.applied());
        }
        let round = self.begun.fetch_add(1, Ordering::AcqRel) + 1;
        let now = self.seams.now().micros();
        self.catch_up().await?;
        self.asked.store(now, Ordering::Release);
        self.ended.store(round, Ordering::Release);
        Ok(self.applied())
    }

    /// Takes in a fragment that was created here a moment ago, unless a look has found it already.
    pub async fn take(self: &Arc<Self>, created: &Fragment) -> Result<()> {
        let _turn = self.turn.lock().await;
        if self.applied() + 1 == created.number() {
            // A large one is read back, so that its vectors lie in the file's mapping rather than in memory.
            let mapped = if created.is_large() { self.fragments.read(created.number()).await? } else { None };
            self.apply(mapped.as_ref().unwrap_or(created)).await?;
        }
        Ok(())
    }

    async fn catch_up(self: &Arc<Self>) -> Result<()> {
        let mut limit = 1;
        loop {
            let run = self.fragments.after(self.applied(), limit).await?;
            for fragment in &run {
                self.apply(fragment).await?;
            }
            if (run.len() as u64) < limit {
                return Ok(());
            }
            limit = WINDOW.min(limit * 2);
        }
    }

    /// Takes in the next fragment; what takes long is done off the runtime's own threads.
    async fn apply(self: &Arc<Self>, fragment: &Fragment) -> Result<()> {
        if self.apply_quickly(fragment)? {
            return Ok(());
        }
        let (reader, fragment) = (Arc::clone(self), fragment.clone());
        let apply = move || {
            let order = reader.order.lock().unwrap_or_else(PoisonError::into_inner);
            reader.apply_next(&fragment, &order)?;
            reader.replay.tidy(usize::MAX);
            Ok(())
        };
        task::blocking("take in a fragment", apply).await.map_err(|_| Error::Broken)?
    }

    /// Takes in a fragment of few rows on this thread, and puts things in order if that is as little. Whether all of
    /// it was done.
    fn apply_quickly(&self, fragment: &Fragment) -> Result<bool> {
        if fragment.is_large() || fragment.rows().max(fragment.deletes()) > QUICK {
            return Ok(false);
        }
        let order = match self.order.try_lock() {
            Ok(order) => order,
            Err(TryLockError::Poisoned(order)) => order.into_inner(),
            Err(TryLockError::WouldBlock) => return Ok(false),
        };
        self.apply_next(fragment, &order)?;
        Ok(self.replay.tidy(QUICK))
    }

    /// Takes in a fragment, unless it has been: by a look whose caller went away before it ended.
    fn apply_next(&self, fragment: &Fragment, _order: &MutexGuard<'_, ()>) -> Result<()> {
        if fragment.number() != self.applied() + 1 {
            return Ok(());
        }
        let outcomes = self.replay.apply(fragment)?;
        if let Some(watched) = self.watch().as_mut().filter(|watched| watched.writer == fragment.writer()) {
            watched.outcomes = Some(outcomes);
        }
        self.applied.store(fragment.number(), Ordering::Release);
        Ok(())
    }

    /// Keeps what comes of the fragment of this writer, whoever takes it in.
    pub fn watch_for(&self, writer: Uuid) {
        *self.watch() = Some(Watched { writer, outcomes: None });
    }

    /// What came of the fragment that was watched for; none when it was not taken in.
    pub fn watched(&self) -> Option<Vec<R::Outcome>> {
        self.watch().take()?.outcomes
    }

    fn watch(&self) -> MutexGuard<'_, Option<Watched<R::Outcome>>> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
