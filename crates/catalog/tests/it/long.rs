//! A table with a long history: each commit stays small, and nothing of the history is lost.

use base::{AsOf, Version};
use catalog::{Catalog, Mode, SnapshotLine};
use storage::Store;

use crate::support::{ids, load, open};

/// Far more snapshots than one metadata file holds.
const SNAPSHOTS: u64 = 320;

async fn long_table() -> (Store, Catalog) {
    let store = testkit::lake::memory().await;
    let catalog = open(&store).await;
    for id in 1..=SNAPSHOTS {
        load(&catalog, "t", Mode::Replace, &[id as i64]).await.unwrap();
    }
    (store, catalog)
}

async fn pages(catalog: &Catalog, limit: usize) -> Vec<SnapshotLine> {
    let (name, mut lines, mut before) = ("t".parse().unwrap(), Vec::new(), None);
    let pin = catalog.pin(None).await.unwrap();
    loop {
        let page = catalog.history(&pin, &name, limit, before).await.unwrap();
        assert!(page.items.len() == limit || page.next.is_none());
        lines.extend(page.items);
        before = page.next;
        if before.is_none() {
            return lines;
        }
    }
}

#[tokio::test]
async fn the_history_is_whole_on_pages_of_any_length() {
    let (_, catalog) = long_table().await;
    let expected: Vec<Option<Version>> = (1..=SNAPSHOTS).rev().map(|version| Some(Version(version))).collect();
    for limit in [7, 100, 1000] {
        let versions: Vec<_> = pages(&catalog, limit).await.iter().map(|line| line.version).collect();
        assert_eq!(versions, expected, "pages of {limit}");
    }
}

#[tokio::test]
async fn metadata_stops_growing_and_every_version_is_still_read() {
    let (store, catalog) = long_table().await;
    let entry = |pin: &catalog::Pin| pin.entry(&"t".parse().unwrap()).unwrap().metadata.clone();
    let mut sizes = Vec::new();
    for version in [150, 320] {
        let pin = catalog.pin(Some(&AsOf::Version(Version(version)))).await.unwrap();
        sizes.push(store.head(&entry(&pin)).await.unwrap().size);
    }
    assert!(sizes[1] < sizes[0] * 5 / 4, "bytes of the metadata at versions 150 and 320: {sizes:?}");
    let again = open(&store).await;
    assert_eq!(ids(&again, "t").await, [SNAPSHOTS as i64]);
    for version in [1, 129, 192, 319] {
        let pin = again.pin(Some(&AsOf::Version(Version(version)))).await.unwrap();
        let table = again.table(&pin, &"t".parse().unwrap()).await.unwrap();
        assert_eq!(table.files().await.unwrap().len(), 1, "version {version}");
    }
}

#[tokio::test]
async fn statistics_of_our_files_stay_exact_when_their_snapshots_are_left_out() {
    let store = testkit::lake::memory().await;
    let catalog = open(&store).await;
    for id in 1..=200 {
        load(&catalog, "t", Mode::Append, &[id]).await.unwrap();
    }
    let pin = catalog.pin(None).await.unwrap();
    let table = catalog.table(&pin, &"t".parse().unwrap()).await.unwrap();
    let files = table.files().await.unwrap();
    assert_eq!(files.len(), 200);
    assert!(files.iter().all(|file| file.exact));
}
