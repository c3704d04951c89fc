//! Upkeep killed at every call of the store: the lake opens and answers as before, and the next round finishes the work.

use std::collections::BTreeMap;

use base::{Seams, Version};
use catalog::{Catalog, Mode};
use storage::Store;
use testkit::{Bucket, Fickle};
use upkeep::Upkeep;

use crate::support::{Answer, answers, compact_all, config, keep_last, load, open, paths, sweep_now, upkeep};

/// A lake with small files, a tag, a stray and some past.
async fn lived() -> Bucket {
    let fickle = Fickle::new();
    let store = fickle.store();
    let catalog = open(&store).await;
    for id in 1..=2 {
        load(&catalog, "t", Mode::Append, &[id]).await.unwrap();
    }
    catalog.put_tag(&"two".parse().unwrap(), Some(&base::AsOf::Version(Version(2))), "test").await.unwrap();
    load(&catalog, "t", Mode::Append, &[3]).await.unwrap();
    store.put("tables/never-0011223344/data/a.parquet", bytes::Bytes::from_static(b"stray")).await.unwrap();
    fickle.bucket().clone()
}

/// One round of the work that is to be killed.
async fn work(store: Store, what: &str) -> Option<()> {
    let impatient = catalog::Config { commit_timeout: base::Span::millis(5), ..config() };
    let catalog = Catalog::open(store, &impatient, Seams::system()).await.ok()?;
    let upkeep = Upkeep::new(catalog.clone(), Seams::system());
    match what {
        "compact" => drop(upkeep.compact(&compact_all()).await.ok()?),
        "expire" => drop(catalog.expire(&keep_last(2)).await.ok()?),
        _ => drop(upkeep.sweep(&sweep_now()).await.ok()?),
    }
    Some(())
}

/// Versions that are there before and after answer the same, and the newest rows are those that were the newest.
fn check_same(before: &BTreeMap<Version, Answer>, after: &BTreeMap<Version, Answer>) {
    for (version, answer) in after {
        assert_eq!(before.get(version).unwrap_or(answer), answer, "version {version}");
    }
    assert_eq!(after.values().next_back(), before.values().next_back());
}

async fn die_everywhere(what: &str) {
    let start = lived().await;
    let before = answers(&open(&start.store()).await).await;
    let whole = Fickle::over(start.fork(), usize::MAX, false);
    work(whole.store(), what).await.unwrap();
    for (calls, lasting) in (1..=whole.calls()).flat_map(|calls| [(calls, false), (calls, true)]) {
        let dying = Fickle::over(start.fork(), calls, lasting);
        let _ = work(dying.store(), what).await;
        let store = dying.bucket().fork().store();
        check_same(&before, &answers(&open(&store).await).await);
        work(store.clone(), what).await.unwrap();
        let catalog = open(&store).await;
        upkeep(&catalog).sweep(&sweep_now()).await.unwrap();
        check_same(&before, &answers(&open(&store).await).await);
        assert_eq!(paths(&store, "tables/never").await, Vec::<String>::new());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn compaction_killed_anywhere() {
    die_everywhere("compact").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn expiry_killed_anywhere() {
    die_everywhere("expire").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sweep_killed_anywhere() {
    die_everywhere("sweep").await;
}
