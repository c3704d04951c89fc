//! 256 bits at a time.

#![expect(unsafe_code, reason = "vector instructions read through pointers and need a proof that the machine has them")]

use std::arch::x86_64::*;

use crate::kernel::{BLOCK, Block, ENTRIES, Line, PACKED, Tables};

/// Rows whose signs fill one register.
const HALF: usize = BLOCK / 2;
const LANES: usize = 8;
const LINE: usize = 64;

pub(super) fn is_supported() -> bool {
    is_x86_feature_detected!("avx2")
}

pub(super) fn scan(tables: &Tables, block: Block, line: Line, scores: &mut [f32; BLOCK]) -> u64 {
    // SAFETY: this version is chosen only where the machine has the instructions.
    unsafe { scan_wide(tables, block, line, scores) }
}

#[target_feature(enable = "avx2")]
fn scan_wide(tables: &Tables, block: Block, line: Line, scores: &mut [f32; BLOCK]) -> u64 {
    let mut both = [_mm256_setzero_si256(); 2];
    let mut upper = [_mm256_setzero_si256(); 2];
    for (tables, signs) in tables.iter().zip(block.signs) {
        for half in 0..2 {
            let [a, b, c] = signs.each_ref().map(|lanes| load(lanes.as_chunks::<HALF>().0[half]));
            let groups = [a, b, c, fourth(a, b, c)];
            let mut sum = lookup(&tables[0], groups[0]);
            for n in 1..PACKED {
                sum = _mm256_add_epi8(sum, lookup(&tables[n], groups[n]));
            }
            // Sixteen bits take the even byte and the odd one together; the odd one is taken away at the end.
            both[half] = _mm256_add_epi16(both[half], sum);
            upper[half] = _mm256_add_epi16(upper[half], _mm256_srli_epi16::<8>(sum));
        }
    }
    let mut below = 0;
    for half in 0..2 {
        let lower = _mm256_sub_epi16(both[half], _mm256_slli_epi16::<8>(upper[half]));
        for (first, sums) in [(half * LANES * 2, lower), (HALF + half * LANES * 2, upper[half])] {
            let eights = [_mm256_castsi256_si128(sums), _mm256_extracti128_si256::<1>(sums)];
            for (n, sums) in eights.into_iter().enumerate() {
                let first = first + n * LANES;
                below |= u64::from(compare(sums, &block, first, line, scores)) << first;
            }
        }
    }
    below
}

#[target_feature(enable = "avx2")]
#[inline]
fn compare(sums: __m128i, block: &Block, first: usize, line: Line, scores: &mut [f32; BLOCK]) -> u8 {
    let sums = _mm256_cvtepi32_ps(_mm256_cvtepu16_epi32(sums));
    let product = _mm256_add_ps(_mm256_mul_ps(sums, _mm256_set1_ps(line.slope)), _mm256_set1_ps(line.offset));
    let (bases, factors) = (floats(block.bases, first), floats(block.factors, first));
    let found = _mm256_sub_ps(bases, _mm256_mul_ps(factors, product));
    if let Some(scores) = scores[first..].first_chunk_mut() {
        store_floats(scores, found);
    }
    _mm256_movemask_ps(_mm256_cmp_ps::<_CMP_LT_OQ>(found, _mm256_set1_ps(line.limit))) as u8
}

/// Looks 32 groups of six signs up: four bits by one lookup in each quarter of the table, two bits by choosing.
#[target_feature(enable = "avx2")]
#[inline]
fn lookup(table: &[u8; ENTRIES], groups: __m256i) -> __m256i {
    let low = _mm256_and_si256(groups, _mm256_set1_epi8(0x0f));
    let quarters: [__m256i; 4] = std::array::from_fn(|n| {
        _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(load_quarter(table.as_chunks().0[n])), low)
    });
    let (fifth, sixth) = (_mm256_slli_epi16::<3>(groups), _mm256_slli_epi16::<2>(groups));
    let first = _mm256_blendv_epi8(quarters[0], quarters[1], fifth);
    let second = _mm256_blendv_epi8(quarters[2], quarters[3], fifth);
    _mm256_blendv_epi8(first, second, sixth)
}

