//! The journal of an index: changes become durable as numbered fragments, and those of other processes are found.
//!
//! Whoever appends creates the fragment after the last one known, if nobody else has. When another process was faster,
//! its fragments are taken in first, and what waits is admitted anew. The store's answer to a create decides nothing:
//! what stands under the number, and which call wrote it, does. So a lost reply neither loses nor repeats a change.
//!
//! Fragments are taken in strictly in order and without a gap. One that is missing or damaged fails every read and
//! every change of its index until it is restored: an answer without it would silently leave out acknowledged items.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use base::{IndexName, Seams, Span, Timestamp};
use catalog::IndexEntry;
use futures::future::{Either, select};
use storage::{CacheDir, Store, task};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use crate::change::Change;
use crate::encode::encode;
use crate::error::{Error, Result};
use crate::fragment::{Fragment, LARGE, Owner};
use crate::fragments::Fragments;
use crate::reached::Reached;
use crate::reader::Reader;
use crate::succession::{Seals, Succession};

#[cfg(test)]
mod tests;

/// The most changes that share one fragment.
const GROUP: usize = 256;
/// Changes that wait share a fragment until they are about this many bytes together.
const GROUP_SIZE: usize = 32 << 20;
/// The pauses between attempts to learn what became of a fragment.
const PAUSES: [Duration; 4] =
    [Duration::from_millis(2), Duration::from_millis(20), Duration::from_millis(100), Duration::from_millis(500)];

/// What the fragments of an index add up to.
pub(crate) trait Replay: Send + Sync + Sized + 'static {
    /// What one change did.
    type Outcome: Send + 'static;

    /// Refuses a change that does not fit the newest state, or answers what it comes to there. Called again after
    /// fragments of others were taken in. May take long for changes that go alone.
    fn admit(&self, change: &Arc<Change>) -> Result<Arc<Change>>;

    /// Takes in the next fragment, wholly or not at all: calls come one at a time, in the order of the numbers. One
    /// outcome for each step.
    fn apply(&self, fragment: &Fragment) -> Result<Vec<Self::Outcome>>;

    /// Puts what was taken in into better order, unless that is more work than so many rows are. Whether it is done.
    fn tidy(&self, rows: usize) -> bool;

    /// Becomes what another one is, which has taken in as much or more.
    fn become_like(&self, other: Self);
}

/// How up to date reads are, and how long a lost reply is followed up.
#[derive(Debug, Clone)]
pub(crate) struct Freshness {
    pub seams: Seams,
    /// On S3, how old a look may be before a read asks again; elsewhere every read asks.
    pub max_staleness: Span,
    /// How long a fragment whose outcome is unknown is followed up.
    pub patience: Span,
}

impl Freshness {
    /// The freshness of the catalog.
    pub fn new(config: &catalog::Config, seams: Seams) -> Self {
        Self { seams, max_staleness: config.max_staleness, patience: config.commit_timeout }
    }
}

/// A change that is durable and taken in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Landed<O> {
    /// The number of its fragment.
    pub number: u64,
    /// What it did.
    pub outcome: O,
}

/// The journal of one index in this process. The appending task ends with the last clone.
pub(crate) struct Journal<R: Replay> {
    queue: mpsc::Sender<Waiting<R::Outcome>>,
    reader: Arc<Reader<R>>,
    succession: Arc<Succession<R>>,
}

struct Waiting<O> {
    change: Arc<Change>,
    /// What it comes to on the state that it was admitted on.
    admitted: Arc<Change>,
    reply: oneshot::Sender<Result<Landed<O>>>,
}

impl<R: Replay> Journal<R> {
    /// Opens the journal of an index on top of what its entry has sealed, and takes in all later fragments.
    pub async fn open(
        store: &Store,
        cache: &CacheDir,
        name: &IndexName,
        entry: &IndexEntry,
        freshness: Freshness,
        seals: Arc<dyn Seals<R>>,
    ) -> Result<(Self, Arc<R>)> {
        let fragments = Fragments::new(store.clone(), cache.clone(), &entry.location, Owner::of(name, entry));
        let trust = if store.uri().starts_with("s3://") { freshness.max_staleness } else { Span::secs(0) };
        // What is noted was durable before, so that whoever reads the note first must find it.
        let reached = Reached::read(store, fragments.owner(), freshness.seams.clone()).await?;
        let (replay, sealed) = seals.open(entry).await?;
        let replay = Arc::new(replay);
        let ground = (Arc::clone(&replay), sealed);
        let reader = Reader::open(fragments.clone(), ground, freshness.seams.clone(), trust).await?;
        reached.check(reader.applied(), fragments.owner())?;
        let (queue, waiting) = mpsc::channel(GROUP);
        let succession = Succession::new(seals, Arc::clone(&reader), entry);
        let desk =
            Desk { fragments, reader: Arc::clone(&reader), succession: Arc::clone(&succession), freshness, reached };
        task::spawn("append to an index", desk.run(waiting));
        Ok((Self { queue, reader, succession }, replay))
    }

