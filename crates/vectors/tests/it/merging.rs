//! Items go from one index into another, and leave the first only when they are durable in the second.

use std::sync::Arc;

use base::{Distance, Seams, Span};
use catalog::Catalog;
use futures::future::join;
use serde_json::{Value, json};
use storage::CacheDir;
use tempfile::TempDir;
use testkit::{Bucket, Fickle};
use vectors::{Config, Item, Merged, NewIndex, Vectors};

use crate::lake::{Process, code, index, item, name, open, round, with_metadata};

/// A lake with the indexes `source` and `dest` of one dimension.
async fn two() -> Process {
    let process = open(&testkit::lake::memory().await).await;
    for name in ["source", "dest"] {
        process.vectors.create(index(name, 1, Distance::Euclidean)).await.unwrap();
    }
    process
}

async fn length(process: &Process, index: &str) -> usize {
    process.vectors.describe(&name(index), None).await.unwrap().length.unwrap()
}

#[tokio::test]
async fn what_the_source_holds_is_in_the_destination() {
    let process = two().await;
    let vectors = &process.vectors;
    let first = vec![with_metadata("a", &[1.0], round(1)), item("b", &[2.0])];
    vectors.add(&name("source"), first, None).await.unwrap();
    vectors.seal(&name("source"), "test").await.unwrap();
    vectors.add(&name("source"), vec![item("c", &[3.0])], None).await.unwrap();
    let there = vec![with_metadata("b", &[9.0], round(9)), item("d", &[4.0])];
    vectors.add(&name("dest"), there, None).await.unwrap();
    let merged = vectors.merge(&name("source"), &name("dest"), false).await.unwrap();
    let shown = serde_json::to_value(&merged).unwrap();
    let counts =
        json!({"added": 2, "updated": 1, "removed": 0, "length": 4, "source_length": 3, "version": 3, "fragment": 2});
    assert_eq!(shown, counts);
    let item = async |id: &str| vectors.item(&name("dest"), id, None).await.unwrap();
    assert_eq!((item("a").await.vector, Value::from(item("a").await.metadata)), (vec![1.0], round(1)));
    assert_eq!((item("b").await.vector, Value::from(item("b").await.metadata)), (vec![2.0], json!({})));
    let cleared = vectors.merge(&name("source"), &name("dest"), true).await.unwrap();
    assert_eq!((cleared.added, cleared.updated, cleared.removed), (0, 3, 3));
    assert_eq!((length(&process, "source").await, length(&process, "dest").await), (0, 4));
}

#[tokio::test]
async fn long_texts_go_over_in_several_batches() {
    let process = two().await;
    let vectors = &process.vectors;
    let text: Arc<str> = "x".repeat(1 << 20).into();
    let long = |n: u8| Item { text: Some(Arc::clone(&text)), ..item(&n.to_string(), &[n.into()]) };
    vectors.add(&name("source"), (0..10).map(long).collect(), None).await.unwrap();
    let merged = vectors.merge(&name("source"), &name("dest"), false).await.unwrap();
    assert_eq!((merged.added, merged.fragment), (10, 2));
}

#[tokio::test]
async fn what_changes_while_it_goes_over_is_not_lost() {
    let process = two().await;
    let vectors = &process.vectors;
    let items = (0..500).map(|n| item(&n.to_string(), &[n as f32])).collect();
    vectors.add(&name("source"), items, None).await.unwrap();
    let changes = async {
        for n in 0..100 {
            vectors.add(&name("source"), vec![item(&n.to_string(), &[-1.0 - n as f32])], None).await.unwrap();
        }
    };
    join(changes, async { vectors.merge(&name("source"), &name("dest"), true).await.unwrap() }).await;
    let mut found = 0;
    for n in 0..500 {
        let newest = if n < 100 { -1.0 - n as f32 } else { n as f32 };
        let stays = vectors.item(&name("source"), &n.to_string(), None).await.ok();
        let went = vectors.item(&name("dest"), &n.to_string(), None).await.ok();
        found += usize::from(stays.is_some());
        assert_eq!(stays.or(went).unwrap().vector, [newest], "item {n}");
    }
    assert_eq!(found, length(&process, "source").await);
}

