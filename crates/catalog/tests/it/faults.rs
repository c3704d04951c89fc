//! Stores that lie, lose replies or die: no acknowledged commit is lost, none happens twice, nothing is half visible.

use std::sync::Arc;

use base::{Fault, Seams, Version};
use catalog::{Catalog, Mode};
use storage::Store;

use crate::store::{Fickle, Mishap};
use crate::support::{config, ids, load, open, put_object, registration};

#[tokio::test]
async fn a_lost_reply_neither_loses_nor_repeats_a_commit() {
    use Mishap::{FailsBefore, LosesReply, TakenByItself};
    let plans: [&[Mishap]; 6] = [
        &[LosesReply],
        &[FailsBefore],
        &[TakenByItself],
        &[LosesReply, FailsBefore],
        &[TakenByItself, FailsBefore, FailsBefore],
        &[FailsBefore, FailsBefore, FailsBefore],
    ];
    for plan in plans {
        let fickle = Fickle::new();
        let catalog = open(&fickle.store()).await;
        load(&catalog, "t", Mode::Append, &[1]).await.unwrap();
        fickle.plan(plan);
        let published = load(&catalog, "t", Mode::Append, &[2]).await.unwrap();
        assert_eq!(published.version, Version(2), "{plan:?}");
        load(&catalog, "t", Mode::Append, &[3]).await.unwrap();
        let again = open(&fickle.store()).await;
        assert_eq!(ids(&again, "t").await, [1, 2, 3], "{plan:?}");
        assert_eq!(again.pin(None).await.unwrap().version(), Version(3));
    }
}

#[tokio::test]
async fn an_outcome_that_stays_unknown_is_said_and_keeps_its_files() {
    let fickle = Fickle::new();
    let catalog = open(&fickle.store()).await;
    load(&catalog, "t", Mode::Append, &[1]).await.unwrap();
    fickle.plan(&[Mishap::FailsBefore; 50]);
    let before = crate::support::paths(&fickle.store(), "tables/").await.len();
    let error = load(&catalog, "t", Mode::Append, &[2]).await.unwrap_err();
    assert_eq!(error.code(), "catalog.outcome_unknown");
    assert!(!error.proves_nothing_committed());
    assert!(crate::support::paths(&fickle.store(), "tables/").await.len() > before);
    fickle.plan(&[]);
    load(&catalog, "t", Mode::Append, &[3]).await.unwrap();
    assert_eq!(ids(&catalog, "t").await, [1, 3]);
}

/// A small life of a lake; answers what was acknowledged.
async fn live(store: Store) -> Vec<i64> {
    let mut acknowledged = Vec::new();
    let impatient = catalog::Config { commit_timeout: base::Span::millis(5), ..config() };
    let Ok(catalog) = Catalog::open(store, &impatient, Seams::system()).await else { return acknowledged };
    for id in [10, 11] {
        if load(&catalog, "t", Mode::Append, &[id]).await.is_ok() {
            acknowledged.push(id);
        }
    }
    if catalog.register(registration("r", &["a"], 2)).await.is_ok() {
        acknowledged.push(-1);
    }
    if load(&catalog, "t", Mode::Append, &[12]).await.is_ok() {
        acknowledged.push(12);
    }
    acknowledged
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_death_at_any_call_leaves_the_old_state_or_the_new() {
    let fickle = Fickle::new();
    put_object(&fickle.store(), "a", &[1, 2]).await;
    load(&open(&fickle.store()).await, "t", Mode::Append, &[1]).await.unwrap();
    let start = fickle.memory();
    let whole = Fickle::over(Arc::new(start.fork()), usize::MAX, false);
    assert_eq!(live(whole.store()).await, [10, 11, -1, 12]);
    for lasting in [false, true] {
        for calls in 1..=whole.calls() {
            let dying = Fickle::over(Arc::new(start.fork()), calls, lasting);
            let acknowledged = live(dying.store()).await;
            let survivor = Fickle::over(dying.memory(), usize::MAX, false);
            let catalog = open(&survivor.store()).await;
            let found = ids(&catalog, "t").await;
            let rows = acknowledged.iter().filter(|id| **id > 0);
            assert!(rows.clone().all(|id| found.contains(id)), "dead after {calls}: {acknowledged:?} but {found:?}");
            assert!(found.windows(2).all(|pair| pair[0] < pair[1]), "dead after {calls}: {found:?}");
            assert!(found.contains(&1));
            if acknowledged.contains(&-1) {
                assert_eq!(ids(&catalog, "r").await, [1, 2]);
            }
            // Whatever was left behind, the lake goes on.
            load(&catalog, "t", Mode::Append, &[99]).await.unwrap();
            assert!(ids(&catalog, "t").await.contains(&99));
        }
    }
}
