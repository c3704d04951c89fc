//! Lakes for tests, and the plain way to say what is near.

use base::{Distance, IndexName, Seams, Span};
use catalog::Catalog;
use serde_json::{Map, Value, json};
use storage::{CacheDir, Store};
use tempfile::TempDir;
use vectors::{By, Config, Effort, Item, Nearness, NewIndex, Result, Search, Vectors};

/// The indexes of a lake, as one process opens them.
pub struct Process {
    pub vectors: Vectors,
    cache: TempDir,
}

impl Process {
    /// How many files its cache has whose names end so.
    pub fn cached(&self, ending: &str) -> usize {
        let files = std::fs::read_dir(self.cache.path()).unwrap();
        files.filter(|file| file.as_ref().unwrap().file_name().to_str().unwrap().ends_with(ending)).count()
    }

    /// How long the files of its cache are.
    pub fn cached_lengths(&self) -> Vec<usize> {
        let files = std::fs::read_dir(self.cache.path()).unwrap();
        files.map(|file| file.unwrap().metadata().unwrap().len() as usize).collect()
    }
}

/// Opens a lake as a process of its own would.
pub async fn open(store: &Store) -> Process {
    open_with(store, &Config::default(), Seams::system()).await
}

/// The same, with these settings, by this clock.
pub async fn open_with(store: &Store, config: &Config, seams: Seams) -> Process {
    let fresh = catalog::Config { max_staleness: Span::millis(0), ..catalog::Config::default() };
    let catalog = Catalog::open(store.clone(), &fresh, seams.clone()).await.unwrap();
    let cache = TempDir::new().unwrap();
    let opened = CacheDir::open(cache.path()).await.unwrap();
    Process { vectors: Vectors::new(catalog, opened, config, seams), cache }
}

/// A lake in memory with one index, named `found`.
pub async fn found(dimension: u32, distance: Distance) -> Process {
    let process = open(&testkit::lake::memory().await).await;
    process.vectors.create(index("found", dimension, distance)).await.unwrap();
    process
}

pub fn name(text: &str) -> IndexName {
    text.parse().unwrap()
}

pub fn index(name: &str, dimension: u32, distance: Distance) -> NewIndex {
    let name = name.parse().unwrap();
    NewIndex { name, dimension, distance, m: 16, ef_search: None, model: None, author: "test".into() }
}

pub fn item(id: &str, vector: &[f32]) -> Item {
    Item { id: id.into(), vector: vector.to_vec(), ..Item::default() }
}

pub fn with_metadata(id: &str, vector: &[f32], metadata: Value) -> Item {
    Item { metadata: Some(object(metadata)), ..item(id, vector) }
}

pub fn object(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

pub fn near(vector: &[f32], k: usize) -> Search {
    Search::new(By::Near(Nearness::to(vector.to_vec())), k)
}

/// The same, with another effort than the index's settings say.
pub fn near_with(effort: Effort, vector: &[f32], k: usize) -> Search {
    Search::new(By::Near(Nearness { effort, ..Nearness::to(vector.to_vec()) }), k)
}

/// The ids of the nearest in `found`, nearest first.
pub async fn nearest(vectors: &Vectors, vector: &[f32], k: usize) -> Vec<String> {
    let found = vectors.search(&name("found"), near(vector, k), None).await.unwrap();
    found.results.into_iter().map(|hit| hit.id).collect()
}

/// The distance, computed in the plainest way.
pub fn distance(distance: Distance, a: &[f32], b: &[f32]) -> f64 {
    let sum =
        |term: fn(f64, f64) -> f64| -> f64 { a.iter().zip(b).map(|(a, b)| term(f64::from(*a), f64::from(*b))).sum() };
    let length = |vector: &[f32]| vector.iter().map(|value| f64::from(*value).powi(2)).sum::<f64>().sqrt();
    match distance {
        Distance::Cosine => (1.0 - sum(|a, b| a * b) / (length(a) * length(b))).max(0.0),
        Distance::Euclidean => sum(|a, b| (a - b) * (a - b)).sqrt(),
        Distance::Dot => -sum(|a, b| a * b),
    }
}

/// The code of a refusal.
pub fn code<T: std::fmt::Debug>(result: Result<T>) -> &'static str {
    base::Fault::code(&result.unwrap_err())
}

/// The metadata of an item in its `round`th version.
pub fn round(round: u64) -> Value {
    json!({ "round": round })
}
