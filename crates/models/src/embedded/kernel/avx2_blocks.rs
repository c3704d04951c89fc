//! The product of blocks with AVX2: four rows by eight outputs are summed at once.
#![expect(unsafe_code, reason = "vector instructions; the caller has checked the bounds and the processor")]

use std::arch::x86_64::{
    __m128i, __m256, __m256i, _mm_load_si128, _mm256_abs_epi8, _mm256_add_epi32, _mm256_and_si256, _mm256_cvtepi32_ps,
    _mm256_cvtph_ps, _mm256_fmadd_ps, _mm256_load_si256, _mm256_loadu_ps, _mm256_madd_epi16, _mm256_maddubs_epi16,
    _mm256_mul_ps, _mm256_set1_epi8, _mm256_set1_epi16, _mm256_set1_epi32, _mm256_set1_ps, _mm256_setzero_ps,
    _mm256_setzero_si256, _mm256_sign_epi8, _mm256_srli_epi32, _mm256_storeu_ps, _mm256_xor_si256,
};

use super::BlockTile;
use crate::embedded::blocks::{BLOCK, MIDDLE};
use crate::embedded::bytes::QUAD;
use crate::embedded::panels::WIDTH;

/// As many rows as leave registers for a block: four sums, eight weights, two factors.
const MOST: usize = 4;
/// Outputs in one register.
const EIGHT: usize = 8;
/// Registers that hold four inputs of all outputs of a panel.
const ACROSS: usize = WIDTH / EIGHT;
/// How often four inputs a block has.
const QUADS: usize = BLOCK / QUAD;

/// Multiplies one panel, of nibbles or of octets.
pub(super) fn multiply<B, const NIBBLES: bool>(tile: &mut BlockTile<'_, '_, B>) {
    for across in 0..ACROSS {
        let mut row = 0;
        while row < tile.rows.count {
            let left = tile.rows.count - row;
            let now = left.div_ceil(left.div_ceil(MOST));
            // SAFETY: `Kernel::all` has found these instructions, and `BlockTile::check` the bounds of all rows.
            unsafe {
                match now {
                    1 => rows::<B, 1, NIBBLES>(tile, row, across),
                    2 => rows::<B, 2, NIBBLES>(tile, row, across),
                    3 => rows::<B, 3, NIBBLES>(tile, row, across),
                    _ => rows::<B, 4, NIBBLES>(tile, row, across),
                }
            }
            row += now;
        }
    }
}

#[target_feature(enable = "avx2,fma,f16c")]
unsafe fn rows<B, const ROWS: usize, const NIBBLES: bool>(tile: &mut BlockTile<'_, '_, B>, row: usize, across: usize) {
    // SAFETY: `BlockTile::check` has shown that these rows and columns lie inside both matrices; blocks are aligned, and
    // begin with their codes, their factors and, of nibbles, their least numbers.
    unsafe {
        let depth = tile.rows.depth;
        let to = tile.out.numbers.as_mut_ptr().add(row * tile.out.stride + tile.column + across * EIGHT);
        let mut sums = [_mm256_setzero_ps(); ROWS];
        if tile.add {
            for (at, sum) in sums.iter_mut().enumerate() {
                *sum = _mm256_loadu_ps(to.add(at * tile.out.stride));
            }
        }
        for (at, block) in tile.panel.iter().enumerate() {
            let block: *const __m256i = (&raw const *block).cast();
            let weights = weights::<NIBBLES>(block.add(across));
            let codes = if NIBBLES { QUADS / 2 } else { QUADS };
            let worths: *const __m128i = block.add(codes * ACROSS).cast();
            let factors = halves(worths.add(across));
            for (sum, row) in sums.iter_mut().zip(row..) {
                let dots = dots::<NIBBLES, B>(tile, row * depth + at, &weights);
                let one = *tile.rows.factors.as_ptr().add(row * depth + at);
                let factor = _mm256_mul_ps(factors, _mm256_set1_ps(one));
                *sum = _mm256_fmadd_ps(_mm256_cvtepi32_ps(dots), factor, *sum);
                if NIBBLES {
                    let total = _mm256_set1_ps(one * *tile.rows.sums.as_ptr().add(row * depth + at) as f32);
                    *sum = _mm256_fmadd_ps(halves(worths.add(ACROSS + across)), total, *sum);
                }
            }
        }
        for (at, sum) in sums.iter().enumerate() {
            _mm256_storeu_ps(to.add(at * tile.out.stride), *sum);
        }
    }
}

/// The codes of a block for eight outputs, a byte each: of octets with their sign.
#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
unsafe fn weights<const NIBBLES: bool>(block: *const __m256i) -> [__m256i; QUADS] {
    let mut weights = [_mm256_setzero_si256(); QUADS];
    if NIBBLES {
        let low = _mm256_set1_epi8(15);
        for at in 0..QUADS / 2 {
            // SAFETY: the caller's promise.
            let both = unsafe { _mm256_load_si256(block.add(at * ACROSS)) };
            weights[at] = _mm256_and_si256(both, low);
            weights[QUADS / 2 + at] = _mm256_and_si256(_mm256_srli_epi32::<4>(both), low);
        }
    } else {
        let middle = _mm256_set1_epi8(MIDDLE.cast_signed());
        for (at, weights) in weights.iter_mut().enumerate() {
            // SAFETY: the caller's promise.
            *weights = unsafe { _mm256_xor_si256(_mm256_load_si256(block.add(at * ACROSS)), middle) };
        }
    }
    weights
}

/// What the codes of one block of a row come to with the weights. No pair of products reaches the end of 16 bits: codes
/// of rows are at most 127, and none of a matrix in a file is below -127.
#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
unsafe fn dots<const NIBBLES: bool, B>(
    tile: &BlockTile<'_, '_, B>,
    block: usize,
    weights: &[__m256i; QUADS],
) -> __m256i {
    let mut dots = _mm256_setzero_si256();
    for (quad, weights) in weights.iter().enumerate() {
        // SAFETY: as in `rows`.
        let input: *const i32 = unsafe { tile.rows.codes.as_ptr().add(block * BLOCK).cast() };
        // SAFETY: as in `rows`.
        let input = _mm256_set1_epi32(unsafe { input.add(quad).read_unaligned() });
        let pairs = if NIBBLES {
            _mm256_maddubs_epi16(*weights, input)
        } else {
            _mm256_maddubs_epi16(_mm256_abs_epi8(input), _mm256_sign_epi8(*weights, input))
        };
        dots = _mm256_add_epi32(dots, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
    }
    dots
}

/// Eight numbers of 16 bits.
#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
unsafe fn halves(from: *const __m128i) -> __m256 {
    // SAFETY: the caller's promise.
    unsafe { _mm256_cvtph_ps(_mm_load_si128(from)) }
}
