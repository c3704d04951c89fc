//! One run: a seed, three writers, and what the judge says.

use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use sha2::{Digest, Sha256};
use testkit::Bucket;

use crate::chance::Chance;
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
/// After so long, whatever was still to happen has happened.
const AFTERWARDS: Duration = Duration::from_secs(86_400);

/// What came of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Every call of the store, in the order in which they ended.
    pub trace: Vec<String>,
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
    let deeds = Chance::new(seed, WRITERS + 1).one_of(&DEEDS);
    let writers = (0..WRITERS).map(|number| {
        let writer = Writer::new(world.clone(), number);
        storage::task::spawn("writer", writer.work(deeds))
    });
    for done in join_all(writers).await {
        done.expect("a writer does not panic");
    }
    world.timeline.wait(AFTERWARDS).await;
    let faults = judge(&world).await;
    Outcome { trace: world.trace.take(), faults }
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
        climate: Climate { faults, slow: chance.one_of(&[0, 5, 20]) },
        trace: Arc::default(),
        archive,
        ledger: Arc::default(),
    }
}
