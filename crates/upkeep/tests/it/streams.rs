//! Streams of evidence under upkeep: no sweep takes them, and the backup of the newest version brings every line back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use base::{AsOf, Seams, Version};
use catalog::Mode;
use evidence::{Evidence, Line, StreamName};
use serde_json::json;
use storage::Store;
use testkit::{Bucket, Call, Fate, Faulty, Mishap, Verb};
use upkeep::restore;

use crate::support::{load, open, paths, sweep_now, upkeep};

fn runs() -> StreamName {
    "runs".parse().unwrap()
}

fn evidence(store: Store) -> Evidence {
    Evidence::new(store, Seams::system())
}

/// Appends these numbers, each as a file of its own.
async fn append(evidence: &Evidence, stream: &StreamName, numbers: impl IntoIterator<Item = u64>) {
    for number in numbers {
        let line = Line::of(&json!({ "n": number, "session_id": number.to_string() })).unwrap();
        evidence.append(stream, vec![line]).await.unwrap();
    }
}

async fn numbers(store: &Store, stream: &StreamName) -> Vec<u64> {
    let lines = evidence(store.clone()).read(stream).await.unwrap().lines;
    lines.iter().map(|line| line["n"].as_u64().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_line_comes_back_with_the_newest_version() {
    let store = Bucket::new(Seams::system()).store();
    let catalog = open(&store).await;
    let first = load(&catalog, "t", Mode::Append, &[1]).await.unwrap().version;
    let evidence = evidence(store.clone());
    append(&evidence, &runs(), 1..=258).await;
    append(&evidence, &StreamName::sessions(), 1..=3).await;
    evidence.tidy(&runs()).await.unwrap();
    load(&catalog, "t", Mode::Append, &[2]).await.unwrap();
    let before = paths(&store, "streams/").await;
    upkeep(&catalog).sweep(&sweep_now()).await.unwrap();
    assert_eq!(paths(&store, "streams/").await, before);
    for (as_of, streams, expected) in [(None, 2, (1..=258).collect()), (Some(first), 0, Vec::new())] {
        let [backup, restored] = [(), ()].map(|()| Bucket::new(Seams::system()).store());
        let as_of: Option<Version> = as_of;
        let done = upkeep(&catalog).back_up(&backup, as_of.map(AsOf::Version).as_ref()).await.unwrap();
        assert_eq!((done.streams, done.unsealed), (streams, as_of.is_none()));
        restore(&backup, &restored).await.unwrap();
        assert_eq!(numbers(&restored, &runs()).await, expected);
        assert_eq!(numbers(&restored, &StreamName::sessions()).await.len() as u64, streams / 2 * 3);
        // The restored lake goes on where the stream ended.
        append(&self::evidence(restored.clone()), &runs(), [1_000]).await;
        assert_eq!(numbers(&restored, &runs()).await.len(), expected.len() + 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_come_back_though_nothing_was_ever_committed() {
    let [store, backup, restored] = [(), (), ()].map(|()| Bucket::new(Seams::system()).store());
    let catalog = open(&store).await;
    append(&evidence(store.clone()), &runs(), 1..=3).await;
    let done = upkeep(&catalog).back_up(&backup, None).await.unwrap();
    assert_eq!((done.version, done.streams, done.datasets), (Version(0), 1, 0));
    assert_eq!(restore(&backup, &restored).await.unwrap().version, Version(0));
    assert_eq!(numbers(&restored, &runs()).await, [1, 2, 3]);
    // The restored lake begins with its first version.
    let first = load(&open(&restored).await, "t", Mode::Append, &[1]).await.unwrap();
    assert_eq!(first.version, Version(1));
}

/// A store in which bundles are made and lines appended the moment before a certain fragment is read.
struct Meanwhile {
    bucket: Bucket,
    fragment: &'static str,
    is_over: AtomicBool,
}

#[async_trait]
impl Fate for Meanwhile {
    async fn befall(&self, call: &Call<'_>) -> Option<Mishap> {
        if call.verb == Verb::Get && call.path == self.fragment && !self.is_over.swap(true, Ordering::SeqCst) {
            let others = evidence(self.bucket.store());
            others.tidy(&runs()).await.unwrap();
            append(&others, &runs(), [1_000]).await;
        }
        None
    }
}

/// Files as appends leave them.
async fn fill(bucket: &Bucket, numbers: std::ops::RangeInclusive<u64>) {
    for number in numbers {
        let file = format!("{{\"format\":1,\"writer\":\"w{number}\",\"lines\":1}}\n{{\"n\":{number}}}\n");
        bucket.store().create(&format!("streams/runs/{number:020}.jsonl"), file.into()).await.unwrap();
    }
}

/// A backup under which everything is bundled once `fragment` is read; the numbers that come back.
async fn backed_up(bucket: Bucket, fragment: &'static str) -> Vec<u64> {
    let fate = Meanwhile { bucket: bucket.clone(), fragment, is_over: AtomicBool::new(false) };
    let store = Faulty::over(Arc::new(bucket), Arc::new(fate), Seams::system()).store("memory://lake");
    let catalog = open(&store).await;
    load(&catalog, "t", Mode::Append, &[1]).await.unwrap();
    let [backup, restored] = [(), ()].map(|()| Bucket::new(Seams::system()).store());
    assert_eq!(upkeep(&catalog).back_up(&backup, None).await.unwrap().streams, 1);
    restore(&backup, &restored).await.unwrap();
    numbers(&restored, &runs()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn bundles_that_are_made_under_the_copy_cost_no_line() {
    for fragment in ["streams/runs/00000000000000000001.jsonl", "streams/runs/00000000000000000200.jsonl"] {
        let bucket = Bucket::new(Seams::system());
        fill(&bucket, 1..=257).await;
        // What was appended before the copy began is there once; what came later may be.
        assert_eq!(backed_up(bucket, fragment).await[..257], (1..=257).collect::<Vec<_>>());
    }
    for fragment in ["streams/runs/00000000000000000256-256.jsonl", "streams/runs/00000000000000004095.jsonl"] {
        let bucket = Bucket::new(Seams::system());
        fill(&bucket, 1..=3_840).await;
        evidence(bucket.store()).tidy(&runs()).await.unwrap();
        fill(&bucket, 3_841..=4_097).await;
        // Fifteen bundles and what lies behind them become one larger bundle.
        assert_eq!(backed_up(bucket, fragment).await[..4_097], (1..=4_097).collect::<Vec<_>>());
    }
}
