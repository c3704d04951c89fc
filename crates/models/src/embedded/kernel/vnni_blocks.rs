//! The product of blocks with AVX-512 VNNI: four rows by one panel of two registers are summed at once.
#![expect(unsafe_code, reason = "vector instructions; the caller has checked the bounds and the processor")]

use std::arch::x86_64::{
    __m256i, __m512, __m512i, _mm256_load_si256, _mm512_and_si512, _mm512_cvtepi32_ps, _mm512_cvtph_ps,
    _mm512_dpbusd_epi32, _mm512_fmadd_ps, _mm512_load_si512, _mm512_loadu_ps, _mm512_mul_ps, _mm512_set1_epi8,
    _mm512_set1_epi32, _mm512_set1_ps, _mm512_setzero_ps, _mm512_srli_epi32, _mm512_storeu_ps,
};

use super::BlockTile;
use crate::embedded::blocks::{BLOCK, MIDDLE};
use crate::embedded::bytes::QUAD;

/// As many rows as leave registers for a block of the panel: eight sums, sixteen weights, four factors.
const MOST: usize = 4;
/// Registers of a block: four inputs of half the outputs in each.
const REGISTERS: usize = 2 * BLOCK / QUAD;

/// Multiplies one panel, of nibbles or of octets.
pub(super) fn multiply<B, const NIBBLES: bool>(tile: &mut BlockTile<'_, '_, B>) {
    let mut row = 0;
    while row < tile.rows.count {
        let left = tile.rows.count - row;
        let now = left.div_ceil(left.div_ceil(MOST));
        // SAFETY: `Kernel::all` has found these instructions, and `BlockTile::check` the bounds of all rows.
        unsafe {
            match now {
                1 => rows::<B, 1, NIBBLES>(tile, row),
                2 => rows::<B, 2, NIBBLES>(tile, row),
                3 => rows::<B, 3, NIBBLES>(tile, row),
                _ => rows::<B, 4, NIBBLES>(tile, row),
            }
        }
        row += now;
    }
}

#[target_feature(enable = "avx512f,avx512vnni")]
unsafe fn rows<B, const ROWS: usize, const NIBBLES: bool>(tile: &mut BlockTile<'_, '_, B>, row: usize) {
    // SAFETY: `BlockTile::check` has shown that these rows and columns lie inside both matrices; blocks are aligned, and
    // begin with their codes, their factors and, of nibbles, their least numbers.
    unsafe {
        let depth = tile.rows.depth;
        let to = tile.out.numbers.as_mut_ptr().add(row * tile.out.stride + tile.column);
        let mut sums = [[_mm512_setzero_ps(); 2]; ROWS];
        if tile.add {
            for (at, sum) in sums.iter_mut().enumerate() {
                let before = to.add(at * tile.out.stride);
                *sum = [_mm512_loadu_ps(before), _mm512_loadu_ps(before.add(16))];
            }
        }
        for (at, block) in tile.panel.iter().enumerate() {
            let block: *const __m512i = (&raw const *block).cast();
            let weights = weights::<NIBBLES>(block);
            let worths: *const __m256i = block.add(if NIBBLES { REGISTERS / 2 } else { REGISTERS }).cast();
            let factors = [halves(worths), halves(worths.add(1))];
            for (sum, row) in sums.iter_mut().zip(row..) {
                let dots = dots::<NIBBLES, B>(tile, row * depth + at, &weights);
                let one = *tile.rows.factors.as_ptr().add(row * depth + at);
                let factor = _mm512_set1_ps(one);
                sum[0] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(dots[0]), _mm512_mul_ps(factors[0], factor), sum[0]);
                sum[1] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(dots[1]), _mm512_mul_ps(factors[1], factor), sum[1]);
                if NIBBLES {
                    let total = _mm512_set1_ps(one * *tile.rows.sums.as_ptr().add(row * depth + at) as f32);
                    sum[0] = _mm512_fmadd_ps(halves(worths.add(2)), total, sum[0]);
                    sum[1] = _mm512_fmadd_ps(halves(worths.add(3)), total, sum[1]);
                }
            }
        }
        for (at, sum) in sums.iter().enumerate() {
            let to = to.add(at * tile.out.stride);
            _mm512_storeu_ps(to, sum[0]);
            _mm512_storeu_ps(to.add(16), sum[1]);
        }
    }
}

/// The codes of a block, a byte each.
#[inline]
#[target_feature(enable = "avx512f,avx512vnni")]
unsafe fn weights<const NIBBLES: bool>(block: *const __m512i) -> [__m512i; REGISTERS] {
    let mut weights = [_mm512_set1_epi32(0); REGISTERS];
    if NIBBLES {
        let low = _mm512_set1_epi8(15);
        for at in 0..REGISTERS / 2 {
            // SAFETY: the caller's promise.
            let both = unsafe { _mm512_load_si512(block.add(at)) };
            weights[at] = _mm512_and_si512(both, low);
            weights[REGISTERS / 2 + at] = _mm512_and_si512(_mm512_srli_epi32::<4>(both), low);
        }
    } else {
        for (at, weights) in weights.iter_mut().enumerate() {
            // SAFETY: the caller's promise.
            *weights = unsafe { _mm512_load_si512(block.add(at)) };
        }
    }
    weights
}

/// What the codes of one block of a row come to with the panel's.
#[inline]
#[target_feature(enable = "avx512f,avx512vnni")]
unsafe fn dots<const NIBBLES: bool, B>(
    tile: &BlockTile<'_, '_, B>,
    block: usize,
    weights: &[__m512i; REGISTERS],
) -> [__m512i; 2] {
    // SAFETY: as in `rows`.
    unsafe {
        let input: *const i32 = tile.rows.codes.as_ptr().add(block * BLOCK).cast();
        let zero = if NIBBLES { 0 } else { -i32::from(MIDDLE) * *tile.rows.sums.as_ptr().add(block) };
        let mut dots = [_mm512_set1_epi32(zero); 2];
        for quad in 0..REGISTERS / 2 {
            let input = _mm512_set1_epi32(input.add(quad).read_unaligned());
            dots[0] = _mm512_dpbusd_epi32(dots[0], weights[2 * quad], input);
            dots[1] = _mm512_dpbusd_epi32(dots[1], weights[2 * quad + 1], input);
        }
        dots
    }
}

/// Sixteen numbers of 16 bits.
#[inline]
#[target_feature(enable = "avx512f")]
unsafe fn halves(from: *const __m256i) -> __m512 {
    // SAFETY: the caller's promise.
    unsafe { _mm512_cvtph_ps(_mm256_load_si256(from)) }
}
