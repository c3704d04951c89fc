use ann::precise;
use proptest::prelude::*;

use super::{Kernel, Measure};

/// By how much a score may miss the one in double precision, for each unit of the terms' total magnitude.
const TOLERANCE: f64 = 1e-5;

const MEASURES: [Measure; 2] = [Measure::Dot, Measure::Squared];

fn score(kernel: Kernel, measure: Measure, query: &[f32], rows: &[f32]) -> Vec<f32> {
    let mut scores = vec![f32::NAN; rows.len() / query.len()];
    kernel.score(measure, query, rows, &mut scores);
    scores
}

/// The score in double precision, and the total magnitude of its terms.
fn reference(measure: Measure, query: &[f32], row: &[f32]) -> (f64, f64) {
    let (exact, term): (f64, fn(f64, f64) -> f64) = match measure {
        Measure::Dot => (precise::dot(query, row), |a, b| a * b),
        Measure::Squared => (precise::squared(query, row), |a, b| (a - b) * (a - b)),
    };
    let terms = query.iter().zip(row).map(|(a, b)| term((*a).into(), (*b).into()).abs());
    (exact, terms.sum())
}

fn vectors() -> impl Strategy<Value = (Vec<f32>, Vec<f32>)> {
    (1..150_usize, 0..9_usize).prop_flat_map(|(dimension, rows)| {
        let values = |count| prop::collection::vec(-10.0_f32..10.0, count);
        (values(dimension), values(dimension * rows))
    })
}

proptest! {
    #[test]
    fn every_kernel_agrees_with_double_precision((query, rows) in vectors()) {
        for kernel in Kernel::all() {
            for measure in MEASURES {
                let scores = score(kernel, measure, &query, &rows);
                for (row, score) in rows.chunks(query.len()).zip(scores) {
                    let (exact, magnitude) = reference(measure, &query, row);
                    let miss = (f64::from(score) - exact).abs();
                    prop_assert!(miss <= TOLERANCE * magnitude, "{kernel:?} {measure:?}: {score} for {exact}");
                }
            }
        }
    }

    #[test]
    fn a_row_scores_the_same_in_any_place((query, rows) in vectors()) {
        for kernel in Kernel::all() {
            for measure in MEASURES {
                let together = score(kernel, measure, &query, &rows);
                let alone = rows.chunks(query.len()).flat_map(|row| score(kernel, measure, &query, row));
                prop_assert!(alone.eq(together));
            }
        }
    }

    #[test]
    fn whole_numbers_rank_the_same_everywhere(
        query in prop::collection::vec(-9_i8..9, 37),
        rows in prop::collection::vec(-9_i8..9, 37 * 20),
    ) {
        let (query, rows): (Vec<f32>, Vec<f32>) =
            (query.into_iter().map(f32::from).collect(), rows.into_iter().map(f32::from).collect());
        for measure in MEASURES {
            let reference = score(Kernel::Scalar, measure, &query, &rows);
            for kernel in Kernel::all() {
                prop_assert_eq!(&score(kernel, measure, &query, &rows), &reference);
            }
        }
    }
}

#[test]
fn long_rows_stay_within_the_tolerance() {
    let value = |n: usize| ((n * 7919 % 1013) as f32 - 506.0) / 506.0;
    let query: Vec<f32> = (0..4096).map(value).collect();
    let row: Vec<f32> = (0..4096).map(|n| value(n + 3)).collect();
    for kernel in Kernel::all() {
        for measure in MEASURES {
            let (exact, magnitude) = reference(measure, &query, &row);
            let scored = f64::from(score(kernel, measure, &query, &row)[0]);
            assert!((scored - exact).abs() <= TOLERANCE * magnitude, "{kernel:?} {measure:?}: {scored} for {exact}");
        }
    }
}

#[test]
#[should_panic = "a score for each row"]
fn rows_of_another_length_are_refused() {
    Kernel::best().score(Measure::Dot, &[1.0, 2.0], &[1.0, 2.0, 3.0], &mut [0.0]);
}
