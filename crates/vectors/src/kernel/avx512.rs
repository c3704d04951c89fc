//! Sixteen lanes at a time.

#![expect(unsafe_code, reason = "vector instructions read through pointers and need a proof that the machine has them")]

use std::arch::x86_64::*;

use crate::kernel::Measure;

const LANES: usize = 16;
/// Sums under way at once: enough to hide how long one addition takes. Rows are read one after another, not side by
/// side: from memory, one stream is faster than four.
const SUMS: usize = 4;

pub(super) fn is_supported() -> bool {
    is_x86_feature_detected!("avx512f")
}

pub(super) fn score(measure: Measure, query: &[f32], rows: &[f32], scores: &mut [f32]) {
    assert!(is_supported());
    // SAFETY: the machine has the instructions.
    unsafe {
        match measure {
            Measure::Dot => all::<false>(query, rows, scores),
            Measure::Squared => all::<true>(query, rows, scores),
        }
    }
}

#[target_feature(enable = "avx512f")]
fn all<const SQUARED: bool>(query: &[f32], rows: &[f32], scores: &mut [f32]) {
    for (row, score) in rows.chunks_exact(query.len()).zip(scores) {
        *score = one::<SQUARED>(query, row);
    }
}

#[target_feature(enable = "avx512f")]
#[inline]
fn one<const SQUARED: bool>(query: &[f32], row: &[f32]) -> f32 {
    let ((queries, query_rest), (rows, row_rest)) = (query.as_chunks(), row.as_chunks());
    let ((wide_queries, queries), (wide_rows, rows)) = (queries.as_chunks::<SUMS>(), rows.as_chunks::<SUMS>());
    let mut sums = [_mm512_setzero_ps(); SUMS];
    for (query, row) in wide_queries.iter().zip(wide_rows) {
        for n in 0..SUMS {
            sums[n] = add::<SQUARED>(sums[n], load(&query[n]), load(&row[n]));
        }
    }
    for (query, row) in queries.iter().zip(rows) {
        sums[0] = add::<SQUARED>(sums[0], load(query), load(row));
    }
    sums[0] = add::<SQUARED>(sums[0], load_first(query_rest), load_first(row_rest));
    total(_mm512_add_ps(_mm512_add_ps(sums[0], sums[1]), _mm512_add_ps(sums[2], sums[3])))
}

#[target_feature(enable = "avx512f")]
#[inline]
fn add<const SQUARED: bool>(sum: __m512, a: __m512, b: __m512) -> __m512 {
    if SQUARED {
        let difference = _mm512_sub_ps(a, b);
        return _mm512_fmadd_ps(difference, difference, sum);
    }
    _mm512_fmadd_ps(a, b, sum)
}

#[target_feature(enable = "avx512f")]
#[inline]
fn total(lanes: __m512) -> f32 {
    _mm512_reduce_add_ps(lanes)
}

#[target_feature(enable = "avx512f")]
#[inline]
fn load(values: &[f32; LANES]) -> __m512 {
    // SAFETY: as many values as lanes.
    unsafe { _mm512_loadu_ps(values.as_ptr()) }
}

/// Fewer values than lanes, then zeros.
#[target_feature(enable = "avx512f")]
#[inline]
fn load_first(values: &[f32]) -> __m512 {
    debug_assert!(values.len() < LANES);
    // SAFETY: lanes beyond the values are masked out, so not read.
    unsafe { _mm512_maskz_loadu_ps((1 << values.len()) - 1, values.as_ptr()) }
}
