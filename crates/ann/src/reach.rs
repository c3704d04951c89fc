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
/// How many of the nearest are asked for.
const K: usize = 10;
/// Of how many rows one may be found, at the second point that is measured: as a filter leaves them.
const ONE_IN: u32 = 10;
/// The share of the nearest that must lie in the partitions that are searched.
const WANTED: f64 = 0.99;
/// What each e-fold of the partitions searched adds to the remoteness of the next.
const RANK: f32 = 0.2;
/// No reach is smaller than this, so that any effort can be told in shares of it.
const LEAST: f32 = 0.05;

/// How far a search must go: up to which remoteness partitions may hold one of the nearest.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Reach {
    /// For the ten nearest of all.
    pub all: f32,
    /// For the ten nearest of a tenth of them. It serves for the hundred nearest of all too, and by both all other numbers are
    /// told.
    pub tenth: f32,
}

/// What is added to the squares of distances to centres when partitions are put in order.
#[derive(Debug)]
pub(crate) struct Lifts(pub Vec<f32>);

impl Lifts {
    /// What partitions are put in order by, of the squares of distances to their centres. The closest one comes first all the
    /// same: that is where a row lies that equals the query.
    pub fn over(&self, squares: &[f32]) -> Vec<f32> {
        let mut lifted: Vec<f32> = squares.iter().zip(&self.0).map(|(square, lift)| square + lift).collect();
        let first = lifted.iter().copied().fold(f32::INFINITY, f32::min);
        if let Some((closest, _)) = squares.iter().enumerate().min_by(|a, b| a.1.total_cmp(b.1)) {
            lifted[closest] = first.next_down();
        }
        lifted
    }
}

/// How unlikely a partition is to hold one of the nearest: by how much its lifted square is beyond the first one, in squares
/// of the distance of the last of the nearest, and how many partitions come before it. Either alone would take half as
/// many partitions more.
pub(crate) fn remoteness(square: f32, first: f32, last: f32, before: usize) -> f32 {
    (square - first) / last.max(f32::MIN_POSITIVE) + RANK * (before as f32).ln_1p()
}

/// The nearest of all rows, nearest first, and of a tenth of them: the squares of their distances, and their numbers.
type Neighbours = [Vec<(f32, u32)>; 2];

/// The remoteness of the partition of each of them.
type Remotenesses = [Vec<f32>; 2];

impl Reach {
    /// For so many of the nearest.
    pub fn of(&self, k: f64) -> f32 {
        let folds = (k / K as f64).max(1.0).ln() / f64::from(ONE_IN).ln();
        // Clusters end somewhere, and how far before a tenth of their rows is not known.
        let folds = if folds < 1.0 { folds.sqrt() } else { folds };
        self.all + (self.tenth - self.all) * folds as f32
    }

    /// What rows around these centres need; `nearest` tells each row's centre. The sample is of rows as queries.
    pub fn measure(
        rows: ByteRows,
        sample: &[(u32, ByteQuery)],
        centres: &Centres,
        lifts: &Lifts,
        nearest: &[u32],
        kernel: Kernel,
    ) -> Self {
        let hoods: Vec<Remotenesses> = sample
            .par_chunks(TOGETHER)
            .flat_map_iter(|sample| {
                let found = neighbours(rows, sample, kernel);
                sample
                    .iter()
                    .zip(found)
                    .map(|((_, query), found)| hood(&lifts.over(&centres.squares(query, kernel)), &found, nearest))
            })
            .collect();
        let [all, tenth] = [0, 1].map(|n| quantile(hoods.iter().flat_map(|hood| &hood[n])).max(LEAST));
        Self { all, tenth: tenth.max(all) }
    }
}

/// The rows that a sample is taken of; none where there are so few that a search may as well go everywhere.
pub(crate) fn sample(listed: &[u32]) -> impl Iterator<Item = u32> {
    let step = (listed.len() / SAMPLE).max(1);
    listed.iter().copied().step_by(step).take(if step > 1 { listed.len() } else { 0 })
}

/// The neighbours of each of some rows, without themselves.
fn neighbours(rows: ByteRows, sample: &[(u32, ByteQuery)], kernel: Kernel) -> Vec<Neighbours> {
    let numbers: Vec<i8> = sample.iter().flat_map(|(_, query)| query.numbers.iter().copied()).collect();
    let mut found: Vec<Neighbours> = vec![Default::default(); sample.len()];
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
            let others = others.map(|((square, _), row)| (*square, row));
            let [all, tenth] = &mut found[n];
            keep(tenth, others.clone().filter(|(_, row)| is_of_the_tenth(*row)));
            keep(all, others);
        }
    }
    found
}

/// Whether a row belongs to a tenth that has nothing to do with what the rows are.
fn is_of_the_tenth(row: u32) -> bool {
    const SCATTER: u32 = 0x9e37_79b1;
    row.wrapping_mul(SCATTER) < u32::MAX / ONE_IN
}

/// Keeps the nearest of those that were found and those that come.
fn keep(found: &mut Vec<(f32, u32)>, more: impl Iterator<Item = (f32, u32)>) {
    let limit = if found.len() < K { f32::INFINITY } else { found[K - 1].0 };
    let known = found.len();
    found.extend(more.filter(|(square, _)| *square < limit));
    if found.len() > known {
        found.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        found.truncate(K);
    }
}

/// `squares` are those of the row's distances to all centres, lifted.
fn hood(squares: &[f32], found: &Neighbours, nearest: &[u32]) -> Remotenesses {
    let mut sorted = squares.to_vec();
    sorted.sort_unstable_by(f32::total_cmp);
    found.each_ref().map(|found| {
        let last = found.last().map_or(0.0, |(square, _)| *square);
        let centre = |row: u32| squares[nearest[row as usize] as usize];
        let before = |centre: f32| sorted.partition_point(|square| *square < centre);
        let centres = found.iter().map(|(_, row)| centre(*row));
        centres.map(|square| remoteness(square, sorted[0], last, before(square))).collect()
    })
}

/// The number that the share of them that is wanted does not exceed; no bound where there are none.
fn quantile<'a>(numbers: impl Iterator<Item = &'a f32>) -> f32 {
    let mut numbers: Vec<f32> = numbers.copied().collect();
    numbers.sort_unstable_by(f32::total_cmp);
    let place = (numbers.len() as f64 * WANTED).ceil() as usize;
    numbers.get(place.saturating_sub(1)).copied().unwrap_or(f32::MAX)
}
