//! 512 bits at a time.

#![expect(unsafe_code, reason = "vector instructions read through pointers and need a proof that the machine has them")]

use std::arch::x86_64::*;

use crate::kernel::{BLOCK, Block, Lanes, Line, PACKED, Tables};

/// Queries and rows of one tile of products: enough sums under way, and few enough to stay in registers.
const SIDE: usize = 4;
const LANES: usize = 16;

pub(super) fn is_supported() -> bool {
    is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512vl")
        && is_x86_feature_detected!("avx512vbmi")
        && is_x86_feature_detected!("avx512vnni")
}

pub(super) fn scan(tables: &Tables, block: Block, line: Line, scores: &mut [f32; BLOCK]) -> u64 {
    // SAFETY: this version is chosen only where the machine has the instructions.
    unsafe { scan_wide(tables, block, line, scores) }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi")]
fn scan_wide(tables: &Tables, block: Block, line: Line, scores: &mut [f32; BLOCK]) -> u64 {
    let (mut both, mut upper) = (_mm512_setzero_si512(), _mm512_setzero_si512());
    for (tables, signs) in tables.iter().zip(block.signs) {
        let [a, b, c] = signs.each_ref().map(|lanes| load(lanes));
        let groups = [a, b, c, fourth(a, b, c)];
        let mut sum = _mm512_permutexvar_epi8(groups[0], load(&tables[0]));
        for n in 1..PACKED {
            sum = _mm512_add_epi8(sum, _mm512_permutexvar_epi8(groups[n], load(&tables[n])));
        }
        // Sixteen bits take the even byte and the odd one together; the odd one is taken away at the end.
        both = _mm512_add_epi16(both, sum);
        upper = _mm512_add_epi16(upper, _mm512_srli_epi16::<8>(sum));
    }
    let lower = _mm512_sub_epi16(both, _mm512_slli_epi16::<8>(upper));
    let mut below = 0;
    for (half, sums) in [lower, upper].into_iter().enumerate() {
        let quarters = [_mm512_castsi512_si256(sums), _mm512_extracti64x4_epi64::<1>(sums)];
        for (n, sums) in quarters.into_iter().enumerate() {
            let first = half * BLOCK / 2 + n * LANES;
            below |= u64::from(compare(sums, &block, first, line, scores)) << first;
        }
    }
    below
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi")]
#[inline]
fn compare(sums: __m256i, block: &Block, first: usize, line: Line, scores: &mut [f32; BLOCK]) -> u16 {
    let sums = _mm512_cvtepi32_ps(_mm512_cvtepu16_epi32(sums));
    let product = _mm512_add_ps(_mm512_mul_ps(sums, _mm512_set1_ps(line.slope)), _mm512_set1_ps(line.offset));
    let (bases, factors) = (floats(block.bases, first), floats(block.factors, first));
    let found = _mm512_sub_ps(bases, _mm512_mul_ps(factors, product));
    if let Some(scores) = scores[first..].first_chunk_mut() {
        store_floats(scores, found);
    }
    _mm512_cmp_ps_mask::<_CMP_LT_OQ>(found, _mm512_set1_ps(line.limit))
}

/// The group that lies in the spare bits of three others.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi")]
#[inline]
fn fourth(a: __m512i, b: __m512i, c: __m512i) -> __m512i {
    const BITS_OF_EITHER: i32 = 0xd8;
    let [first, second] = [0x03, 0x0f].map(|bits| _mm512_set1_epi8(bits));
    let pair = _mm512_ternarylogic_epi32::<BITS_OF_EITHER>(_mm512_srli_epi16::<4>(b), _mm512_srli_epi16::<6>(a), first);
    // A lookup reads six bits only, so what lies above them may be anything.
    _mm512_ternarylogic_epi32::<BITS_OF_EITHER>(_mm512_srli_epi16::<2>(c), pair, second)
}

pub(super) fn products(width: usize, queries: &[i8], rows: &[u8], products: &mut [i32]) {
    let count = rows.len() / width;
    let mut query = 0;
    while query < queries.len() / width {
        let some = (queries.len() / width - query).min(SIDE);
        let (queries, products) = (&queries[query * width..], &mut products[query * count..]);
        // SAFETY: this version is chosen only where the machine has the instructions.
        unsafe {
            match some {
                SIDE => strip::<SIDE>(width, queries, rows, products),
                _ => strip::<1>(width, queries, rows, products),
            }
        }
        query += if some == SIDE { SIDE } else { 1 };
    }
}

pub(super) fn product(query: &[i8], row: &[u8]) -> i32 {
    // SAFETY: this version is chosen only where the machine has the instructions.
    let [[product]] = unsafe { tile([query], [row]) };
    product
}

/// The products of the first `Q` queries with all rows.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
fn strip<const Q: usize>(width: usize, queries: &[i8], rows: &[u8], products: &mut [i32]) {
    let count = rows.len() / width;
    let queries: [&[i8]; Q] = std::array::from_fn(|n| &queries[n * width..(n + 1) * width]);
    let mut row = 0;
    while row + SIDE <= count {
        let four: [&[u8]; SIDE] = std::array::from_fn(|n| &rows[(row + n) * width..(row + n + 1) * width]);
        store(tile(queries, four), count, row, products);
        row += SIDE;
    }
    for row in row..count {
        store(tile(queries, [&rows[row * width..(row + 1) * width]]), count, row, products);
    }
}

#[inline(always)]
fn store<const Q: usize, const R: usize>(tile: [[i32; R]; Q], count: usize, row: usize, products: &mut [i32]) {
    for (query, sums) in tile.iter().enumerate() {
        products[query * count + row..][..R].copy_from_slice(sums);
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
#[inline]
fn tile<const Q: usize, const R: usize>(queries: [&[i8]; Q], rows: [&[u8]; R]) -> [[i32; R]; Q] {
    let queries = queries.map(|query| query.as_chunks::<BLOCK>().0);
    let rows = rows.map(|row| row.as_chunks::<BLOCK>().0);
    let mut sums = [[_mm512_setzero_si512(); R]; Q];
    for step in 0..queries[0].len().min(rows[0].len()) {
        let loaded: [__m512i; R] = std::array::from_fn(|n| load(&rows[n][step]));
        for q in 0..Q {
            let query = load_signed(&queries[q][step]);
            for r in 0..R {
                sums[q][r] = _mm512_dpbusd_epi32(sums[q][r], loaded[r], query);
            }
        }
    }
    std::array::from_fn(|q| std::array::from_fn(|r| _mm512_reduce_add_epi32(sums[q][r])))
}

#[target_feature(enable = "avx512f")]
#[inline]
fn load(lanes: &Lanes) -> __m512i {
    // SAFETY: as many bytes as the register has.
    unsafe { _mm512_loadu_si512(lanes.as_ptr().cast()) }
}

#[target_feature(enable = "avx512f")]
#[inline]
fn load_signed(lanes: &[i8; BLOCK]) -> __m512i {
    // SAFETY: as many bytes as the register has.
    unsafe { _mm512_loadu_si512(lanes.as_ptr().cast()) }
}

#[target_feature(enable = "avx512f")]
#[inline]
fn floats(numbers: &[[u8; 4]; BLOCK], first: usize) -> __m512 {
    let numbers: &[[u8; 4]; LANES] = numbers[first..].first_chunk().unwrap_or(&[[0; 4]; LANES]);
    // SAFETY: sixteen numbers, read without a demand on their place; the machine is little-endian as they are.
    unsafe { _mm512_loadu_ps(numbers.as_ptr().cast()) }
}

#[target_feature(enable = "avx512f")]
#[inline]
fn store_floats(to: &mut [f32; LANES], from: __m512) {
    // SAFETY: as many numbers as the register has.
    unsafe { _mm512_storeu_ps(to.as_mut_ptr(), from) };
}
