//! What befalls the calls of one process: the time they take, what goes wrong, and a trace of it all.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use storage::Store;
use testkit::{Call, Ending, Fate, Mishap, Verb};

use crate::chance::Chance;
use crate::process::Process;
use crate::timeline::Timeline;

/// Where the records of the log lie.
const LOG: &str = "_lake/log/";

/// How bad it is, in calls of a thousand.
#[derive(Debug, Clone, Copy)]
pub struct Climate {
    /// Calls that fail, one way or another.
    pub faults: u64,
    /// Calls that take seconds.
    pub slow: u64,
}

impl Climate {
    /// Nothing fails.
    pub const FAIR: Self = Self { faults: 0, slow: 0 };
}

/// The trace of a run: every call, when it ended and how.
#[derive(Debug, Default)]
pub struct Trace(Mutex<Vec<String>>);

impl Trace {
    /// Adds a line.
    pub fn note(&self, line: String) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    }

    /// Takes the lines so far.
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The weather over one process.
pub struct Weather {
    /// Who calls.
    pub name: String,
    /// The process that calls.
    pub process: Arc<Process>,
    /// The time that calls take.
    pub timeline: Arc<Timeline>,
    /// Decides.
    pub chance: Arc<Chance>,
    /// How bad it is.
    pub climate: Climate,
    /// What happened.
    pub trace: Arc<Trace>,
    /// Takes the records that are about to be removed.
    pub archive: Archive,
}

/// The records of the log that were removed, for the judge.
#[derive(Debug, Clone)]
pub struct Archive {
    store: Store,
    records: Arc<Mutex<BTreeMap<String, Bytes>>>,
}

impl Archive {
    /// An archive of what lies in `store`.
    pub fn of(store: Store) -> Self {
        Self { store, records: Arc::default() }
    }

    /// All records there ever were, by their names.
    pub async fn records(&self) -> BTreeMap<String, Bytes> {
        let living = self.store.list(LOG, None, usize::MAX >> 1).await.expect("a list");
        for entry in living.entries {
            self.keep(&entry.path).await;
        }
        self.records.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn keep(&self, path: &str) {
        if let Ok(bytes) = self.store.get(path).await {
            self.records.lock().unwrap_or_else(PoisonError::into_inner).insert(path.to_owned(), bytes);
        }
    }
}

impl Weather {
    fn delay(&self) -> Duration {
        if self.chance.permille(self.climate.slow) { self.chance.millis(500, 20_000) } else { self.chance.millis(1, 9) }
    }

    fn mishap(&self, call: &Call<'_>) -> Mishap {
        use Mishap::{BreaksOff, Contended, FailsBefore, Full, LandsLate, ListsOld, LosesReply, TakenByItself};
        let late = LandsLate(self.chance.millis(1, 30_000));
        match call.verb {
            Verb::Create => {
                self.chance.one_of(&[LosesReply, LosesReply, FailsBefore, TakenByItself, Contended, late, late])
            }
            Verb::Put | Verb::Update | Verb::Complete | Verb::Copy | Verb::Delete => {
                self.chance.one_of(&[LosesReply, FailsBefore, Full, late])
            }
            Verb::Get => self.chance.one_of(&[FailsBefore, BreaksOff]),
            Verb::List => self.chance.one_of(&[FailsBefore, ListsOld(self.chance.millis(1, 60_000))]),
            Verb::Begin | Verb::Part | Verb::Abort => FailsBefore,
        }
    }
}

#[async_trait]
impl Fate for Weather {
    async fn befall(&self, call: &Call<'_>) -> Option<Mishap> {
        self.process.awake().await;
        self.timeline.wait(self.delay()).await;
        if call.verb == Verb::Delete && call.path.starts_with(LOG) {
            self.archive.keep(call.path).await;
        }
        self.chance.permille(self.climate.faults).then(|| self.mishap(call))
    }

    async fn ended(&self, call: &Call<'_>, ending: Ending) {
        let Call { verb, path } = call;
        self.trace.note(format!("{} {} {verb:?} {path} {ending:?}", self.timeline.now(), self.name));
        self.timeline.wait(self.delay()).await;
        self.process.awake().await;
    }
}
