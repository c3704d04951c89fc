//! The one path by which anything changes: proposals wait in a queue, are decided on the newest state, and go out
//! together as one record.

use std::collections::{BTreeMap, HashMap};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use async_trait::async_trait;
use base::{CommitId, DatasetName, IndexName, Seams, Span, Tag, Timestamp};
use futures::FutureExt;
use futures::future::join_all;
use storage::{Store, task};
use tokio::sync::{mpsc, oneshot};

use crate::checkpoint;
use crate::claimed;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::head::Head;
use crate::log::{Landed, Log};
use crate::record::{Change, Commit, Record};
use crate::state::State;

#[cfg(test)]
mod tests;

/// The most commits that share one record.
const GROUP: usize = 256;

/// What a proposal wants to change.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Subject {
    Dataset(DatasetName),
    Index(IndexName),
    Tag(Tag),
    /// More than one thing, or what others depend on. It is decided alone, on everything that came before it.
    Whole,
}

/// Something that wants to change what a lake holds.
///
/// It is decided again on every new head until it is settled, so a race alone never refuses it.
#[async_trait]
pub(crate) trait Proposal: Send + Sync {
    /// What it changes. Proposals for different subjects are decided side by side, save those for the whole.
    fn subject(&self) -> Subject;

    /// Whether it only adds to what others leave of its subject, so that one version may hold it beside others that do.
    /// What anything else leaves, or takes away, must be readable at a version of its own.
    fn only_adds(&self) -> bool {
        false
    }

    /// What the record says about the commit.
    fn describe(&self) -> Description;

    /// Decides on `state`, whose version is the one that a commit would make: the changes, or none when nothing needs
    /// to change. Whatever an earlier call staged is proven not to be committed.
    async fn decide(&mut self, state: &State) -> Result<Vec<Change>>;

    /// Learns the outcome: an error, or whether its changes were committed. Deletes what is then not needed.
    async fn settle(&mut self, outcome: &Result<Settled>);
}

/// What the log keeps of a proposal besides its changes.
#[derive(Debug, Clone)]
pub(crate) struct Description {
    pub author: String,
    pub message: String,
    pub idempotency_key: Option<String>,
    pub request: Option<String>,
}

/// How a proposal ended.
#[derive(Debug, Clone)]
pub(crate) struct Settled {
    /// Whether it made a commit; otherwise the state already was what it wants.
    pub committed: bool,
    /// The state that it was decided on.
    pub before: Arc<State>,
    /// The state in which its outcome stands.
    pub state: Arc<State>,
}

impl Settled {
    /// What is answered when it is over. That an answer could not be read does not undo a commit.
    pub fn answer<T>(&self, answer: Result<T>) -> Result<T> {
        match answer {
            Err(error) if self.committed => {
                tracing::warn!(version = %self.state.version, error = %error, "a commit stands, and its answer does not read");
                Err(Error::OutcomeUnknown)
            }
            answer => answer,
        }
    }
}

struct Waiting {
    proposal: Box<dyn Proposal>,
    reply: oneshot::Sender<Result<Settled>>,
}

enum Message {
    Propose(Waiting),
    /// Answered when everything that was waiting before it is settled.
    Close(oneshot::Sender<()>),
}

/// A proposal as decided on one state.
struct Decided {
    waiting: Waiting,
    outcome: Result<Decision>,
}

struct Decision {
    /// What goes into the record, which takes it out.
    commit: Option<Commit>,
    committed: bool,
    before: Arc<State>,
    after: Arc<State>,
}

/// The door of the queue. The committing task ends when the last clone is gone.
#[derive(Debug, Clone)]
pub(crate) struct Committer {
    queue: mpsc::Sender<Message>,
}

impl Committer {
    /// Starts the committing task of a lake.
    pub fn start(store: Store, log: Log, head: Arc<Head>, config: &Config, seams: Seams) -> Self {
        let (queue, messages) = mpsc::channel(GROUP);
        let (checkpoint_every, timeout) = (config.checkpoint_every.max(1), config.commit_timeout);
        let desk = Desk { store, log, head, seams, checkpoint_every, timeout };
        task::spawn("committer", desk.run(messages));
        Self { queue }
    }

    /// Puts a proposal through and answers its outcome.
    pub async fn propose(&self, proposal: Box<dyn Proposal>) -> Result<Settled> {
        let (reply, answer) = oneshot::channel();
        let sent = self.queue.send(Message::Propose(Waiting { proposal, reply })).await;
        sent.map_err(|_| Error::Closing)?;
        // A dropped reply means that the committing task died on the way, so nothing is proven.
        answer.await.unwrap_or(Err(Error::OutcomeUnknown))
    }

