//! Codes find what comparing every vector finds, or nearly all of it; they may go at any time, and hide nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use base::{Distance, Seams};
use serde_json::json;
use storage::Store;
use testkit::{Bucket, Call, Fate, Faulty, Mishap, TestLake, Verb};
use vectors::{Effort, Filter, Item, Search, Survey, Vectors};

use crate::lake::{Process, code, distance, index, item, name, near, near_with, nearest, open, with_metadata};
use crate::sealing::{Dice, at, files};

const ROWS: usize = 2600;
const DIMENSION: usize = 64;
const K: usize = 10;

const PROVEN: Effort = Effort { exact: true, ef_search: None };

type Items = BTreeMap<String, Vec<f32>>;

fn wide(ef: u32) -> Effort {
    Effort { exact: false, ef_search: Some(ef) }
}

fn normal(dice: &mut Dice) -> f32 {
    (0..6).map(|_| dice.roll(1 << 20) as f32 / (1 << 20) as f32 - 0.5).sum()
}

/// Vectors around one centre for every fifty of them.
fn clustered(rows: usize, seed: u64) -> Vec<Vec<f32>> {
    let mut dice = Dice(seed);
    let centres: Vec<Vec<f32>> =
        (0..rows.div_ceil(50)).map(|_| (0..DIMENSION).map(|_| normal(&mut dice)).collect()).collect();
    let around = |dice: &mut Dice| {
        let centre = &centres[dice.roll(centres.len() as u64) as usize];
        centre.iter().map(|value| value + 0.8 * normal(dice)).collect()
    };
    (0..rows).map(|_| around(&mut dice)).collect()
}

/// Items, and queries from among the same clusters.
fn sample() -> (Items, Vec<Vec<f32>>) {
    let mut vectors = clustered(ROWS + 50, 3);
    let queries = vectors.split_off(ROWS);
    (vectors.into_iter().enumerate().map(|(n, vector)| (n.to_string(), vector)).collect(), queries)
}

fn listed(items: &Items) -> Vec<Item> {
    items.iter().map(|(id, vector)| item(id, vector)).collect()
}

/// A process with the items in an index named `found`.
async fn filled(store: &Store, measure: Distance, items: &Items) -> Process {
    let process = open(store).await;
    process.vectors.create(index("found", DIMENSION as u32, measure)).await.unwrap();
    process.vectors.add(&name("found"), listed(items), None).await.unwrap();
    process
}

/// The same, sealed and with codes.
async fn coded(store: &Store, measure: Distance, items: &Items) -> Process {
    let process = filled(store, measure, items).await;
    process.vectors.seal(&name("found"), "test").await.unwrap();
    process.vectors.keeper().round().await;
    assert_eq!(files(store, ".lhva").await.len(), 1);
    process
}

/// How many items are found through codes.
async fn coded_items(vectors: &Vectors) -> usize {
    vectors.describe(&name("found"), None).await.unwrap().coded
}

async fn found(vectors: &Vectors, search: Search) -> Vec<String> {
    let found = vectors.search(&name("found"), search, None).await.unwrap();
    found.results.into_iter().map(|hit| hit.id).collect()
}

/// The nearest by the plainest way.
fn truth(measure: Distance, items: &Items, query: &[f32]) -> Vec<String> {
    let mut all: Vec<_> = items.iter().map(|(id, vector)| (distance(measure, query, vector), id)).collect();
    all.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(b.1)));
    all.into_iter().take(K).map(|(_, id)| id.clone()).collect()
}

/// What share of the true nearest is found; comparing every vector finds just them.
async fn recall(vectors: &Vectors, measure: Distance, items: &Items, queries: &[Vec<f32>]) -> f64 {
    let mut hits = 0;
    for query in queries {
        let truth = truth(measure, items, query);
        let exact = near_with(PROVEN, query, K);
        assert_eq!(found(vectors, exact).await, truth, "{measure}");
        let found = found(vectors, near(query, K)).await;
        assert_eq!(found.len(), K);
        hits += found.iter().filter(|id| truth.contains(id)).count();
    }
    hits as f64 / (queries.len() * K) as f64
}

