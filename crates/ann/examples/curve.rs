//! Builds codes of vectors, searches them for each of many queries at several efforts, and prints recall and CPU time for
//! `bench/run.py`:
//!
//! ```text
//! curve <vectors> <queries> <truth> <dimension> <cosine|euclidean|dot> [share:margin|proven …]
//! ```
//!
//! Vectors and queries are files of little-endian 32-bit floats; the truth names for each query its ten nearest rows as
//! 32-bit whole numbers. Without efforts, the measured one and the proof are run.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a bench that fails ends, and prints its figures")]
#![expect(clippy::disallowed_methods, reason = "a bench reads its own files and arguments")]

use std::time::Instant;

use ann::{Codes, Effort, Near, Origin, build};

const K: usize = 10;
const ROUNDS: usize = 3;

fn floats(path: &str) -> Vec<f32> {
    words(path).map(f32::from_le_bytes).collect()
}

fn words(path: &str) -> impl Iterator<Item = [u8; 4]> {
    let bytes = std::fs::read(path).unwrap();
    bytes.as_chunks::<4>().0.to_vec().into_iter()
}

/// Seconds of CPU that this process has taken.
fn cpu() -> f64 {
    let text = std::fs::read_to_string("/proc/self/schedstat").unwrap();
    text.split(' ').next().unwrap().parse::<f64>().unwrap() / 1e9
}

/// None where the answer is to be proven.
fn effort(text: &str) -> Option<Effort> {
    let (share, margin) = text.split_once(':')?;
    Some(Effort { share: share.parse().unwrap(), margin: margin.parse().unwrap() })
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (vectors, queries) = (floats(&arguments[0]), floats(&arguments[1]));
    let truth: Vec<u32> = words(&arguments[2]).map(u32::from_le_bytes).collect();
    let (dimension, measure) = (arguments[3].parse().unwrap(), arguments[4].parse().unwrap());
    let origin = Origin { rows: vectors.len() / dimension, dimension, measure, checksum: 0 };
    let (began, wall) = (cpu(), Instant::now());
    let blob = build(&vectors, &origin, 1);
    println!(
        "build: {:.2} s CPU of this thread, {:.2} s, {} bytes",
        cpu() - began,
        wall.elapsed().as_secs_f64(),
        blob.len()
    );
    let began = Instant::now();
    let codes = Codes::open(blob, &origin).unwrap();
    println!("open: {:.4} s, {} partitions", began.elapsed().as_secs_f64(), codes.partitions());
    let mut efforts: Vec<Option<Effort>> = arguments[5..].iter().map(|text| effort(text)).collect();
    if efforts.is_empty() {
        efforts = vec![Some(Effort::MEASURED), None];
    }
    for effort in efforts {
        let (mut hits, mut least) = (0, f64::INFINITY);
        for _ in 0..ROUNDS {
            hits = 0;
            let began = cpu();
            for (query, truth) in queries.chunks_exact(dimension).zip(truth.chunks_exact(K)) {
                let near = Near { vector: query, k: K, effort: effort.unwrap_or(Effort::MEASURED), rows: None };
                let found = match effort {
                    Some(_) => codes.search(&vectors, &near),
                    None => codes.search_exactly(&vectors, &near),
                };
                hits += found.iter().filter(|found| truth.contains(&found.row)).count();
            }
            least = least.min(cpu() - began);
        }
        let (recall, each) = (hits as f64 / truth.len() as f64, least * 1e6 / (truth.len() / K) as f64);
        let named = effort
            .map_or("proven".to_owned(), |effort| format!("share {:.3} margin {:.2}", effort.share, effort.margin));
        println!("{named}: recall {recall:.4}, {each:.1} us");
    }
}
