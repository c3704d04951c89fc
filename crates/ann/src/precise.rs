//! What answers are made of: products and distances in double precision, where no vector of single-precision numbers
//! overflows or vanishes. The same bits on every machine.

use std::sync::LazyLock;

use crate::kernel::Kernel;

static KERNEL: LazyLock<Kernel> = LazyLock::new(Kernel::best);

/// The inner product of vectors of one length.
pub fn dot(a: &[f32], b: &[f32]) -> f64 {
    KERNEL.dot_precisely(a, b)
}

/// The square of the Euclidean distance between vectors of one length.
pub fn squared(a: &[f32], b: &[f32]) -> f64 {
    KERNEL.squared_precisely(a, b)
}

/// The length of a vector.
pub fn norm(vector: &[f32]) -> f64 {
    dot(vector, vector).sqrt()
}
