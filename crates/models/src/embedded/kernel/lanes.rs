//! What is done to one number after another. Each is written once, in plain loops that the compiler vectorises, and
//! compiled once per set of instructions. `FUSED` says that the instructions have a fused multiplication and addition;
//! without it the same number is computed in more steps.

use crate::embedded::blocks::BLOCK;
use crate::embedded::bytes::{MOST, Reach, ZERO};

/// How many partial sums run side by side, so that a sum can be vectorised.
const LANES: usize = 16;
/// Added to a number, leaves its nearest integer in the lowest bits.
const ROUND: f32 = 12_582_912.0;
/// What is added to a variance, as the model was trained.
const EPSILON: f32 = 1e-12;

/// Compiles the functions of this module for a set of instructions, into the module that calls it.
macro_rules! with_features {
    ($features:literal) => {
        /// See [`lanes::gelu`].
        pub(super) fn gelu(numbers: &mut [f32]) {
            #[target_feature(enable = $features)]
            fn with(numbers: &mut [f32]) {
                lanes::gelu::<true>(numbers);
            }
            // SAFETY: `Kernel::all` has found these instructions.
            unsafe { with(numbers) }
        }

        /// See [`lanes::to_bytes`].
        pub(super) fn to_bytes(row: &[f32], reach: Reach, bytes: &mut [u8]) -> f32 {
            #[target_feature(enable = $features)]
            fn with(row: &[f32], reach: Reach, bytes: &mut [u8]) -> f32 {
                lanes::to_bytes::<true>(row, reach, bytes)
            }
            // SAFETY: `Kernel::all` has found these instructions.
            unsafe { with(row, reach, bytes) }
        }

        /// See [`lanes::softmax`].
        pub(super) fn softmax(scores: &mut [f32], scale: f32) {
            #[target_feature(enable = $features)]
            fn with(scores: &mut [f32], scale: f32) {
                lanes::softmax::<true>(scores, scale);
            }
            // SAFETY: `Kernel::all` has found these instructions.
            unsafe { with(scores, scale) }
        }

        /// See [`lanes::normalize`].
        pub(super) fn normalize(row: &mut [f32], gain: &[f32], shift: &[f32]) {
            #[target_feature(enable = $features)]
            fn with(row: &mut [f32], gain: &[f32], shift: &[f32]) {
                lanes::normalize::<true>(row, gain, shift);
            }
            // SAFETY: `Kernel::all` has found these instructions.
            unsafe { with(row, gain, shift) }
        }

        /// See [`lanes::to_blocks`].
        pub(super) fn to_blocks(row: &[f32], codes: &mut [i8], factors: &mut [f32], sums: &mut [i32]) {
            #[target_feature(enable = $features)]
            fn with(row: &[f32], codes: &mut [i8], factors: &mut [f32], sums: &mut [i32]) {
                lanes::to_blocks::<true>(row, codes, factors, sums);
            }
            // SAFETY: `Kernel::all` has found these instructions.
            unsafe { with(row, codes, factors, sums) }
        }

        /// See [`lanes::level`].
        pub(super) fn level(row: &[f32], gain: &[f32], epsilon: f32, out: &mut [f32]) {
            #[target_feature(enable = $features)]
            fn with(row: &[f32], gain: &[f32], epsilon: f32, out: &mut [f32]) {
                lanes::level(row, gain, epsilon, out);
            }
            // SAFETY: `Kernel::all` has found these instructions.
            unsafe { with(row, gain, epsilon, out) }
        }

        /// See [`lanes::gate`].
        pub(super) fn gate(gates: &mut [f32], numbers: &[f32]) {
            #[target_feature(enable = $features)]
            fn with(gates: &mut [f32], numbers: &[f32]) {
                lanes::gate::<true>(gates, numbers);
            }
            // SAFETY: `Kernel::all` has found these instructions.
            unsafe { with(gates, numbers) }
        }
    };
}
#[cfg(target_arch = "x86_64")]
pub(super) use with_features;

/// `x · Φ(x)`: half of `x`, times one more than the error function of `x / √2`.
#[inline(always)]
pub(super) fn gelu<const FUSED: bool>(numbers: &mut [f32]) {
    for x in numbers {
        *x = 0.5 * *x * (1.0 + erf::<FUSED>(*x * std::f32::consts::FRAC_1_SQRT_2));
    }
}

