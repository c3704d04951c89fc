//! The reference: plain code in sixteen lanes, which compilers turn into whatever vectors the target has.

use crate::kernel::Measure;

const LANES: usize = 16;

pub(super) fn score(measure: Measure, query: &[f32], rows: &[f32], scores: &mut [f32]) {
    match measure {
        Measure::Dot => all(query, rows, scores, |a, b| a * b),
        Measure::Squared => all(query, rows, scores, |a, b| (a - b) * (a - b)),
    }
}

fn all(query: &[f32], rows: &[f32], scores: &mut [f32], term: impl Fn(f32, f32) -> f32) {
    for (row, score) in rows.chunks_exact(query.len()).zip(scores) {
        *score = sum(query, row, &term);
    }
}

fn sum(query: &[f32], row: &[f32], term: impl Fn(f32, f32) -> f32) -> f32 {
    let (query, query_rest) = query.as_chunks::<LANES>();
    let (row, row_rest) = row.as_chunks::<LANES>();
    let mut lanes = [0.0; LANES];
    for (a, b) in query.iter().zip(row) {
        for lane in 0..LANES {
            lanes[lane] += term(a[lane], b[lane]);
        }
    }
    let rest: f32 = query_rest.iter().zip(row_rest).map(|(a, b)| term(*a, *b)).sum();
    lanes.iter().sum::<f32>() + rest
}
