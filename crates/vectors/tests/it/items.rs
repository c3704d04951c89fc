//! Items: what an add, a replacement and a delete leave behind.

use base::Distance;
use serde_json::{Value, json};
use vectors::FieldType;

use crate::lake::{code, found, index, item, name, near, nearest, object, open, with_metadata};

#[tokio::test]
async fn adds_and_replacements_are_counted() {
    let process = found(2, Distance::Cosine).await;
    let vectors = &process.vectors;
    let first = vectors.add(&name("found"), vec![item("a", &[1.0, 0.0]), item("b", &[0.0, 1.0])], None).await.unwrap();
    assert_eq!((first.added, first.updated, first.length, first.fragment), (2, 0, 2, 1));
    let second = vectors.add(&name("found"), vec![item("b", &[1.0, 1.0]), item("c", &[1.0, 2.0])], None).await.unwrap();
    assert_eq!((second.added, second.updated, second.length, second.fragment), (1, 1, 3, 2));
    assert_eq!(vectors.item(&name("found"), "b", None).await.unwrap().vector, [1.0, 1.0]);
    assert_eq!(nearest(vectors, &[0.0, 1.0], 9).await, ["c", "b", "a"]);
}

#[tokio::test]
async fn absent_metadata_keeps_the_old_and_an_empty_object_clears_it() {
    let lake = testkit::TestLake::open().await;
    let process = open(&lake.store).await;
    let vectors = &process.vectors;
    vectors.create(index("found", 1, Distance::Euclidean)).await.unwrap();
    let metadata = json!({ "city": "Toledo", "rate": 18.5, "nested": { "a": [1, null] } });
    vectors.add(&name("found"), vec![with_metadata("a", &[1.0], metadata.clone())], None).await.unwrap();
    vectors.add(&name("found"), vec![item("a", &[2.0])], None).await.unwrap();
    let kept = vectors.item(&name("found"), "a", None).await.unwrap();
    assert_eq!((kept.vector, kept.metadata), (vec![2.0], object(metadata.clone())));
    let again = open(&lake.reopen().await).await;
    let hit = again.vectors.search(&name("found"), near(&[2.0], 1), None).await.unwrap().results.remove(0);
    assert_eq!((hit.distance, hit.metadata), (Some(0.0), object(metadata)));
    vectors.add(&name("found"), vec![with_metadata("a", &[3.0], json!({}))], None).await.unwrap();
    vectors.add(&name("found"), vec![item("a", &[4.0])], None).await.unwrap();
    for process in [&process, &again, &open(&lake.reopen().await).await] {
        let cleared = process.vectors.item(&name("found"), "a", None).await.unwrap();
        assert_eq!((cleared.vector, cleared.metadata), (vec![4.0], object(json!({}))));
    }
}

#[tokio::test]
async fn a_deleted_item_leaves_nothing_to_its_successor() {
    let process = found(1, Distance::Euclidean).await;
    let vectors = &process.vectors;
    vectors.add(&name("found"), vec![with_metadata("a", &[1.0], json!({ "x": 1 }))], None).await.unwrap();
    vectors.remove(&name("found"), vec!["a".into()]).await.unwrap();
    let added = vectors.add(&name("found"), vec![item("a", &[2.0])], None).await.unwrap();
    assert_eq!((added.added, added.updated, added.length), (1, 0, 1));
    assert!(vectors.item(&name("found"), "a", None).await.unwrap().metadata.is_empty());
}

#[tokio::test]
async fn deletes_count_what_was_there_and_what_was_not() {
    let lake = testkit::TestLake::open().await;
    let process = open(&lake.store).await;
    let vectors = &process.vectors;
    vectors.create(index("found", 1, Distance::Euclidean)).await.unwrap();
    let items = ["a", "b", "c"].map(|id| item(id, &[1.0]));
    vectors.add(&name("found"), items.to_vec(), None).await.unwrap();
    let ids = ["a", "x", "b"].map(String::from).to_vec();
    let removed = vectors.remove(&name("found"), ids.clone()).await.unwrap();
    assert_eq!((removed.deleted, removed.missing, removed.length, removed.fragment), (2, 1, 1, 2));
    let removed = vectors.remove(&name("found"), ids).await.unwrap();
    assert_eq!((removed.deleted, removed.missing, removed.length, removed.fragment), (0, 3, 1, 2));
    assert_eq!(code(vectors.item(&name("found"), "a", None).await), "vectors.item_not_found");
    let removed = vectors.remove(&name("found"), vec!["c".into()]).await.unwrap();
    assert_eq!((removed.deleted, removed.length), (1, 0));
    for process in [&process, &open(&lake.reopen().await).await] {
        assert!(nearest(&process.vectors, &[1.0], 10).await.is_empty());
        assert_eq!(process.vectors.describe(&name("found"), None).await.unwrap().length, Some(0));
    }
}

