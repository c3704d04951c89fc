//! What is sealed of an index belongs to a version, which answers the same for ever.

use std::collections::BTreeMap;

use base::{AsOf, Distance, Version};
use futures::future::join;
use serde_json::{Value, json};
use storage::Store;
use testkit::TestLake;
use vectors::Vectors;

use crate::lake::{Process, code, index, item, name, near, nearest, open, round, with_metadata};

pub fn at(version: u64) -> Option<AsOf> {
    Some(AsOf::Version(Version(version)))
}

/// The ids in `found` as of a version, nearest to nought first.
pub async fn ids_at(vectors: &Vectors, version: u64) -> Vec<String> {
    let found = vectors.search(&name("found"), near(&[0.0], 9), at(version).as_ref()).await.unwrap();
    found.results.into_iter().map(|hit| hit.id).collect()
}

/// A lake on a directory with an index named `found` of one dimension.
pub async fn lake() -> (TestLake, Process) {
    let lake = TestLake::open().await;
    let process = open(&lake.store).await;
    process.vectors.create(index("found", 1, Distance::Euclidean)).await.unwrap();
    (lake, process)
}

pub async fn files(store: &Store, kind: &str) -> Vec<String> {
    let page = store.list("indexes/", None, 999).await.unwrap();
    page.entries.into_iter().map(|entry| entry.path).filter(|path| path.contains(kind)).collect()
}

#[tokio::test]
async fn a_version_answers_what_was_sealed_in_it_and_now_goes_on() {
    let (lake, process) = lake().await;
    let vectors = &process.vectors;
    let found = name("found");
    vectors.add(&found, vec![with_metadata("a", &[1.0], round(1)), item("b", &[2.0])], None).await.unwrap();
    let sealed = vectors.seal(&found, "test").await.unwrap();
    let shown = serde_json::to_value(&sealed).unwrap();
    assert_eq!(
        shown,
        json!({"name": "found", "version": 2, "fragment": 1, "segments": 1, "length": 2, "sealed": true})
    );
    let again = vectors.seal(&found, "test").await.unwrap();
    assert_eq!((again.version, again.sealed, again.length), (Version(2), false, 2));
    // Replaced without metadata, which stays; deleted; new.
    vectors.add(&found, vec![item("a", &[5.0]), item("c", &[3.0])], None).await.unwrap();
    let removed = vectors.remove(&found, vec!["b".into(), "x".into()]).await.unwrap();
    assert_eq!((removed.deleted, removed.missing, removed.length), (1, 1, 2));
    assert_eq!(vectors.seal(&found, "test").await.unwrap().version, Version(3));
    vectors.remove(&found, vec!["c".into()]).await.unwrap();
    for vectors in [vectors, &open(&lake.reopen().await).await.vectors] {
        assert!(ids_at(vectors, 1).await.is_empty());
        assert_eq!(ids_at(vectors, 2).await, ["a", "b"]);
        assert_eq!(ids_at(vectors, 3).await, ["c", "a"]);
        assert_eq!(nearest(vectors, &[0.0], 9).await, ["a"]);
        let then = vectors.item(&found, "a", at(2).as_ref()).await.unwrap();
        assert_eq!((then.vector, then.version, then.fragment), (vec![1.0], Version(2), 1));
        let now = vectors.item(&found, "a", None).await.unwrap();
        assert_eq!((now.vector, Value::from(now.metadata)), (vec![5.0], round(1)));
        assert_eq!(code(vectors.item(&found, "b", at(3).as_ref()).await), "vectors.item_not_found");
        let described = vectors.describe(&found, at(2).as_ref()).await.unwrap();
        assert_eq!((described.length, described.fragment, described.sealed), (Some(2), 1, 1));
        let described = vectors.describe(&found, None).await.unwrap();
        assert_eq!((described.length, described.fragment, described.sealed), (Some(1), 4, 3));
        assert_eq!(vectors.list(None, 9, at(2).as_ref()).await.unwrap().indexes[0].length, Some(2));
        assert_eq!(vectors.fields(&found, at(2).as_ref()).await.unwrap().len(), 1);
        assert_eq!(code(vectors.describe(&name("other"), at(2).as_ref()).await), "catalog.index_not_found");
    }
}