/// Shares that add up to one, of `e` to the power of each score times `scale`.
#[inline(always)]
pub(super) fn softmax<const FUSED: bool>(scores: &mut [f32], scale: f32) {
    let most = most(scores, |score| score);
    for score in &mut *scores {
        *score = exp::<FUSED>((*score - most) * scale);
    }
    let share = 1.0 / sum(scores, |score| score);
    scores.iter_mut().for_each(|score| *score *= share);
}

/// The nearest bytes to a row, so that its largest number is the largest byte, and what one in them is worth.
#[inline(always)]
pub(super) fn to_bytes<const FUSED: bool>(row: &[f32], reach: Reach, bytes: &mut [u8]) -> f32 {
    let (most, steps, first) = match reach {
        Reach::Even => (most(row, f32::abs), MOST, None),
        Reach::From(first) => (most(row, |x| x) - first, f32::from(u8::MAX), Some(first)),
    };
    let scale = if most > 0.0 { steps / most } else { 0.0 };
    let zero = first.map_or(f32::from(ZERO), |first| -first * scale);
    for (byte, x) in bytes.iter_mut().zip(row) {
        *byte = (fused::<FUSED>(*x, scale, zero) + ROUND).to_bits() as u8;
    }
    most / steps
}

/// Mean zero and variance one, then times `gain` plus `shift`.
#[inline(always)]
pub(super) fn normalize<const FUSED: bool>(row: &mut [f32], gain: &[f32], shift: &[f32]) {
    let count = row.len() as f32;
    let mean = sum(row, |x| x) / count;
    let variance = sum(row, |x| (x - mean) * (x - mean)) / count;
    let scale = 1.0 / (variance + EPSILON).sqrt();
    for ((x, gain), shift) in row.iter_mut().zip(gain).zip(shift) {
        *x = fused::<FUSED>((*x - mean) * scale, *gain, *shift);
    }
}

/// The nearest codes to each block of a row, so that its largest number is the largest code, what one in them is worth,
/// and their sum.
#[inline(always)]
pub(super) fn to_blocks<const FUSED: bool>(row: &[f32], codes: &mut [i8], factors: &mut [f32], sums: &mut [i32]) {
    let (blocks, _) = row.as_chunks::<BLOCK>();
    let (codes, _) = codes.as_chunks_mut::<BLOCK>();
    for (((block, codes), factor), sum) in blocks.iter().zip(codes).zip(factors).zip(sums) {
        let most = most(block, f32::abs);
        let scale = if most > 0.0 { MOST / most } else { 0.0 };
        let mut total = 0;
        for (code, x) in codes.iter_mut().zip(block) {
            *code = (fused::<FUSED>(*x, scale, ROUND) - ROUND) as i8;
            total += i32::from(*code);
        }
        (*factor, *sum) = (most / MOST, total);
    }
}

/// The row with a mean square of one, times `gain`.
#[inline(always)]
pub(super) fn level(row: &[f32], gain: &[f32], epsilon: f32, out: &mut [f32]) {
    let square = sum(row, |x| x * x) / row.len() as f32;
    let scale = 1.0 / (square + epsilon).sqrt();
    for ((out, x), gain) in out.iter_mut().zip(row).zip(gain) {
        *out = *x * scale * *gain;
    }
}

/// Each gate, opened by how far it is above zero, times its number.
#[inline(always)]
pub(super) fn gate<const FUSED: bool>(gates: &mut [f32], numbers: &[f32]) {
    for (gate, number) in gates.iter_mut().zip(numbers) {
        let small = exp::<FUSED>(-gate.abs());
        let open = if *gate < 0.0 { small } else { 1.0 } / (1.0 + small);
        *gate = *gate * open * *number;
    }
}

/// `a · b + c`, rounded once.
#[inline(always)]
pub(super) fn fused<const FUSED: bool>(a: f32, b: f32, c: f32) -> f32 {
    // Where the processor cannot fuse, `mul_add` is a slow call.
    if FUSED || cfg!(target_arch = "aarch64") { a.mul_add(b, c) } else { rounded_once(a, b, c) }
}

