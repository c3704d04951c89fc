//! Indexes come and go by name.

use base::{Distance, Version};
use futures::future::join;

use crate::lake::{code, found, index, item, name, near, nearest, open};

#[tokio::test]
async fn an_index_is_created_listed_and_dropped() {
    let process = open(&testkit::lake::memory().await).await;
    let vectors = &process.vectors;
    assert_eq!(vectors.list().await.unwrap(), []);
    let created = vectors.create(index("b", 3, Distance::Euclidean)).await.unwrap();
    assert_eq!((created.dimension, created.distance, created.m), (3, Distance::Euclidean, 16));
    assert_eq!((created.length, created.version, created.fragment), (Some(0), Version(1), 0));
    vectors.create(index("a", 2, Distance::Dot)).await.unwrap();
    assert_eq!(code(vectors.create(index("a", 2, Distance::Dot)).await), "catalog.index_exists");
    vectors.add(&name("a"), vec![item("x", &[1.0, 2.0])], None).await.unwrap();
    let listed: Vec<_> = vectors.list().await.unwrap().into_iter().map(|index| (index.name, index.length)).collect();
    assert_eq!(listed, [(name("a"), Some(1)), (name("b"), Some(0))]);
    assert_eq!(vectors.lengths().len(), 2);
    assert_eq!(vectors.delete(&name("a"), "test").await.unwrap(), Version(3));
    assert_eq!(vectors.lengths(), [("b".to_owned(), 0)]);
    assert_eq!(code(vectors.describe(&name("a")).await), "catalog.index_not_found");
    assert_eq!(code(vectors.search(&name("a"), near(&[1.0, 2.0], 1)).await), "catalog.index_not_found");
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
        assert_eq!(code(process.vectors.describe(&name("found")).await), "catalog.index_not_found");
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
            match vectors.search(&name("found"), near(&[0.0], 100)).await {
                Ok(found) => assert!([0, 50].contains(&found.results.len()), "{} found", found.results.len()),
                Err(error) => assert_eq!(base::Fault::code(&error), "catalog.index_not_found"),
            }
            tokio::task::yield_now().await;
        }
    };
    join(writer, reader).await;
}