    /// Refuses further proposals and waits until those that wait are settled.
    pub async fn close(&self) {
        let (reply, settled) = oneshot::channel();
        if self.queue.send(Message::Close(reply)).await.is_ok() {
            // An error means that the committing task has ended, which is what was asked for.
            let _ = settled.await;
        }
    }
}

/// Lets those that the last record woke say what they want next, before a record goes out: it costs a sync whoever
/// shares it, and they come back at nearly the same time.
async fn gather(queue: &mut mpsc::Receiver<Message>, messages: &mut Vec<Message>) {
    let mut before = 0;
    while before < messages.len() {
        before = messages.len();
        tokio::task::yield_now().await;
        while messages.len() < GROUP {
            let Ok(message) = queue.try_recv() else { break };
            messages.push(message);
        }
    }
}

struct Desk {
    store: Store,
    log: Log,
    head: Arc<Head>,
    seams: Seams,
    checkpoint_every: u64,
    timeout: Span,
}

impl Desk {
    async fn run(self, mut queue: mpsc::Receiver<Message>) {
        let (mut messages, mut closers, mut shared) = (Vec::new(), Vec::new(), 0);
        while queue.recv_many(&mut messages, GROUP).await > 0 {
            // A lone client waits for nobody.
            if messages.len().max(shared) > 1 {
                gather(&mut queue, &mut messages).await;
            }
            shared = messages.len();
            let mut group = Vec::new();
            for message in messages.drain(..) {
                match message {
                    Message::Propose(waiting) => group.push(waiting),
                    Message::Close(closer) => closers.push(closer),
                }
            }
            if !closers.is_empty() {
                queue.close();
            }
            while !group.is_empty() {
                let round = next_round(&mut group);
                self.put_through(round).await;
            }
        }
        drop(closers);
    }

    /// Decides, publishes and decides again until every proposal of the group is settled.
    async fn put_through(&self, mut group: Vec<Waiting>) {
        while !group.is_empty() {
            let (head, looked) = match self.head.undoubted().await {
                Ok(found) => found,
                Err(error) => return refuse_all(group, &Arc::new(error)).await,
            };
            let mut state = State::clone(&head);
            state.begin(head.version.next(), self.seams.now().max(head.at));
            let state = Arc::new(state);
            let mut decided = self.decide_all(&state, group).await;
            let record = record(&state, &mut decided);
            group = match self.establish(&head, looked, &record).await {
                Ok(true) => return settle_all(decided, None).await,
                Ok(false) => decided.into_iter().map(|decided| decided.waiting).collect(),
                Err(error) => return settle_all(decided, Some(error)).await,
            };
        }
    }

    /// Decides proposals for different subjects side by side, those for the same one after another.
    async fn decide_all(&self, base: &Arc<State>, group: Vec<Waiting>) -> Vec<Decided> {
        let mut chains: BTreeMap<Subject, Vec<Waiting>> = BTreeMap::new();
        for waiting in group {
            chains.entry(waiting.proposal.subject()).or_default().push(waiting);
        }
        let chains = chains.into_values().map(|chain| self.decide_chain(Arc::clone(base), chain));
        join_all(chains).await.into_iter().flatten().collect()
    }

    async fn decide_chain(&self, mut state: Arc<State>, chain: Vec<Waiting>) -> Vec<Decided> {
        let mut decided = Vec::with_capacity(chain.len());
        for mut waiting in chain {
            let before = Arc::clone(&state);
            let changes = self.decide(waiting.proposal.as_mut(), &state).await;
            let outcome = changes.map(|changes| {
                let described = || waiting.proposal.describe();
                let commit = (!changes.is_empty()).then(|| self.commit(described(), changes));
                commit.iter().for_each(|commit| Arc::make_mut(&mut state).add(commit));
                Decision { committed: commit.is_some(), commit, before, after: Arc::clone(&state) }
            });
            decided.push(Decided { waiting, outcome });
        }
        decided
    }

    async fn decide(&self, proposal: &mut dyn Proposal, state: &State) -> Result<Vec<Change>> {
        let changes = decide(proposal, state).await?;
        claimed::refuse(&self.store, state, &changes).await?;
        Ok(changes)
    }

    fn commit(&self, described: Description, changes: Vec<Change>) -> Commit {
        Commit {
            id: CommitId::mint(&self.seams),
            author: described.author,
            message: described.message,
            idempotency_key: described.idempotency_key,
            request: described.request,
            changes,
        }
    }