/// Replaces, deletes and adds some.
async fn change(vectors: &Vectors, items: &mut Items) {
    let removed: Vec<String> = (0..ROWS).step_by(7).map(|n| n.to_string()).collect();
    vectors.remove(&name("found"), removed.clone()).await.unwrap();
    items.retain(|id, _| !removed.contains(id));
    let put: Items = clustered(200, 5).into_iter().zip(1..).map(|(vector, n)| ((n * 13).to_string(), vector)).collect();
    vectors.add(&name("found"), listed(&put), None).await.unwrap();
    items.extend(put);
}

#[tokio::test]
async fn codes_find_98_of_100_by_every_measure_and_changes_count_at_once() {
    for measure in [Distance::Cosine, Distance::Euclidean, Distance::Dot] {
        let (lake, (mut items, queries)) = (TestLake::open().await, sample());
        let process = coded(&lake.store, measure, &items).await;
        let vectors = &process.vectors;
        assert_eq!(coded_items(vectors).await, ROWS);
        let share = recall(vectors, measure, &items, &queries).await;
        assert!(share >= 0.98, "{measure}: {share}");
        change(vectors, &mut items).await;
        let other = open(&lake.reopen().await).await;
        for vectors in [vectors, &other.vectors] {
            let share = recall(vectors, measure, &items, &queries).await;
            assert!(share >= 0.98, "{measure}: {share}");
        }
        let asked = near_with(wide(300), &queries[0], K);
        assert_eq!(found(vectors, asked).await, truth(measure, &items, &queries[0]));
        assert_eq!(nearest(vectors, &queries[0], 9999).await.len(), items.len());
        let then = vectors.search(&name("found"), near(&queries[0], 9999), at(2).as_ref()).await.unwrap();
        assert_eq!(then.results.len(), ROWS);
    }
}

/// However few items a filter leaves, as many are found as fit, and nearly all of them are the nearest.
#[tokio::test]
async fn a_filter_costs_no_recall_at_any_selectivity() {
    let lake = TestLake::open().await;
    let (items, queries) = sample();
    let rank = |id: &str| id.parse::<usize>().unwrap() * 7919 % ROWS;
    let process = open(&lake.store).await;
    let (vectors, index_name) = (&process.vectors, name("found"));
    vectors.create(index("found", DIMENSION as u32, Distance::Cosine)).await.unwrap();
    let ranked = |(id, vector): (&String, &Vec<f32>)| with_metadata(id, vector, json!({ "rank": rank(id) }));
    vectors.add(&index_name, items.iter().map(ranked).collect(), None).await.unwrap();
    vectors.seal(&index_name, "test").await.unwrap();
    vectors.keeper().round().await;
    assert_eq!(coded_items(vectors).await, ROWS);
    for fitting in [1, 3, 26, 260, 1300, ROWS] {
        let filter = Filter::parse(json!({ "rank": { "lt": fitting } }).as_object().unwrap()).unwrap();
        let left: Items =
            items.iter().filter(|(id, _)| rank(id) < fitting).map(|(id, v)| (id.clone(), v.clone())).collect();
        let mut hits = 0;
        for query in &queries {
            let asked = Search { filter: Some(filter.clone()), ..near(query, K) };
            let (found, truth) = (found(vectors, asked).await, truth(Distance::Cosine, &left, query));
            assert_eq!(found.len(), truth.len(), "{fitting} fit");
            hits += found.iter().filter(|id| truth.contains(id)).count();
        }
        let recall = hits as f64 / (queries.len() * K.min(fitting)) as f64;
        assert!(recall >= 0.98, "{recall} where {fitting} fit");
    }
}

#[tokio::test]
async fn fresh_rows_that_are_searched_often_have_codes_and_changes_count_at_once() {
    let (lake, (mut items, queries)) = (TestLake::open().await, sample());
    let process = filled(&lake.store, Distance::Cosine, &items).await;
    let vectors = &process.vectors;
    vectors.keeper().round().await;
    assert_eq!(coded_items(vectors).await, 0, "nobody has searched yet");
    for _ in 0..3 {
        let share = recall(vectors, Distance::Cosine, &items, &queries).await;
        assert!(share >= 0.98, "{share}");
        vectors.keeper().round().await;
        assert!(coded_items(vectors).await > items.len() / 2);
        change(vectors, &mut items).await;
    }
}