/// The group that lies in the spare bits of three others.
#[target_feature(enable = "avx2")]
#[inline]
fn fourth(a: __m256i, b: __m256i, c: __m256i) -> __m256i {
    let [first, second, third] = [0x03, 0x0c, 0x30].map(|bits| _mm256_set1_epi8(bits));
    let a = _mm256_and_si256(_mm256_srli_epi16::<6>(a), first);
    let b = _mm256_and_si256(_mm256_srli_epi16::<4>(b), second);
    let c = _mm256_and_si256(_mm256_srli_epi16::<2>(c), third);
    _mm256_or_si256(_mm256_or_si256(a, b), c)
}

pub(super) fn products(width: usize, queries: &[i8], rows: &[u8], products: &mut [i32]) {
    let pairs = queries.chunks_exact(width).flat_map(|query| rows.chunks_exact(width).map(move |row| (query, row)));
    for ((query, row), product) in pairs.zip(products) {
        *product = self::product(query, row);
    }
}

pub(super) fn product(query: &[i8], row: &[u8]) -> i32 {
    // SAFETY: this version is chosen only where the machine has the instructions.
    unsafe { one(query, row) }
}

/// Products of 16 bits, since adding two products of bytes would not fit that.
#[target_feature(enable = "avx2")]
fn one(query: &[i8], row: &[u8]) -> i32 {
    let mut sums = [_mm256_setzero_si256(); 2];
    for (query, row) in query.as_chunks::<HALF>().0.iter().zip(row.as_chunks::<HALF>().0) {
        let (query, row) = (query.as_chunks().0, row.as_chunks().0);
        for half in 0..2 {
            let query = _mm256_cvtepi8_epi16(load_signed_quarter(query[half]));
            let row = _mm256_cvtepu8_epi16(load_quarter(row[half]));
            sums[half] = _mm256_add_epi32(sums[half], _mm256_madd_epi16(query, row));
        }
    }
    let sums = _mm256_add_epi32(sums[0], sums[1]);
    let four = _mm_add_epi32(_mm256_castsi256_si128(sums), _mm256_extracti128_si256::<1>(sums));
    let two = _mm_add_epi32(four, _mm_unpackhi_epi64(four, four));
    _mm_cvtsi128_si32(_mm_add_epi32(two, _mm_shuffle_epi32::<1>(two)))
}

pub(super) fn prefetch<T>(values: &[T]) {
    for line in values.chunks((LINE / size_of::<T>()).max(1)) {
        // SAFETY: an address within the values; asking for it reads nothing that could fail.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(line.as_ptr().cast()) };
    }
}

#[target_feature(enable = "avx2")]
#[inline]
fn load(bytes: [u8; HALF]) -> __m256i {
    // SAFETY: as many bytes as the register has.
    unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) }
}

#[target_feature(enable = "avx2")]
#[inline]
fn load_quarter(bytes: [u8; 16]) -> __m128i {
    // SAFETY: as many bytes as the register has.
    unsafe { _mm_loadu_si128(bytes.as_ptr().cast()) }
}

#[target_feature(enable = "avx2")]
#[inline]
fn load_signed_quarter(bytes: [i8; 16]) -> __m128i {
    // SAFETY: as many bytes as the register has.
    unsafe { _mm_loadu_si128(bytes.as_ptr().cast()) }
}

#[target_feature(enable = "avx2")]
#[inline]
fn floats(numbers: &[[u8; 4]; BLOCK], first: usize) -> __m256 {
    let numbers: &[[u8; 4]; LANES] = numbers[first..].first_chunk().unwrap_or(&[[0; 4]; LANES]);
    // SAFETY: eight numbers, read without a demand on their place; the machine is little-endian as they are.
    unsafe { _mm256_loadu_ps(numbers.as_ptr().cast()) }
}

#[target_feature(enable = "avx2")]
#[inline]
fn store_floats(to: &mut [f32; LANES], from: __m256) {
    // SAFETY: as many numbers as the register has.
    unsafe { _mm256_storeu_ps(to.as_mut_ptr(), from) };
}
