use base::Seams;
use catalog::Catalog;
use storage::CacheDir;
use tempfile::TempDir;

use super::*;
use crate::config::Config;
use crate::request::NewIndex;

#[tokio::test]
async fn texts_that_were_kept_before_they_had_a_bound_go_over() {
    let store = testkit::lake::memory().await;
    let catalog = Catalog::open(store, &catalog::Config::default(), Seams::system()).await.unwrap();
    let cache = TempDir::new().unwrap();
    let opened = CacheDir::open(cache.path()).await.unwrap();
    let vectors = Vectors::new(catalog, opened, &Config::default(), Seams::system());
    let [source, dest] = ["source", "dest"].map(|name| name.parse::<IndexName>().unwrap());
    for name in [source.clone(), dest.clone()] {
        let distance = Distance::Euclidean;
        let new = NewIndex { name, dimension: 1, distance, m: 16, ef_search: None, model: None, author: "test".into() };
        vectors.create(new).await.unwrap();
    }
    let text = "x".repeat(3 << 20);
    let long = Item { id: "a".into(), vector: vec![1.0], metadata: None, text: Some(text.as_str().into()) };
    assert!(vectors.add(&source, vec![long.clone()], None).await.is_err(), "there is a bound");
    vectors.append(&source, Change::Put { items: vec![long], fingerprint: None }).await.unwrap();
    let merged = vectors.merge(&source, &dest, true).await.unwrap();
    assert_eq!((merged.added, merged.removed, merged.source_length), (1, 1, 0));
    assert_eq!(vectors.item(&dest, "a", None).await.unwrap().text.as_deref(), Some(text.as_str()));
}
