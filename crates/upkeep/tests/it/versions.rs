//! The promise of this room: after any sequence of commits and upkeep, every kept version answers exactly as before.

use std::collections::BTreeMap;

use base::{AsOf, Version};
use catalog::{Catalog, Mode};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::support::{Answer, answer, answers, compact_all, keep_last, load, open, sweep_now, upkeep};

/// Something that happens to a lake.
#[derive(Debug, Clone)]
enum Step {
    Append(u8),
    Replace(u8),
    Drop(u8),
    Tag(u8, u8),
    DropTag(u8),
    Compact,
    Expire(u8),
    Sweep,
    Reopen,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    use Step::{Append, Compact, Drop, DropTag, Expire, Reopen, Replace, Sweep, Tag};
    let step = prop_oneof![
        6 => (0..3_u8).prop_map(Append),
        2 => (0..3_u8).prop_map(Replace),
        1 => (0..3_u8).prop_map(Drop),
        2 => (0..2_u8, any::<u8>()).prop_map(|(tag, version)| Tag(tag, version)),
        1 => (0..2_u8).prop_map(DropTag),
        2 => Just(Compact),
        2 => (1..6_u8).prop_map(Expire),
        3 => Just(Sweep),
        1 => Just(Reopen),
    ];
    prop::collection::vec(step, 1..25)
}

async fn take(step: &Step, turn: i64, catalog: &mut Catalog) {
    let table = |number: &u8| format!("t{number}");
    let tag = |number: &u8| format!("tag{number}").parse().unwrap();
    match step {
        Step::Append(number) => drop(load(catalog, &table(number), Mode::Append, &[turn, turn + 1]).await.unwrap()),
        Step::Replace(number) => drop(load(catalog, &table(number), Mode::Replace, &[-turn]).await.unwrap()),
        // Some of these are refused, which is no concern here.
        Step::Drop(number) => drop(catalog.drop_dataset(&table(number).parse().unwrap(), "test").await),
        Step::Tag(number, version) => {
            let newest = catalog.pin_fresh().await.unwrap().version().0.max(1);
            let version = AsOf::Version(Version(u64::from(*version) % newest + 1));
            drop(catalog.put_tag(&tag(number), Some(&version), "test").await);
        }
        Step::DropTag(number) => drop(catalog.drop_tag(&tag(number), "test").await),
        Step::Compact => drop(upkeep(catalog).compact(&compact_all()).await.unwrap()),
        Step::Expire(count) => drop(catalog.expire(&keep_last(u64::from(*count))).await.unwrap()),
        Step::Sweep => assert_eq!(upkeep(catalog).sweep(&sweep_now()).await.unwrap().unread, Vec::<String>::new()),
        Step::Reopen => *catalog = open(catalog.store()).await,
    }
}

async fn live(steps: Vec<Step>) {
    let mut catalog = open(&testkit::lake::memory().await).await;
    let mut known: BTreeMap<Version, Answer> = BTreeMap::new();
    for (turn, step) in steps.iter().enumerate() {
        take(step, i64::try_from(turn).unwrap() * 10 + 1, &mut catalog).await;
        let pin = catalog.pin_fresh().await.unwrap();
        known.entry(pin.version()).or_insert(answer(&catalog, &pin).await);
        let upkeep_ran = matches!(step, Step::Compact | Step::Expire(_) | Step::Sweep | Step::Reopen);
        if upkeep_ran || turn + 1 == steps.len() {
            let found = answers(&catalog).await;
            assert!(pin.version() == Version(0) || found.contains_key(&pin.version()));
            for (version, answer) in found {
                let before = known.entry(version).or_insert_with(|| answer.clone());
                assert_eq!(*before, answer, "version {version} after {:?}", &steps[..=turn]);
            }
        }
    }
}

#[test]
fn every_kept_version_answers_as_before() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let mut runner = TestRunner::new(Config { cases: 20, failure_persistence: None, ..Config::default() });
    let lived = runner.run(&steps(), |steps| {
        runtime.block_on(live(steps));
        Ok(())
    });
    lived.unwrap();
}
