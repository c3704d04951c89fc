//! A writer: process after process that does deeds, is killed, sleeps and begins again.

use std::sync::Arc;
use std::time::Duration;

use base::{Seams, Span};
use catalog::{Catalog, Config};
use futures::future::{Either, join_all, select};
use testkit::{Bucket, Faulty};

use crate::chance::Chance;
use crate::deed::{Deed, INDEXES, TABLES, TAGS};
use crate::ledger::Ledger;
use crate::process::Process;
use crate::timeline::Timeline;
use crate::weather::{Archive, Climate, Trace, Weather};

/// How often a process tries to open a lake whose store fails.
const TRIES: usize = 20;
/// How often a keyed deed is tried again.
const RETRIES: usize = 3;

/// What the writers of one run share.
#[derive(Clone)]
pub struct World {
    /// The seed of it all.
    pub seed: u64,
    /// Its time.
    pub timeline: Arc<Timeline>,
    /// Its store.
    pub bucket: Bucket,
    /// Where the writers believe it to lie.
    pub uri: &'static str,
    /// How bad the weather is.
    pub climate: Climate,
    /// What happened.
    pub trace: Arc<Trace>,
    /// Records that expiry removed.
    pub archive: Archive,
    /// What was done and told.
    pub ledger: Arc<Ledger>,
}

/// One writer.
pub struct Writer {
    world: World,
    number: u64,
    chance: Arc<Chance>,
    /// How wrong its clock is, in microseconds.
    skew: i64,
    /// Deeds begun, by all its processes.
    begun: usize,
    lives: u64,
}

/// A running process of a writer.
struct Life {
    process: Arc<Process>,
    catalog: Catalog,
    seams: Seams,
}

/// How a round of deeds ended.
enum Round {
    Over,
    Killed,
}

impl Writer {
    /// The writer of this number.
    pub fn new(world: World, number: u64) -> Self {
        let chance = Arc::new(Chance::new(world.seed, number + 1));
        let hour = 3_600_000_000;
        let skew = chance.one_of(&[0, 0, 5_000_000, -5_000_000, hour, -hour]);
        Self { world, number, chance, skew, begun: 0, lives: 0 }
    }

    /// Does so many deeds, in as many lives as it takes.
    pub async fn work(mut self, deeds: usize) {
        while self.begun < deeds {
            let Some(life) = self.start().await else { return };
            while self.begun < deeds {
                if matches!(self.round(&life, deeds).await, Round::Killed) {
                    break;
                }
            }
        }
    }

    /// Starts a process; none when the store never lets it open the lake.
    async fn start(&mut self) -> Option<Life> {
        self.lives += 1;
        let World { seed, timeline, bucket, uri, climate, trace, archive, ledger } = &self.world;
        let process = Process::start(timeline);
        let dice = seed.wrapping_mul(31).wrapping_add(self.number * 1_000 + self.lives);
        let seams = process.seams(self.skew, dice);
        let name = format!("{}.{}", self.number, self.lives);
        let weather = Weather {
            name: name.clone(),
            process: Arc::clone(&process),
            timeline: Arc::clone(timeline),
            chance: Arc::clone(&self.chance),
            climate: *climate,
            trace: Arc::clone(trace),
            archive: archive.clone(),
        };
        let store = Faulty::over(Arc::new(bucket.clone()), Arc::new(weather), seams.clone()).store(uri);
        let config = Config {
            checkpoint_every: self.chance.one_of(&[2, 5, 50]),
            commit_timeout: self.chance.one_of(&[Span::millis(50), Span::secs(30)]),
            ..Config::default()
        };
        for _ in 0..TRIES {
            match Catalog::open(store.clone(), &config, seams.clone()).await {
                Ok(catalog) => return Some(Life { process, catalog, seams }),
                Err(error) => ledger.look_for_fault(&name, &error),
            }
        }
        None
    }

    /// Does one deed, or a few side by side. The process may be killed or fall asleep under way.
    async fn round(&mut self, life: &Life, deeds: usize) -> Round {
        self.world.timeline.wait(self.chance.millis(0, 30)).await;
        let together = self.chance.one_of(&[1, 1, 1, 2, 3]).min(deeds - self.begun);
        let work: Vec<_> = (0..together).map(|_| self.begin(life)).collect();
        let work = Box::pin(join_all(work));
        if self.chance.permille(850) {
            work.await;
            return Round::Over;
        }
        let patience = self.world.timeline.wait(self.chance.millis(1, 120));
        match select(work, patience).await {
            Either::Left(_) => Round::Over,
            Either::Right((_, work)) if self.chance.permille(500) => {
                life.process.suspend(self.chance.millis(1_000, 10_000_000));
                work.await;
                Round::Over
            }
            Either::Right(_) => {
                life.process.kill();
                Round::Killed
            }
        }
    }

    /// The next deed.
    fn begin(&mut self, life: &Life) -> impl Future<Output = ()> + use<> {
        let id = format!("{}.{}", self.number, self.begun);
        let deed = self.choose(life);
        self.begun += 1;
        let ledger = Arc::clone(&self.world.ledger);
        ledger.begin(&id, deed.clone());
        let (catalog, seams) = (life.catalog.clone(), life.seams.clone());
        async move {
            let retries = if matches!(deed, Deed::Append { keyed: true, .. }) { RETRIES } else { 0 };
            let mut outcome = deed.perform(&catalog, &id, &seams).await;
            for _ in 0..retries {
                if outcome.is_ok() {
                    break;
                }
                seams.wait(Duration::from_millis(10)).await;
                let again = deed.perform(&catalog, &id, &seams).await;
                // An outcome that once was unknown stays so until somebody knows.
                let open = outcome.as_ref().is_err_and(|error| !error.proves_nothing_committed());
                outcome = if open && again.is_err() { outcome } else { again };
            }
            ledger.tell(&id, &outcome);
            ledger.look(&catalog, &id).await;
        }
    }

    fn choose(&self, life: &Life) -> Deed {
        let (table, tag, index) =
            (self.chance.one_of(&TABLES), self.chance.one_of(&TAGS), self.chance.one_of(&INDEXES));
        let row = i64::try_from(self.begun).unwrap_or(0) * 3 + i64::try_from(self.number).unwrap_or(0);
        let earlier = self.chance.below(life.catalog.known_head().0) + 1;
        match self.chance.below(25) {
            0..=4 => Deed::Append { table, row, keyed: false },
            5 => Deed::Append { table, row, keyed: true },
            6..=7 => Deed::Replace { table, row },
            8 => Deed::Register { table, row },
            9 => Deed::Drop { table },
            10 => Deed::RollBack { table, to: earlier },
            11 => Deed::Compact { table },
            12 => Deed::Expire { keep: self.chance.below(6) + 1 },
            13 => Deed::Sweep { grace: self.chance.one_of(&[0, 0, 1, 60]) },
            14..=16 => Deed::Tag { tag, version: None },
            17 => Deed::Tag { tag, version: Some(earlier) },
            18 => Deed::Untag { tag },
            24 => Deed::SetProperty { table },
            19..=21 => Deed::CreateIndex { index },
            _ => Deed::DropIndex { index },
        }
    }
}
