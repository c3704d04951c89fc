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
    let length = query.len();
    assert_eq!(row.len(), length);
    let (query, row) = (query.as_ptr(), row.as_ptr());
    let mut sums = [_mm512_setzero_ps(); SUMS];
    let mut at = 0;
    // SAFETY: whole reads end at or below `length`, and lanes beyond it are masked out, so not read.
    unsafe {
        while at + SUMS * LANES <= length {
            for sum in &mut sums {
                *sum = add::<SQUARED>(*sum, _mm512_loadu_ps(query.add(at)), _mm512_loadu_ps(row.add(at)));
                at += LANES;
            }
        }
        while at < length {
            let mask = lanes(length - at);
            let (left, right) = (_mm512_maskz_loadu_ps(mask, query.add(at)), _mm512_maskz_loadu_ps(mask, row.add(at)));
            sums[0] = add::<SQUARED>(sums[0], left, right);
            at += LANES;
        }
    }
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

/// The mask of the first `count` lanes, or of all.
fn lanes(count: usize) -> __mmask16 {
    if count >= LANES { __mmask16::MAX } else { (1 << count) - 1 }
}