/// The same in double precision: the product is exact, and what rounding their sum loses goes into its last bit, so that
/// the second rounding cannot take the wrong side.
#[inline(always)]
fn rounded_once(a: f32, b: f32, c: f32) -> f32 {
    let (product, c) = (f64::from(a) * f64::from(b), f64::from(c));
    let sum = product + c;
    let virtual_c = sum - product;
    let lost = (product - (sum - virtual_c)) + (c - virtual_c);
    let bits = sum.to_bits();
    let toward = if (lost > 0.0) == (sum > 0.0) { bits.wrapping_add(1) } else { bits.wrapping_sub(1) };
    let odd = if lost != 0.0 && bits & 1 == 0 { toward } else { bits };
    f64::from_bits(odd) as f32
}

#[inline(always)]
fn sum(numbers: &[f32], of: impl Fn(f32) -> f32) -> f32 {
    let (chunks, rest) = numbers.as_chunks::<LANES>();
    let mut sums = [0.0; LANES];
    for chunk in chunks {
        sums.iter_mut().zip(chunk).for_each(|(sum, x)| *sum += of(*x));
    }
    sums.iter().sum::<f32>() + rest.iter().map(|x| of(*x)).sum::<f32>()
}

#[inline(always)]
fn most(numbers: &[f32], of: impl Fn(f32) -> f32) -> f32 {
    let larger = |most: f32, x: f32| if x > most { x } else { most };
    let (chunks, rest) = numbers.as_chunks::<LANES>();
    let mut tops = [f32::NEG_INFINITY; LANES];
    for chunk in chunks {
        tops.iter_mut().zip(chunk).for_each(|(top, x)| *top = larger(*top, of(*x)));
    }
    rest.iter().fold(tops.into_iter().fold(f32::NEG_INFINITY, larger), |most, x| larger(most, of(*x)))
}

/// The error function to a few units in the last place: a rational function of `x²` up to where it is one.
#[inline(always)]
fn erf<const FUSED: bool>(x: f32) -> f32 {
    const ABOVE: [f32; 7] = [
        -2.726_142_3e-10,
        2.770_681_4e-8,
        -2.101_024e-6,
        -5.692_506_4e-5,
        -7.349_906_5e-4,
        -2.954_6e-3,
        -1.609_603_3e-2,
    ];
    const BELOW: [f32; 5] = [-1.456_607_2e-5, -2.133_740_6e-4, -1.682_827e-3, -7.373_329e-3, -1.426_473_9e-2];
    let x = if x > 4.0 { 4.0 } else { x };
    let x = if x < -4.0 { -4.0 } else { x };
    let square = x * x;
    let above = ABOVE.iter().fold(0.0, |sum, factor| fused::<FUSED>(sum, square, *factor));
    let below = BELOW.iter().fold(0.0, |sum, factor| fused::<FUSED>(sum, square, *factor));
    x * above / below
}

/// `e` to the power of `x`, which is not positive, to a few units in the last place: a power of two, times a
/// polynomial of what is left.
#[inline(always)]
fn exp<const FUSED: bool>(x: f32) -> f32 {
    const LN_2_HIGH: f32 = 0.693_359_4;
    const LN_2_LOW: f32 = -2.121_944_4e-4;
    const FACTORS: [f32; 6] = [1.987_569_1e-4, 1.398_199_9e-3, 8.333_452e-3, 4.166_579_6e-2, 0.166_666_65, 0.5];
    let x = if x < -87.0 { -87.0 } else { x };
    let shifted = fused::<FUSED>(x, std::f32::consts::LOG2_E, ROUND);
    let power = shifted - ROUND;
    let left = fused::<FUSED>(power, -LN_2_HIGH, x);
    let left = fused::<FUSED>(power, -LN_2_LOW, left);
    let sum = FACTORS.iter().fold(0.0, |sum, factor| fused::<FUSED>(sum, left, *factor));
    let fraction = fused::<FUSED>(sum * left, left, left) + 1.0;
    fraction * f32::from_bits(shifted.to_bits().wrapping_add(127) << 23)
}
