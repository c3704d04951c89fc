//! One index through its lifetimes, for `bench/run.py lifetimes`: what it keeps in memory that no file backs, and how soon
//! it answers rightly after its process was killed.
//!
//! ```text
//! lifetimes fill <lake> <cache> <rows> <dimension> <batch>   adds, seals, makes codes; a line of figures for each; waits to be killed
//! lifetimes open <lake> <cache> <rows> <dimension>           opens and searches; a line of figures
//! ```

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a bench that fails ends, and prints its figures")]
#![expect(clippy::disallowed_methods, reason = "a bench reads its own arguments and what the system knows of it")]

use std::path::Path;
use std::time::Instant;

use base::{Distance, IndexName, Seams};
use catalog::Catalog;
use serde_json::json;
use storage::{CacheDir, Store};
use vectors::{By, Config, Item, Nearness, NewIndex, Search, Vectors};

/// Rows around one centre.
const TOGETHER: u64 = 100;
/// How much of a row is its own, beside its centre's.
const OWN: f32 = 0.7;

/// Numbers that look random, from a seed.
fn noise(seed: u64, dimension: usize) -> impl Iterator<Item = f32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    (0..dimension).map(move |_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1 << 23) as f32 - 1.0
    })
}

fn vector(row: u64, dimension: usize) -> Vec<f32> {
    let centre = noise(u64::MAX - row / TOGETHER, dimension);
    centre.zip(noise(row + 1, dimension)).map(|(centre, own)| centre + OWN * own).collect()
}

/// Bytes of this process's memory that no file backs.
fn unbacked() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("RssAnon:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}

async fn open(lake: &str, cache: &str) -> Vectors {
    let seams = Seams::system();
    let store = Store::open(&lake.parse().unwrap(), &storage::Config::default(), seams.clone()).await.unwrap();
    let catalog = Catalog::open(store, &catalog::Config::default(), seams.clone()).await.unwrap();
    Vectors::new(catalog, CacheDir::open(Path::new(cache)).await.unwrap(), &Config::default(), seams)
}

async fn fill(vectors: &Vectors, name: &IndexName, rows: u64, dimension: usize, batch: u64) {
    let (distance, author, width) = (Distance::Cosine, "bench".to_owned(), dimension as u32);
    let new = NewIndex { name: name.clone(), dimension: width, distance, m: 16, ef_search: None, model: None, author };
    vectors.create(new).await.unwrap();
    let (before, mut seconds) = (unbacked(), 0.0);
    for first in (0..rows).step_by(batch as usize) {
        let item = |row: u64| Item { id: row.to_string(), vector: vector(row, dimension), ..Item::default() };
        let items = (first..rows.min(first + batch)).map(item).collect();
        let began = Instant::now();
        vectors.add(name, items, None).await.unwrap();
        seconds += began.elapsed().as_secs_f64();
    }
    let told = |stage: &str, seconds: f64| {
        let kept = unbacked().saturating_sub(before);
        println!("{}", json!({ "stage": stage, "seconds": seconds, "bytes_a_vector": kept as f64 / rows as f64 }));
    };
    told("added", seconds);
    let began = Instant::now();
    vectors.seal(name, "bench").await.unwrap();
    told("sealed", began.elapsed().as_secs_f64());
    let began = Instant::now();
    vectors.keeper().round().await;
    told("coded", began.elapsed().as_secs_f64());
    // As a server does every few seconds.
    allocator::give_back();
    told("rested", 0.0);
    for row in 0..100 {
        search(vectors, name, row * rows / 100, dimension).await;
    }
    told("searched", 0.0);
}

/// Finds a row by itself.
async fn search(vectors: &Vectors, name: &IndexName, row: u64, dimension: usize) {
    let near = Search::new(By::Near(Nearness::to(vector(row, dimension))), 10);
    let found = vectors.search(name, near, None).await.unwrap();
    assert_eq!(found.results[0].id, row.to_string());
}

#[tokio::main]
async fn main() {
    allocator::give_back_soon();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let ([what, lake, cache, rows, dimension], more) = arguments.split_first_chunk().unwrap();
    let (name, rows, dimension) = ("bench".parse().unwrap(), rows.parse().unwrap(), dimension.parse().unwrap());
    if what == "fill" {
        let vectors = open(lake, cache).await;
        fill(&vectors, &name, rows, dimension, more[0].parse().unwrap()).await;
        println!("{}", json!({ "stage": "waiting" }));
        std::future::pending::<()>().await;
    }
    let (began, before) = (Instant::now(), unbacked());
    let vectors = open(lake, cache).await;
    search(&vectors, &name, rows / 3, dimension).await;
    let first = began.elapsed().as_secs_f64();
    for row in 0..100 {
        search(&vectors, &name, row * rows / 100, dimension).await;
    }
    allocator::give_back();
    let kept = unbacked().saturating_sub(before) as f64 / rows as f64;
    println!("{}", json!({ "first_answer": first, "bytes_a_vector": kept }));
}
