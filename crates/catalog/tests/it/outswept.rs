//! Work that loses a race to a sweep, or to a rename: what it had written is gone or of another name, and it is done
//! anew.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use base::{AsOf, Fault, Seams, Span, Version};
use catalog::{Caller, Catalog, Expiry, Mode};
use storage::Store;
use testkit::{Bucket, Call, Fate, Faulty, Mishap, Verb};

use crate::support::{config, ids, load, open, paths};

/// Just before the first record is published, another process takes every stray.
struct SweptFirst {
    store: Store,
    done: AtomicBool,
}

#[async_trait]
impl Fate for SweptFirst {
    async fn befall(&self, call: &Call<'_>) -> Option<Mishap> {
        let publishes = call.verb == Verb::Create && call.path.starts_with("_lake/log/");
        if !publishes || self.done.swap(true, Ordering::SeqCst) {
            return None;
        }
        let catalog = open(&self.store).await;
        let now = catalog.store_time().await.unwrap();
        let pin = catalog.announce_sweep(now, "test").await.unwrap();
        let reach = catalog.reach(&pin, now, Span::secs(0)).await.unwrap();
        let strays: Vec<_> =
            paths(&self.store, "tables/").await.into_iter().filter(|path| reach.is_stray(path)).collect();
        assert!(!strays.is_empty());
        for stray in strays {
            self.store.delete(&stray).await.unwrap();
        }
        None
    }
}

/// Just before the first record of a relocation is published, another process renames its table.
struct RenamedFirst {
    store: Store,
    done: AtomicBool,
}

#[async_trait]
impl Fate for RenamedFirst {
    async fn befall(&self, call: &Call<'_>) -> Option<Mishap> {
        let publishes = call.verb == Verb::Create && call.path.starts_with("_lake/log/");
        if publishes && !self.done.swap(true, Ordering::SeqCst) {
            let caller = Caller { author: "test".into(), idempotency_key: None, may_take_away: true };
            open(&self.store).await.rename(&"t".parse().unwrap(), &"u".parse().unwrap(), caller).await.unwrap();
        }
        None
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relocation_that_a_rename_overtakes_moves_the_table_under_its_new_name() {
    let bucket = Bucket::new(Seams::system());
    let store = bucket.store();
    load(&open(&store).await, "t", Mode::Append, &[1]).await.unwrap();
    let fate = RenamedFirst { store: store.clone(), done: AtomicBool::new(false) };
    let moved = Faulty::over(Arc::new(bucket), Arc::new(fate), Seams::system()).store("memory://elsewhere");
    let relocated = Catalog::relocate(moved, &config(), Seams::system(), "test").await.unwrap();
    assert_eq!((relocated.version.map(|version| version.0), relocated.tables), (Some(3), 1));
    let catalog = open(&store).await;
    assert_eq!(ids(&catalog, "u").await, [1]);
    assert!(catalog.pin(None).await.unwrap().entry(&"t".parse().unwrap()).is_none());
}

/// A lake of four versions, and a store over it that is swept at the worst moment.
async fn lived() -> (Store, Store) {
    let bucket = Bucket::new(Seams::system());
    let store = bucket.store();
    let catalog = open(&store).await;
    for id in 1..=4 {
        load(&catalog, "t", Mode::Append, &[id]).await.unwrap();
    }
    let fate = SweptFirst { store: store.clone(), done: AtomicBool::new(false) };
    let swept = Faulty::over(Arc::new(bucket), Arc::new(fate), Seams::system());
    (store, swept.store("memory://elsewhere"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relocation_that_a_sweep_overtakes_leaves_tables_that_read() {
    let (store, swept) = lived().await;
    let relocated = Catalog::relocate(swept, &config(), Seams::system(), "test").await.unwrap();
    assert_eq!((relocated.version.map(|version| version.0), relocated.tables), (Some(6), 1));
    assert_eq!(ids(&open(&store).await, "t").await, [1, 2, 3, 4]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expiry_that_a_sweep_overtakes_leaves_tables_that_read() {
    let (store, swept) = lived().await;
    let expiry = Expiry { older_than: None, keep_last: Some(1), linger: Span::secs(3600), author: "test".into() };
    let expired = open(&swept).await.expire(&expiry).await.unwrap();
    assert_eq!((expired.version.map(|version| version.0), expired.versions), (Some(6), 3));
    assert_eq!(ids(&open(&store).await, "t").await, [1, 2, 3, 4]);
}

/// Just before the first record is read, another process lets all but the newest version expire, and what expired go.
struct ExpiredFirst {
    store: Store,
    done: AtomicBool,
}

#[async_trait]
impl Fate for ExpiredFirst {
    async fn befall(&self, call: &Call<'_>) -> Option<Mishap> {
        if call.verb == Verb::Get && call.path == FIRST && !self.done.swap(true, Ordering::SeqCst) {
            let expiry = Expiry { older_than: None, keep_last: Some(1), linger: Span::secs(0), author: "test".into() };
            let catalog = open(&self.store).await;
            for _ in 0..2 {
                catalog.expire(&expiry).await.unwrap();
            }
            assert!(!paths(&self.store, "_lake/log/").await.contains(&FIRST.to_owned()));
        }
        None
    }
}

const FIRST: &str = "_lake/log/00000000000000000001.json";

#[tokio::test(flavor = "multi_thread")]
async fn versions_that_expire_while_they_are_read_are_unknown_not_damaged() {
    for reading in ["rollback", "versions", "version", "as_of"] {
        let bucket = Bucket::new(Seams::system());
        let store = bucket.store();
        for id in 1..=4 {
            load(&open(&store).await, "t", Mode::Append, &[id]).await.unwrap();
        }
        let fate = Arc::new(ExpiredFirst { store: store.clone(), done: AtomicBool::new(true) });
        let slow = Faulty::over(Arc::new(bucket), Arc::clone(&fate) as Arc<dyn Fate>, Seams::system());
        let catalog = open(&slow.store("memory://elsewhere")).await;
        fate.done.store(false, Ordering::SeqCst);
        let refused = match reading {
            "rollback" => {
                let to = AsOf::Version(Version(1));
                catalog.roll_back(&"t".parse().unwrap(), &to, "test").await.map(drop).unwrap_err()
            }
            "versions" => catalog.versions(None, 10).await.map(drop).unwrap_err(),
            "version" => catalog.version(Version(1)).await.map(drop).unwrap_err(),
            _ => catalog.pin(Some(&AsOf::Version(Version(1)))).await.map(drop).unwrap_err(),
        };
        assert!(fate.done.load(Ordering::SeqCst));
        assert_eq!(refused.code(), "catalog.unknown_version", "{reading}: {refused}");
    }
}
