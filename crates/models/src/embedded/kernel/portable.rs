//! The product in plain code, which the compiler turns into what every processor of its kind has.

use super::{Tile, lanes};
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
            sums.iter_mut().zip(&weights.0).for_each(|(sum, weight)| *sum += input * weight);
        }
        out.copy_from_slice(&sums);
    }
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