#[tokio::test]
async fn an_id_named_twice_is_deleted_once() {
    let process = found(1, Distance::Euclidean).await;
    process.vectors.add(&name("found"), vec![item("a", &[1.0]), item("b", &[1.0])], None).await.unwrap();
    let removed = process.vectors.remove(&name("found"), ["a", "a"].map(String::from).to_vec()).await.unwrap();
    assert_eq!((removed.deleted, removed.missing, removed.length), (1, 1, 1));
}

#[tokio::test]
async fn an_empty_index_answers() {
    let process = found(2, Distance::Cosine).await;
    let found = process.vectors.search(&name("found"), near(&[1.0, 0.0], 10), None).await.unwrap();
    assert_eq!((found.results.len(), found.fragment), (0, 0));
    assert_eq!(process.vectors.fields(&name("found"), None).await.unwrap(), []);
}

#[tokio::test]
async fn ten_thousand_are_found_at_once() {
    let process = found(1, Distance::Euclidean).await;
    let items = (0..12_000).map(|n| item(&format!("{n:05}"), &[n as f32])).collect();
    process.vectors.add(&name("found"), items, None).await.unwrap();
    let ids = nearest(&process.vectors, &[0.0], 10_000).await;
    assert_eq!(ids.len(), 10_000);
    assert_eq!((ids[0].as_str(), ids[9999].as_str()), ("00000", "09999"));
}

#[tokio::test]
async fn fields_follow_the_metadata() {
    let process = found(1, Distance::Euclidean).await;
    let vectors = &process.vectors;
    let items = vec![
        with_metadata("a", &[1.0], json!({ "rate": 18, "city": "Gary" })),
        with_metadata("b", &[1.0], json!({ "rate": 18.5, "open": true, "tags": ["x"] })),
    ];
    vectors.add(&name("found"), items, None).await.unwrap();
    let shown = serde_json::to_value(vectors.fields(&name("found"), None).await.unwrap()).unwrap();
    let wanted = json!([
        { "name": "city", "ty": "text" },
        { "name": "open", "ty": "boolean" },
        { "name": "rate", "ty": "number" },
        { "name": "tags", "ty": "json" },
    ]);
    assert_eq!(shown, wanted);
    vectors.add(&name("found"), vec![with_metadata("c", &[1.0], json!({ "city": 7 }))], None).await.unwrap();
    let shown = serde_json::to_value(&vectors.fields(&name("found"), None).await.unwrap()[0]).unwrap();
    assert_eq!(shown, json!({ "name": "city", "ty": "json" }));
}

#[tokio::test]
async fn fields_outlive_their_items() {
    let store = testkit::lake::memory().await;
    let process = open(&store).await;
    let (vectors, found) = (&process.vectors, name("found"));
    vectors.create(index("found", 1, Distance::Euclidean)).await.unwrap();
    // Fragments of many sizes, so that some blocks are joined with rows that have ended.
    for round in 0..40 {
        let field = format!("f{round:02}");
        let item = |number: usize| {
            let metadata = Value::Object([(field.clone(), json!(number))].into_iter().collect());
            with_metadata(&format!("{round}-{number}"), &[1.0], metadata)
        };
        vectors.add(&found, (0..1 + round % 7).map(item).collect(), None).await.unwrap();
        let ids = (0..1 + round % 7).map(|number| format!("{round}-{number}")).collect();
        vectors.remove(&found, ids).await.unwrap();
    }
    assert_eq!(vectors.describe(&found, None).await.unwrap().length, Some(0));
    let fields = vectors.fields(&found, None).await.unwrap();
    assert_eq!((fields.len(), &*fields[39].name, fields[39].ty), (40, "f39", FieldType::Integer));
    assert_eq!(open(&store).await.vectors.fields(&found, None).await.unwrap(), fields);
}

#[tokio::test]
async fn thousands_of_single_adds_are_found_and_taken_in_again() {
    const ITEMS: usize = 3000;
    let store = testkit::lake::memory().await;
    let process = open(&store).await;
    let vectors = &process.vectors;
    vectors.create(index("found", 1, Distance::Euclidean)).await.unwrap();
    for n in 0..ITEMS {
        let added = vectors.add(&name("found"), vec![item(&format!("{n:04}"), &[n as f32])], None).await.unwrap();
        assert_eq!((added.length, added.fragment), (n + 1, n as u64 + 1));
    }
    let even = (0..ITEMS).step_by(2).map(|n| format!("{n:04}")).collect();
    assert_eq!(vectors.remove(&name("found"), even).await.unwrap().length, ITEMS / 2);
    let odd: Vec<String> = (1..ITEMS).step_by(2).map(|n| format!("{n:04}")).collect();
    for process in [&process, &open(&store).await] {
        assert_eq!(nearest(&process.vectors, &[0.0], ITEMS).await, odd);
    }
}
