//! Vectors that are unlike each other.

use ann::{Effort, Near};
use base::Distance;

use crate::sample::{K, clustered, codes, score, truth};

const MEASURES: [Distance; 3] = [Distance::Cosine, Distance::Euclidean, Distance::Dot];

/// The same nearest as by comparing all; rows at the same distance may stand for each other.
fn check(vectors: &[f32], query: &[f32]) {
    let row = |row: u32| &vectors[row as usize * query.len()..][..query.len()];
    for measure in MEASURES {
        let codes = codes(vectors, query.len(), measure);
        let found = codes.search_exactly(vectors, &Near { vector: query, k: K, effort: Effort::MEASURED, rows: None });
        let truth = truth(measure, vectors, query, K, None);
        assert_eq!(found.len(), truth.len());
        for (found, truth) in found.iter().zip(truth) {
            let (found, truth) = (score(measure, query, row(found.row)), score(measure, query, row(truth)));
            assert!((found - truth).abs() <= 1e-9 * truth.abs().max(1e-300), "{measure}: {found} for {truth}");
        }
    }
}

#[test]
fn rows_of_extreme_lengths_neither_hide_nor_are_hidden() {
    let mut vectors = clustered(2000, 40, 6);
    for (row, factor) in [(3, 1e25), (700, 1e19), (701, 1e-30), (702, 0.0), (1999, 1e6), (5, -1e30)] {
        vectors[row * 40..][..40].iter_mut().for_each(|value| *value *= factor);
    }
    for row in [0, 3, 5, 700, 701, 1000, 1999] {
        let query = vectors[row * 40..][..40].to_vec();
        check(&vectors, &query);
    }
}

#[test]
fn rows_that_are_all_alike_or_nothing_are_answered() {
    check(&vec![0.0; 3000], &[1.0, 2.0, 3.0]);
    check(&[1.0, 2.0, 3.0].repeat(1000), &[1.0, 2.0, 3.0]);
    check(&[0.0, 0.0, 1e-20].repeat(1000), &[1.0, 2.0, 3.0]);
}

#[test]
fn rows_far_from_the_origin_are_told_apart() {
    let mut vectors = clustered(2000, 24, 8);
    vectors.iter_mut().for_each(|value| *value += 3000.0);
    let query = vectors[240..264].to_vec();
    check(&vectors, &query);
}

#[test]
fn a_query_far_from_all_rows_or_without_direction_is_answered() {
    let vectors = clustered(1000, 24, 8);
    check(&vectors, &[1e20; 24]);
    check(&vectors, &[1e-25; 24]);
    check(&vectors, &[0.0; 24]);
}
