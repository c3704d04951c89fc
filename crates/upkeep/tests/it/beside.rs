//! Upkeep in a loop, beside writers of other processes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use catalog::Mode;
use storage::{Store, task};
use testkit::TestLake;

use crate::support::{answers, compact_all, ids, keep_last, load, open, sweep_now, upkeep};

const WRITERS: i64 = 4;
const EACH: i64 = 12;

/// Appends its rows, each in a commit of its own.
async fn write(store: Store, writer: i64) {
    let catalog = open(&store).await;
    for turn in 0..EACH {
        load(&catalog, "t", Mode::Append, &[writer * 100 + turn]).await.unwrap();
        if turn % 4 == writer % 4 {
            load(&catalog, &format!("own_{writer}"), Mode::Replace, &[turn, turn + 1]).await.unwrap();
        }
    }
}

/// Compacts, expires and sweeps without any grace until it is told to stop.
async fn keep(store: Store, stop: Arc<AtomicBool>) -> u64 {
    let catalog = open(&store).await;
    let (upkeep, mut swept) = (upkeep(&catalog), 0);
    while !stop.load(Ordering::SeqCst) {
        upkeep.compact(&compact_all()).await.unwrap();
        catalog.expire(&keep_last(5)).await.unwrap();
        swept += upkeep.sweep(&sweep_now()).await.unwrap().files;
    }
    swept
}

#[tokio::test(flavor = "multi_thread")]
async fn no_acknowledged_row_is_lost_and_every_kept_version_reads() {
    let lake = TestLake::open().await;
    load(&open(&lake.store).await, "t", Mode::Append, &[-1]).await.unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let mut keepers = Vec::new();
    for _ in 0..2 {
        keepers.push(task::spawn("keep", keep(lake.reopen().await, Arc::clone(&stop))));
    }
    let mut writers = Vec::new();
    for writer in 0..WRITERS {
        writers.push(task::spawn("write", write(lake.reopen().await, writer)));
    }
    for writer in writers {
        writer.await.unwrap();
    }
    stop.store(true, Ordering::SeqCst);
    let mut swept = 0;
    for keeper in keepers {
        swept += keeper.await.unwrap();
    }
    assert!(swept > 0);
    let catalog = open(&lake.store).await;
    let mut expected: Vec<i64> =
        (0..WRITERS).flat_map(|writer| (0..EACH).map(move |turn| writer * 100 + turn)).collect();
    expected.insert(0, -1);
    assert_eq!(ids(&catalog, "t").await, expected);
    assert!(answers(&catalog).await.len() >= 5);
}
