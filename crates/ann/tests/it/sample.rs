//! Vectors to search in, and what a search by comparing everything finds in them.

use ann::{Codes, Effort, Near, Origin, Rows, build};
use base::Distance;

pub const K: usize = 10;

/// Numbers that look random.
pub struct Dice(pub u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }

    fn below(&mut self, limit: usize) -> usize {
        self.roll() as usize % limit
    }

    /// About normally distributed.
    pub fn normal(&mut self) -> f32 {
        (0..6).map(|_| self.roll() as f32 / (1_u64 << 31) as f32 - 0.5).sum::<f32>() * 1.414
    }
}

/// Rows around one centre for every fifty of them.
pub fn clustered(rows: usize, dimension: usize, seed: u64) -> Vec<f32> {
    let mut dice = Dice(seed);
    let count = rows.div_ceil(50);
    let centres: Vec<f32> = (0..count * dimension).map(|_| dice.normal()).collect();
    let mut vectors = Vec::with_capacity(rows * dimension);
    for _ in 0..rows {
        let centre = dice.below(count) * dimension;
        vectors.extend((0..dimension).map(|n| centres[centre + n] + 0.8 * dice.normal()));
    }
    vectors
}

pub fn origin(vectors: &[f32], dimension: usize, measure: Distance) -> Origin {
    Origin { rows: vectors.len() / dimension, dimension, measure, checksum: 77 }
}

pub fn codes(vectors: &[f32], dimension: usize, measure: Distance) -> Codes<Vec<u8>> {
    let origin = origin(vectors, dimension, measure);
    Codes::open(build(vectors, &origin, 5), &origin).unwrap()
}

/// Smaller is nearer.
pub fn score(measure: Distance, query: &[f32], row: &[f32]) -> f64 {
    let pairs = || query.iter().zip(row).map(|(a, b)| (f64::from(*a), f64::from(*b)));
    let dot: f64 = pairs().map(|(a, b)| a * b).sum();
    let lengths = (pairs().map(|(a, _)| a * a).sum::<f64>() * pairs().map(|(_, b)| b * b).sum::<f64>()).sqrt();
    match measure {
        Distance::Cosine if lengths > 0.0 => -dot / lengths,
        Distance::Cosine => 0.0,
        Distance::Euclidean => pairs().map(|(a, b)| (a - b) * (a - b)).sum(),
        Distance::Dot => -dot,
    }
}

/// The nearest by comparing every row that may be found.
pub fn truth(measure: Distance, vectors: &[f32], query: &[f32], k: usize, rows: Option<&Rows>) -> Vec<u32> {
    let all = vectors.chunks_exact(query.len()).zip(0..);
    let may = all.filter(|(_, row)| rows.is_none_or(|rows| rows.has(*row)));
    let mut scored: Vec<(f64, u32)> = may.map(|(row, number)| (score(measure, query, row), number)).collect();
    scored.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    scored.into_iter().take(k).map(|(_, row)| row).collect()
}

/// What share of the true nearest a search finds.
pub fn recall(
    codes: &Codes<Vec<u8>>,
    measure: Distance,
    vectors: &[f32],
    queries: &[Vec<f32>],
    effort: Effort,
    rows: Option<&Rows>,
) -> f64 {
    let (mut hits, mut wanted) = (0, 0);
    for query in queries {
        let found = codes.search(vectors, &Near { vector: query, k: K, effort, rows });
        assert!(rows.is_none_or(|rows| found.iter().all(|found| rows.has(found.row))));
        let truth = truth(measure, vectors, query, K, rows);
        assert_eq!(found.len(), truth.len(), "as many as there are, up to k");
        hits += found.iter().filter(|found| truth.contains(&found.row)).count();
        wanted += truth.len();
    }
    hits as f64 / wanted as f64
}
