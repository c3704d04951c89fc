//! The product of bytes with AVX-512 VNNI: fourteen rows by one panel of two registers are summed at once.
#![expect(unsafe_code, reason = "vector instructions; the caller has checked the bounds and the processor")]

use std::arch::x86_64::{
    __m512, __m512i, _mm512_add_ps, _mm512_cvtepi32_ps, _mm512_dpbusd_epi32, _mm512_fmadd_ps, _mm512_load_ps,
    _mm512_load_si512, _mm512_loadu_ps, _mm512_mul_ps, _mm512_set1_epi32, _mm512_set1_ps, _mm512_storeu_ps,
};

use super::ByteTile;
use crate::embedded::bytes::QUAD;

/// As many rows as leave registers for the panel: 28 sums, two weights, one input.
const MOST: usize = 14;

/// Multiplies one panel.
pub(super) fn multiply_bytes(tile: &mut ByteTile<'_, '_>) {
    let mut row = 0;
    while row < tile.count {
        let left = tile.count - row;
        // As even as possible, so that the last rows do not run alone.
        let now = left.div_ceil(left.div_ceil(MOST));
        // SAFETY: `Kernel::all` has found these instructions, and `ByteTile::check` the bounds of `count` rows.
        unsafe { rows(tile, row, now) };
        row += now;
    }
}

#[target_feature(enable = "avx512f,avx512vnni")]
unsafe fn rows(tile: &mut ByteTile<'_, '_>, row: usize, count: usize) {
    macro_rules! of {
        ($($rows:literal)*) => {
            match count {
                // SAFETY: the caller's promise.
                $($rows => unsafe { block::<$rows>(tile, row) },)*
                _ => {}
            }
        };
    }
    of!(1 2 3 4 5 6 7 8 9 10 11 12 13 14);
}

#[target_feature(enable = "avx512f,avx512vnni")]
unsafe fn block<const ROWS: usize>(tile: &mut ByteTile<'_, '_>, row: usize) {
    // SAFETY: `ByteTile::check` has shown that these rows and columns lie inside both matrices; panels are aligned.
    unsafe {
        let sums = sums::<ROWS>(tile, row);
        for (at, sum) in sums.iter().enumerate() {
            let [low, high] = worth(tile, row + at, sum);
            let to = tile.out.numbers.as_mut_ptr().add((row + at) * tile.out.stride + tile.column);
            _mm512_storeu_ps(to, low);
            _mm512_storeu_ps(to.add(16), high);
        }
    }
}

/// What the bytes of some rows come to. A function of its own, so that the sums stay in registers until they are done.
#[inline(never)]
#[target_feature(enable = "avx512f,avx512vnni")]
unsafe fn sums<const ROWS: usize>(tile: &ByteTile<'_, '_>, row: usize) -> [[__m512i; 2]; ROWS] {
    // SAFETY: as in `block`.
    unsafe {
        let stride = tile.rows.stride;
        let input = tile.rows.bytes.as_ptr().add(row * stride);
        let start: *const __m512i = tile.panel.start.0.as_ptr().cast();
        let mut sums = [[_mm512_load_si512(start), _mm512_load_si512(start.add(1))]; ROWS];
        for (at, weights) in tile.panel.quads.iter().enumerate() {
            let weights: *const __m512i = weights.0.as_ptr().cast();
            let (low, high) = (_mm512_load_si512(weights), _mm512_load_si512(weights.add(1)));
            for (row, sum) in sums.iter_mut().enumerate() {
                let input: *const i32 = input.add(row * stride + at * QUAD).cast();
                let input = _mm512_set1_epi32(input.read_unaligned());
                sum[0] = _mm512_dpbusd_epi32(sum[0], input, low);
                sum[1] = _mm512_dpbusd_epi32(sum[1], input, high);
            }
        }
        sums
    }
}

/// What the sums of a row are worth, with what they are added to and what stays apart.
#[inline]
#[target_feature(enable = "avx512f,avx512vnni")]
unsafe fn worth(tile: &ByteTile<'_, '_>, row: usize, sums: &[__m512i; 2]) -> [__m512; 2] {
    // SAFETY: as in `block`.
    unsafe {
        let one = _mm512_set1_ps(*tile.rows.factors.as_ptr().add(row));
        let before = tile.out.numbers.as_ptr().add(row * tile.out.stride + tile.column);
        let half = |at: usize, sum: __m512i| {
            let factor = _mm512_mul_ps(one, _mm512_load_ps(tile.panel.factor.0.as_ptr().add(at)));
            let bias = _mm512_load_ps(tile.bias.0.as_ptr().add(at));
            let start = if tile.add { _mm512_add_ps(bias, _mm512_loadu_ps(before.add(at))) } else { bias };
            _mm512_fmadd_ps(_mm512_cvtepi32_ps(sum), factor, start)
        };
        let mut worth = [half(0, sums[0]), half(16, sums[1])];
        let apart = tile.rows.apart(row, tile.panel.apart.len());
        for (input, weights) in apart.iter().zip(tile.panel.apart) {
            let (input, weights) = (_mm512_set1_ps(*input), weights.0.as_ptr());
            worth[0] = _mm512_fmadd_ps(input, _mm512_load_ps(weights), worth[0]);
            worth[1] = _mm512_fmadd_ps(input, _mm512_load_ps(weights.add(16)), worth[1]);
        }
        worth
    }
}
