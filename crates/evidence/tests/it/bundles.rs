//! Many small files become few: no line is lost, repeated or moved, whoever dies, reads or appends meanwhile.

use base::Seams;
use evidence::{Evidence, StreamFile};
use storage::{Store, task};
use testkit::{Bucket, Fickle, Mishap};

use crate::{line, numbers, stream};

/// How many fragments one bundle holds.
const BUNDLED: u64 = 256;

fn evidence(store: Store) -> Evidence {
    Evidence::new(store, Seams::system())
}

/// Appends these numbers to `runs`, each as a fragment of its own.
async fn append(evidence: &Evidence, numbers: impl IntoIterator<Item = u64>) {
    for number in numbers {
        evidence.append(&stream("runs"), vec![line(number)]).await.unwrap();
    }
}

/// A stream that nobody has made bundles of yet.
async fn filled(count: u64) -> Bucket {
    let bucket = Bucket::new(Seams::system());
    for number in 1..=count {
        let head = format!("{{\"format\":1,\"writer\":\"w{number}\",\"lines\":1}}\n{{\"n\":{number}}}\n");
        bucket.store().create(&format!("streams/runs/{number:020}.jsonl"), head.into()).await.unwrap();
    }
    bucket
}

/// Whoever appends has it done, too, so that the first time may leave to others what the second finds done.
async fn tidy(evidence: &Evidence) {
    for _ in 0..2 {
        evidence.tidy(&stream("runs")).await.unwrap();
    }
}

async fn files(store: &Store) -> Vec<String> {
    let page = store.list("streams/runs/", None, 10_000).await.unwrap();
    page.entries.into_iter().map(|entry| entry.path).collect()
}

#[tokio::test]
async fn fragments_in_a_row_become_one_file_and_stay_in_order() {
    let bucket = filled(2 * BUNDLED + 3).await;
    let evidence = evidence(bucket.store());
    evidence.tidy(&stream("runs")).await.unwrap();
    let bundles = [256, 512].map(|last| format!("streams/runs/{last:020}-256.jsonl"));
    let fragments = [513, 514, 515].map(|number| format!("streams/runs/{number:020}.jsonl"));
    assert_eq!(files(&bucket.store()).await, [&bundles[..], &fragments].concat());
    assert_eq!(numbers(&evidence, "runs").await, (1..=515).collect::<Vec<_>>());
    // What comes next takes the next number.
    let appended = evidence.append(&stream("runs"), vec![line(516)]).await.unwrap();
    assert_eq!(appended.fragment, 516);
    assert_eq!(numbers(&evidence, "runs").await, (1..=516).collect::<Vec<_>>());
    let held = evidence.files().await.unwrap().remove(&stream("runs")).unwrap();
    assert_eq!(held[0], StreamFile { path: bundles[0].clone(), bundle: None });
    assert_eq!((held.len(), held[2].bundle.as_deref()), (6, Some("streams/runs/00000000000000000768-256.jsonl")));
}

/// The store dies after each number of calls, with and without the effect of the last: readers see every line once, and
/// so does whoever goes on.
#[tokio::test]
async fn killed_at_any_point_nothing_is_lost_or_twice() {
    let whole = filled(BUNDLED + 2).await;
    let expected: Vec<u64> = (1..=BUNDLED + 2).collect();
    let living = Fickle::over(whole.fork(), usize::MAX, false);
    evidence(living.store()).tidy(&stream("runs")).await.unwrap();
    let calls = living.calls();
    assert!(calls > 2 * BUNDLED as usize, "{calls} calls");
    // The calls around the creation of the bundle, and some of those before and after it.
    let around = BUNDLED as usize - 2..BUNDLED as usize + 12;
    for left in (0..calls).filter(|left| around.contains(left) || left % 37 == 0) {
        for lasting in [false, true] {
            let bucket = whole.fork();
            // That it fails is the point.
            let _ = evidence(Fickle::over(bucket.clone(), left, lasting).store()).tidy(&stream("runs")).await;
            let after = evidence(bucket.store());
            assert_eq!(numbers(&after, "runs").await, expected, "after {left} calls");
            append(&after, [BUNDLED + 3]).await;
            tidy(&after).await;
            assert_eq!(numbers(&after, "runs").await, (1..=BUNDLED + 3).collect::<Vec<_>>(), "after {left} calls");
            assert_eq!(files(&bucket.store()).await.len(), 4, "after {left} calls");
        }
    }
}

