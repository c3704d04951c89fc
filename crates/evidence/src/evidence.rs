//! `Evidence`: the verbs of this room.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use base::{ByteSize, Seams};
use serde::Serialize;
use storage::{Store, task};
use tokio::sync::{mpsc, oneshot};

use crate::bundle;
use crate::desk::{Desk, GROUP, Waiting};
use crate::error::{Error, Result};
use crate::files::{self, StreamFile};
use crate::fragment::Line;
use crate::name::StreamName;
use crate::read::{self, Lines};
use crate::shelf::Shelf;
use crate::tail::{self, Tail};

/// What every lake has.
const LAKE: &str = "_lake/format.json";
/// The most streams that one process writes.
const STREAMS: usize = 256;

/// The streams of a lake. Clones share them; the appending tasks end with the last clone.
#[derive(Clone)]
pub struct Evidence(Arc<Inner>);

struct Inner {
    store: Store,
    seams: Seams,
    desks: Mutex<HashMap<StreamName, mpsc::Sender<Waiting>>>,
    /// Set once a lake was seen around the streams.
    lake: OnceLock<()>,
}

/// Lines that are durable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Appended {
    /// The stream.
    pub stream: String,
    /// The number of the fragment that holds them.
    pub fragment: u64,
    /// How many they are.
    pub lines: usize,
}

impl Evidence {
    /// The streams on a store.
    pub fn new(store: Store, seams: Seams) -> Self {
        Self(Arc::new(Inner { store, seams, desks: Mutex::default(), lake: OnceLock::new() }))
    }

    /// Makes sure that a lake is around the streams. Lines that lie in none are durable and nobody ever finds them.
    pub async fn expect_lake(&self) -> Result<()> {
        if self.0.lake.get().is_none() {
            self.0.store.head(LAKE).await?;
            self.0.lake.get_or_init(|| ());
        }
        Ok(())
    }

    /// Appends lines, all of them or none, and answers when they are durable. What has begun goes on to its end when
    /// the caller goes away.
    pub async fn append(&self, stream: &StreamName, lines: Vec<Line>) -> Result<Appended> {
        if lines.is_empty() {
            return Err(Error::Nothing);
        }
        let count = lines.len();
        let (reply, landed) = oneshot::channel();
        let sent = self.desk(stream)?.send(Waiting { lines, reply }).await;
        sent.map_err(|_| Error::OutcomeUnknown)?;
        // A dropped reply means that the appending task died on the way, so nothing is proven.
        let outcome = landed.await.map_err(|_| Error::OutcomeUnknown)?;
        let fragment = outcome.map_err(Error::Together)?;
        Ok(Appended { stream: stream.to_string(), fragment, lines: count })
    }

    /// Appends lines of somebody else's to a stream of theirs.
    pub async fn append_for_user(&self, stream: &StreamName, lines: Vec<Line>) -> Result<Appended> {
        if stream.is_own() {
            return Err(Error::Own { stream: stream.to_string() });
        }
        self.append(stream, lines).await
    }

    /// Whether this process has appended to a stream, or begun to.
    pub fn has_appended(&self, stream: &StreamName) -> bool {
        self.0.desks.lock().unwrap_or_else(PoisonError::into_inner).contains_key(stream)
    }

    /// Everything in a stream, with what does not read told by its place.
    pub async fn read(&self, stream: &StreamName) -> Result<Lines> {
        read::read(&self.0.store, stream, u64::MAX).await
    }

    /// The same, of a stream that has so many bytes at most; it takes several times as much memory.
    pub async fn read_within(&self, stream: &StreamName, limit: ByteSize) -> Result<Lines> {
        read::read(&self.0.store, stream, limit.0).await
    }

    /// The last `count` lines of a stream; fewer where they are very long.
    pub async fn last(&self, stream: &StreamName, count: usize) -> Result<Tail> {
        tail::last(&self.0.store, stream, count).await
    }

    /// The lines behind a fragment, the oldest first; fewer where they are very long. The answer's own number leads on.
    pub async fn after(&self, stream: &StreamName, fragment: u64) -> Result<Tail> {
        tail::after(&self.0.store, stream, fragment).await
    }

    /// The files that hold each stream as it is now, for whoever copies them.
    pub async fn files(&self) -> Result<BTreeMap<StreamName, Vec<StreamFile>>> {
        let shelves = Shelf::all(&self.0.store).await?;
        Ok(shelves.into_iter().map(|(stream, shelf)| (stream.clone(), files::of(&stream, &shelf))).collect())
    }

    /// Makes bundles of a stream's small files. Appending has it done beside itself.
    pub async fn tidy(&self, stream: &StreamName) -> Result<()> {
        bundle::tidy(&self.0.store, stream).await
    }

    fn desk(&self, stream: &StreamName) -> Result<mpsc::Sender<Waiting>> {
        let mut desks = self.0.desks.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(desk) = desks.get(stream) {
            return Ok(desk.clone());
        }
        if desks.len() == STREAMS {
            return Err(Error::TooMany);
        }
        let (queue, waiting) = mpsc::channel(GROUP);
        let (store, seams) = (self.0.store.clone(), self.0.seams.clone());
        let desk = Desk::new(store, seams, stream.clone());
        task::spawn("append to a stream", desk.run(waiting));
        desks.insert(stream.clone(), queue.clone());
        Ok(queue)
    }
}
