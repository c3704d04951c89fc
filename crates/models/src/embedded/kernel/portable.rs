//! The product in plain code, which the compiler turns into what every processor of its kind has.

use super::{ByteTile, Tile, lanes};
use crate::embedded::bytes::{QUAD, Reach};
use crate::embedded::panels::WIDTH;

/// Multiplies one panel.
pub(super) fn multiply(tile: &mut Tile<'_, '_>) {
    for row in 0..tile.count {
        let inputs = &tile.rows.numbers[row * tile.rows.stride..][..tile.panel.len()];
        let out = &mut tile.out.numbers[row * tile.out.stride + tile.column..][..WIDTH];
        let mut sums = tile.start.0;
        if tile.add {
            sums.iter_mut().zip(&*out).for_each(|(sum, before)| *sum += before);
        }
        for (input, weights) in inputs.iter().zip(tile.panel) {
            sums.iter_mut()
                .zip(&weights.0)
                .for_each(|(sum, weight)| *sum = lanes::fused::<false>(*input, *weight, *sum));
        }
        out.copy_from_slice(&sums);
    }
}

/// Multiplies one panel of bytes.
pub(super) fn multiply_bytes(tile: &mut ByteTile<'_, '_>) {
    for row in 0..tile.count {
        let (inputs, _) = tile.rows.bytes[row * tile.rows.stride..].as_chunks::<QUAD>();
        let mut sums = tile.panel.start.0;
        for (inputs, weights) in inputs.iter().zip(tile.panel.quads) {
            for (sum, weights) in sums.iter_mut().zip(&weights.0) {
                let products = inputs.iter().zip(weights).map(|(input, weight)| i32::from(*input) * i32::from(*weight));
                *sum += products.sum::<i32>();
            }
        }
        let apart = tile.rows.apart(row, tile.panel.apart.len());
        let out = &mut tile.out.numbers[row * tile.out.stride + tile.column..][..WIDTH];
        for (lane, out) in out.iter_mut().enumerate() {
            let start = if tile.add { tile.bias.0[lane] + *out } else { tile.bias.0[lane] };
            let factor = tile.rows.factors[row] * tile.panel.factor.0[lane];
            *out = lanes::fused::<false>(sums[lane] as f32, factor, start);
            for (input, weights) in apart.iter().zip(tile.panel.apart) {
                *out = lanes::fused::<false>(*input, weights.0[lane], *out);
            }
        }
    }
}

/// See [`lanes::to_bytes`].
pub(super) fn to_bytes(row: &[f32], reach: Reach, bytes: &mut [u8]) -> f32 {
    lanes::to_bytes::<false>(row, reach, bytes)
}

/// See [`lanes::gelu`].
pub(super) fn gelu(numbers: &mut [f32]) {
    lanes::gelu::<false>(numbers);
}

/// See [`lanes::softmax`].
pub(super) fn softmax(scores: &mut [f32], scale: f32) {
    lanes::softmax::<false>(scores, scale);
}

/// See [`lanes::normalize`].
pub(super) fn normalize(row: &mut [f32], gain: &[f32], shift: &[f32]) {
    lanes::normalize::<false>(row, gain, shift);
}
