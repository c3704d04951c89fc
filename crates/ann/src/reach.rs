//! How far a search must go: measured when codes are built, on a sample of their own rows.

use rayon::prelude::*;

use crate::bytes::ByteQuery;
use crate::kernel::Kernel;
use crate::partitions::{ByteRows, Centres};

/// Rows of the sample.
const SAMPLE: usize = 256;
/// Rows of the sample that are compared with the others together.
const TOGETHER: usize = 8;
/// Rows that those are compared with at a time.
const STRIDE: usize = 1024;
/// How many of the nearest are asked for, at the two points that are measured.
const FEW: usize = 10;
const MANY: usize = 100;
/// The share of the nearest that must lie in the partitions that are searched.
const WANTED: f64 = 0.99;
/// The share of the nearest that must lie around centres that are near enough.
const CERTAIN: f64 = 0.998;

/// How far a search must go.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Reach {
    /// Partitions to be searched for the ten nearest.
    pub few: f64,
    /// With which power of the number of the nearest that grows.
    pub growth: f64,
    /// The square of a centre's distance, in those of the last of the nearest, beyond which its partition has none.
    pub ratio: f64,
}

/// What one row of the sample tells: the ranks of the partitions of its neighbours, and how far their centres are.
type Neighbourhood = (Vec<f64>, Vec<f64>, Vec<f64>);

impl Reach {
    /// Partitions to be searched for so many of the nearest.
    pub fn partitions(&self, k: f64) -> f64 {
        self.few * (k / FEW as f64).max(1.0).powf(self.growth)
    }

    /// What rows around these centres need; `nearest` tells each row's centre. The sample is of rows as queries.
    pub fn measure(
        rows: ByteRows,
        sample: &[(u32, ByteQuery)],
        centres: &Centres,
        nearest: &[u32],
        kernel: Kernel,
    ) -> Self {
        let hoods: Vec<Neighbourhood> = sample
            .par_chunks(TOGETHER)
            .flat_map_iter(|sample| {
                let found = neighbours(rows, sample, kernel);
                sample.iter().zip(found).map(|((_, query), found)| hood(query, &found, centres, nearest, kernel))
            })
            .collect();
        let few = quantile(hoods.iter().flat_map(|(few, _, _)| few), WANTED) + 1.0;
        let many = quantile(hoods.iter().flat_map(|(_, many, _)| many), WANTED) + 1.0;
        let growth = (many / few).max(1.0).ln() / (MANY as f64 / FEW as f64).ln();
        Self { few, growth, ratio: quantile(hoods.iter().flat_map(|(_, _, ratios)| ratios), CERTAIN) }
    }
}

/// The rows that a sample is taken of; none where there are so few that a search may as well go everywhere.
pub(crate) fn sample(listed: &[u32]) -> impl Iterator<Item = u32> {
    let step = (listed.len() / SAMPLE).max(1);
    listed.iter().copied().step_by(step).take(if step > 1 { listed.len() } else { 0 })
}

/// The nearest of all rows to each of some, nearest first and without themselves.
fn neighbours(rows: ByteRows, sample: &[(u32, ByteQuery)], kernel: Kernel) -> Vec<Vec<(f32, u32)>> {
    let numbers: Vec<i8> = sample.iter().flat_map(|(_, query)| query.numbers.iter().copied()).collect();
    let mut found: Vec<Vec<(f32, u32)>> = vec![Vec::new(); sample.len()];
    let strides = rows.bytes.chunks(STRIDE * rows.width).zip(rows.steps.chunks(STRIDE));
    let (mut products, mut squares) = (vec![0; STRIDE * sample.len()], vec![0.0; STRIDE]);
    for ((bytes, steps), first) in strides.zip((0_u32..).step_by(STRIDE)) {
        let products = &mut products[..steps.len() * sample.len()];
        kernel.products(rows.width, &numbers, bytes, products);
        for (n, products) in products.chunks_exact(steps.len()).enumerate() {
            let squares = &mut squares[..steps.len()];
            let (own, query) = &sample[n];
            kernel.distances(query.frame, products, steps, squares);
            // A row without length was never placed.
            let others = squares.iter().zip(steps).zip(first..).filter(|((_, step), row)| row != own && step.1 > 0.0);
            keep(&mut found[n], others.map(|((square, _), row)| (*square, row)));
        }
    }
    found
}

/// Keeps the nearest of those that were found and those that come.
fn keep(found: &mut Vec<(f32, u32)>, more: impl Iterator<Item = (f32, u32)>) {
    let limit = if found.len() < MANY { f32::INFINITY } else { found[MANY - 1].0 };
    let known = found.len();
    found.extend(more.filter(|(square, _)| *square < limit));
    if found.len() > known {
        found.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        found.truncate(MANY);
    }
}

fn hood(query: &ByteQuery, found: &[(f32, u32)], centres: &Centres, nearest: &[u32], kernel: Kernel) -> Neighbourhood {
    let squares = centres.squares(query, kernel);
    let mut sorted = squares.clone();
    sorted.sort_unstable_by(f32::total_cmp);
    let centre = |row: u32| squares[nearest[row as usize] as usize];
    let rank = |(_, row): &(f32, u32)| sorted.partition_point(|square| *square < centre(*row)) as f64;
    let few = &found[..FEW.min(found.len())];
    let last = few.last().map_or(0.0, |(square, _)| *square);
    let ratios = few.iter().filter(|_| last > 0.0).map(|(_, row)| f64::from(centre(*row) / last));
    (few.iter().map(rank).collect(), found.iter().map(rank).collect(), ratios.collect())
}

/// The number that this share of them does not exceed.
fn quantile<'a>(numbers: impl Iterator<Item = &'a f64>, share: f64) -> f64 {
    let mut numbers: Vec<f64> = numbers.copied().collect();
    numbers.sort_unstable_by(f64::total_cmp);
    let place = (numbers.len() as f64 * share).ceil() as usize;
    numbers.get(place.clamp(1, numbers.len().max(1)) - 1).copied().unwrap_or(f64::INFINITY)
}