#[tokio::test]
async fn what_cannot_go_over_is_refused_before_anything_does() {
    let process = two().await;
    let vectors = &process.vectors;
    vectors.create(index("wide", 2, Distance::Euclidean)).await.unwrap();
    vectors.create(index("angles", 1, Distance::Cosine)).await.unwrap();
    vectors.add(&name("source"), vec![item("a", &[1.0]), item("nought", &[0.0])], Some("one".into())).await.unwrap();
    for dest in ["source", "wide", "angles"] {
        assert_eq!(code(vectors.merge(&name("source"), &name(dest), true).await), "vectors.bad_merge", "{dest}");
    }
    let model = catalog::IndexModel { name: "m".into(), fingerprint: "other".into() };
    vectors.create(NewIndex { model: Some(model), ..index("texts", 1, Distance::Dot) }).await.unwrap();
    assert_eq!(code(vectors.merge(&name("source"), &name("texts"), true).await), "vectors.other_model");
    assert_eq!(code(vectors.merge(&name("source"), &name("none"), true).await), "catalog.index_not_found");
    assert_eq!((length(&process, "source").await, length(&process, "angles").await), (2, 0));
}

/// How many of five items are in an index.
async fn there(vectors: &Vectors, index: &str) -> Vec<bool> {
    let mut there = Vec::new();
    for n in 0..5 {
        there.push(vectors.item(&name(index), &n.to_string(), None).await.is_ok());
    }
    there
}

/// Merges with all that a process does for it; none when that failed.
async fn merged(fickle: &Fickle) -> Option<Merged> {
    let (brief, fresh, cache) = (Span::millis(1), Span::millis(0), TempDir::new().unwrap());
    let config = catalog::Config { commit_timeout: brief, max_staleness: fresh, ..catalog::Config::default() };
    let catalog = Catalog::open(fickle.store(), &config, Seams::system()).await.ok()?;
    let cache = CacheDir::open(cache.path()).await.unwrap();
    let vectors = Vectors::new(catalog, cache, &Config::default(), Seams::system());
    vectors.merge(&name("source"), &name("dest"), true).await.ok()
}

#[tokio::test]
async fn a_merge_that_dies_at_any_call_loses_nothing_and_is_ended_by_another() {
    let bucket = Bucket::new(Seams::system());
    let process = open(&bucket.store()).await;
    for index in ["source", "dest"] {
        process.vectors.create(crate::lake::index(index, 1, Distance::Euclidean)).await.unwrap();
    }
    let items = |range: std::ops::Range<u32>| range.map(|n| item(&n.to_string(), &[n as f32])).collect();
    process.vectors.add(&name("source"), items(0..3), None).await.unwrap();
    process.vectors.seal(&name("source"), "test").await.unwrap();
    process.vectors.add(&name("source"), items(3..5), None).await.unwrap();
    let whole = Fickle::over(bucket.fork(), usize::MAX, false);
    assert_eq!(merged(&whole).await.unwrap().removed, 5);
    for (calls, lasting) in (1..=whole.calls()).flat_map(|calls| [(calls, false), (calls, true)]) {
        let dying = Fickle::over(bucket.fork(), calls, lasting);
        let told = merged(&dying).await;
        let left = open(&dying.bucket().store()).await;
        let (source, dest) = (there(&left.vectors, "source").await, there(&left.vectors, "dest").await);
        assert!(source.iter().zip(&dest).all(|(source, dest)| *source || *dest), "dead after {calls} calls");
        assert!(told.is_none() || !source.contains(&true), "dead after {calls} calls: acknowledged and not done");
        left.vectors.merge(&name("source"), &name("dest"), true).await.unwrap();
        assert_eq!((length(&left, "source").await, length(&left, "dest").await), (0, 5));
    }
}