    /// Makes a change durable and takes it in. Goes on to its end when the caller goes away.
    pub async fn append(&self, change: Change) -> Result<Landed<R::Outcome>> {
        let (reply, landed) = oneshot::channel();
        let change = Arc::new(change);
        let waiting = Waiting { admitted: Arc::clone(&change), change, reply };
        self.queue.send(waiting).await.map_err(|_| Error::Broken)?;
        // A dropped reply means that the appending task died on the way, so nothing is proven.
        landed.await.unwrap_or(Err(Error::OutcomeUnknown))
    }

    /// Takes in what others have appended, as far as the kind of store demands before a read. Answers the number of
    /// the last fragment that was taken in.
    pub async fn fresh(&self) -> Result<u64> {
        self.reader.fresh().await
    }

    /// How it follows the seals of its index.
    pub fn succession(&self) -> &Arc<Succession<R>> {
        &self.succession
    }
}

impl<R: Replay> Clone for Journal<R> {
    fn clone(&self) -> Self {
        let succession = Arc::clone(&self.succession);
        Self { queue: self.queue.clone(), reader: Arc::clone(&self.reader), succession }
    }
}

/// Whoever appends: one for each journal.
struct Desk<R: Replay> {
    fragments: Fragments,
    reader: Arc<Reader<R>>,
    succession: Arc<Succession<R>>,
    freshness: Freshness,
    reached: Reached,
}

impl<R: Replay> Desk<R> {
    async fn run(mut self, mut queue: mpsc::Receiver<Waiting<R::Outcome>>) {
        let mut waiting = Vec::new();
        while self.wait(&mut queue, &mut waiting).await {
            while !waiting.is_empty() {
                let group = next_group(&mut waiting);
                self.put_through(group).await;
            }
        }
        if self.reached.rest().is_some() {
            self.reached.note(self.reader.applied()).await;
        }
    }

    /// Waits for changes, and notes meanwhile how far the index has reached. False when no more will come.
    async fn wait(
        &mut self,
        queue: &mut mpsc::Receiver<Waiting<R::Outcome>>,
        waiting: &mut Vec<Waiting<R::Outcome>>,
    ) -> bool {
        if let Some(rest) = self.reached.rest() {
            let changes = pin!(queue.recv_many(waiting, GROUP));
            if !rest.is_zero()
                && let Either::Left((count, _)) = select(changes, self.freshness.seams.wait(rest)).await
            {
                return count > 0;
            }
            self.reached.note(self.reader.applied()).await;
        }
        queue.recv_many(waiting, GROUP).await > 0
    }

    /// Appends a group as one fragment, as often as others take its number.
    async fn put_through(&mut self, mut group: Vec<Waiting<R::Outcome>>) {
        loop {
            let looked = match self.succession.before_append().await {
                Ok(looked) => looked,
                Err(error) => return fail(group, error),
            };
            // What is admitted on a state goes under the number after it, or not at all.
            let number = self.reader.applied() + 1;
            group = self.admit(group).await;
            if group.is_empty() {
                return;
            }
            match self.attempt(number, &group, looked).await {
                Ok(Some((number, outcomes))) => {
                    self.reached.appended(number);
                    for (waiting, outcome) in group.into_iter().zip(outcomes) {
                        // A caller that has gone away needs no answer.
                        let _ = waiting.reply.send(Ok(Landed { number, outcome }));
                    }
                    return;
                }
                Ok(None) => {}
                Err(error) => return fail(group, error),
            }
        }
    }

    /// Those that fit the newest state; the others have their answer.
    async fn admit(&self, group: Vec<Waiting<R::Outcome>>) -> Vec<Waiting<R::Outcome>> {
        let mut fitting = Vec::with_capacity(group.len());
        for mut waiting in group {
            match self.admitted(&waiting.change).await {
                Ok(admitted) => {
                    waiting.admitted = admitted;
                    fitting.push(waiting);
                }
                Err(refusal) => {
                    // A caller that has gone away needs no answer.
                    let _ = waiting.reply.send(Err(refusal));
                }
            }
        }
        fitting
    }

    async fn admitted(&self, change: &Arc<Change>) -> Result<Arc<Change>> {
        if !change.goes_alone() {
            return self.reader.replay().admit(change);
        }
        let (reader, change) = (Arc::clone(&self.reader), Arc::clone(change));
        let admit = move || reader.replay().admit(&change);
        task::blocking("admit a change", admit).await.map_err(|_| Error::Broken)?
    }

