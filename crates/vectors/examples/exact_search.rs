//! Searches an index for each of many queries and prints what was found and how long each search took, for
//! `bench/run.py vectors`:
//!
//! ```text
//! exact_search <vectors> <queries> <dimension> <k> <lake> <cache>
//! ```
//!
//! Vectors and queries are files of little-endian 32-bit floats; item ids are row numbers.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a bench that fails ends, and prints its figures")]
#![expect(clippy::disallowed_methods, reason = "a bench reads its own files and arguments")]

use std::path::{Path, PathBuf};
use std::time::Instant;

use base::{Distance, IndexName, Seams};
use catalog::Catalog;
use serde_json::json;
use storage::{CacheDir, Store};
use vectors::{By, Config, Item, Nearness, NewIndex, Search, Vectors};

/// Items added at once.
const BATCH: usize = 20_000;

fn floats(path: &str, dimension: usize) -> Vec<Vec<f32>> {
    let bytes = std::fs::read(path).unwrap();
    let (values, _) = bytes.as_chunks::<4>();
    let values: Vec<f32> = values.iter().map(|value| f32::from_le_bytes(*value)).collect();
    values.chunks_exact(dimension).map(<[f32]>::to_vec).collect()
}

async fn open(store: &Store, cache: &Path) -> Vectors {
    let seams = Seams::system();
    let catalog = Catalog::open(store.clone(), &catalog::Config::default(), seams.clone()).await.unwrap();
    Vectors::new(catalog, CacheDir::open(cache).await.unwrap(), &Config::default(), seams)
}

async fn fill(vectors: &Vectors, name: &IndexName, rows: Vec<Vec<f32>>) {
    let dimension = rows[0].len() as u32;
    let (distance, author) = (Distance::Dot, "bench".to_owned());
    let new = NewIndex { name: name.clone(), dimension, distance, m: 16, ef_search: None, model: None, author };
    vectors.create(new).await.unwrap();
    let items = rows.into_iter().enumerate();
    let items: Vec<Item> = items.map(|(n, vector)| Item { id: n.to_string(), vector, ..Item::default() }).collect();
    for batch in items.chunks(BATCH) {
        vectors.add(name, batch.to_vec(), None).await.unwrap();
    }
}

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [rows, queries, dimension, k, lake, cache] = arguments.try_into().unwrap();
    let (dimension, k) = (dimension.parse().unwrap(), k.parse().unwrap());
    let (lake, cache, name) = (lake.parse().unwrap(), PathBuf::from(cache), "bench".parse().unwrap());
    let store = Store::open(&lake, &storage::Config::default(), Seams::system()).await.unwrap();
    fill(&open(&store, &cache).await, &name, floats(&rows, dimension)).await;
    let vectors = open(&store, &cache).await;
    let began = Instant::now();
    vectors.describe(&name, None).await.unwrap();
    let opened = began.elapsed().as_secs_f64();
    let (mut found, mut seconds) = (Vec::new(), Vec::new());
    for vector in floats(&queries, dimension) {
        let near = Search::new(By::Near(Nearness::to(vector)), k);
        let began = Instant::now();
        let answer = vectors.search(&name, near, None).await.unwrap();
        seconds.push(began.elapsed().as_secs_f64());
        found.push(answer.results.into_iter().map(|hit| hit.id.parse().unwrap()).collect::<Vec<usize>>());
    }
    println!("{}", json!({ "opened": opened, "seconds": seconds, "found": found }));
}
