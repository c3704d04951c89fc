//! Adds, replacements, deletions, searches, seals and merges at once, against a ledger of what was acknowledged.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use base::{Dice, Distance};
use futures::future::join_all;
use testkit::{SeededDice, TestLake};
use vectors::Vectors;

use crate::lake::{Process, distance, index, name, near, open, round, with_metadata};

const WRITERS: u64 = 4;
const SEARCHERS: u64 = 2;

/// How often each writer writes; `cargo xtask soak churn` says how often at length.
#[expect(clippy::disallowed_methods, reason = "the soak runner says how long through the environment")]
fn steps() -> u64 {
    std::env::var("LAKEHOUSE_SOAK_STEPS").map_or(60, |text| text.parse().unwrap())
}

/// What goes on.
#[derive(Debug, Clone, Copy)]
struct Plan {
    /// The most items of a batch; there are three times as many.
    most: u64,
    dimension: usize,
    /// How many of the nearest are searched for.
    k: usize,
}

/// The round in which each living item was last written.
type Ledger = BTreeMap<String, u64>;

/// The vector that an item has in a round.
fn vector(dimension: usize, id: &str, round: u64) -> Vec<f32> {
    let seed = id.bytes().fold(round + 1, |seed, byte| seed.wrapping_mul(31).wrapping_add(byte.into()));
    let dice = SeededDice::new(seed);
    (0..dimension).map(|_| f32::from(i16::from_be_bytes([dice.roll()[0], dice.roll()[1]])) / 32768.0 + 0.001).collect()
}

/// Writes items of its own in random batches of up to `most`, deletes some, now and then all.
async fn write(vectors: &Vectors, writer: u64, Plan { most, dimension, .. }: Plan) -> Ledger {
    let dice = SeededDice::new(writer);
    let roll = |below: u64| u64::from_be_bytes(dice.roll()[..8].try_into().unwrap()) % below;
    let mut ledger = Ledger::new();
    for step in 0..steps() {
        let ids: BTreeSet<String> = (0..=roll(most)).map(|_| format!("{writer}-{}", roll(most * 3))).collect();
        if roll(3) > 0 {
            let items = ids.iter().map(|id| with_metadata(id, &vector(dimension, id, step), round(step))).collect();
            let added = vectors.add(&name("found"), items, None).await.unwrap();
            let known = ids.iter().filter(|id| ledger.contains_key(*id)).count();
            assert_eq!((added.added, added.updated), (ids.len() - known, known));
            ledger.extend(ids.into_iter().map(|id| (id, step)));
        } else {
            let ids = if roll(4) == 0 { ledger.keys().cloned().collect() } else { ids };
            let known = ids.iter().filter(|id| ledger.remove(*id).is_some()).count();
            let missing = ids.len() - known;
            if !ids.is_empty() {
                let removed = vectors.remove(&name("found"), ids.into_iter().collect()).await.unwrap();
                assert_eq!((removed.deleted, removed.missing), (known, missing));
            }
        }
    }
    ledger
}

/// Searches until told to stop. Each answer is of one state: every item once, its distance that of the vector of the
/// round that its metadata tells, nearest first.
async fn search(vectors: &Vectors, searcher: u64, plan: Plan, stop: &AtomicBool) -> usize {
    let mut searches = 0;
    while !stop.load(Ordering::Relaxed) {
        let query = vector(plan.dimension, "query", searcher * 10_000 + searches as u64);
        let found = vectors.search(&name("found"), near(&query, plan.k), None).await.unwrap();
        let ids: BTreeSet<&str> = found.results.iter().map(|hit| hit.id.as_str()).collect();
        assert_eq!(ids.len(), found.results.len(), "an item is found twice");
        assert!(found.results.is_sorted_by(|a, b| (a.distance, &a.id) <= (b.distance, &b.id)));
        for hit in &found.results {
            let stored = vector(plan.dimension, &hit.id, hit.metadata["round"].as_u64().unwrap());
            let wanted = distance(Distance::Cosine, &query, &stored);
            assert!((f64::from(hit.distance.unwrap()) - wanted).abs() < 1e-6, "{hit:?}, not {wanted}");
        }
        searches += 1;
        tokio::task::yield_now().await;
    }
    searches
}

/// Seals, joins segments, makes codes and merges into another index until told to stop.
async fn keep(vectors: &Vectors, stop: &AtomicBool) {
    let mut keeper = vectors.keeper();
    while !stop.load(Ordering::Relaxed) {
        vectors.seal(&name("found"), "test").await.unwrap();
        keeper.round().await;
        vectors.merge(&name("found"), &name("copy"), false).await.unwrap();
    }
}

/// Every item of the ledger is there, is found by itself, and nothing else is there.
async fn settle(process: &Process, dimension: usize, ledger: &Ledger) {
    let vectors = &process.vectors;
    assert_eq!(vectors.describe(&name("found"), None).await.unwrap().length, Some(ledger.len()));
    for (id, step) in ledger {
        let stored = vectors.item(&name("found"), id, None).await.unwrap();
        assert_eq!((stored.vector, stored.metadata["round"].as_u64()), (vector(dimension, id, *step), Some(*step)));
        let found = vectors.search(&name("found"), near(&vector(dimension, id, *step), 1), None).await.unwrap();
        assert_eq!(&found.results[0].id, id);
        assert!(found.results[0].distance.unwrap() <= 1e-6);
    }
}

async fn check(plan: Plan) {
    let lake = TestLake::open().await;
    let process = Arc::new(open(&lake.store).await);
    for name in ["found", "copy"] {
        process.vectors.create(index(name, plan.dimension as u32, Distance::Cosine)).await.unwrap();
    }
    let stop = Arc::new(AtomicBool::new(false));
    let searchers: Vec<_> = (0..SEARCHERS)
        .map(|n| {
            let (process, stop) = (Arc::clone(&process), Arc::clone(&stop));
            storage::task::spawn("search", async move { search(&process.vectors, n, plan, &stop).await })
        })
        .collect();
    let keeper = {
        let (process, stop) = (Arc::clone(&process), Arc::clone(&stop));
        storage::task::spawn("keep", async move { keep(&process.vectors, &stop).await })
    };
    let writers = (0..WRITERS).map(|n| {
        let process = Arc::clone(&process);
        storage::task::spawn("write", async move { write(&process.vectors, n, plan).await })
    });
    let ledgers = join_all(writers).await;
    stop.store(true, Ordering::Relaxed);
    for searches in join_all(searchers).await {
        assert!(searches.unwrap() > 0);
    }
    keeper.await.unwrap();
    let ledger: Ledger = ledgers.into_iter().flat_map(|ledger| ledger.unwrap()).collect();
    settle(&process, plan.dimension, &ledger).await;
    let other = open(&lake.reopen().await).await;
    settle(&other, plan.dimension, &ledger).await;
    other.vectors.keeper().round().await;
    settle(&other, plan.dimension, &ledger).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn with_one_or_two_items() {
    check(Plan { most: 1, dimension: 8, k: 10_000 }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn with_dozens_of_items() {
    check(Plan { most: 10, dimension: 8, k: 10_000 }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn with_hundreds_of_items() {
    check(Plan { most: 100, dimension: 8, k: 10_000 }).await;
}

/// So many that they are found through codes.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn with_codes() {
    check(Plan { most: 120, dimension: 192, k: 10 }).await;
}