#[tokio::test]
async fn recall_is_measured_and_kept_with_the_index() {
    let (lake, (items, _)) = (TestLake::open().await, sample());
    let process = coded(&lake.store, Distance::Cosine, &items).await;
    let survey = Survey { sample: 50, k: K, ef_search: None };
    let measured = process.vectors.measure_recall(&name("found"), survey.clone()).await.unwrap();
    assert!((0.98..=1.0).contains(&measured.recall), "{measured:?}");
    assert_eq!((measured.sample, measured.k, measured.length, measured.coded), (50, K, ROWS, ROWS));
    let other = open(&lake.reopen().await).await.vectors;
    let described = async || other.describe(&name("found"), None).await.unwrap().recall;
    assert_eq!(described().await, Some(measured));
    for path in files(&lake.store, "recall.json").await {
        lake.store.put(&path, b"{".to_vec().into()).await.unwrap();
    }
    assert_eq!(described().await, None, "what does not read says nothing");
    for survey in [Survey { sample: 0, ..survey.clone() }, Survey { k: 101, ..survey }] {
        assert_eq!(code(other.measure_recall(&name("found"), survey).await), "vectors.bad_query");
    }
    let empty = crate::lake::found(1, Distance::Dot).await.vectors;
    let measured = empty.measure_recall(&name("found"), Survey { sample: 9, k: 9, ef_search: Some(9) }).await.unwrap();
    assert_eq!((measured.recall, measured.sample), (1.0, 0));
}

#[tokio::test]
async fn an_effort_that_nobody_can_make_is_refused() {
    let process = crate::lake::found(1, Distance::Dot).await;
    for ef in [0, 10_001] {
        let asked = near_with(wide(ef), &[1.0], 1);
        assert_eq!(code(process.vectors.search(&name("found"), asked, None).await), "vectors.bad_query");
    }
}

/// The path and the bytes of the one file of this kind.
async fn only(store: &Store, kind: &str) -> (String, Vec<u8>) {
    let path = files(store, kind).await.remove(0);
    let bytes = store.get(&path).await.unwrap().to_vec();
    (path, bytes)
}

#[tokio::test]
async fn a_search_through_codes_reads_a_few_vectors_only() {
    let (lake, (items, _)) = (TestLake::open().await, sample());
    coded(&lake.store, Distance::Euclidean, &items).await;
    let (path, mut bytes) = only(&lake.store, ".lhvs").await;
    // The vectors are the first section; the first 64 KiB of them hold the items whose ids sort first.
    let (first, last) = (items.first_key_value().unwrap(), items.last_key_value().unwrap());
    bytes[1000] ^= 1;
    lake.store.put(&path, bytes.into()).await.unwrap();
    let vectors = open(&lake.reopen().await).await.vectors;
    assert_eq!(nearest(&vectors, last.1, 1).await, [last.0.as_str()]);
    let exact = near_with(PROVEN, last.1, 1);
    assert_eq!(found(&vectors, exact.clone()).await, [last.0.as_str()], "a proof reads a few vectors as well");
    let all = Search { k: ROWS, ..exact };
    assert_eq!(code(vectors.search(&name("found"), all, None).await), "vectors.damaged");
    assert_eq!(code(vectors.search(&name("found"), near(first.1, 1), None).await), "vectors.damaged");
}

