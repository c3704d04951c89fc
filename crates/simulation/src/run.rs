//! One run: a seed, three writers, and what the judge says.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use catalog::{Catalog, Config};
use futures::future::join_all;
use sha2::{Digest, Sha256};
use storage::Store;
use testkit::Bucket;

use crate::chance::Chance;
use crate::deed::{Deed, TABLES};
use crate::judge::judge;
use crate::process::Process;
use crate::rows;
use crate::timeline::Timeline;
use crate::weather::{Archive, Climate};
use crate::writer::{World, Writer};

/// How many writers there are.
const WRITERS: u64 = 3;
/// How many deeds each of them does: in most runs few, because many short histories show more than few long ones.
const DEEDS: [usize; 4] = [2, 3, 3, 6];
/// As many objects can be registered as there may be deeds.
const OBJECTS: i64 = 18;
/// Who makes the table that is there from the first in some runs.
const FOUNDER: &str = "founder";
/// After so long, whatever was still to happen has happened.
const AFTERWARDS: Duration = Duration::from_secs(86_400);

/// What came of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Every call of the store, in the order in which they ended.
    pub trace: Vec<String>,
    /// How many deeds of each kind stand in the log.
    pub stands: BTreeMap<&'static str, usize>,
    /// What must not have happened.
    pub faults: Vec<String>,
}

impl Outcome {
    /// The digest of everything that happened.
    pub fn digest(&self) -> String {
        hex::encode(Sha256::digest(self.trace.join("\n")))
    }
}

/// Runs a seed.
pub fn run(seed: u64) -> Outcome {
    let timeline = Timeline::new();
    timeline.run(story(seed, Arc::clone(&timeline)))
}

async fn story(seed: u64, timeline: Arc<Timeline>) -> Outcome {
    let world = begin(seed, timeline).await;
    if Chance::new(seed, WRITERS + 2).permille(500) {
        found(&world).await;
    }
    let deeds = Chance::new(seed, WRITERS + 1).one_of(&DEEDS);
    let writers = (0..WRITERS).map(|number| {
        let writer = Writer::new(world.clone(), number);
        storage::task::spawn("writer", writer.work(deeds))
    });
    for done in join_all(writers).await {
        done.expect("a writer does not panic");
    }
    world.timeline.wait(AFTERWARDS).await;
    let (stands, faults) = judge(&world).await;
    Outcome { trace: world.trace.take(), stands, faults }
}

/// Makes a table before the writers come, so that there is something to change from the first.
async fn found(world: &World) {
    let seams = Process::start(&world.timeline).seams(0, world.seed);
    let store = Store::over(Arc::new(world.bucket.clone()), world.uri, seams.clone());
    let catalog = Catalog::open(store, &Config::default(), seams.clone()).await.expect("a new lake");
    let deed = Deed::Append { table: TABLES[0], row: OBJECTS, keyed: false };
    world.ledger.begin(FOUNDER, deed.clone());
    world.ledger.tell(FOUNDER, &deed.perform(&catalog, FOUNDER, &seams).await);
    catalog.close().await;
}

/// A store with objects to register.
async fn begin(seed: u64, timeline: Arc<Timeline>) -> World {
    let chance = Chance::new(seed, 0);
    let seams = Process::start(&timeline).seams(0, seed);
    let bucket = Bucket::new(seams);
    for row in 0..OBJECTS {
        let path = row.to_string().parse::<storage::Key>().expect("a key").path();
        bucket.store().put(&path, rows::object(row).bytes).await.expect("an object");
    }
    let archive = Archive::of(bucket.store());
    let faults = chance.one_of(&[0, 10, 30, 100]);
    World {
        seed,
        timeline,
        bucket,
        uri: chance.one_of(&["memory://lake", "s3://bucket/lake"]),
        idle: chance.one_of(&[0, 0, 50, 400]),
        climate: Climate { faults, slow: chance.one_of(&[0, 5, 20]) },
        trace: Arc::default(),
        archive,
        ledger: Arc::default(),
    }
}
