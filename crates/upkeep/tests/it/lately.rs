//! What expired lately may still be read: a sweep spares it as long as its grace says.

use std::sync::Arc;

use base::{AsOf, Seams, Span, Timestamp, Version};
use bytes::Bytes;
use catalog::{Catalog, Expiry, IndexSettings, Mode, NewIndex};
use storage::Store;
use testkit::{Bucket, FixedClock, SeededDice};
use upkeep::{Sweep, Upkeep};

use crate::support::{answer, compact_all, config, keep_last, load, open, paths, sweep_now};

const MINUTE: i64 = 60_000_000;

/// A lake whose store and whose processes go by one clock, which the test sets.
struct Timed {
    clock: Arc<FixedClock>,
    store: Store,
    catalog: Catalog,
    upkeep: Upkeep,
}

impl Timed {
    async fn open() -> Self {
        let clock = Arc::new(FixedClock::at(Timestamp::from_micros(0)));
        let seams = Seams::new(clock.clone(), Arc::new(SeededDice::new(7)));
        let store = Bucket::new(seams.clone()).store();
        let catalog = Catalog::open(store.clone(), &config(), seams.clone()).await.unwrap();
        Self { clock, store, upkeep: Upkeep::new(catalog.clone(), seams), catalog }
    }

    fn set(&self, minute: i64) {
        self.clock.set(Timestamp::from_micros(minute * MINUTE));
    }

    async fn append(&self, ids: std::ops::Range<i64>) {
        for id in ids {
            load(&self.catalog, "t", Mode::Append, &[id]).await.unwrap();
        }
    }

    async fn expire(&self, keep: u64) -> u64 {
        self.catalog.expire(&Expiry { linger: Expiry::LINGER, ..keep_last(keep) }).await.unwrap().records
    }

    /// How many files a sweep with the usual grace takes, dry and wet.
    async fn sweep(&self) -> u64 {
        self.sweep_within(Sweep::GRACE).await
    }

    async fn sweep_within(&self, grace: Span) -> u64 {
        let sweep = Sweep { grace, ..sweep_now() };
        let dry = self.upkeep.sweep(&Sweep { dry_run: true, ..sweep.clone() }).await.unwrap();
        let wet = self.upkeep.sweep(&sweep).await.unwrap();
        assert_eq!((dry.strays, &dry.unread), (wet.strays, &wet.unread));
        assert_eq!(dry.unread, Vec::<String>::new());
        wet.files
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_expired_a_moment_ago_can_be_read_to_its_end() {
    let lake = Timed::open().await;
    lake.append(0..6).await;
    lake.upkeep.compact(&compact_all()).await.unwrap();
    lake.set(180);
    let reading = lake.catalog.pin(Some(&AsOf::Version(Version(3)))).await.unwrap();
    lake.expire(1).await;
    assert_eq!(lake.sweep().await, 0);
    let other = open(&lake.store).await;
    assert_eq!(answer(&other, &reading).await["t"], [0, 1, 2]);
    lake.set(239);
    assert_eq!(lake.sweep().await, 0, "not for the whole grace");
    lake.set(240);
    assert!(lake.sweep().await > 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_of_several_expiries_has_its_own_time() {
    let lake = Timed::open().await;
    lake.append(0..4).await;
    load(&lake.catalog, "t", Mode::Replace, &[10]).await.unwrap();
    lake.append(11..13).await;
    lake.upkeep.compact(&compact_all()).await.unwrap();
    lake.set(180);
    lake.expire(4).await;
    lake.set(210);
    lake.expire(2).await;
    assert_eq!(lake.sweep().await, 0);
    let data =
        || async { paths(&lake.store, "tables/").await.into_iter().filter(|path| path.contains("/data/")).count() };
    assert_eq!(data().await, 8);
    lake.set(240);
    assert!(lake.sweep().await > 0);
    assert_eq!(data().await, 4, "those of the first");
    assert_eq!(lake.expire(9).await, 4, "and now their records, though the second is young");
    lake.set(270);
    lake.sweep().await;
    assert_eq!(data().await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grace_longer_than_records_linger_spares_what_lingers() {
    let lake = Timed::open().await;
    load(&lake.catalog, "u", Mode::Append, &[7]).await.unwrap();
    lake.append(0..2).await;
    lake.catalog.drop_dataset(&"u".parse().unwrap(), "test").await.unwrap();
    lake.append(2..4).await;
    lake.set(180);
    lake.expire(4).await;
    lake.set(360);
    let reading = lake.catalog.pin(Some(&AsOf::Version(Version(3)))).await.unwrap();
    assert_eq!(lake.expire(3).await, 2, "the records that the first expiry gave up");
    lake.set(400);
    lake.sweep_within(Span::secs(300 * 60)).await;
    assert_eq!(answer(&open(&lake.store).await, &reading).await["u"], [7]);
    lake.set(700);
    assert!(lake.sweep_within(Span::secs(300 * 60)).await > 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_ahead_ends_no_grace() {
    let lake = Timed::open().await;
    lake.append(0..4).await;
    lake.upkeep.compact(&compact_all()).await.unwrap();
    lake.set(180);
    let reading = lake.catalog.pin(Some(&AsOf::Version(Version(3)))).await.unwrap();
    lake.expire(1).await;
    let ahead = Arc::new(FixedClock::at(Timestamp::from_micros(300 * MINUTE)));
    let seams = Seams::new(ahead, Arc::new(SeededDice::new(8)));
    let catalog = Catalog::open(lake.store.clone(), &config(), seams.clone()).await.unwrap();
    let sweep = Sweep { grace: Sweep::GRACE, ..sweep_now() };
    assert_eq!(Upkeep::new(catalog, seams).sweep(&sweep).await.unwrap().files, 0);
    assert_eq!(answer(&open(&lake.store).await, &reading).await["t"], [0, 1, 2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_tag_held_until_lately_is_spared_and_so_are_the_items_of_an_index() {
    let lake = Timed::open().await;
    let settings =
        IndexSettings { dimension: 2, distance: base::Distance::Cosine, m: 16, ef_search: None, model: None };
    let new = NewIndex { name: "i".parse().unwrap(), settings, author: "test".into() };
    let (entry, _) = lake.catalog.create_index(new).await.unwrap();
    lake.store.put(&format!("{}/fragments/1.lhvf", entry.location), Bytes::from_static(b"items")).await.unwrap();
    load(&lake.catalog, "t", Mode::Append, &[1]).await.unwrap();
    load(&lake.catalog, "t", Mode::Replace, &[2]).await.unwrap();
    let tag = "keep".parse().unwrap();
    lake.catalog.put_tag(&tag, Some(&AsOf::Version(Version(2))), "test").await.unwrap();
    lake.catalog.drop_index(&"i".parse().unwrap(), "test").await.unwrap();
    lake.expire(1).await;
    lake.set(2880);
    lake.expire(1).await;
    assert_eq!(lake.sweep().await, 0, "the tagged version knows the index and the rows");
    lake.catalog.drop_tag(&tag, "test").await.unwrap();
    assert_eq!(lake.expire(9).await, 0, "its record lingers");
    assert_eq!(lake.sweep().await, 0);
    lake.set(2940);
    assert_eq!(
        lake.sweep().await,
        2,
        "the items, and the metadata of the version; what that lists the newest lists too"
    );
    assert_eq!(paths(&lake.store, "indexes/").await.len(), 0);
    assert_eq!(lake.expire(9).await, 2, "its record, and the last that the second expiry gave up");
}