/// A process that thinks the stream is shorter than it is finds the number free that was bundled and deleted.
#[tokio::test]
async fn who_comes_late_does_not_write_where_something_was_bundled() {
    let bucket = Bucket::new(Seams::system());
    let (late, other) = (evidence(bucket.store()), evidence(bucket.store()));
    append(&late, [1]).await;
    append(&other, 2..=BUNDLED + 10).await;
    tidy(&other).await;
    assert!(!bucket.store().exists("streams/runs/00000000000000000002.jsonl").await.unwrap());
    let appended = late.append(&stream("runs"), vec![line(BUNDLED + 11)]).await.unwrap();
    assert_eq!(appended.fragment, BUNDLED + 11);
    assert_eq!(numbers(&late, "runs").await, (1..=BUNDLED + 11).collect::<Vec<_>>());
    // What it tried under the old number is nobody's, and goes.
    tidy(&other).await;
    assert_eq!(files(&bucket.store()).await.len(), 12);
    assert_eq!(numbers(&other, "runs").await, (1..=BUNDLED + 11).collect::<Vec<_>>());
}

#[tokio::test]
async fn what_a_store_says_of_a_write_neither_loses_nor_repeats_a_line() {
    let mishaps = [Mishap::LosesReply, Mishap::FailsBefore, Mishap::TakenByItself, Mishap::Contended];
    let fickle = Fickle::new();
    let evidence = evidence(fickle.store());
    for (number, mishap) in (1..).zip(mishaps) {
        fickle.plan(&[mishap]);
        append(&evidence, [number]).await;
    }
    assert_eq!(numbers(&evidence, "runs").await, [1, 2, 3, 4]);
}

/// Two processes append, bundles are made beside them as they become due, and a third reads all the while.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_beside_writers_see_each_line_once() {
    let bucket = Bucket::new(Seams::system());
    let (reader, store) = (evidence(bucket.store()), bucket.store());
    let writing = task::spawn("append", async move {
        let writers = [evidence(store.clone()), evidence(store.clone())];
        // Until the bundles that are due are there, within bounds.
        for number in 1..=4_000 {
            append(&writers[number as usize % 2], [number]).await;
            if number > 2 * BUNDLED && files(&store).await.len() < BUNDLED as usize {
                return number;
            }
        }
        panic!("no bundles are made");
    });
    while !writing.is_finished() {
        let seen = numbers(&reader, "runs").await;
        assert_eq!(seen, (1..=seen.len() as u64).collect::<Vec<_>>());
    }
    let last = writing.await.unwrap();
    assert_eq!(numbers(&reader, "runs").await, (1..=last).collect::<Vec<_>>());
}

#[tokio::test]
async fn fragments_that_do_not_read_are_left_as_they_are() {
    let bucket = filled(BUNDLED).await;
    let (store, path) = (bucket.store(), "streams/runs/00000000000000000007.jsonl");
    let whole = String::from_utf8(store.get(path).await.unwrap().to_vec()).unwrap();
    let evidence = evidence(store.clone());
    for damaged in [whole.replace("{\"n\":7}", "{\"n\":7"), whole.replace("{\"n\":7}\n", ""), String::new()] {
        store.put(path, damaged.into()).await.unwrap();
        evidence.tidy(&stream("runs")).await.unwrap();
        assert_eq!(files(&store).await.len() as u64, BUNDLED);
        let found = evidence.read(&stream("runs")).await.unwrap();
        assert_eq!((found.lines.len() as u64, found.skipped[0].file.as_str()), (BUNDLED - 1, path));
    }
    // One that is gone is told by its name, too.
    store.delete(path).await.unwrap();
    let found = evidence.read(&stream("runs")).await.unwrap();
    assert_eq!((found.lines.len() as u64, found.skipped[0].file.as_str()), (BUNDLED - 1, path));
}

/// Large files are left without being read: making one of them would help nobody.
#[tokio::test]
async fn large_fragments_are_left_as_they_are() {
    let bucket = Bucket::new(Seams::system());
    let (store, text) = (bucket.store(), bytes::Bytes::from(vec![b' '; 260 << 10]));
    for number in 1..=BUNDLED {
        store.create(&format!("streams/runs/{number:020}.jsonl"), text.clone()).await.unwrap();
    }
    let fickle = Fickle::over(bucket, usize::MAX, false);
    evidence(fickle.store()).tidy(&stream("runs")).await.unwrap();
    assert_eq!((fickle.calls(), files(&store).await.len() as u64), (1, BUNDLED));
}