#[tokio::test]
async fn codes_that_are_gone_cut_or_garbled_hide_nothing_and_are_made_anew() {
    let (lake, (items, _)) = (TestLake::open().await, sample());
    coded(&lake.store, Distance::Cosine, &items).await;
    let (path, whole) = only(&lake.store, ".lhva").await;
    let cuts = [0, 7, 100, whole.len() / 2, whole.len() - 1].map(|length| whole[..length].to_vec());
    let garbled = (0..40).map(|n| {
        let (mut bytes, place) = (whole.clone(), n * (whole.len() - 1) / 39);
        bytes[place] ^= 1;
        bytes
    });
    let other = [vec![0; whole.len()], b"something else".to_vec()];
    for (n, bytes) in cuts.into_iter().chain(garbled).chain(other).enumerate() {
        lake.store.put(&path, bytes.into()).await.unwrap();
        let process = open(&lake.reopen().await).await;
        for (id, vector) in items.iter().skip(n).step_by(300) {
            assert_eq!(nearest(&process.vectors, vector, 1).await, [id.as_str()]);
        }
        if n % 9 == 0 {
            process.vectors.keeper().round().await;
            assert!(lake.store.get(&path).await.unwrap() == whole, "the same vectors have the same codes");
        }
    }
    lake.store.delete(&path).await.unwrap();
    let process = open(&lake.reopen().await).await;
    assert_eq!(nearest(&process.vectors, &items["7"], 1).await, ["7"]);
    process.vectors.keeper().round().await;
    assert!(lake.store.get(&path).await.unwrap() == whole);
}

#[tokio::test]
async fn codes_of_another_release_stay_beside_our_own() {
    let (lake, (items, _)) = (TestLake::open().await, sample());
    coded(&lake.store, Distance::Cosine, &items).await;
    let (path, whole) = only(&lake.store, ".lhva").await;
    let own = format!(".{}.lhva", ann::FORMAT);
    assert!(path.ends_with(&own), "{path}");
    let (theirs, bytes) = (path.replace(&own, ".1.lhva"), b"codes of then".to_vec());
    lake.store.put(&theirs, bytes.clone().into()).await.unwrap();
    lake.store.delete(&path).await.unwrap();
    let process = open(&lake.reopen().await).await;
    assert_eq!(nearest(&process.vectors, &items["7"], 1).await, ["7"]);
    process.vectors.keeper().round().await;
    assert!(lake.store.get(&path).await.unwrap() == whole && lake.store.get(&theirs).await.unwrap() == bytes);
}

/// A lake behind a network that cannot fetch codes.
struct NoFetch;

#[async_trait]
impl Fate for NoFetch {
    async fn befall(&self, call: &Call<'_>) -> Option<Mishap> {
        (!call.verb.writes() && call.verb == Verb::Get && call.path.contains("/derived/")).then_some(Mishap::Full)
    }
}

#[tokio::test]
async fn codes_that_were_just_sent_are_not_fetched_again() {
    let (bucket, (items, _)) = (Bucket::new(Seams::system()), sample());
    let store = Faulty::over(bucket.store().object_store(), Arc::new(NoFetch), Seams::system()).store("memory://lake");
    let process = coded(&store, Distance::Cosine, &items).await;
    let (_, whole) = only(&bucket.store(), ".lhva").await;
    assert!(process.cached_lengths().contains(&whole.len()), "they are mapped from the cache");
    assert_eq!(nearest(&process.vectors, &items["7"], 1).await, ["7"]);
}

/// A lake that takes no codes.
struct NoCodes;

#[async_trait]
impl Fate for NoCodes {
    async fn befall(&self, call: &Call<'_>) -> Option<Mishap> {
        (call.verb.writes() && call.path.contains("/derived/")).then_some(Mishap::Full)
    }
}

#[tokio::test]
async fn where_the_lake_takes_no_codes_the_cache_does() {
    let (bucket, (items, _)) = (Bucket::new(Seams::system()), sample());
    let store = Faulty::over(bucket.store().object_store(), Arc::new(NoCodes), Seams::system()).store("memory://lake");
    let process = filled(&store, Distance::Cosine, &items).await;
    process.vectors.seal(&name("found"), "test").await.unwrap();
    for _ in 0..2 {
        process.vectors.keeper().round().await;
        assert_eq!(nearest(&process.vectors, &items["7"], 1).await, ["7"]);
    }
    assert_eq!(files(&store, ".lhva").await, [""; 0]);
    assert_eq!(process.cached(".lhva"), 1);
}
