//! The product of bytes with AVX-512 VNNI: fourteen rows by one panel of two registers are summed at once.
#![expect(unsafe_code, reason = "vector instructions; the caller has checked the bounds and the processor")]

use std::arch::x86_64::{
    __m512, __m512i, _mm512_add_ps, _mm512_cvtepi32_ps, _mm512_dpbusd_epi32, _mm512_fmadd_ps, _mm512_load_ps,
    _mm512_load_si512, _mm512_loadu_ps, _mm512_mul_ps, _mm512_set1_epi32, _mm512_set1_ps, _mm512_setzero_ps,
    _mm512_storeu_ps,
};

use super::ByteTile;

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
        let stride = tile.rows.stride;
        let input = tile.rows.bytes.as_ptr().add(row * stride);
        let start: *const __m512i = tile.panel.start.0.as_ptr().cast();
        let mut sums = [[_mm512_load_si512(start), _mm512_load_si512(start.add(1))]; ROWS];
        for (at, weights) in tile.panel.quads.iter().enumerate() {
            let weights: *const __m512i = weights.0.as_ptr().cast();
            let (low, high) = (_mm512_load_si512(weights), _mm512_load_si512(weights.add(1)));
            for (row, sum) in sums.iter_mut().enumerate() {
                let input: *const i32 = input.add(row * stride + at * 4).cast();
                let input = _mm512_set1_epi32(input.read_unaligned());
                sum[0] = _mm512_dpbusd_epi32(sum[0], input, low);
                sum[1] = _mm512_dpbusd_epi32(sum[1], input, high);
            }
        }
        let mut totals = [[_mm512_setzero_ps(); 2]; ROWS];
        for (at, (sum, total)) in sums.iter().zip(&mut totals).enumerate() {
            *total = worth(tile, row + at, sum);
        }
        for (at, weights) in tile.panel.apart.iter().enumerate() {
            let (low, high) = (_mm512_load_ps(weights.0.as_ptr()), _mm512_load_ps(weights.0.as_ptr().add(16)));
            let input = tile.rows.apart.as_ptr().add(row * tile.panel.apart.len() + at);
            for (row, total) in totals.iter_mut().enumerate() {
                let input = _mm512_set1_ps(*input.add(row * tile.panel.apart.len()));
                *total = [_mm512_fmadd_ps(input, low, total[0]), _mm512_fmadd_ps(input, high, total[1])];
            }
        }
        for (at, total) in totals.iter().enumerate() {
            let to = tile.out.numbers.as_mut_ptr().add((row + at) * tile.out.stride + tile.column);
            _mm512_storeu_ps(to, total[0]);
            _mm512_storeu_ps(to.add(16), total[1]);
        }
    }
}

/// What the sums of a row are worth, and what they are added to.
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
        [half(0, sums[0]), half(16, sums[1])]
    }
}
