//! Whoever appends to a stream: one task, which makes all that waits durable as one fragment.

use std::sync::Arc;
use std::time::Duration;

use base::Seams;
use storage::{Error as StoreError, Store};
use tokio::sync::{mpsc, oneshot};

use crate::error::{Error, Result};
use crate::fragment::{Line, encode, number_of, path, writer_of};
use crate::name::StreamName;

/// The most appends that share one fragment.
pub(crate) const GROUP: usize = 256;
/// Appends that wait share a fragment until they are about this many bytes together.
const GROUP_SIZE: usize = 8 << 20;
/// How many fragments a look at a stream lists at a time.
const PAGE: usize = 1000;
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
    pub(crate) store: Store,
    pub(crate) seams: Seams,
    pub(crate) stream: StreamName,
    /// The last fragment known to exist; none before the first look.
    pub(crate) last: Option<u64>,
}

impl Desk {
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
            let path = path(&self.stream, number);
            match self.store.create(&path, bytes.clone()).await {
                Ok(_) => return Ok(self.landed(number)),
                Err(StoreError::AlreadyExists { .. } | StoreError::OutcomeUnknown { .. }) => doubt = true,
                Err(_) if doubt => return Err(Error::OutcomeUnknown),
                Err(failure) => return Err(failure.into()),
            }
            // What stands under the number decides: a create that seemed to fail may have taken effect.
            match self.store.get(&path).await {
                Ok(found) if writer_of(&found).as_deref() == Some(&*writer) => return Ok(self.landed(number)),
                Ok(_) => (self.last, doubt) = (None, false),
                Err(_) => self.seams.wait(pauses.next().ok_or(Error::OutcomeUnknown)?).await,
            }
        }
    }

    fn landed(&mut self, number: u64) -> u64 {
        self.last = Some(number);
        number
    }

    /// The number of the last fragment; 0 where there is none.
    async fn last(&mut self) -> Result<u64> {
        if let Some(last) = self.last {
            return Ok(last);
        }
        let (folder, mut after, mut last) = (self.stream.folder(), None, 0);
        loop {
            let page = self.store.list(&folder, after.as_deref(), PAGE).await?;
            let numbers = page.entries.iter().filter_map(|entry| number_of(&entry.path));
            last = numbers.fold(last, u64::max);
            after = page.next;
            if after.is_none() {
                self.last = Some(last);
                return Ok(last);
            }
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
