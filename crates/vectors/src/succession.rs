//! How an open index follows the seals of its lake: what it stands on is exchanged while it goes on answering, and no
//! change is appended under a number that a seal has passed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use async_trait::async_trait;
use base::Timestamp;
use catalog::IndexEntry;
use storage::task;
use tokio::sync::Mutex;

use crate::error::{Error, Result};
use crate::journal::Replay;
use crate::reader::Reader;

/// What an open index asks of the lake.
#[async_trait]
pub(crate) trait Seals<R>: Send + Sync {
    /// The newest entry of the index that is known, none when it was dropped, and the moment of a look at the log that
    /// proved it or an earlier one. Asks again when that is long ago.
    async fn look(&self) -> Result<(Option<Arc<IndexEntry>>, Timestamp)>;

    /// The newest entry of the index, by asking.
    async fn ask(&self) -> Result<Option<Arc<IndexEntry>>>;

    /// Whether a look of that moment proves nothing any more: fragments may have been sealed and swept since.
    fn is_long_ago(&self, looked: Timestamp) -> bool;

    /// What is sealed by an entry, and its last fragment.
    async fn open(&self, entry: &IndexEntry) -> Result<(R, u64)>;
}

/// The seals that one open index follows.
pub(crate) struct Succession<R: Replay> {
    seals: Arc<dyn Seals<R>>,
    reader: Arc<Reader<R>>,
    /// The version of the entry that it stands on, and the last fragment that this has sealed.
    version: AtomicU64,
    fragment: AtomicU64,
    /// Held by whoever exchanges that.
    turn: Mutex<()>,
    is_following: AtomicBool,
}

impl<R: Replay> Succession<R> {
    /// Of an index that stands on this entry.
    pub fn new(seals: Arc<dyn Seals<R>>, reader: Arc<Reader<R>>, entry: &IndexEntry) -> Arc<Self> {
        let (version, fragment) = (AtomicU64::new(entry.version.0), AtomicU64::new(sealed(entry)));
        let (turn, is_following) = (Mutex::new(()), AtomicBool::new(false));
        Arc::new(Self { seals, reader, version, fragment, turn, is_following })
    }

    /// The last sealed fragment that it stands on.
    pub fn sealed(&self) -> u64 {
        self.fragment.load(Ordering::Acquire)
    }

    /// Goes over to what this entry has sealed, unless the index stands on that or on something newer.
    pub async fn follow(&self, entry: &IndexEntry) -> Result<()> {
        if self.is_past(entry) {
            return Ok(());
        }
        let _turn = self.turn.lock().await;
        if self.is_past(entry) {
            return Ok(());
        }
        let (sealed, fragment) = self.seals.open(entry).await?;
        self.reader.succeed(sealed, fragment).await?;
        self.fragment.store(fragment, Ordering::Release);
        self.version.store(entry.version.0, Ordering::Release);
        Ok(())
    }

    /// Makes sure that what this entry has sealed is answered: at once where fragments that it holds are gone, and else
    /// beside the caller.
    pub async fn keep_up(self: &Arc<Self>, entry: &Arc<IndexEntry>) -> Result<()> {
        if self.is_past(entry) {
            return Ok(());
        }
        if self.lacks(entry).await? {
            return self.follow(entry).await;
        }
        if !self.is_following.swap(true, Ordering::AcqRel) {
            let (succession, entry) = (Arc::clone(self), Arc::clone(entry));
            task::spawn("follow a seal", async move {
                if let Err(error) = succession.follow(&entry).await {
                    tracing::warn!(%error, "an index goes on without its newest seal");
                }
                succession.is_following.store(false, Ordering::Release);
            });
        }
        Ok(())
    }

    /// Makes sure that the next number is not one that was sealed and swept. Answers the moment of the look that
    /// says so.
    pub async fn before_append(&self) -> Result<Timestamp> {
        let (entry, looked) = self.seals.look().await?;
        if let Some(entry) = entry
            && !self.is_past(&entry)
            && self.lacks(&entry).await?
        {
            self.follow(&entry).await?;
        }
        Ok(looked)
    }

    /// Makes sure that a fragment which was created after such a look did not fall into the hole that a sweep left:
    /// whoever slept in between cannot tell.
    pub async fn after_append(&self, number: u64, looked: Timestamp) -> Result<()> {
        if !self.seals.is_long_ago(looked) {
            return Ok(());
        }
        let entry = self.seals.ask().await.map_err(|_| Error::OutcomeUnknown)?;
        if entry.is_some_and(|entry| sealed(&entry) >= number) { Err(Error::OutcomeUnknown) } else { Ok(()) }
    }

    /// Whether fragments that an entry has sealed were not taken in, and cannot be any more.
    async fn lacks(&self, entry: &IndexEntry) -> Result<bool> {
        Ok(sealed(entry) > self.reader.applied() && sealed(entry) > self.reader.ask().await?)
    }

    fn is_past(&self, entry: &IndexEntry) -> bool {
        self.version.load(Ordering::Acquire) >= entry.version.0
    }
}

/// The last fragment that an entry has sealed.
fn sealed(entry: &IndexEntry) -> u64 {
    entry.sealed.as_ref().map_or(0, |sealed| sealed.fragment)
}
