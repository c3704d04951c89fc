//! The keeper seals what has grown large or old, and joins small segments; no version answers otherwise for it.

use std::sync::Arc;

use base::{ByteSize, Distance, Seams, Span, Timestamp};
use storage::Store;
use testkit::{FixedClock, SeededDice};
use vectors::{Config, Description, Keeper};

use crate::lake::{Process, index, item, name, nearest, open, open_with};
use crate::sealing::{at, files, ids_at, lake};

const MINUTE: i64 = 60_000_000;

/// A process that seals after five minutes or a thousand bytes, by a clock that the test sets.
async fn timed(store: &Store) -> (Arc<FixedClock>, Process) {
    let clock = Arc::new(FixedClock::at(Timestamp::from_micros(0)));
    let seams = Seams::new(clock.clone(), Arc::new(SeededDice::new(1)));
    let config = Config { seal_after: Span::secs(300), seal_bytes: ByteSize(1000), ..Config::default() };
    (clock, open_with(store, &config, seams).await)
}

async fn described(process: &Process) -> Description {
    process.vectors.describe(&name("found"), None).await.unwrap()
}

#[tokio::test]
async fn what_is_old_or_large_is_sealed_and_nothing_else() {
    let (clock, process) = timed(&testkit::lake::memory().await).await;
    process.vectors.create(index("found", 1, Distance::Euclidean)).await.unwrap();
    let mut keeper: Keeper = process.vectors.keeper();
    let mut sealed_after = async |minute: i64| {
        clock.set(Timestamp::from_micros(minute * MINUTE));
        keeper.round().await;
        described(&process).await.sealed
    };
    process.vectors.add(&name("found"), vec![item("a", &[1.0])], None).await.unwrap();
    assert_eq!(sealed_after(0).await, 0, "it is young and small");
    assert_eq!(sealed_after(4).await, 0);
    assert_eq!(sealed_after(5).await, 1, "it is old");
    assert_eq!(sealed_after(60).await, 1, "nothing is new");
    process.vectors.add(&name("found"), vec![item("b", &[1.0])], None).await.unwrap();
    assert_eq!(sealed_after(61).await, 1, "it counts from when it came");
    let many = (0..250).map(|n| item(&n.to_string(), &[n as f32])).collect();
    process.vectors.add(&name("found"), many, None).await.unwrap();
    assert_eq!(sealed_after(61).await, 3, "it is large");
    assert_eq!(described(&process).await.version.0, 3);
}

#[tokio::test]
async fn small_segments_become_one_and_every_version_answers_as_before() {
    let (lake, process) = lake().await;
    let vectors = &process.vectors;
    for n in 0..4_u64 {
        let items = vec![item(&n.to_string(), &[n as f32]), item("same", &[10.0 + n as f32])];
        vectors.add(&name("found"), items, None).await.unwrap();
        vectors.seal(&name("found"), "test").await.unwrap();
    }
    let answers = async |vectors: &vectors::Vectors| {
        let mut answers = Vec::new();
        for version in 1..=5 {
            answers.push(ids_at(vectors, version).await);
        }
        answers
    };
    let before = answers(vectors).await;
    assert_eq!(described(&process).await.segments, 4);
    vectors.keeper().round().await;
    let joined = described(&process).await;
    assert_eq!((joined.segments, joined.sealed, joined.length), (1, 4, Some(5)));
    for process in [&process, &open(&lake.reopen().await).await] {
        assert_eq!(answers(&process.vectors).await, before);
        assert_eq!(ids_at(&process.vectors, joined.version.0).await, before[4]);
        assert_eq!(nearest(&process.vectors, &[0.0], 9).await, before[4]);
        let same = process.vectors.item(&name("found"), "same", at(3).as_ref()).await.unwrap();
        assert_eq!(same.vector, [11.0]);
    }
    vectors.keeper().round().await;
    assert_eq!(described(&process).await.version, joined.version, "there is nothing left to do");
    assert_eq!(files(&lake.store, ".lhvs").await.len(), 5);
}

#[tokio::test]
async fn a_segment_that_lost_half_its_rows_is_written_anew() {
    let (_lake, process) = lake().await;
    let vectors = &process.vectors;
    let items = (0..10).map(|n| item(&n.to_string(), &[n as f32])).collect();
    vectors.add(&name("found"), items, None).await.unwrap();
    vectors.seal(&name("found"), "test").await.unwrap();
    vectors.remove(&name("found"), (0..6).map(|n| n.to_string()).collect()).await.unwrap();
    let sealed = vectors.seal(&name("found"), "test").await.unwrap();
    assert_eq!((sealed.segments, sealed.length), (1, 4));
    vectors.keeper().round().await;
    let anew = described(&process).await;
    assert!(anew.version > sealed.version);
    assert_eq!((anew.segments, anew.length), (1, Some(4)));
    for version in [sealed.version.0, anew.version.0] {
        assert_eq!(ids_at(vectors, version).await, ["6", "7", "8", "9"]);
    }
}

#[tokio::test]
async fn a_segment_of_which_nothing_is_left_goes() {
    let (_lake, process) = lake().await;
    let vectors = &process.vectors;
    vectors.add(&name("found"), vec![item("a", &[1.0])], None).await.unwrap();
    vectors.seal(&name("found"), "test").await.unwrap();
    vectors.remove(&name("found"), vec!["a".into()]).await.unwrap();
    let sealed = vectors.seal(&name("found"), "test").await.unwrap();
    assert_eq!((sealed.segments, sealed.length, sealed.fragment), (0, 0, 2));
    assert!(nearest(vectors, &[0.0], 9).await.is_empty());
    assert_eq!(ids_at(vectors, 2).await, ["a"]);
}
