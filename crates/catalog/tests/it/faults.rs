//! Stores that lie, lose replies or die: no acknowledged commit is lost, none happens twice, nothing is half visible.

use base::{Seams, Version};
use catalog::{Catalog, Mode};
use storage::Store;
use testkit::{Fickle, Mishap};

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
    assert!(matches!(error, catalog::Error::OutcomeUnknown));
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

/// Whether a dataset exists.
async fn knows(catalog: &Catalog, name: &str) -> bool {
    catalog.pin_fresh().await.unwrap().entry(&name.parse().unwrap()).is_some()
}

/// Lets a store die at every call of a small life that begins with `start`, and looks at what is left each time.
async fn die_everywhere(start: &Fickle) {
    let whole = Fickle::over(start.bucket().fork(), usize::MAX, false);
    assert_eq!(live(whole.store()).await, [10, 11, -1, 12]);
    for (calls, lasting) in (1..=whole.calls()).flat_map(|calls| [(calls, false), (calls, true)]) {
        let dying = Fickle::over(start.bucket().fork(), calls, lasting);
        let acknowledged = live(dying.store()).await;
        let survivor = Fickle::over(dying.bucket().clone(), usize::MAX, false);
        let catalog = open(&survivor.store()).await;
        let found = if knows(&catalog, "t").await { ids(&catalog, "t").await } else { vec![] };
        let mut rows = acknowledged.iter().filter(|id| **id > 0);
        assert!(rows.all(|id| found.contains(id)), "dead after {calls}: {acknowledged:?} but {found:?}");
        assert!(found.windows(2).all(|pair| pair[0] < pair[1]), "dead after {calls}: {found:?}");
        if acknowledged.contains(&-1) || knows(&catalog, "r").await {
            assert_eq!(ids(&catalog, "r").await, [1, 2]);
        }
        // Whatever was left behind, the lake goes on.
        load(&catalog, "t", Mode::Append, &[99]).await.unwrap();
        assert!(ids(&catalog, "t").await.ends_with(&[99]));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_death_at_any_call_leaves_the_old_state_or_the_new() {
    let start = Fickle::new();
    put_object(&start.store(), "a", &[1, 2]).await;
    load(&open(&start.store()).await, "t", Mode::Append, &[1]).await.unwrap();
    die_everywhere(&start).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_death_while_a_lake_is_made_leaves_none_or_a_sound_one() {
    let start = Fickle::new();
    put_object(&start.store(), "a", &[1, 2]).await;
    die_everywhere(&start).await;
}
