//! The log under many writers: one linear history, nothing lost, nothing twice.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use base::{AsOf, Version};
use catalog::{Catalog, Mode, Record};
use futures::future::join_all;
use testkit::TestLake;

use crate::support::{config, ids, ids_at, load, load_keyed, open, paths};

/// All records of a lake, oldest first.
async fn history(catalog: &Catalog) -> Vec<Record> {
    let mut records = catalog.versions(None, 10_000).await.unwrap();
    records.reverse();
    records
}

fn assert_linear(records: &[Record]) {
    let versions: Vec<u64> = records.iter().map(|record| record.version.0).collect();
    assert_eq!(versions, (1..=records.len() as u64).collect::<Vec<_>>());
    assert!(records.windows(2).all(|pair| pair[0].at <= pair[1].at));
    let ids: Vec<_> = records.iter().flat_map(|record| record.commits.iter().map(|commit| commit.id)).collect();
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn commits_that_wait_together_share_records() {
    let lake = TestLake::open().await;
    let catalog = open(&lake.store).await;
    let loads = (0..64).map(|id| {
        let catalog = catalog.clone();
        storage::task::spawn("test", async move {
            load(&catalog, &format!("t{}", id % 16), Mode::Append, &[id]).await.unwrap()
        })
    });
    for done in join_all(loads).await {
        done.unwrap();
    }
    let records = history(&catalog).await;
    assert_linear(&records);
    assert_eq!(records.iter().map(|record| record.commits.len()).sum::<usize>(), 64);
    assert!(records.len() < 64, "{} records for 64 commits", records.len());
    for table in 0..16 {
        let expected: Vec<i64> = (0..4).map(|round| table + 16 * round).collect();
        assert_eq!(ids(&catalog, &format!("t{table}")).await, expected);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_catalogs_on_one_directory_make_one_history() {
    let lake = TestLake::open().await;
    let catalogs = [open(&lake.store).await, open(&lake.reopen().await).await];
    let loads = (0..60).map(|id| {
        let catalog = catalogs[usize::try_from(id % 2).unwrap()].clone();
        storage::task::spawn("test", async move {
            load(&catalog, &format!("t{}", id % 3), Mode::Append, &[id]).await.unwrap()
        })
    });
    for done in join_all(loads).await {
        done.unwrap();
    }
    let fresh = open(&lake.reopen().await).await;
    let records = history(&fresh).await;
    assert_linear(&records);
    assert_eq!(records.iter().map(|record| record.commits.len()).sum::<usize>(), 60);
    for catalog in [&catalogs[0], &catalogs[1], &fresh] {
        for table in 0..3 {
            let expected: Vec<i64> = (0..20).map(|round| table + 3 * round).collect();
            assert_eq!(ids(catalog, &format!("t{table}")).await, expected);
        }
    }
    // Whatever the losers of races had staged is gone: one metadata file for each commit is left.
    let metadata = paths(&lake.store, "tables/").await.into_iter().filter(|path| path.ends_with(".metadata.json"));
    assert_eq!(metadata.count(), 60);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixty_four_equal_replacements_make_one_version() {
    let lake = TestLake::open().await;
    let catalogs = [open(&lake.store).await, open(&lake.reopen().await).await];
    let loads = (0..64).map(|call| {
        let catalog = catalogs[call % 2].clone();
        storage::task::spawn("test", async move { load(&catalog, "t", Mode::Replace, &[1, 2, 3]).await.unwrap() })
    });
    let done: Vec<_> = join_all(loads).await.into_iter().map(|done| done.unwrap()).collect();
    assert_eq!(done.iter().filter(|published| !published.existing).count(), 1);
    assert!(done.iter().all(|published| published.version == Version(1)));
    assert_eq!(history(&catalogs[0]).await.len(), 1);
    let data = paths(&lake.store, "tables/").await.into_iter().filter(|path| path.ends_with(".parquet"));
    assert_eq!(data.count(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_catalogs_on_s3_make_one_history() {
    let Some(server) = testkit::S3Server::start("catalog::commits::s3") else { return };
    let location = server.location("lake");
    let mut catalogs = Vec::new();
    for _ in 0..2 {
        let store = storage::Store::open(&location, &server.config(), base::Seams::system()).await.unwrap();
        let settings = catalog::Config { commit_timeout: base::Span::secs(30), ..config() };
        catalogs.push(Catalog::open(store, &settings, base::Seams::system()).await.unwrap());
    }
    let loads = (0..24).map(|id| {
        let catalog = catalogs[usize::try_from(id % 2).unwrap()].clone();
        storage::task::spawn("test", async move { load(&catalog, &format!("t{}", id % 3), Mode::Append, &[id]).await })
    });
    for done in join_all(loads).await {
        done.unwrap().unwrap();
    }
    for catalog in &catalogs {
        catalog.pin_fresh().await.unwrap();
        let records = history(catalog).await;
        assert_linear(&records);
        assert_eq!(records.iter().map(|record| record.commits.len()).sum::<usize>(), 24);
        for table in 0..3 {
            let expected: Vec<i64> = (0..8).map(|round| table + 3 * round).collect();
            assert_eq!(ids(catalog, &format!("t{table}")).await, expected);
        }
    }
}

#[tokio::test]
async fn a_clock_that_goes_back_does_not_take_history_along() {
    let lake = TestLake::open().await;
    let clock = Arc::new(testkit::FixedClock::at(testkit::seam::START));
    let seams = base::Seams::new(clock.clone(), Arc::new(testkit::SeededDice::new(7)));
    let catalog = Catalog::open(lake.store.clone(), &config(), seams).await.unwrap();
    load(&catalog, "t", Mode::Append, &[1]).await.unwrap();
    clock.set(base::Timestamp::from_micros(0));
    load(&catalog, "t", Mode::Append, &[2]).await.unwrap();
    assert_linear(&history(&catalog).await);
    assert_eq!(ids(&catalog, "t").await, [1, 2]);
}

/// Loads that wait for each other, and how many records they share.
async fn load_side_by_side(catalog: &Catalog, ids: std::ops::RangeInclusive<i64>) -> usize {
    let before = history(catalog).await.len();
    for done in join_all(ids.map(|id| async move { load(catalog, "t", Mode::Append, &[id]).await })).await {
        done.unwrap();
    }
    history(catalog).await.len() - before
}

#[tokio::test]
async fn pages_of_a_history_hold_every_snapshot_of_a_shared_record_newest_first() {
    let lake = TestLake::open().await;
    let catalog = open(&lake.store).await;
    load(&catalog, "t", Mode::Append, &[0]).await.unwrap();
    assert!(load_side_by_side(&catalog, 1..=20).await < 20);
    let pin = catalog.pin(None).await.unwrap();
    for limit in 1..=21 {
        let (mut rows, mut before) = (Vec::new(), None);
        loop {
            let page = catalog.history(&pin, &"t".parse().unwrap(), limit, before).await.unwrap();
            rows.extend(page.items.iter().map(|line| line.row_count));
            before = page.next;
            if before.is_none() {
                break;
            }
        }
        assert_eq!(rows, (1..=21).rev().collect::<Vec<_>>(), "pages of {limit}");
    }
}

/// A clock that never tells the same time twice, and that leaps ahead by more than a day after so many answers.
#[derive(Default)]
struct Restless {
    answers: AtomicI64,
    leap_after: AtomicI64,
}

impl Restless {
    fn starting() -> Arc<Self> {
        Arc::new(Self { leap_after: i64::MAX.into(), ..Self::default() })
    }

    fn leap_after(&self, answers: i64) {
        self.leap_after.store(self.answers.load(Ordering::SeqCst) + answers, Ordering::SeqCst);
    }
}

impl base::Clock for Restless {
    fn now(&self) -> base::Timestamp {
        let answers = self.answers.fetch_add(1, Ordering::SeqCst);
        let leap = if answers >= self.leap_after.load(Ordering::SeqCst) { 25 * 3_600_000_000 } else { 0 };
        base::Timestamp::from_micros(testkit::seam::START.micros() + answers + leap)
    }
}

async fn open_by(clock: &Arc<Restless>, lake: &TestLake) -> Catalog {
    let seams = base::Seams::new(clock.clone(), Arc::new(testkit::SeededDice::new(7)));
    Catalog::open(lake.store.clone(), &config(), seams).await.unwrap()
}

#[tokio::test]
async fn what_is_answered_is_what_the_log_says() {
    let lake = TestLake::open().await;
    let catalog = open_by(&Restless::starting(), &lake).await;
    for id in 1..=3 {
        let answered = load(&catalog, "t", Mode::Append, &[id]).await.unwrap();
        let replayed = open(&lake.reopen().await).await.pin(None).await.unwrap();
        assert_eq!(replayed.entry(answered.table.name()), Some(answered.table.entry()));
        assert_eq!(replayed.at(), answered.table.entry().updated_at);
    }
}

#[tokio::test]
async fn a_key_that_expires_under_way_answers_its_first_outcome_or_commits_again() {
    for answers in 0..12 {
        let lake = TestLake::open().await;
        let clock = Restless::starting();
        let catalog = open_by(&clock, &lake).await;
        let first = load_keyed(&catalog, "t", Mode::Append, &[1], Some("k")).await.unwrap();
        load(&catalog, "t", Mode::Append, &[2]).await.unwrap();
        clock.leap_after(answers);
        let again = load_keyed(&catalog, "t", Mode::Append, &[1], Some("k")).await.unwrap();
        assert!(!again.existing, "after {answers} answers");
        let expected: &[i64] = if again.version == first.version { &[1, 2] } else { &[1, 1, 2] };
        assert_eq!(ids(&catalog, "t").await, expected, "after {answers} answers");
    }
}

#[tokio::test]
async fn closing_settles_what_waits_and_refuses_more() {
    let lake = TestLake::open().await;
    let catalog = open(&lake.store).await;
    let (first, ()) = tokio::join!(load(&catalog, "t", Mode::Append, &[1]), async {
        tokio::task::yield_now().await;
    });
    first.unwrap();
    catalog.close().await;
    let refused = load(&catalog, "t", Mode::Append, &[2]).await.unwrap_err();
    assert_eq!(base::Fault::code(&refused), "catalog.closing");
}

#[tokio::test]
async fn an_abandoned_call_still_ends_well() {
    let lake = TestLake::open().await;
    let catalog = open(&lake.store).await;
    let call = storage::task::spawn("test", {
        let catalog = catalog.clone();
        async move { load(&catalog, "t", Mode::Append, &[1]).await }
    });
    tokio::task::yield_now().await;
    call.abort();
    let _ = call.await;
    load(&catalog, "u", Mode::Append, &[1]).await.unwrap();
    catalog.close().await;
    let records = history(&open(&lake.reopen().await).await).await;
    assert_linear(&records);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_commit_undoes_is_readable_at_the_version_answered() {
    let lake = TestLake::open().await;
    let catalog = open(&lake.store).await;
    let name = "t".parse().unwrap();
    load(&catalog, "t", Mode::Append, &[0]).await.unwrap();
    for round in 1..=5_i64 {
        let ids: Vec<[i64; 1]> = (1..=8).map(|n| [round * 100 + n]).collect();
        let loads = ids.iter().enumerate().map(|(n, id)| {
            let mode = if n % 2 == 0 { Mode::Append } else { Mode::Replace };
            load(&catalog, "t", mode, id)
        });
        let back = AsOf::Version(Version(1));
        let rollback = catalog.roll_back(&name, &back, "test");
        let (loaded, rolled_back) = tokio::join!(join_all(loads), rollback);
        for (published, id) in loaded.into_iter().zip(&ids) {
            let at = AsOf::Version(published.unwrap().version);
            let pin = catalog.pin(Some(&at)).await.unwrap();
            assert!(ids_at(&catalog, &pin, "t").await.contains(&id[0]), "{id:?} at {at}");
        }
        let at = AsOf::Version(rolled_back.unwrap().version);
        let pin = catalog.pin(Some(&at)).await.unwrap();
        assert_eq!(ids_at(&catalog, &pin, "t").await, [0], "at {at}");
    }
}
