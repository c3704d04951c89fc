//! The past: versions by number and time, checkpoints that are lost, logs that are long.

use std::sync::Arc;

use base::{AsOf, Fault, Seams, Timestamp, Version};
use catalog::{Catalog, Config, Mode, Record};
use testkit::{Fickle, FixedClock, SeededDice, TestLake};

use crate::support::{config, ids_at, load, open, paths};

fn minute(minutes: i64) -> Timestamp {
    Timestamp::from_micros(testkit::seam::START.micros() + minutes * 60_000_000)
}

#[tokio::test]
async fn every_version_is_found_by_number_and_by_time() {
    let lake = TestLake::open().await;
    let clock = Arc::new(FixedClock::at(minute(0)));
    let seams = Seams::new(clock.clone(), Arc::new(SeededDice::new(1)));
    let settings = Config { checkpoint_every: 4, ..config() };
    let catalog = Catalog::open(lake.store.clone(), &settings, seams).await.unwrap();
    for id in 1..=10 {
        clock.set(minute(id));
        load(&catalog, "t", Mode::Append, &[id]).await.unwrap();
    }
    catalog.close().await;
    for catalog in [catalog, open(&lake.reopen().await).await] {
        for id in 1..=10_i64 {
            let number = AsOf::Version(Version(id.unsigned_abs()));
            let between = AsOf::Time(Timestamp::from_micros(minute(id).micros() + 30_000_000));
            for as_of in [number, AsOf::Time(minute(id)), between] {
                let pin = catalog.pin(Some(&as_of)).await.unwrap();
                assert_eq!(pin.version(), Version(id.unsigned_abs()), "{as_of}");
                assert_eq!(pin.at(), minute(id));
                assert_eq!(ids_at(&catalog, &pin, "t").await, (1..=id).collect::<Vec<_>>());
            }
        }
        for unknown in ["11", "2026-01-01T00:00:00Z"] {
            let error = catalog.pin(Some(&unknown.parse().unwrap())).await.unwrap_err();
            assert_eq!(error.code(), "catalog.unknown_version");
            assert_eq!((error.facts()["oldest"].as_u64(), error.facts()["newest"].as_u64()), (Some(1), Some(10)));
        }
    }
}

#[tokio::test]
async fn a_tag_in_the_log_names_its_version() {
    let lake = TestLake::open().await;
    let catalog = open(&lake.store).await;
    load(&catalog, "t", Mode::Append, &[1]).await.unwrap();
    load(&catalog, "t", Mode::Append, &[2]).await.unwrap();
    let mut record = catalog.version(Version(2)).await.unwrap();
    record.version = Version(3);
    record.commits[0].changes =
        vec![catalog::Change::TagPut { tag: "before-may".parse().unwrap(), version: Version(1) }];
    put_record(&lake.store, &record).await;
    let pin = catalog.pin(Some(&"before-may".parse().unwrap())).await.unwrap();
    assert_eq!(ids_at(&catalog, &pin, "t").await, [1]);
}

async fn put_record(store: &storage::Store, record: &Record) {
    let path = format!("_lake/log/{:020}.json", record.version.0);
    store.create(&path, record.bytes().unwrap()).await.unwrap();
}

#[tokio::test]
async fn checkpoints_may_be_lost_or_garbled() {
    let lake = TestLake::open().await;
    let settings = Config { checkpoint_every: 3, ..config() };
    let catalog = Catalog::open(lake.store.clone(), &settings, Seams::system()).await.unwrap();
    for id in 1..=7 {
        load(&catalog, "t", Mode::Append, &[id]).await.unwrap();
    }
    drop(catalog);
    for harm in ["delete", "cut", "garble", "swap"] {
        // Opening writes a checkpoint when none of use is near, so each round has at least one to harm.
        let opened = Catalog::open(lake.reopen().await, &settings, Seams::system()).await.unwrap();
        let pin = opened.pin(None).await.unwrap();
        assert_eq!((pin.version(), ids_at(&opened, &pin, "t").await.len()), (Version(7), 7), "after {harm}");
        let all = paths(&lake.store, "_lake/checkpoints/").await;
        assert!(!all.is_empty());
        for path in all {
            let bytes = lake.store.get(&path).await.unwrap();
            match harm {
                "delete" => lake.store.delete(&path).await.unwrap(),
                "cut" => drop(lake.store.put(&path, bytes.slice(..bytes.len() / 2)).await.unwrap()),
                "garble" => {
                    let garbled: Vec<u8> = bytes.iter().map(|byte| byte ^ 0x20).collect();
                    lake.store.put(&path, garbled.into()).await.unwrap();
                }
                _ => drop(lake.store.put(&path.replace("07.", "02."), bytes).await.unwrap()),
            }
        }
    }
    let opened = open(&lake.reopen().await).await;
    for version in 1..=7 {
        let pin = opened.pin(Some(&AsOf::Version(Version(version)))).await.unwrap();
        assert_eq!(ids_at(&opened, &pin, "t").await.len() as u64, version);
    }
}

