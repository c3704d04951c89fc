//! Whoever appends to a stream: one task, which makes all that waits durable as one fragment.

use std::sync::Arc;
use std::time::Duration;

use base::Seams;
use storage::{Error as StoreError, Store, task};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::bundle::tidy_beside;
use crate::error::{Error, Result};
use crate::fragment::{Line, encode, wrote};
use crate::group::{BUNDLED, Group, bundle_path, fragment_path};
use crate::name::StreamName;
use crate::read::get;
use crate::shelf::Shelf;

/// The most appends that share one fragment.
pub(crate) const GROUP: usize = 256;
/// Appends that wait share a fragment until they are about this many bytes together.
const GROUP_SIZE: usize = 8 << 20;
/// The pauses between attempts to learn what became of a fragment.
const PAUSES: [Duration; 6] = [
    Duration::from_millis(2),
    Duration::from_millis(20),
    Duration::from_millis(100),
    Duration::from_millis(500),
    Duration::from_secs(2),
    Duration::from_secs(5),
];

/// Lines that wait to become durable together.
pub(crate) struct Waiting {
    pub(crate) lines: Vec<Line>,
    pub(crate) reply: oneshot::Sender<Result<u64, Arc<Error>>>,
}

/// The appending task of one stream.
pub(crate) struct Desk {
    store: Store,
    seams: Seams,
    stream: Arc<StreamName>,
    /// A fragment that is known to exist; 0 before any is.
    last: u64,
    /// Whether none is known to have come after it.
    is_newest: bool,
    /// Makes bundles of what has become many small files; none before the first append.
    tidying: Option<JoinHandle<()>>,
}

impl Desk {
    pub(crate) fn new(store: Store, seams: Seams, stream: StreamName) -> Self {
        Self { store, seams, stream: Arc::new(stream), last: 0, is_newest: false, tidying: None }
    }

    /// Appends until nobody can ask for it any more.
    pub(crate) async fn run(mut self, mut queue: mpsc::Receiver<Waiting>) {
        let mut waiting = Vec::new();
        while queue.recv_many(&mut waiting, GROUP).await > 0 {
            while !waiting.is_empty() {
                let group = next_group(&mut waiting);
                let outcome = self.append(&group).await.map_err(Arc::new);
                for one in group {
                    // A caller that has gone away needs no answer.
                    let _ = one.reply.send(outcome.clone());
                }
                self.tidy();
            }
        }
    }

    /// Writes a group under the next free number, whoever else takes numbers meanwhile.
    async fn append(&mut self, group: &[Waiting]) -> Result<u64> {
        let writer = self.seams.uuid().to_string();
        let bytes = encode(&writer, group.iter().flat_map(|one| &one.lines));
        let mut pauses = PAUSES.into_iter();
        // Whether an earlier attempt may have taken effect, so that a later one's failure proves nothing.
        let mut doubt = false;
        loop {
            let number = self.last().await? + 1;
            let created = match self.store.create(&fragment_path(&self.stream, number), bytes.clone()).await {
                Ok(_) => true,
                Err(StoreError::AlreadyExists { .. } | StoreError::OutcomeUnknown { .. }) => false,
                Err(_) if doubt => return Err(Error::OutcomeUnknown),
                Err(failure) => return Err(failure.into()),
            };
            doubt = true;
            match self.stands(number, &writer, created).await {
                Ok(true) => {
                    self.last = number;
                    return Ok(number);
                }
                Ok(false) => (self.is_newest, doubt) = (false, false),
                Err(_) => self.seams.wait(pauses.next().ok_or(Error::OutcomeUnknown)?).await,
            }
        }
    }

    /// Whether a number is an append's. What stands under it decides: a create that seemed to fail may have taken
    /// effect. And what its bundle holds goes before that: the fragment may have been bundled and deleted by now, or be
    /// nobody's, created where one was deleted before. Lines only ever move into larger bundles, of which the largest
    /// counts; so the smallest is looked for first, and none is missed.
    async fn stands(&self, number: u64, writer: &str, created: bool) -> Result<bool> {
        let mut bundled = None;
        for group in Group::around(number) {
            let bundle = get(&self.store, &bundle_path(&self.stream, group)).await?;
            bundled = bundle.map(|bundle| wrote(&bundle, writer)).or(bundled);
        }
        match bundled {
            Some(stands) => Ok(stands),
            None if created => Ok(true),
            None => Ok(wrote(&self.store.get(&fragment_path(&self.stream, number)).await?, writer)),
        }
    }

    /// The number of the last fragment; 0 where there is none.
    async fn last(&mut self) -> Result<u64> {
        if !self.is_newest {
            let behind = Shelf::of(&self.store, &self.stream, self.last).await?;
            self.last = self.last.max(behind.last());
            self.is_newest = true;
        }
        Ok(self.last)
    }

    /// Has bundles made, of what was left by others at first and then whenever a group is complete. Nobody waits for it.
    fn tidy(&mut self) {
        let is_due = self.tidying.is_none() || self.last.is_multiple_of(BUNDLED);
        if is_due && self.tidying.as_ref().is_none_or(JoinHandle::is_finished) {
            let tidying = tidy_beside(self.store.clone(), Arc::clone(&self.stream));
            self.tidying = Some(task::spawn("bundle a stream", tidying));
        }
    }
}

/// Takes what may share a fragment off the front.
fn next_group(waiting: &mut Vec<Waiting>) -> Vec<Waiting> {
    let mut size = 0;
    let fits = |one: &Waiting| {
        size += one.lines.iter().map(Line::size).sum::<usize>();
        size <= GROUP_SIZE
    };
    // The first goes in any case.
    let count = waiting.iter().map(fits).take_while(|fits| *fits).count().max(1);
    waiting.drain(..count).collect()
}