    /// Tries to append a group under a number; none when it is another's fragment that stands there. The number is free
    /// as far as a look at the log tells.
    async fn attempt(
        &self,
        number: u64,
        group: &[Waiting<R::Outcome>],
        looked: Timestamp,
    ) -> Result<Option<(u64, Vec<R::Outcome>)>> {
        let writer = self.freshness.seams.uuid();
        let fragment = self.draft(number, writer, group).await?;
        self.reader.watch_for(writer);
        let settled = self.publish(&fragment).await;
        let outcomes = self.reader.watched();
        settled?;
        self.succession.after_append(number, looked).await?;
        match outcomes {
            // A seal was taken over that had gone past the number.
            None if number <= self.reader.passed() => Err(Error::OutcomeUnknown),
            outcomes => Ok(outcomes.map(|outcomes| (number, outcomes))),
        }
    }

    /// The fragment as it will be read. One that would not read is never written.
    async fn draft(&self, number: u64, writer: uuid::Uuid, group: &[Waiting<R::Outcome>]) -> Result<Fragment> {
        let changes: Vec<Arc<Change>> = group.iter().map(|waiting| Arc::clone(&waiting.admitted)).collect();
        let size: usize = changes.iter().map(|change| change.size()).sum();
        let owner = Arc::clone(self.fragments.owner());
        let encode = move || encode(&owner, number, writer, &changes);
        let bytes = match size as u64 >= LARGE {
            true => task::blocking("write a fragment", encode).await.map_err(|_| Error::Broken)??,
            false => encode()?,
        };
        self.fragments.parse(number, bytes.into()).await.map_err(|_| Error::Broken)
    }

    /// Creates a fragment, and goes on until a fragment under its number, whosever it is, is taken in.
    ///
    /// `OutcomeUnknown` and damage prove nothing; any other error proves that the fragment was not created.
    async fn publish(&self, fragment: &Fragment) -> Result<()> {
        let until = Instant::now() + self.freshness.patience.0;
        // Whether an earlier attempt may have taken effect, so that a later one's failure proves nothing.
        let mut doubt = false;
        for attempt in 0.. {
            let created = self.fragments.create(fragment).await;
            doubt |= !created.as_ref().is_err_and(proves_absence);
            let looked = match &created {
                Ok(()) => self.reader.take(fragment).await,
                Err(_) => self.reader.ask().await.map(drop),
            };
            match (looked, created) {
                _ if self.reader.applied() >= fragment.number() => return Ok(()),
                (Err(error @ (Error::Damaged { .. } | Error::NewerFormat { .. })), _) => return Err(error),
                (_, Err(failure)) if !doubt => return Err(failure.into()),
                _ => {}
            }
            if Instant::now() >= until {
                break;
            }
            pause(attempt).await;
        }
        tracing::error!(fragment = fragment.number(), "the outcome of a change of an index stayed unknown");
        Err(Error::OutcomeUnknown)
    }
}

/// Whether a failed create proves that this call created nothing.
fn proves_absence(failure: &storage::Error) -> bool {
    !matches!(failure, storage::Error::OutcomeUnknown { .. } | storage::Error::AlreadyExists { .. })
}

/// Takes what may share a fragment off the front: it has room for so much, and for one model.
fn next_group<O>(waiting: &mut Vec<Waiting<O>>) -> Vec<Waiting<O>> {
    let (mut size, mut model, mut alone) = (None, None, false);
    let shares = |waiting: &Waiting<O>| {
        let stated = waiting.change.fingerprint();
        let differs = stated.is_some_and(|stated| model.as_deref().is_some_and(|model| model != stated));
        let has_room = |size: usize| size == 0 || size + waiting.change.size() <= GROUP_SIZE;
        let crowds = size.is_some_and(|size| alone || waiting.change.goes_alone() || !has_room(size));
        alone |= waiting.change.goes_alone();
        size = Some(size.unwrap_or_default() + waiting.change.size());
        model = model.take().or_else(|| stated.map(str::to_owned));
        !differs && !crowds
    };
    let count = waiting.iter().map(shares).take_while(|shares| *shares).count();
    waiting.drain(..count).collect()
}

/// Tells all of a group the failure that they share.
fn fail<O>(group: Vec<Waiting<O>>, failure: Error) {
    let failure = Arc::new(failure);
    for waiting in group {
        // A caller that has gone away needs no answer.
        let _ = waiting.reply.send(Err(Error::share(&failure)));
    }
}

async fn pause(attempt: usize) {
    let longest = PAUSES[PAUSES.len() - 1];
    tokio::time::sleep(PAUSES.get(attempt).copied().unwrap_or(longest)).await;
}
