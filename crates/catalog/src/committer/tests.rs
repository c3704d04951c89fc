use std::sync::Mutex;

use base::Version;
use testkit::{FixedClock, SeededDice};

use super::*;
use crate::record::{Change, TablePut};

/// A proposal that puts a table, or panics, and notes how it was settled.
struct Scripted {
    name: DatasetName,
    whole: bool,
    adds: bool,
    key: Option<&'static str>,
    panics: bool,
    settled: Arc<Mutex<Vec<bool>>>,
}

#[async_trait]
impl Proposal for Scripted {
    fn subject(&self) -> Subject {
        if self.whole { Subject::Whole } else { Subject::Dataset(self.name.clone()) }
    }

    fn only_adds(&self) -> bool {
        self.adds
    }

    fn describe(&self) -> Description {
        Description {
            author: "test".into(),
            message: String::new(),
            idempotency_key: self.key.map(Into::into),
            request: None,
        }
    }

    async fn decide(&mut self, state: &State) -> Result<Vec<Change>> {
        assert!(!self.panics, "as scripted");
        if self.key.is_some_and(|key| state.keyed(key, state.at).is_some()) {
            return Err(Error::KeyReused);
        }
        Ok(vec![Change::TablePut(TablePut {
            name: self.name.clone(),
            table_id: uuid::Uuid::nil(),
            metadata: String::new(),
            snapshot_id: None,
            row_count: 0,
            fingerprint: String::new(),
        })])
    }

    async fn settle(&mut self, outcome: &Result<Settled>) {
        self.settled.lock().unwrap().push(outcome.is_ok());
    }
}

async fn committer(store: &Store) -> (Committer, Arc<Head>) {
    committer_by(store, Seams::system()).await
}

async fn committer_by(store: &Store, seams: Seams) -> (Committer, Arc<Head>) {
    let config = Config::default();
    let log = Log::new(store.clone());
    let head = Arc::new(Head::load(store, log.clone(), &config, seams.clone()).await.unwrap());
    (Committer::start(store.clone(), log, Arc::clone(&head), &config, seams), head)
}

#[tokio::test]
async fn a_proposal_that_panics_takes_nobody_along() {
    let store = testkit::lake::memory().await;
    let (committer, head) = committer(&store).await;
    let settled = Arc::new(Mutex::new(Vec::new()));
    let proposal = |panics| {
        let settled = Arc::clone(&settled);
        Box::new(Scripted {
            name: if panics { "a" } else { "b" }.parse().unwrap(),
            whole: false,
            adds: false,
            key: None,
            panics,
            settled,
        })
    };
    let (bad, good) = tokio::join!(committer.propose(proposal(true)), committer.propose(proposal(false)));
    assert!(matches!(bad, Err(Error::Bug { .. })));
    assert!(good.unwrap().committed);
    assert!(committer.propose(proposal(false)).await.unwrap().committed);
    assert_eq!(head.known().version, Version(2));
    assert_eq!(*settled.lock().unwrap(), [false, true, true]);
}

#[tokio::test]
async fn closing_lets_what_waits_through() {
    let store = testkit::lake::memory().await;
    let (committer, head) = committer(&store).await;
    let settled = Arc::new(Mutex::new(Vec::new()));
    let proposal = || {
        let (name, settled) = ("a".parse().unwrap(), Arc::clone(&settled));
        Box::new(Scripted { name, whole: false, adds: false, key: None, panics: false, settled })
    };
    let (first, second, ()) =
        tokio::join!(committer.propose(proposal()), committer.propose(proposal()), committer.close());
    assert!(first.is_ok() && second.is_ok());
    assert!(head.known().version > Version(0));
    assert!(matches!(committer.propose(proposal()).await, Err(Error::Closing)));
    committer.close().await;
}

#[tokio::test]
async fn a_key_that_two_datasets_use_at_once_is_the_first_ones() {
    let store = testkit::lake::memory().await;
    let (committer, head) = committer(&store).await;
    let proposal = |name: &str| {
        let name = name.parse().unwrap();
        Box::new(Scripted { name, whole: false, adds: false, key: Some("k"), panics: false, settled: Arc::default() })
    };
    let (first, second) = tokio::join!(committer.propose(proposal("b")), committer.propose(proposal("a")));
    assert!(first.unwrap().committed);
    assert!(matches!(second, Err(Error::KeyReused)));
    assert_eq!(head.known().tables.keys().map(ToString::to_string).collect::<Vec<_>>(), ["b"]);
}

fn waiting(name: &str, whole: bool, adds: bool) -> Waiting {
    let (reply, _) = oneshot::channel();
    let scripted =
        Scripted { name: name.parse().unwrap(), whole, adds, key: None, panics: false, settled: Arc::default() };
    Waiting { proposal: Box::new(scripted), reply }
}

fn rounds(mut group: Vec<Waiting>) -> Vec<usize> {
    let mut rounds = Vec::new();
    while !group.is_empty() {
        rounds.push(next_round(&mut group).len());
    }
    rounds
}

#[tokio::test]
async fn what_is_about_the_whole_is_decided_alone_and_in_its_turn() {
    let group = [("a", false), ("b", false), ("w", true), ("c", false)];
    assert_eq!(rounds(group.map(|(name, whole)| waiting(name, whole, false)).into()), [2, 1, 1]);
}

#[tokio::test]
async fn of_one_subject_only_what_adds_shares_a_record() {
    let group = [("a", true), ("a", true), ("a", false), ("a", true), ("b", false), ("a", true), ("a", false)];
    assert_eq!(rounds(group.map(|(name, adds)| waiting(name, false, adds)).into()), [3, 1, 2, 1]);
}

/// A proposal during whose decision an hour goes by, its version expires, and a reader finds the newer state.
struct Overtaken {
    store: Store,
    head: Arc<Head>,
    clock: Arc<FixedClock>,
}

#[async_trait]
impl Proposal for Overtaken {
    fn subject(&self) -> Subject {
        Subject::Tag("a".parse().unwrap())
    }

    fn describe(&self) -> Description {
        Description { author: "test".into(), message: String::new(), idempotency_key: None, request: None }
    }

    async fn decide(&mut self, _: &State) -> Result<Vec<Change>> {
        let mut newer = State::empty();
        (newer.version, newer.oldest) = (Version(5), Version(5));
        checkpoint::write(&self.store, checkpoint::Role::Base, &newer).await?;
        self.clock.set(Timestamp::from_micros(3_600_000_000));
        assert_eq!(self.head.ask().await?.version, Version(5));
        Ok(vec![Change::TagPut { tag: "a".parse().unwrap(), version: Version(1) }])
    }

    async fn settle(&mut self, _: &Result<Settled>) {}
}

#[tokio::test]
async fn a_record_that_falls_into_a_hole_is_no_commit_though_others_have_looked_since() {
    let store = testkit::lake::memory().await;
    let clock = Arc::new(FixedClock::at(Timestamp::from_micros(0)));
    let (committer, head) = committer_by(&store, Seams::new(clock.clone(), Arc::new(SeededDice::new(7)))).await;
    let overtaken = Overtaken { store, head: Arc::clone(&head), clock };
    assert!(matches!(committer.propose(Box::new(overtaken)).await, Err(Error::OutcomeUnknown)));
    assert!(head.known().tags.is_empty());
}