#[tokio::test]
async fn a_long_log_opens_in_the_reads_of_a_checkpoint_and_a_tail() {
    const RECORDS: u64 = 3_000;
    let fickle = Fickle::new();
    let store = fickle.store();
    let catalog = open(&store).await;
    load(&catalog, "t", Mode::Append, &[1]).await.unwrap();
    let mut record = catalog.version(Version(1)).await.unwrap();
    drop(catalog);
    for version in 2..=RECORDS {
        record.version = Version(version);
        put_record(&store, &record).await;
    }
    // The first opening reads them all and leaves a checkpoint.
    drop(open(&store).await);
    for more in 1..=50 {
        record.version = Version(RECORDS + more);
        put_record(&store, &record).await;
    }
    let before = fickle.calls();
    let catalog = open(&store).await;
    let opening = fickle.calls() - before;
    assert_eq!(catalog.pin_fresh().await.unwrap().version(), Version(RECORDS + 50));
    assert!(opening < 130, "{opening} calls to open");
    let before = fickle.calls();
    catalog.pin_fresh().await.unwrap();
    assert_eq!(fickle.calls() - before, 1, "an unchanged head costs one look");
}

#[tokio::test]
async fn overlapping_pins_share_looks() {
    let fickle = Fickle::new();
    let catalog = open(&fickle.store()).await;
    let before = fickle.calls();
    let pins = futures::future::join_all((0..100).map(|_| catalog.pin_fresh())).await;
    assert!(pins.into_iter().all(|pin| pin.is_ok()));
    assert!(fickle.calls() - before <= 3, "{} looks for 100 pins", fickle.calls() - before);
}

#[tokio::test]
async fn a_hole_in_the_log_is_refused() {
    let lake = TestLake::open().await;
    let catalog = open(&lake.store).await;
    for id in 1..=5 {
        load(&catalog, "t", Mode::Append, &[id]).await.unwrap();
    }
    lake.store.delete("_lake/log/00000000000000000003.json").await.unwrap();
    let error = Catalog::open(lake.reopen().await, &config(), Seams::system()).await.unwrap_err();
    assert_eq!(error.to_string(), "record 3 of the lake log is damaged");
}

#[tokio::test]
async fn a_log_that_was_lost_is_refused() {
    let lake = TestLake::open().await;
    let settings = Config { checkpoint_every: 2, ..config() };
    let catalog = Catalog::open(lake.store.clone(), &settings, Seams::system()).await.unwrap();
    for id in 1..=5 {
        load(&catalog, "t", Mode::Append, &[id]).await.unwrap();
    }
    catalog.close().await;
    assert!(!paths(&lake.store, "_lake/checkpoints/").await.is_empty());
    for path in paths(&lake.store, "_lake/log/").await {
        lake.store.delete(&path).await.unwrap();
    }
    let error = Catalog::open(lake.reopen().await, &settings, Seams::system()).await.unwrap_err();
    assert_eq!(error.to_string(), "record 4 of the lake log is damaged");
}

#[tokio::test]
async fn a_reader_that_has_seen_more_is_told_so() {
    let lake = TestLake::open().await;
    let catalog = open(&lake.store).await;
    let other = open(&lake.reopen().await).await;
    load(&other, "t", Mode::Append, &[1]).await.unwrap();
    assert_eq!(catalog.pin_at_least(Version(1)).await.unwrap().version(), Version(1));
    assert_eq!(catalog.pin_at_least(Version(2)).await.unwrap_err().code(), "catalog.behind");
}
