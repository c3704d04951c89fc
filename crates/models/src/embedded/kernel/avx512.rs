//! The product with AVX-512: fourteen rows by two registers are summed at once.
#![expect(unsafe_code, reason = "vector instructions; the caller has checked the bounds and the processor")]

use std::arch::x86_64::{
    _mm512_add_ps, _mm512_fmadd_ps, _mm512_load_ps, _mm512_loadu_ps, _mm512_set1_ps, _mm512_storeu_ps,
};

use super::{Tile, lanes};
use crate::embedded::bytes::Reach;

/// As many rows as leave registers for the panel: 28 sums, two weights, one input.
const MOST: usize = 14;

/// Multiplies one panel.
pub(super) fn multiply(tile: &mut Tile<'_, '_>) {
    let mut row = 0;
    while row < tile.count {
        let left = tile.count - row;
        // As even as possible, so that the last rows do not run alone.
        let now = left.div_ceil(left.div_ceil(MOST));
        // SAFETY: `Kernel::all` has found AVX-512, and `Tile::check` the bounds of `count` rows.
        unsafe { rows(tile, row, now) };
        row += now;
    }
}

#[target_feature(enable = "avx512f")]
unsafe fn rows(tile: &mut Tile<'_, '_>, row: usize, count: usize) {
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

#[target_feature(enable = "avx512f")]
unsafe fn block<const ROWS: usize>(tile: &mut Tile<'_, '_>, row: usize) {
    // SAFETY: `Tile::check` has shown that these rows and columns lie inside both matrices; panels are aligned.
    unsafe {
        let input = tile.rows.numbers.as_ptr().add(row * tile.rows.stride);
        let output = tile.out.numbers.as_mut_ptr().add(row * tile.out.stride + tile.column);
        let start = tile.start.0.as_ptr();
        let mut sums = [[_mm512_load_ps(start), _mm512_load_ps(start.add(16))]; ROWS];
        if tile.add {
            for (at, sum) in sums.iter_mut().enumerate() {
                let before = output.add(at * tile.out.stride);
                sum[0] = _mm512_add_ps(sum[0], _mm512_loadu_ps(before));
                sum[1] = _mm512_add_ps(sum[1], _mm512_loadu_ps(before.add(16)));
            }
        }
        for (at, weights) in tile.panel.iter().enumerate() {
            let low = _mm512_load_ps(weights.0.as_ptr());
            let high = _mm512_load_ps(weights.0.as_ptr().add(16));
            for (row, sum) in sums.iter_mut().enumerate() {
                let input = _mm512_set1_ps(*input.add(row * tile.rows.stride + at));
                sum[0] = _mm512_fmadd_ps(input, low, sum[0]);
                sum[1] = _mm512_fmadd_ps(input, high, sum[1]);
            }
        }
        for (at, sum) in sums.iter().enumerate() {
            let to = output.add(at * tile.out.stride);
            _mm512_storeu_ps(to, sum[0]);
            _mm512_storeu_ps(to.add(16), sum[1]);
        }
    }
}

lanes::with_features!("avx512f");