#[tokio::test]
async fn what_a_seal_holds_needs_its_fragments_no_longer() {
    let (lake, process) = lake().await;
    for n in 0..3 {
        process.vectors.add(&name("found"), vec![item(&n.to_string(), &[n as f32])], None).await.unwrap();
    }
    process.vectors.seal(&name("found"), "test").await.unwrap();
    for path in files(&lake.store, "/fragments/").await {
        lake.store.delete(&path).await.unwrap();
    }
    let other = open(&lake.reopen().await).await;
    for vectors in [&other.vectors, &process.vectors] {
        assert_eq!(nearest(vectors, &[0.0], 9).await.len(), 3);
        vectors.remove(&name("found"), vec!["1".into()]).await.unwrap();
        let added = vectors.add(&name("found"), vec![item("1", &[1.0])], None).await.unwrap();
        assert_eq!((added.added, added.length), (1, 3));
    }
    let listed = other.vectors.list(None, 9, None).await.unwrap();
    assert_eq!((listed.indexes[0].length, listed.indexes[0].fragment), (Some(3), 7));
}

#[tokio::test]
async fn another_process_that_is_open_goes_over_to_a_seal() {
    let (lake, process) = lake().await;
    let other = open(&lake.reopen().await).await;
    process.vectors.add(&name("found"), vec![item("a", &[1.0])], None).await.unwrap();
    assert_eq!(nearest(&other.vectors, &[0.0], 9).await, ["a"]);
    process.vectors.add(&name("found"), vec![item("b", &[2.0])], None).await.unwrap();
    process.vectors.seal(&name("found"), "test").await.unwrap();
    // It has not seen the second fragment, which is gone now.
    for path in files(&lake.store, "/fragments/").await {
        lake.store.delete(&path).await.unwrap();
    }
    assert_eq!(nearest(&other.vectors, &[0.0], 9).await, ["a", "b"]);
    let added = other.vectors.add(&name("found"), vec![item("c", &[3.0])], None).await.unwrap();
    assert_eq!((added.fragment, added.length), (3, 3));
    assert_eq!(nearest(&process.vectors, &[0.0], 9).await, ["a", "b", "c"]);
}

#[tokio::test]
async fn of_processes_that_seal_at_once_each_is_answered_a_version_that_has_its_items() {
    let (lake, process) = lake().await;
    let other = open(&lake.reopen().await).await;
    let work = async |process: &Process, own: &str| {
        for n in 0..6 {
            let id = format!("{own}{n}");
            process.vectors.add(&name("found"), vec![item(&id, &[n as f32])], None).await.unwrap();
            let sealed = process.vectors.seal(&name("found"), "test").await.unwrap();
            let then = at(sealed.version.0);
            process.vectors.item(&name("found"), &id, then.as_ref()).await.unwrap();
        }
    };
    join(work(&process, "a"), work(&other, "b")).await;
    let last = process.vectors.describe(&name("found"), None).await.unwrap();
    let sealed = process.vectors.describe(&name("found"), at(last.version.0).as_ref()).await.unwrap();
    assert_eq!((last.length, sealed.length), (Some(12), Some(12)));
    // The losers' files are gone.
    let kept = open(&lake.reopen().await).await;
    let mut named = 0;
    for version in 1..=last.version.0 {
        named = named.max(kept.vectors.describe(&name("found"), at(version).as_ref()).await.unwrap().segments);
    }
    assert_eq!(files(&lake.store, ".lhvs").await.len(), named);
}

