//! The product with AVX2 and FMA: six rows by two registers, half a panel, are summed at once.
#![expect(unsafe_code, reason = "vector instructions; the caller has checked the bounds and the processor")]

use std::arch::x86_64::{
    __m128i, __m256i, _mm_cvtepu8_epi16, _mm_cvtsi32_si128, _mm_load_si128, _mm256_add_epi32, _mm256_add_ps,
    _mm256_broadcastq_epi64, _mm256_cvtepi8_epi16, _mm256_cvtepi32_ps, _mm256_fmadd_ps, _mm256_hadd_epi32,
    _mm256_load_ps, _mm256_load_si256, _mm256_loadu_ps, _mm256_madd_epi16, _mm256_mul_ps, _mm256_permute4x64_epi64,
    _mm256_set1_ps, _mm256_setzero_si256, _mm256_storeu_ps,
};

use super::{ByteTile, Tile, lanes};
use crate::embedded::bytes::{QUAD, Reach};
use crate::embedded::panels::WIDTH;

/// As many rows as leave registers for the panel: twelve sums, two weights, one input.
const MOST: usize = 6;
/// Outputs in one register.
const EIGHT: usize = 8;

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

/// Multiplies one panel of bytes: six rows by eight outputs are summed at once, as words, of which no sum can overflow.
pub(super) fn multiply_bytes(tile: &mut ByteTile<'_, '_>) {
    for column in (0..WIDTH).step_by(EIGHT) {
        let mut row = 0;
        while row < tile.count {
            let left = tile.count - row;
            let now = left.div_ceil(left.div_ceil(MOST));
            // SAFETY: `Kernel::all` has found AVX2 and FMA, and `ByteTile::check` the bounds of `count` rows.
            unsafe { byte_rows(tile, row, now, column) };
            row += now;
        }
    }
}

#[target_feature(enable = "avx2,fma")]
unsafe fn byte_rows(tile: &mut ByteTile<'_, '_>, row: usize, count: usize, column: usize) {
    macro_rules! of {
        ($($rows:literal)*) => {
            match count {
                // SAFETY: the caller's promise.
                $($rows => unsafe { byte_block::<$rows>(tile, row, column) },)*
                _ => {}
            }
        };
    }
    of!(1 2 3 4 5 6);
}

#[target_feature(enable = "avx2,fma")]
unsafe fn byte_block<const ROWS: usize>(tile: &mut ByteTile<'_, '_>, row: usize, column: usize) {
    // SAFETY: `ByteTile::check` has shown that these rows and columns lie inside both matrices; panels are aligned.
    unsafe {
        let stride = tile.rows.stride;
        let input = tile.rows.bytes.as_ptr().add(row * stride);
        let mut sums = [[_mm256_setzero_si256(); 2]; ROWS];
        for (at, weights) in tile.panel.quads.iter().enumerate() {
            let weights: *const __m128i = weights.0.as_ptr().add(column).cast();
            let low = _mm256_cvtepi8_epi16(_mm_load_si128(weights));
            let high = _mm256_cvtepi8_epi16(_mm_load_si128(weights.add(1)));
            for (row, sum) in sums.iter_mut().enumerate() {
                let input: *const i32 = input.add(row * stride + at * QUAD).cast();
                let input = _mm_cvtepu8_epi16(_mm_cvtsi32_si128(input.read_unaligned()));
                let input = _mm256_broadcastq_epi64(input);
                sum[0] = _mm256_add_epi32(sum[0], _mm256_madd_epi16(input, low));
                sum[1] = _mm256_add_epi32(sum[1], _mm256_madd_epi16(input, high));
            }
        }
        for (at, [low, high]) in sums.iter().enumerate() {
            // Each output's two halves come together, in the order 0 1 4 5 2 3 6 7.
            let sums = _mm256_permute4x64_epi64::<0b11_01_10_00>(_mm256_hadd_epi32(*low, *high));
            finish(tile, row + at, column, sums);
        }
    }
}

#[target_feature(enable = "avx2,fma")]
unsafe fn finish(tile: &mut ByteTile<'_, '_>, row: usize, column: usize, sums: __m256i) {
    // SAFETY: as in `byte_block`.
    unsafe {
        let start: *const __m256i = tile.panel.start.0.as_ptr().add(column).cast();
        let sums = _mm256_cvtepi32_ps(_mm256_add_epi32(sums, _mm256_load_si256(start)));
        let apart = tile.rows.apart(row, tile.panel.apart.len());
        let worth = _mm256_set1_ps(tile.rows.factors[row]);
        let factor = _mm256_mul_ps(worth, _mm256_load_ps(tile.panel.factor.0.as_ptr().add(column)));
        let to = tile.out.numbers.as_mut_ptr().add(row * tile.out.stride + tile.column + column);
        let mut bias = _mm256_load_ps(tile.bias.0.as_ptr().add(column));
        if tile.add {
            bias = _mm256_add_ps(bias, _mm256_loadu_ps(to));
        }
        let mut sums = _mm256_fmadd_ps(sums, factor, bias);
        for (input, weights) in apart.iter().zip(tile.panel.apart) {
            sums = _mm256_fmadd_ps(_mm256_set1_ps(*input), _mm256_load_ps(weights.0.as_ptr().add(column)), sums);
        }
        _mm256_storeu_ps(to, sums);
    }
}

lanes::with_features!("avx2,fma");
