//! Indexes come and go by name.

use base::{Distance, Version};
use futures::future::join;

use crate::lake::{code, found, index, item, name, near, nearest, open};

#[tokio::test]
async fn an_index_is_created_listed_and_dropped() {
    let process = open(&testkit::lake::memory().await).await;
    let vectors = &process.vectors;
    assert_eq!(vectors.list(None, 9, None).await.unwrap().indexes, []);
    let created = vectors.create(index("b", 3, Distance::Euclidean)).await.unwrap();
    assert_eq!((created.dimension, created.distance, created.m), (3, Distance::Euclidean, 16));
    assert_eq!((created.length, created.version, created.fragment), (Some(0), Version(1), 0));
    vectors.create(index("a", 2, Distance::Dot)).await.unwrap();
    assert_eq!(code(vectors.create(index("a", 2, Distance::Dot)).await), "catalog.index_exists");
    vectors.add(&name("a"), vec![item("x", &[1.0, 2.0])], None).await.unwrap();
    let listing = vectors.list(None, 9, None).await.unwrap();
    assert_eq!((listing.version, listing.next), (Version(2), None));
    let listed: Vec<_> = listing.indexes.into_iter().map(|index| (index.name, index.length)).collect();
    assert_eq!(listed, [(name("a"), Some(1)), (name("b"), Some(0))]);
    assert_eq!(vectors.lengths().len(), 2);
    assert_eq!(vectors.delete(&name("a"), "test").await.unwrap(), Version(3));
    assert_eq!(vectors.lengths(), [("b".to_owned(), 0)]);
    assert_eq!(code(vectors.describe(&name("a"), None).await), "catalog.index_not_found");
    assert_eq!(code(vectors.search(&name("a"), near(&[1.0, 2.0], 1), None).await), "catalog.index_not_found");
    assert_eq!(code(vectors.add(&name("a"), vec![item("x", &[1.0, 2.0])], None).await), "catalog.index_not_found");
    assert_eq!(code(vectors.delete(&name("a"), "test").await), "catalog.index_not_found");
}

#[tokio::test]
async fn an_index_created_anew_is_empty() {
    let lake = testkit::TestLake::open().await;
    let process = open(&lake.store).await;
    let other = open(&lake.reopen().await).await;
    for dimension in [1, 2, 1] {
        let vector = vec![1.0; dimension];
        let new = index("found", dimension as u32, Distance::Euclidean);
        process.vectors.create(new).await.unwrap();
        for process in [&process, &other] {
            assert!(nearest(&process.vectors, &vector, 9).await.is_empty());
        }
        process.vectors.add(&name("found"), vec![item("a", &vector)], None).await.unwrap();
        assert_eq!(nearest(&other.vectors, &vector, 9).await, ["a"]);
        other.vectors.delete(&name("found"), "test").await.unwrap();
        assert_eq!(code(process.vectors.describe(&name("found"), None).await), "catalog.index_not_found");
    }
}

#[tokio::test]
async fn a_read_during_a_drop_is_not_found_or_whole() {
    let process = found(1, Distance::Euclidean).await;
    let vectors = &process.vectors;
    let items: Vec<_> = (0..50).map(|n| item(&n.to_string(), &[n as f32])).collect();
    let writer = async {
        for _ in 0..50 {
            vectors.add(&name("found"), items.clone(), None).await.unwrap();
            vectors.delete(&name("found"), "test").await.unwrap();
            vectors.create(index("found", 1, Distance::Euclidean)).await.unwrap();
        }
    };
    let reader = async {
        for _ in 0..500 {
            match vectors.search(&name("found"), near(&[0.0], 100), None).await {
                Ok(found) => assert!([0, 50].contains(&found.results.len()), "{} found", found.results.len()),
                Err(error) => assert_eq!(base::Fault::code(&error), "catalog.index_not_found"),
            }
            tokio::task::yield_now().await;
        }
    };
    join(writer, reader).await;
}

#[tokio::test]
async fn a_list_comes_in_pages() {
    let process = open(&testkit::lake::memory().await).await;
    let vectors = &process.vectors;
    for name in ["c", "a", "e", "b", "d"] {
        vectors.create(index(name, 1, Distance::Dot)).await.unwrap();
    }
    let (mut after, mut pages) = (None, Vec::new());
    loop {
        let page = vectors.list(after.as_deref(), 2, None).await.unwrap();
        pages.push(page.indexes.iter().map(|index| index.name.to_string()).collect::<String>());
        match page.next {
            Some(next) => after = Some(next.to_string()),
            None => break,
        }
    }
    assert_eq!(pages, ["ab", "cd", "e"]);
    assert_eq!(vectors.list(Some("bb"), 5, None).await.unwrap().indexes.len(), 3);
}

#[tokio::test]
async fn a_list_opens_no_large_index() {
    let store = testkit::lake::memory().await;
    let process = open(&store).await;
    process.vectors.create(index("small", 1, Distance::Dot)).await.unwrap();
    process.vectors.create(index("large", 4096, Distance::Dot)).await.unwrap();
    process.vectors.add(&name("small"), vec![item("a", &[1.0])], None).await.unwrap();
    let items = (0..1100).map(|n| item(&n.to_string(), &[1.0; 4096])).collect();
    process.vectors.add(&name("large"), items, None).await.unwrap();
    let lengths = async |process: &crate::lake::Process| {
        let listed = process.vectors.list(None, 9, None).await.unwrap().indexes;
        listed.into_iter().map(|index| index.length).collect::<Vec<_>>()
    };
    assert_eq!(lengths(&process).await, [Some(1100), Some(1)]);
    let other = open(&store).await;
    assert_eq!(lengths(&other).await, [None, Some(1)]);
    assert_eq!(other.vectors.lengths(), [("small".to_owned(), 1)]);
}

#[tokio::test]
async fn indexes_that_were_not_used_for_long_are_closed() {
    let process = open(&testkit::lake::memory().await).await;
    let vectors = &process.vectors;
    for number in 0..300 {
        let name = format!("index-{number}").parse().unwrap();
        vectors.create(index(&format!("index-{number}"), 1, Distance::Euclidean)).await.unwrap();
        vectors.add(&name, vec![item("a", &[number as f32])], None).await.unwrap();
    }
    assert_eq!(vectors.lengths().len(), 256);
    for number in [0, 299, 150] {
        let found = vectors.search(&name(&format!("index-{number}")), near(&[number as f32], 1), None).await.unwrap();
        assert_eq!((found.results[0].id.as_str(), found.results[0].distance), ("a", Some(0.0)));
        vectors.add(&name(&format!("index-{number}")), vec![item("b", &[0.0])], None).await.unwrap();
    }
    assert_eq!(vectors.lengths().len(), 256);
}
