//! Many small files become few: no line is lost, repeated or moved, whoever dies, reads or appends meanwhile.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use base::Seams;
use evidence::{Evidence, Skipped, StreamFile, Unread};
use storage::{Store, task};
use testkit::{Bucket, Call, Fate, Faulty, Fickle, Mishap, Verb};

use crate::{line, numbers, stream};

/// How many fragments the smallest bundle holds.
const BUNDLED: u64 = 256;
/// How many the next one holds.
const LARGER: u64 = 16 * BUNDLED;

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
    fill(&bucket, 1..=count).await;
    bucket
}

/// Fragments as appends leave them.
async fn fill(bucket: &Bucket, numbers: impl IntoIterator<Item = u64>) {
    for number in numbers {
        let head = format!("{{\"format\":1,\"writer\":\"w{number}\",\"lines\":1}}\n{{\"n\":{number}}}\n");
        bucket.store().create(&format!("streams/runs/{number:020}.jsonl"), head.into()).await.unwrap();
    }
}

/// A stream one fragment before its larger bundle is due, with fifteen of its parts made.
async fn nearly() -> Bucket {
    let bucket = filled(LARGER - BUNDLED).await;
    evidence(bucket.store()).tidy(&stream("runs")).await.unwrap();
    assert_eq!(files(&bucket.store()).await.len(), 15);
    fill(&bucket, LARGER - BUNDLED + 1..=LARGER + 2).await;
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
    let larger =
        ["00000000000000004096-4096", "00000000000000065536-65536"].map(|name| format!("streams/runs/{name}.jsonl"));
    assert_eq!(held[0], StreamFile { path: bundles[0].clone(), bundles: larger.to_vec() });
    assert_eq!((held.len(), held[2].bundles[0].as_str()), (6, "streams/runs/00000000000000000768-256.jsonl"));
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
        assert!(matches!(found.skipped[0].what, Unread::Line(_)), "{:?}", found.skipped);
    }
    // One that is gone is told by its name, too.
    store.delete(path).await.unwrap();
    let found = evidence.read(&stream("runs")).await.unwrap();
    assert_eq!(found.lines.len() as u64, BUNDLED - 1);
    assert_eq!(found.skipped, [Skipped { file: path.to_owned(), what: Unread::Gone }]);
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

#[tokio::test]
async fn bundles_in_a_row_become_a_larger_one_and_stay_in_order() {
    let bucket = nearly().await;
    let evidence = evidence(bucket.store());
    evidence.tidy(&stream("runs")).await.unwrap();
    let names = [format!("{LARGER:020}-4096"), format!("{:020}", LARGER + 1), format!("{:020}", LARGER + 2)];
    assert_eq!(files(&bucket.store()).await, names.map(|name| format!("streams/runs/{name}.jsonl")));
    let all: Vec<u64> = (1..=LARGER + 2).collect();
    assert_eq!(numbers(&evidence, "runs").await, all);
    let told = |tail: evidence::Tail| tail.lines.iter().map(|line| line["n"].as_u64().unwrap()).collect::<Vec<_>>();
    for behind in [0, 1, BUNDLED, 700, LARGER - 1, LARGER, LARGER + 1] {
        let rest = evidence.after(&stream("runs"), behind).await.unwrap();
        assert_eq!((rest.fragment, told(rest)), (LARGER + 2, all[behind as usize..].to_vec()), "behind {behind}");
    }
    assert_eq!(told(evidence.last(&stream("runs"), 5).await.unwrap()), all[all.len() - 5..]);
    assert_eq!(evidence.append(&stream("runs"), vec![line(LARGER + 3)]).await.unwrap().fragment, LARGER + 3);
    assert_eq!(numbers(&evidence, "runs").await, (1..=LARGER + 3).collect::<Vec<_>>());
}

/// The store dies at each call around the larger bundle's creation and around the deletes behind it.
#[tokio::test]
async fn killed_around_a_larger_bundle_nothing_is_lost_or_twice() {
    let whole = nearly().await;
    let expected: Vec<u64> = (1..=LARGER + 2).collect();
    let living = Fickle::over(whole.fork(), usize::MAX, false);
    evidence(living.store()).tidy(&stream("runs")).await.unwrap();
    let calls = living.calls();
    // Sixteen parts are read, one larger bundle is looked for, one is created, sixteen parts are deleted.
    for left in calls - 24..calls {
        for lasting in [false, true] {
            let bucket = whole.fork();
            // That it fails is the point.
            let _ = evidence(Fickle::over(bucket.clone(), left, lasting).store()).tidy(&stream("runs")).await;
            let after = evidence(bucket.store());
            assert_eq!(numbers(&after, "runs").await, expected, "after {left} calls");
            let appended = after.append(&stream("runs"), vec![line(LARGER + 3)]).await.unwrap();
            assert_eq!(appended.fragment, LARGER + 3, "after {left} calls");
            tidy(&after).await;
            assert_eq!(files(&bucket.store()).await.len(), 4, "after {left} calls");
        }
    }
}

/// Bundles that went into a larger one are looked for there, by those who append and by those who read.
#[tokio::test]
async fn who_comes_late_finds_the_larger_bundle() {
    let bucket = Bucket::new(Seams::system());
    let late = evidence(bucket.store());
    append(&late, [1]).await;
    fill(&bucket, 2..=LARGER + 2).await;
    tidy(&evidence(bucket.store())).await;
    assert_eq!(files(&bucket.store()).await.len(), 3);
    let appended = late.append(&stream("runs"), vec![line(LARGER + 3)]).await.unwrap();
    assert_eq!(appended.fragment, LARGER + 3);
    assert_eq!(numbers(&late, "runs").await, (1..=LARGER + 3).collect::<Vec<_>>());
    tidy(&late).await;
    assert_eq!(files(&bucket.store()).await.len(), 4);
}

/// A store in which everything is bundled the moment before a certain file is read.
struct Meanwhile {
    bucket: Bucket,
    file: String,
    is_over: AtomicBool,
}

#[async_trait]
impl Fate for Meanwhile {
    async fn befall(&self, call: &Call<'_>) -> Option<Mishap> {
        if call.verb == Verb::Get && call.path == self.file && !self.is_over.swap(true, Ordering::SeqCst) {
            evidence(self.bucket.store()).tidy(&stream("runs")).await.unwrap();
        }
        None
    }
}

#[tokio::test]
async fn what_is_bundled_under_a_reader_is_read_once() {
    let whole = nearly().await;
    for name in [format!("{BUNDLED:020}-256"), format!("{:020}", LARGER - 1), format!("{:020}-256", LARGER - BUNDLED)] {
        let (bucket, file) = (whole.fork(), format!("streams/runs/{name}.jsonl"));
        let fate = Meanwhile { bucket: bucket.clone(), file, is_over: AtomicBool::new(false) };
        let store = Faulty::over(Arc::new(bucket.clone()), Arc::new(fate), Seams::system()).store("memory://lake");
        let found = evidence(store).read(&stream("runs")).await.unwrap();
        assert_eq!(found.skipped, [], "{name}");
        let found: Vec<u64> = found.lines.iter().map(|line| line["n"].as_u64().unwrap()).collect();
        assert_eq!(found, (1..=LARGER + 2).collect::<Vec<_>>(), "{name}");
        assert_eq!(files(&bucket.store()).await.len(), 3, "{name}");
    }
}
