//! Versions go, tagged ones stay, and nobody commits into the hole.

use std::sync::Arc;

use base::{AsOf, Fault, Kind, Seams, Span, Timestamp, Version};
use catalog::{Catalog, Expiry, Mode};
use storage::Store;
use testkit::{FixedClock, SeededDice, TestLake};

use crate::support::{answers, config, ids, keep_last, load, open, paths};

async fn lake_of(store: &Store, versions: i64) -> Catalog {
    let catalog = open(store).await;
    for id in 1..=versions {
        load(&catalog, "t", Mode::Append, &[id]).await.unwrap();
    }
    catalog
}

fn as_of(version: u64) -> AsOf {
    AsOf::Version(Version(version))
}

#[tokio::test(flavor = "multi_thread")]
async fn old_versions_go_and_tagged_ones_stay() {
    let lake = TestLake::open().await;
    let catalog = lake_of(&lake.store, 10).await;
    catalog.put_tag(&"keep".parse().unwrap(), Some(&as_of(3)), "test").await.unwrap();
    let before = answers(&catalog).await;
    let plan = catalog.plan_expiry(&keep_last(4)).await.unwrap();
    assert_eq!((plan.before, plan.oldest, plan.versions, &plan.tagged), (Version(1), Version(8), 6, &vec![Version(3)]));
    assert_eq!(answers(&catalog).await, before, "a plan changes nothing");
    let expired = catalog.expire(&keep_last(4)).await.unwrap();
    assert_eq!((expired.version, expired.oldest, expired.records), (Some(Version(12)), Version(8), 6));
    for catalog in [&catalog, &open(&lake.store).await] {
        let after = answers(catalog).await;
        assert_eq!(after.keys().map(|version| version.0).collect::<Vec<_>>(), [3, 8, 9, 10, 11, 12]);
        assert!(after.iter().all(|(version, answer)| before.get(version).is_none_or(|before| before == answer)));
        let error = catalog.pin(Some(&as_of(5))).await.unwrap_err();
        assert_eq!(error.to_string(), "there is no version 5; the lake holds versions 8 to 12; tags keep 3");
        assert_eq!(catalog.version(Version(5)).await.unwrap_err().kind(), Kind::NotFound);
        assert!(catalog.version(Version(3)).await.is_ok());
        let tagged = catalog.pin(Some(&"keep".parse().unwrap())).await.unwrap();
        assert_eq!(tagged.version(), Version(3));
        let listed = catalog.versions(None, 100).await.unwrap();
        assert_eq!(listed.iter().map(|record| record.version.0).collect::<Vec<_>>(), [12, 11, 10, 9, 8]);
    }
    assert_eq!(paths(&lake.store, "_lake/log/").await.len(), 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_version_cannot_be_tagged_and_a_tag_dropped_lets_its_version_go() {
    let lake = TestLake::open().await;
    let catalog = lake_of(&lake.store, 5).await;
    let tag = "keep".parse().unwrap();
    catalog.put_tag(&tag, Some(&as_of(2)), "test").await.unwrap();
    catalog.expire(&keep_last(1)).await.unwrap();
    assert!(catalog.put_tag(&"late".parse().unwrap(), Some(&as_of(3)), "test").await.is_err());
    catalog.drop_tag(&tag, "test").await.unwrap();
    assert!(catalog.pin(Some(&as_of(2))).await.is_err());
    catalog.expire(&keep_last(1)).await.unwrap();
    assert_eq!(paths(&lake.store, "_lake/base/").await.len(), 1, "its base went too");
    assert_eq!(ids(&open(&lake.store).await, "t").await, [1, 2, 3, 4, 5]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_the_newest_within_the_span_is_kept() {
    let lake = TestLake::open().await;
    let clock = Arc::new(FixedClock::at(Timestamp::from_micros(0)));
    let seams = Seams::new(clock.clone(), Arc::new(SeededDice::new(7)));
    let catalog = Catalog::open(lake.store.clone(), &config(), seams).await.unwrap();
    for hour in 1..=5 {
        clock.set(Timestamp::from_micros(hour * 3_600_000_000));
        load(&catalog, "t", Mode::Append, &[hour]).await.unwrap();
    }
    clock.set(Timestamp::from_micros(6 * 3_600_000_000));
    let expiry = Expiry { older_than: Some(Span::secs(9000)), keep_last: None, ..keep_last(0) };
    assert_eq!(catalog.plan_expiry(&expiry).await.unwrap().oldest, Version(3), "it was the newest at half past three");
    let both = Expiry { keep_last: Some(4), ..expiry };
    assert_eq!(catalog.plan_expiry(&both).await.unwrap().oldest, Version(2));
    let none = Expiry { older_than: None, keep_last: None, ..both };
    assert_eq!(catalog.plan_expiry(&none).await.unwrap().versions, 0);
}

/// A process that went to sleep before versions expired, and wakes up when the records it knew are gone.
#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_slept_through_an_expiry_finds_its_way() {
    let lake = TestLake::open().await;
    let start = Timestamp::from_micros(1_767_323_045_000_000);
    let clock = Arc::new(FixedClock::at(start));
    let seams = Seams::new(clock.clone(), Arc::new(SeededDice::new(7)));
    let sleeper = Catalog::open(lake.store.clone(), &config(), seams).await.unwrap();
    load(&sleeper, "t", Mode::Append, &[1]).await.unwrap();
    let other = open(&lake.store).await;
    for id in 2..=9 {
        load(&other, "t", Mode::Append, &[id]).await.unwrap();
    }
    other.expire(&keep_last(2)).await.unwrap();
    clock.set(Timestamp::from_micros(start.micros() + 3_600_000_000));
    let published = load(&sleeper, "t", Mode::Append, &[10]).await.unwrap();
    assert_eq!(published.version, Version(11), "not the free number 2");
    assert_eq!(ids(&other, "t").await, (1..=10).collect::<Vec<_>>());
    assert_eq!(paths(&lake.store, "_lake/log/").await.len(), 4);
    for id in 11..=19 {
        load(&other, "t", Mode::Append, &[id]).await.unwrap();
    }
    other.expire(&keep_last(2)).await.unwrap();
    clock.set(Timestamp::from_micros(start.micros() + 2 * 3_600_000_000));
    let dropped = sleeper.drop_dataset(&"t".parse().unwrap(), "test").await.unwrap();
    assert_eq!(dropped, Version(22), "nor the free number 12, by a verb that reads nothing first");
    assert!(other.pin_fresh().await.unwrap().entry(&"t".parse().unwrap()).is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn records_linger_while_a_process_may_still_need_them() {
    let lake = TestLake::open().await;
    let catalog = lake_of(&lake.store, 6).await;
    let lingering = Expiry { linger: Span::secs(3600), ..keep_last(1) };
    assert_eq!(catalog.expire(&lingering).await.unwrap().records, 0);
    assert_eq!(paths(&lake.store, "_lake/log/").await.len(), 7);
    assert!(catalog.pin(Some(&as_of(2))).await.is_err(), "gone for readers all the same");
    let later = catalog.expire(&Expiry { keep_last: None, ..keep_last(0) }).await.unwrap();
    assert_eq!((later.versions, later.version, later.records), (0, None, 5));
    assert_eq!(ids(&open(&lake.store).await, "t").await.len(), 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_checkpoints_the_base_is_the_beginning() {
    let lake = TestLake::open().await;
    let unchecked = catalog::Config { checkpoint_every: 1000, ..config() };
    let open = || Catalog::open(lake.store.clone(), &unchecked, Seams::system());
    let catalog = open().await.unwrap();
    for id in 1..=6 {
        load(&catalog, "t", Mode::Append, &[id]).await.unwrap();
    }
    catalog.expire(&keep_last(3)).await.unwrap();
    let again = open().await.unwrap();
    load(&again, "t", Mode::Append, &[7]).await.unwrap();
    assert_eq!(answers(&again).await.keys().map(|version| version.0).collect::<Vec<_>>(), [4, 5, 6, 7, 8]);
    let base = paths(&lake.store, "_lake/base/").await.remove(0);
    lake.store.put(&base, bytes::Bytes::from_static(b"torn")).await.unwrap();
    let refused = open().await.unwrap_err();
    assert_eq!((refused.kind(), refused.to_string().as_str()), (Kind::Damaged, "the base at version 4 is damaged"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_history_goes_back_as_far_as_kept_versions_know() {
    let lake = TestLake::open().await;
    let catalog = lake_of(&lake.store, 5).await;
    catalog.put_tag(&"keep".parse().unwrap(), Some(&as_of(2)), "test").await.unwrap();
    catalog.expire(&keep_last(1)).await.unwrap();
    upkeep::Upkeep::new(catalog.clone(), Seams::system()).sweep(&crate::support::sweep_now()).await.unwrap();
    let pin = catalog.pin(None).await.unwrap();
    let lines = catalog.history(&pin, &"t".parse().unwrap(), 100, None).await.unwrap().items;
    assert_eq!(lines.iter().map(|line| line.row_count).collect::<Vec<_>>(), [5, 2, 1]);
}
