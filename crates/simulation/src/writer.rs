//! A writer: process after process that does deeds, is killed, sleeps and begins again.

use std::sync::Arc;

use base::{Seams, Span};
use catalog::{Catalog, Config, Pii};
use futures::FutureExt;
use futures::future::{BoxFuture, Either, join_all, select};
use testkit::{Bucket, Faulty};

use crate::chance::Chance;
use crate::deed::{COLUMNS, Deed, INDEXES, NAMES, TABLES, TAGS, insist};
use crate::ledger::Ledger;
use crate::process::Process;
use crate::timeline::Timeline;
use crate::weather::{Archive, Climate, Trace, Weather};

/// How often a process tries to open a lake whose store fails.
const TRIES: usize = 20;
/// For how many milliseconds a process idles when it does: so long that expired records may be gone by then.
const IDLE: [u64; 2] = [3_600_000, 10_800_000];

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
    /// Before how many deeds of a thousand a process idles for hours.
    pub idle: u64,
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
        let World { seed, timeline, bucket, uri, climate, trace, archive, ledger, .. } = &self.world;
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
        let idles = self.chance.permille(self.world.idle);
        let [least, most] = if idles { IDLE } else { [0, 30] };
        self.world.timeline.wait(self.chance.millis(least, most)).await;
        let together = self.chance.one_of(&[1, 1, 1, 2, 3]).min(deeds - self.begun);
        let mut work: Vec<BoxFuture<'static, ()>> = (0..together).map(|_| self.begin(life).boxed()).collect();
        if idles {
            // A reader beside those who write after a long time, sooner than they are or later.
            work.insert(self.chance.one_of(&[0, together]), self.look(life).boxed());
        }
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
            let perform = || deed.perform(&catalog, &id, &seams);
            let repeats = matches!(deed, Deed::Append { keyed: true, .. });
            let outcome = if repeats { insist(&seams, perform).await } else { perform().await };
            ledger.tell(&id, &outcome);
            ledger.look(&catalog, &id).await;
        }
    }

    /// A reader of the newest version.
    fn look(&self, life: &Life) -> impl Future<Output = ()> + use<> {
        let (ledger, catalog, who) = (Arc::clone(&self.world.ledger), life.catalog.clone(), self.number.to_string());
        async move { ledger.look(&catalog, &who).await }
    }

    fn choose(&self, life: &Life) -> Deed {
        let (table, tag, index) =
            (self.chance.one_of(&TABLES), self.chance.one_of(&TAGS), self.chance.one_of(&INDEXES));
        let row = i64::try_from(self.begun).unwrap_or(0) * 3 + i64::try_from(self.number).unwrap_or(0);
        let head = life.catalog.known_head().0;
        let (earlier, lately) = (self.chance.below(head) + 1, head.saturating_sub(self.chance.below(4)).max(1));
        let keyed = self.chance.permille(300);
        match self.chance.below(37) {
            0..=4 => Deed::Append { table, row, keyed },
            5..=6 => Deed::Evolve { table, row, column: self.chance.one_of(&COLUMNS) },
            7..=8 => Deed::Replace { table, row },
            9 => Deed::Register { table, row },
            10..=12 => Deed::Commit { table, row, branch: false, keyed },
            13..=15 => Deed::Commit { table, row, branch: true, keyed },
            16 => Deed::FastForward { table },
            17..=18 => Deed::Rename { from: self.chance.one_of(&NAMES), to: self.chance.one_of(&NAMES) },
            19 => Deed::Classify { table, class: self.chance.one_of(&[None, Some(Pii::Email), Some(Pii::Other)]) },
            20..=21 => Deed::Drop { table },
            22 => Deed::RollBack { table, to: earlier },
            23..=24 => Deed::RollBack { table, to: lately },
            25 => Deed::Compact { table },
            26 => Deed::SetProperty { table },
            27..=28 => Deed::Expire { keep: self.chance.below(6) + 1 },
            29 => Deed::Sweep { grace: self.chance.one_of(&[0, 0, 1, 60]) },
            30..=31 => Deed::Tag { tag, version: None },
            32 => Deed::Tag { tag, version: Some(earlier) },
            33 => Deed::Untag { tag },
            34..=35 => Deed::CreateIndex { index },
            _ => Deed::DropIndex { index },
        }
    }
}