    /// Makes the decisions stand: publishes the record, or, when it is empty, makes sure that `head` still is the
    /// newest state. Answers whether they stand; otherwise everything is to be decided again. What `looked` proves counts,
    /// never what others have seen since: they may have come to a newer state past a hole that this record fell into.
    async fn establish(&self, head: &State, looked: Timestamp, record: &Record) -> Result<bool> {
        if record.commits.is_empty() {
            return Ok(self.head.ask().await?.version == head.version);
        }
        let landed = self.log.publish(record, &self.seams, self.timeout).await?;
        // From here on the record is there, so no failure proves anything.
        match landed {
            // It stood there and has expired since, or it fell into the hole that expiry left and nobody reads it: whoever
            // slept for so long cannot tell.
            Landed::Ours if self.is_lost(record, looked).await? => {
                self.head.ask().await.map_err(|_| Error::OutcomeUnknown)?;
                Err(Error::OutcomeUnknown)
            }
            Landed::Ours => {
                self.head.advance(record);
                self.checkpoint(record);
                Ok(true)
            }
            Landed::Theirs => {
                self.head.ask().await?;
                Ok(false)
            }
        }
    }

    /// Whether a record that landed may have expired unseen.
    async fn is_lost(&self, record: &Record, looked: Timestamp) -> Result<bool> {
        self.head.is_expired(record.version, looked).await.map_err(|_| Error::OutcomeUnknown)
    }

    /// Writes a checkpoint beside the commits when one is due.
    fn checkpoint(&self, record: &Record) {
        if !record.version.0.is_multiple_of(self.checkpoint_every) {
            return;
        }
        let (store, state) = (self.store.clone(), self.head.known());
        task::spawn("checkpoint", async move { checkpoint::write_or_warn(&store, &state).await });
    }
}

/// Takes out of a group what may share a record, which is never nothing. What is about the whole goes alone. Of one
/// subject, only what adds goes together: what another proposal would undo is answered with a version that holds it.
/// Chains do not see each other, so where two subjects use one idempotency key, the later one waits until it is known what
/// the first made of it.
fn next_round(group: &mut Vec<Waiting>) -> Vec<Waiting> {
    let whole = |waiting: &Waiting| waiting.proposal.subject() == Subject::Whole;
    if group.first().is_some_and(whole) {
        return vec![group.remove(0)];
    }
    let behind_whole = group.iter().position(whole).map(|at| group.split_off(at));
    let round = side_by_side(group);
    group.extend(behind_whole.into_iter().flatten());
    round
}

fn side_by_side(group: &mut Vec<Waiting>) -> Vec<Waiting> {
    let mut users: HashMap<String, Subject> = HashMap::new();
    let mut open: BTreeMap<Subject, bool> = BTreeMap::new();
    let (round, later) = std::mem::take(group).into_iter().partition(|waiting| {
        let (subject, adds) = (waiting.proposal.subject(), waiting.proposal.only_adds());
        let is_first = !open.contains_key(&subject);
        let is_open = open.entry(subject.clone()).or_insert(adds);
        *is_open &= adds;
        if !is_first && !*is_open {
            return false;
        }
        let Some(key) = waiting.proposal.describe().idempotency_key else { return true };
        *users.entry(key).or_insert_with(|| subject.clone()) == subject
    });
    *group = later;
    round
}

/// A panic while deciding is the fault of one proposal and must not end the task that all of them need.
async fn decide(proposal: &mut dyn Proposal, state: &State) -> Result<Vec<Change>> {
    let decided = AssertUnwindSafe(proposal.decide(state)).catch_unwind().await;
    decided.unwrap_or_else(|_| Err(Error::Bug { doing: "deciding a commit", source: "it panicked".into() }))
}

/// The record of what was decided, as the version that `state` was begun as.
fn record(state: &State, decided: &mut [Decided]) -> Record {
    let commits = decided.iter_mut().filter_map(|decided| decided.outcome.as_mut().ok()?.commit.take());
    Record::new(state.version, state.at, commits.collect())
}

/// Tells every proposal that nothing could be decided.
async fn refuse_all(group: Vec<Waiting>, failure: &Arc<Error>) {
    let refused = |waiting| Decided { waiting, outcome: Err(Error::share(failure)) };
    settle_all(group.into_iter().map(refused).collect(), None).await;
}

/// Tells every proposal its outcome. A failure of the record is the outcome of all that were decided for it.
async fn settle_all(decided: Vec<Decided>, failure: Option<Error>) {
    let failure = failure.map(Arc::new);
    let settle = decided.into_iter().map(|Decided { mut waiting, outcome }| {
        let outcome = match (&failure, outcome) {
            (_, Err(error)) => Err(error),
            (None, Ok(Decision { committed, before, after, .. })) => Ok(Settled { committed, before, state: after }),
            (Some(failure), Ok(_)) => Err(Error::share(failure)),
        };
        async move {
            waiting.proposal.settle(&outcome).await;
            // A caller that has gone away needs no answer.
            let _ = waiting.reply.send(outcome);
        }
    });
    join_all(settle).await;
}
