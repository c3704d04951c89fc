//! Vectors at one byte a dimension, and what turns products of bytes into distances.

use crate::kernel::{BLOCK, Frame, Kernel};

/// What a byte of a row stands above the whole number it means.
const OFFSET: u8 = 128;
/// The largest of those numbers.
const LARGEST: f32 = 127.0;

/// The step of a row's numbers, and the square of its length.
pub(crate) type Step = (f32, f32);

/// A width in whole registers.
pub(crate) fn padded(width: usize) -> usize {
    width.next_multiple_of(BLOCK)
}

/// Writes a row's bytes.
pub(crate) fn quantise(row: &[f32], bytes: &mut [u8], kernel: Kernel) -> Step {
    let largest = kernel.largest(row);
    let inverse = if largest > 0.0 { LARGEST / largest } else { 0.0 };
    kernel.quantise(row, inverse, bytes);
    (largest / LARGEST, kernel.dot(row, row))
}

/// The number that a byte means, in steps.
pub(crate) fn meant(byte: u8) -> f32 {
    f32::from(byte) - f32::from(OFFSET)
}

/// A query at one byte a dimension.
#[derive(Debug)]
pub(crate) struct ByteQuery {
    pub numbers: Vec<i8>,
    pub frame: Frame,
}

impl ByteQuery {
    pub fn new(query: &[f32], kernel: Kernel) -> Self {
        let mut bytes = vec![0; query.len()];
        let (step, square) = quantise(query, &mut bytes, kernel);
        Self::of(&bytes, (step, square))
    }

    /// Of bytes that are already there.
    pub fn of(bytes: &[u8], (step, square): Step) -> Self {
        let numbers: Vec<i8> = bytes.iter().map(|byte| (byte ^ OFFSET) as i8).collect();
        let sum: i32 = numbers.iter().map(|number| i32::from(*number)).sum();
        Self { numbers, frame: Frame { square, scale: 2.0 * step, bias: i32::from(OFFSET) * sum } }
    }
}
