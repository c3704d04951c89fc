//! Builds codes of vectors and searches them for each of many queries, at several efforts and under filters, for
//! `bench/run.py curves`:
//!
//! ```text
//! curve <directory> <dimension>
//! ```
//!
//! The directory holds `base` and `queries`, little-endian 32-bit floats, and for each share of the rows that a filter
//! leaves a file `truth.<share>`: for each query its ten nearest rows, 32-bit whole numbers. Printed are lines of JSON; the
//! seconds are of CPU.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a bench that fails ends, and prints its figures")]
#![expect(clippy::disallowed_methods, reason = "a bench reads its own files and arguments")]

use std::path::Path;

use ann::{Codes, Effort, Near, Origin, Rows, build};

const K: usize = 10;
/// The best of so many rounds counts.
const ROUNDS: usize = 3;
/// The reaches that make the curve, in shares of the measured one.
const REACHES: [f32; 9] = [0.2, 0.35, 0.5, 0.7, 0.85, 0.9, 1.0, 1.5, 2.5];
const MARGIN: f32 = 2.5;
/// Of how many of the rows filters hold.
const SHARES: [&str; 5] = ["0.001", "0.01", "0.1", "0.5", "1.0"];
/// The system's count of CPU time has so many ticks a second.
const TICKS: f64 = 100.0;

fn words(path: &Path) -> Vec<[u8; 4]> {
    std::fs::read(path).unwrap().as_chunks::<4>().0.to_vec()
}

fn floats(path: &Path) -> Vec<f32> {
    words(path).into_iter().map(f32::from_le_bytes).collect()
}

/// Seconds of CPU that all threads of this process have taken.
fn all_cpu() -> f64 {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = text.rsplit_once(')').unwrap().1.split_whitespace().collect();
    (fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap()) / TICKS
}

/// Seconds of CPU that this thread has taken.
fn cpu() -> f64 {
    let text = std::fs::read_to_string("/proc/self/schedstat").unwrap();
    text.split(' ').next().unwrap().parse::<f64>().unwrap() / 1e9
}

/// The rows of which a filter holds, as bits: the same ones for everybody.
fn chosen(rows: usize, share: f64) -> Vec<u64> {
    let mut words = vec![0; rows.div_ceil(64)];
    let fits = |row: &usize| (((*row as u64).wrapping_mul(2_654_435_761) % (1 << 32)) as f64) < share * 2_f64.powi(32);
    (0..rows).filter(fits).for_each(|row| words[row / 64] |= 1 << (row % 64));
    words
}

struct Bench {
    vectors: Vec<f32>,
    queries: Vec<f32>,
    dimension: usize,
    codes: Codes<Vec<u8>>,
}

impl Bench {
    /// How far to search; none where the answer is to be proven.
    fn run(&self, effort: Option<Effort>, share: &str, directory: &Path) {
        let truth: Vec<u32> =
            words(&directory.join(format!("truth.{share}"))).into_iter().map(u32::from_le_bytes).collect();
        let bits = chosen(self.vectors.len() / self.dimension, share.parse().unwrap());
        let rows = Some(Rows::new(&bits)).filter(|_| share != "1.0");
        let (mut hits, mut least) = (0, f64::INFINITY);
        for _ in 0..ROUNDS {
            let began = cpu();
            hits = 0;
            for (vector, truth) in self.queries.chunks_exact(self.dimension).zip(truth.chunks_exact(K)) {
                let near = Near { vector, k: K, effort: effort.unwrap_or(Effort::MEASURED), rows: rows.as_ref() };
                let found = match effort {
                    Some(_) => self.codes.search(&self.vectors, &near),
                    None => self.codes.search_exactly(&self.vectors, &near),
                };
                hits += found.iter().filter(|found| truth.contains(&found.row)).count();
            }
            least = least.min(cpu() - began);
        }
        let name = effort.map_or("proven".to_owned(), |effort| effort.share.to_string());
        let (recall, seconds) = (hits as f64 / truth.len() as f64, least / (truth.len() / K) as f64);
        println!("{{\"effort\": \"{name}\", \"share\": {share}, \"recall\": {recall:.5}, \"seconds\": {seconds:.9}}}");
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (directory, dimension) = (Path::new(&arguments[0]), arguments[1].parse().unwrap());
    let (vectors, queries) = (floats(&directory.join("base")), floats(&directory.join("queries")));
    let origin = Origin { rows: vectors.len() / dimension, dimension, measure: base::Distance::Cosine, checksum: 0 };
    let began = all_cpu();
    let blob = build(&vectors, &origin, 1);
    let (built, size) = (all_cpu() - began, blob.len() as f64 / origin.rows as f64);
    println!("{{\"built\": {built:.2}, \"bytes\": {size:.1}}}");
    let codes = Codes::open(blob, &origin).unwrap();
    let bench = Bench { vectors, queries, dimension, codes };
    for share in REACHES {
        bench.run(Some(Effort { share, margin: MARGIN }), "1.0", directory);
    }
    bench.run(None, "1.0", directory);
    for share in SHARES {
        bench.run(Some(Effort::MEASURED), share, directory);
    }
}
