//! What an index refuses, and that a refused batch leaves nothing behind.

use base::{Distance, Fault, Kind};
use serde_json::json;
use vectors::{By, Effort, Item, Nearness, NewIndex, Search};

use crate::lake::{code, found, index, item, name, near, nearest, with_metadata};

async fn check(measure: Distance, bad: Item, reason: &str) {
    let process = found(2, measure).await;
    let batch = vec![item("good", &[1.0, 2.0]), item("also", &[2.0, 1.0]), bad];
    let refused = process.vectors.add(&name("found"), batch, None).await.unwrap_err();
    assert_eq!((refused.code(), refused.facts()["position"].clone()), ("vectors.bad_item", json!(2)));
    assert_eq!(refused.to_string(), format!("items[2]: {reason}"));
    assert_eq!(process.vectors.describe(&name("found"), None).await.unwrap().length, Some(0));
}

#[tokio::test]
async fn items_are_refused_by_position() {
    let wrong = "the vector has dimension 3, the index has 2";
    check(Distance::Cosine, item("x", &[1.0, 2.0, 3.0]), wrong).await;
    check(Distance::Cosine, item("x", &[]), "the vector has dimension 0, the index has 2").await;
    let finite = "only finite numbers can be compared";
    check(Distance::Dot, item("x", &[1.0, f32::NAN]), &format!("the vector's value 1 is NaN: {finite}")).await;
    check(Distance::Dot, item("x", &[f32::INFINITY, 1.0]), &format!("the vector's value 0 is inf: {finite}")).await;
    check(Distance::Dot, item("x", &[f32::NEG_INFINITY, 1.0]), &format!("the vector's value 0 is -inf: {finite}"))
        .await;
    check(Distance::Cosine, item("x", &[0.0, -0.0]), "a zero vector has no direction to compare").await;
    check(Distance::Cosine, item("", &[1.0, 2.0]), "the id is empty").await;
    check(Distance::Cosine, item(&"x".repeat(1025), &[1.0, 2.0]), "the id is longer than 1024 bytes").await;
    check(Distance::Cosine, item("good", &[1.0, 2.0]), "the id \"good\" stands in the batch twice").await;
    let large = with_metadata("x", &[1.0, 2.0], json!({ "text": "x".repeat(70_000) }));
    check(Distance::Cosine, large, "the metadata is longer than 64 KiB").await;
    let long = Item { text: Some("x".repeat((1 << 20) + 1).into()), ..item("x", &[1.0, 2.0]) };
    let reason = "the text is longer than the 1024 KiB that are kept: shorten it, or keep none";
    check(Distance::Cosine, long, reason).await;
}

#[tokio::test]
async fn zero_vectors_have_a_length_and_a_product() {
    for measure in [Distance::Euclidean, Distance::Dot] {
        let process = found(2, measure).await;
        process.vectors.add(&name("found"), vec![item("zero", &[0.0, 0.0])], None).await.unwrap();
        let found = process.vectors.search(&name("found"), near(&[0.0, 0.0], 1), None).await.unwrap();
        assert_eq!((found.results[0].id.as_str(), found.results[0].distance), ("zero", Some(0.0)));
    }
}

#[tokio::test]
async fn queries_that_find_nothing_are_refused() {
    let process = found(2, Distance::Cosine).await;
    let refused = async |search: Search| process.vectors.search(&name("found"), search, None).await.unwrap_err();
    for near in [near(&[1.0], 1), near(&[f32::NAN, 1.0], 1), near(&[0.0, 0.0], 1)] {
        assert_eq!(refused(near).await.code(), "vectors.bad_query");
    }
    assert_eq!(refused(near(&[1.0, 2.0], 0)).await.to_string(), "k is 0: use 1 or more");
    assert_eq!(refused(Search::new(By::Words("x".into()), 0)).await.to_string(), "k is 0: use 1 or more");
    let effort = Effort { exact: false, ef_search: Some(0) };
    let shallow = By::Both("x".into(), Nearness { effort, ..Nearness::to(vec![1.0, 2.0]) });
    assert_eq!(refused(Search::new(shallow, 1)).await.to_string(), "ef_search is 0: use 1 to 10000");
}

#[tokio::test]
async fn more_items_than_an_answer_holds_are_refused() {
    let process = found(1, Distance::Euclidean).await;
    let items = |ids: std::ops::Range<usize>| ids.map(|n| item(&n.to_string(), &[n as f32])).collect();
    process.vectors.add(&name("found"), items(0..100_000), None).await.unwrap();
    assert_eq!(nearest(&process.vectors, &[0.0], usize::MAX).await.len(), 100_000);
    process.vectors.add(&name("found"), items(100_000..100_001), None).await.unwrap();
    assert_eq!(nearest(&process.vectors, &[0.0], 100_000).await.len(), 100_000);
    for k in [100_001, usize::MAX] {
        let refused = process.vectors.search(&name("found"), near(&[0.0], k), None).await.unwrap_err();
        assert_eq!((refused.code(), refused.facts()["limit"].clone()), ("vectors.too_many_found", json!(100_000)));
        assert_eq!(refused.kind(), Kind::TooMuch);
    }
}

#[tokio::test]
async fn batches_have_at_least_one_entry_and_not_too_many() {
    let process = found(1, Distance::Dot).await;
    let vectors = &process.vectors;
    assert_eq!(code(vectors.add(&name("found"), vec![], None).await), "vectors.empty_batch");
    assert_eq!(code(vectors.remove(&name("found"), vec![]).await), "vectors.empty_batch");
    let many = (0..100_001).map(|n| item(&n.to_string(), &[1.0])).collect();
    assert_eq!(code(vectors.add(&name("found"), many, None).await), "vectors.batch_too_large");
    let many = (0..100_001).map(|n| n.to_string()).collect();
    assert_eq!(code(vectors.remove(&name("found"), many).await), "vectors.batch_too_large");
}

#[tokio::test]
async fn settings_that_no_index_can_have_are_refused() {
    let process = found(1, Distance::Dot).await;
    let refused = async |new: NewIndex| process.vectors.create(new).await.unwrap_err().to_string();
    let new = |dimension| index("new", dimension, Distance::Cosine);
    assert_eq!(refused(new(0)).await, "dimension is 0: use 1 to 4096");
    assert_eq!(refused(new(4097)).await, "dimension is 4097: use 1 to 4096");
    assert_eq!(refused(NewIndex { m: 0, ..new(2) }).await, "m is 0: use 1 to 10000");
    assert_eq!(refused(NewIndex { ef_search: Some(0), ..new(2) }).await, "ef_search is 0: use 1 to 10000");
    assert_eq!(process.vectors.list(None, 9, None).await.unwrap().indexes.len(), 1);
}
