use base::{Distance, Seams};
use catalog::Catalog;
use storage::CacheDir;
use tempfile::TempDir;

use super::*;
use crate::change::Item;
use crate::config::Config;
use crate::request::NewIndex;
use crate::vectors::Vectors;

#[tokio::test]
async fn a_search_without_words_reads_no_texts() {
    let (store, directory) = (testkit::lake::memory().await, TempDir::new().unwrap());
    let catalog = Catalog::open(store, &catalog::Config::default(), Seams::system()).await.unwrap();
    let cache = CacheDir::open(directory.path()).await.unwrap();
    let vectors = Vectors::new(catalog, cache, &Config::default(), Seams::system());
    let (name, author) = ("found".parse::<base::IndexName>().unwrap(), "test".to_owned());
    let distance = Distance::Euclidean;
    let index = NewIndex { name: name.clone(), dimension: 1, distance, m: 16, ef_search: None, model: None, author };
    vectors.create(index).await.unwrap();
    let item = Item { id: "a".into(), vector: vec![1.0], text: Some("kneads dough".into()), metadata: None };
    vectors.add(&name, vec![item], None).await.unwrap();
    let snapshot = vectors.view(&name).await.unwrap().snapshot;
    let before = snapshot.memory();
    let found = |text| best(&snapshot, &Query::new(text).unwrap(), 1, None).unwrap().len();
    assert_eq!((found(" … "), snapshot.memory()), (0, before));
    assert_eq!((found("dough"), snapshot.memory() > before), (1, true));
}