#[tokio::test]
async fn a_damaged_segment_is_told_and_never_served() {
    let (lake, process) = lake().await;
    process.vectors.add(&name("found"), vec![item("a", &[1.0])], None).await.unwrap();
    process.vectors.seal(&name("found"), "test").await.unwrap();
    for path in files(&lake.store, "/segments/").await {
        let whole = lake.store.get(&path).await.unwrap();
        let mut bytes = whole.to_vec();
        bytes[64] ^= 1;
        lake.store.put(&path, bytes.into()).await.unwrap();
        let other = open(&lake.reopen().await).await;
        for as_of in [None, at(2)] {
            let refused = other.vectors.search(&name("found"), near(&[0.0], 9), as_of.as_ref()).await;
            assert_eq!(code(refused), "vectors.damaged", "{path}");
        }
        lake.store.delete(&path).await.unwrap();
        let other = open(&lake.reopen().await).await;
        assert_eq!(code(other.vectors.describe(&name("found"), None).await), "vectors.damaged", "{path}");
        lake.store.put(&path, whole).await.unwrap();
    }
    assert_eq!(nearest(&open(&lake.reopen().await).await.vectors, &[0.0], 9).await, ["a"]);
}

/// Numbers that look random and are the same in every run.
pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

type Model = BTreeMap<String, (f32, Option<u64>)>;

async fn assert_holds(vectors: &Vectors, model: &Model, as_of: Option<AsOf>) {
    let found = vectors.search(&name("found"), near(&[0.0], 99), as_of.as_ref()).await.unwrap();
    let metadata = |hit: &vectors::Hit| hit.metadata.get("round").and_then(Value::as_u64);
    let held: Model =
        found.results.iter().map(|hit| (hit.id.clone(), (hit.distance.unwrap(), metadata(hit)))).collect();
    assert_eq!(&held, model, "as of {as_of:?}");
    for (id, (value, _)) in model {
        assert_eq!(vectors.item(&name("found"), id, as_of.as_ref()).await.unwrap().vector, [*value]);
    }
}

#[tokio::test]
async fn random_lives_of_an_index_answer_as_a_plain_model_does_at_every_version() {
    for seed in 0..8 {
        let store = testkit::lake::memory().await;
        let mut processes = [open(&store).await, open(&store).await];
        processes[0].vectors.create(index("found", 1, Distance::Euclidean)).await.unwrap();
        let (mut dice, mut model, mut versions) = (Dice(seed), Model::new(), BTreeMap::new());
        for step in 0..60 {
            let vectors = processes[dice.roll(2) as usize].vectors.clone();
            match dice.roll(10) {
                0..=4 => put(&vectors, &mut dice, &mut model, step).await,
                5 | 6 => {
                    let ids: Vec<String> = (0..dice.roll(4) + 1).map(|_| dice.roll(12).to_string()).collect();
                    vectors.remove(&name("found"), ids.clone()).await.unwrap();
                    model.retain(|id, _| !ids.contains(id));
                }
                7 if dice.roll(2) == 0 => vectors.keeper().round().await,
                7 => processes[dice.roll(2) as usize] = open(&store).await,
                _ => {
                    let sealed = vectors.seal(&name("found"), "test").await.unwrap();
                    assert_eq!(sealed.length, model.len() as u64);
                    versions.insert(sealed.version.0, model.clone());
                }
            }
            assert_holds(&processes[dice.roll(2) as usize].vectors, &model, None).await;
        }
        for (version, model) in &versions {
            assert_holds(&processes[0].vectors, model, at(*version)).await;
        }
    }
}

/// Puts some items, each once.
async fn put(vectors: &Vectors, dice: &mut Dice, model: &mut Model, step: u64) {
    let mut items = BTreeMap::new();
    for _ in 0..=dice.roll(5) {
        let (id, value) = (dice.roll(12).to_string(), dice.roll(1000) as f32);
        let known = model.get(&id).and_then(|(_, metadata)| *metadata);
        let stated = (dice.roll(2) == 0).then_some(step);
        model.insert(id.clone(), (value, stated.or(known)));
        let bare = item(&id, &[value]);
        items.insert(id, stated.map_or(bare.clone(), |step| with_metadata(&bare.id, &bare.vector, round(step))));
    }
    // An id that was drawn twice was put with the last draw, but its metadata may be that of the first.
    for (id, item) in &items {
        if item.metadata.is_none() && model[id].1 == Some(step) {
            let known = model[id].0;
            vectors.add(&name("found"), vec![with_metadata(id, &[known], round(step))], None).await.unwrap();
        }
    }
    vectors.add(&name("found"), items.into_values().collect(), None).await.unwrap();
}
