//! The product with AVX2 and FMA: six rows by two registers, half a panel, are summed at once.
#![expect(unsafe_code, reason = "vector instructions; the caller has checked the bounds and the processor")]

use std::arch::x86_64::{
    _mm256_add_ps, _mm256_fmadd_ps, _mm256_load_ps, _mm256_loadu_ps, _mm256_set1_ps, _mm256_storeu_ps,
};

use super::{Tile, lanes};
use crate::embedded::panels::WIDTH;

/// As many rows as leave registers for the panel: twelve sums, two weights, one input.
const MOST: usize = 6;

/// Multiplies one panel.
pub(super) fn multiply(tile: &mut Tile<'_, '_>) {
    for half in [0, WIDTH / 2] {
        let mut row = 0;
        while row < tile.count {
            let left = tile.count - row;
            let now = left.div_ceil(left.div_ceil(MOST));
            // SAFETY: `Kernel::all` has found AVX2 and FMA, and `Tile::check` the bounds of `count` rows.
            unsafe { rows(tile, row, now, half) };
            row += now;
        }
    }
}

#[target_feature(enable = "avx2,fma")]
unsafe fn rows(tile: &mut Tile<'_, '_>, row: usize, count: usize, half: usize) {
    macro_rules! of {
        ($($rows:literal)*) => {
            match count {
                // SAFETY: the caller's promise.
                $($rows => unsafe { block::<$rows>(tile, row, half) },)*
                _ => {}
            }
        };
    }
    of!(1 2 3 4 5 6);
}

#[target_feature(enable = "avx2,fma")]
unsafe fn block<const ROWS: usize>(tile: &mut Tile<'_, '_>, row: usize, half: usize) {
    // SAFETY: `Tile::check` has shown that these rows and columns lie inside both matrices; panels are aligned.
    unsafe {
        let input = tile.rows.numbers.as_ptr().add(row * tile.rows.stride);
        let output = tile.out.numbers.as_mut_ptr().add(row * tile.out.stride + tile.column + half);
        let start = tile.start.0.as_ptr().add(half);
        let mut sums = [[_mm256_load_ps(start), _mm256_load_ps(start.add(8))]; ROWS];
        if tile.add {
            for (at, sum) in sums.iter_mut().enumerate() {
                let before = output.add(at * tile.out.stride);
                sum[0] = _mm256_add_ps(sum[0], _mm256_loadu_ps(before));
                sum[1] = _mm256_add_ps(sum[1], _mm256_loadu_ps(before.add(8)));
            }
        }
        for (at, weights) in tile.panel.iter().enumerate() {
            let low = _mm256_load_ps(weights.0.as_ptr().add(half));
            let high = _mm256_load_ps(weights.0.as_ptr().add(half + 8));
            for (row, sum) in sums.iter_mut().enumerate() {
                let input = _mm256_set1_ps(*input.add(row * tile.rows.stride + at));
                sum[0] = _mm256_fmadd_ps(input, low, sum[0]);
                sum[1] = _mm256_fmadd_ps(input, high, sum[1]);
            }
        }
        for (at, sum) in sums.iter().enumerate() {
            let to = output.add(at * tile.out.stride);
            _mm256_storeu_ps(to, sum[0]);
            _mm256_storeu_ps(to.add(8), sum[1]);
        }
    }
}

lanes::with_features!("avx2,fma");
