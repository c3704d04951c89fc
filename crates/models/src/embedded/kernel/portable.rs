//! The product in plain code, which the compiler turns into what every processor of its kind has.

use super::{BlockTile, ByteTile, Tile, lanes};
use crate::embedded::blocks::{BLOCK, Block};
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

/// Multiplies one panel of blocks.
pub(super) fn multiply_blocks<B: Block>(tile: &mut BlockTile<'_, '_, B>) {
    for row in 0..tile.rows.count {
        let out = &mut tile.out.numbers[row * tile.out.stride + tile.column..][..WIDTH];
        if !tile.add {
            out.fill(0.0);
        }
        for (block, at) in tile.panel.iter().zip(row * tile.rows.depth..) {
            let (factor, sum) = (tile.rows.factors[at], tile.rows.sums[at] as f32);
            let codes = &tile.rows.codes[at * BLOCK..][..BLOCK];
            for (output, out) in out.iter_mut().enumerate() {
                let products =
                    codes.iter().enumerate().map(|(input, code)| i32::from(*code) * block.code(output, input));
                let (worth, least) = block.worth(output);
                *out = lanes::fused::<false>(products.sum::<i32>() as f32, worth * factor, *out);
                if let Some(least) = least {
                    *out = lanes::fused::<false>(least, factor * sum, *out);
                }
            }
        }
    }
}

/// See [`lanes::to_blocks`].
pub(super) fn to_blocks(row: &[f32], codes: &mut [i8], factors: &mut [f32], sums: &mut [i32]) {
    lanes::to_blocks::<false>(row, codes, factors, sums);
}

/// See [`lanes::level`].
pub(super) fn level(row: &[f32], gain: &[f32], epsilon: f32, out: &mut [f32]) {
    lanes::level(row, gain, epsilon, out);
}

/// See [`lanes::gate`].
pub(super) fn gate(gates: &mut [f32], numbers: &[f32]) {
    lanes::gate::<false>(gates, numbers);
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
