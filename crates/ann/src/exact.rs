//! Comparison with the vectors themselves, in double precision.

use base::Distance;

use crate::codes::Codes;
use crate::kernel::Kernel;
use crate::search::Found;

/// What is compared with rows.
#[derive(Debug)]
pub(crate) struct Exact<'a> {
    vectors: &'a [f32],
    query: &'a [f32],
    length: f64,
    measure: Distance,
    kernel: Kernel,
}

impl<'a> Exact<'a> {
    pub fn new<B>(codes: &Codes<B>, vectors: &'a [f32], query: &'a [f32]) -> Self {
        let length = codes.kernel.dot_precisely(query, query).sqrt();
        Self { vectors, query, length, measure: codes.origin.measure, kernel: codes.kernel }
    }

    /// The nearest `k` of some rows, nearest first, those at the same score by number.
    pub fn nearest(&self, rows: &[u32], k: usize) -> Vec<Found> {
        let mut found: Vec<Found> = Vec::with_capacity(rows.len());
        for (n, row) in rows.iter().enumerate() {
            if let Some(next) = rows.get(n + 1) {
                self.kernel.prefetch(self.row(*next));
            }
            found.push(Found { row: *row, score: self.score(self.row(*row)) });
        }
        found.sort_unstable_by(|a, b| a.score.total_cmp(&b.score).then(a.row.cmp(&b.row)));
        found.truncate(k);
        found
    }

    fn row(&self, row: u32) -> &'a [f32] {
        let dimension = self.query.len();
        &self.vectors[row as usize * dimension..][..dimension]
    }

    fn score(&self, row: &[f32]) -> f64 {
        let kernel = self.kernel;
        match self.measure {
            Distance::Euclidean => kernel.squared_precisely(self.query, row),
            Distance::Dot => -kernel.dot_precisely(self.query, row),
            Distance::Cosine => {
                let lengths = self.length * kernel.dot_precisely(row, row).sqrt();
                if lengths > 0.0 { -kernel.dot_precisely(self.query, row) / lengths } else { 0.0 }
            }
        }
    }
}
