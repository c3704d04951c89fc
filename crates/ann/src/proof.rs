//! Squares of distances that are computed from bytes, and how wrong they can be, both in the space of `space`.

use crate::bytes::{ByteQuery, Step};
use crate::kernel::{Frame, Kernel};
use crate::partitions::Centres;

/// What single precision may do to the square of a distance, in squares of the lengths together. Placing, turning and
/// summing stay below a fifth of it in the worst case, and far below that as a rule.
const FLOATS: f32 = 1e-4;
/// No row and no centre is farther from the origin.
const FARTHEST: f32 = 2.0;
/// By how much of a step a byte may be wrong.
const HALF: f32 = 0.5;

/// A query at two bytes a dimension, and what is certain of its distances.
#[derive(Debug)]
pub(crate) struct Proof {
    kernel: Kernel,
    coarse: ByteQuery,
    /// What the coarse bytes leave.
    rest: ByteQuery,
    /// How wrong any square may be.
    off: f32,
    /// What a step of a row's bytes adds to that.
    steps: f32,
}

impl Proof {
    pub fn of(query: &[f32], kernel: Kernel) -> Self {
        let coarse = ByteQuery::new(query, kernel);
        let step = coarse.frame.scale / 2.0;
        let left = query.iter().zip(&coarse.numbers).map(|(value, number)| value - f32::from(*number) * step);
        let rest = ByteQuery::new(&left.collect::<Vec<f32>>(), kernel);
        let (length, spread) = (coarse.frame.square.sqrt(), HALF * (query.len() as f32).sqrt());
        let unsaid = spread * rest.frame.scale / 2.0;
        let off = FLOATS * (FARTHEST + length).powi(2) + 2.0 * unsaid * FARTHEST;
        Self { kernel, coarse, rest, off, steps: 2.0 * spread * (length + unsaid) }
    }

    /// The squares of the distances to all centres.
    pub fn squares(&self, centres: &Centres) -> Vec<f32> {
        let mut squares = centres.squares(&self.coarse, self.kernel);
        let finer = centres.squares(&self.rest, self.kernel);
        for ((square, finer), (_, own)) in squares.iter_mut().zip(finer).zip(&centres.steps) {
            *square += finer - self.rest.frame.square - own;
        }
        squares
    }

    /// Of the distance to a centre of this square: its square at least, and itself at most.
    pub fn centre(&self, square: f32) -> (f32, f32) {
        (square - self.off, (square + self.off).max(0.0).sqrt())
    }

    /// The square of the distance to a row of these bytes, at least.
    pub fn row(&self, bytes: &[u8], (step, own): Step) -> f32 {
        let product = |query: &ByteQuery| {
            let Frame { scale, bias, .. } = query.frame;
            scale * (self.kernel.product(&query.numbers, bytes) - bias) as f32
        };
        let square = self.coarse.frame.square + own - step * (product(&self.coarse) + product(&self.rest));
        square - self.steps * step - self.off
    }
}
