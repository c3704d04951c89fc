//! Loops over floats: one body each, compiled for every set of instructions. Nothing here lets a compiler change the order
//! of additions, so all versions answer the same bits.

#![expect(
    unsafe_code,
    reason = "calling what was compiled for more instructions needs a proof that the machine has them"
)]

use crate::kernel::{ENTRIES, GROUP, Kernel};

/// Numbers that are added side by side.
const LANES: usize = 16;

/// Writes a method of [`Kernel`] that runs one body in its version for the machine.
macro_rules! compiled {
    ($(#[$doc:meta])* $name:ident($($argument:ident: $type:ty),*) $(-> $answer:ty)? = $body:path) => {
        impl Kernel {
            $(#[$doc])*
            pub fn $name(self, $($argument: $type),*) $(-> $answer)? {
                #[cfg(target_arch = "x86_64")]
                #[target_feature(enable = "avx2")]
                fn avx2($($argument: $type),*) $(-> $answer)? {
                    $body($($argument),*)
                }
                #[cfg(target_arch = "x86_64")]
                #[target_feature(enable = "avx512f,avx512bw,avx512vl")]
                fn avx512($($argument: $type),*) $(-> $answer)? {
                    $body($($argument),*)
                }
                match self {
                    Self::Scalar => $body($($argument),*),
                    // SAFETY: this version is chosen only where the machine has the instructions.
                    #[cfg(target_arch = "x86_64")]
                    Self::Avx2 => unsafe { avx2($($argument),*) },
                    // SAFETY: as above.
                    #[cfg(target_arch = "x86_64")]
                    Self::Avx512 => unsafe { avx512($($argument),*) },
                }
            }
        }
    };
}

compiled! {
    /// One round of mixing: each pair a half apart becomes its sum and its difference, side by side.
    butterfly(from: &[f32], to: &mut [f32]) = butterfly
}

compiled! {
    /// The inner product.
    dot(a: &[f32], b: &[f32]) -> f32 = dot
}

compiled! {
    /// The inner product of vectors that take part in what is answered, in double precision.
    dot_precisely(a: &[f32], b: &[f32]) -> f64 = dot_precisely
}

compiled! {
    /// The square of the Euclidean distance, in double precision.
    squared_precisely(a: &[f32], b: &[f32]) -> f64 = squared_precisely
}

compiled! {
    /// Writes each number divided by the step `1 / inverse`, rounded, plus 128.
    quantise(values: &[f32], inverse: f32, bytes: &mut [u8]) = quantise
}

compiled! {
    /// The largest magnitude.
    largest(values: &[f32]) -> f32 = largest
}

compiled! {
    /// The sum of magnitudes.
    magnitude(values: &[f32]) -> f32 = magnitude
}

compiled! {
    /// The entries of one group's table in steps of `1 / inverse`: for each way its signs can fall, twice the sum of
    /// the magnitudes of those numbers whose sign it has.
    table(values: &[f32; GROUP], inverse: f32, entries: &mut [u8; ENTRIES]) = table
}

compiled! {
    /// Writes `square + squares[n] - scale * scales[n] * (products[n] - bias)`: the squares of distances.
    distances(frame: Frame, products: &[i32], centres: &[(f32, f32)], squares: &mut [f32]) = distances
}

compiled! {
    /// Notes this centre for those of the rows that lie nearer to it than the best so far. Distances lack what a row
    /// adds to all of its own.
    closer(frame: Frame, products: &[i32], steps: &[(f32, f32)], centre: u32, nearest: &mut [(f32, u32)]) = closer
}

compiled! {
    /// Adds what a row's bytes mean.
    add(sums: &mut [f32], bytes: &[u8], step: f32) = add
}

/// What the squares of distances to many have in common.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Frame {
    /// The square of the query's length.
    pub square: f32,
    /// Twice the query's step.
    pub scale: f32,
    /// What the rows' offset adds to each product.
    pub bias: i32,
}

impl Frame {
    /// The square of the distance to one whose product, step and square of the length these are.
    #[inline(always)]
    pub fn distance(self, product: i32, (step, own): (f32, f32)) -> f32 {
        self.square + own - self.scale * step * (product - self.bias) as f32
    }
}

#[inline(always)]
fn butterfly(from: &[f32], to: &mut [f32]) {
    let (first, second) = from.split_at(from.len() / 2);
    for ((a, b), pair) in first.iter().zip(second).zip(to.as_chunks_mut::<2>().0) {
        *pair = [a + b, a - b];
    }
}

#[inline(always)]
fn lanes<const N: usize, T: Copy + Default + std::ops::AddAssign>(
    a: &[f32],
    b: &[f32],
    term: impl Fn(f32, f32) -> T,
) -> ([T; N], T) {
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<N>(), b.as_chunks::<N>());
    let (mut sums, mut rest) = ([T::default(); N], T::default());
    for (a, b) in a.iter().zip(b) {
        for lane in 0..N {
            sums[lane] += term(a[lane], b[lane]);
        }
    }
    for (a, b) in a_rest.iter().zip(b_rest) {
        rest += term(*a, *b);
    }
    (sums, rest)
}

#[inline(always)]
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let (sums, rest) = lanes::<{ LANES * 2 }, f32>(a, b, |a, b| a * b);
    sums.iter().sum::<f32>() + rest
}

#[inline(always)]
fn dot_precisely(a: &[f32], b: &[f32]) -> f64 {
    let (sums, rest) = lanes::<LANES, f64>(a, b, |a, b| f64::from(a) * f64::from(b));
    sums.iter().sum::<f64>() + rest
}

#[inline(always)]
fn squared_precisely(a: &[f32], b: &[f32]) -> f64 {
    let (sums, rest) = lanes::<LANES, f64>(a, b, |a, b| {
        let difference = f64::from(a) - f64::from(b);
        difference * difference
    });
    sums.iter().sum::<f64>() + rest
}

#[inline(always)]
fn quantise(values: &[f32], inverse: f32, bytes: &mut [u8]) {
    for (value, byte) in values.iter().zip(bytes) {
        *byte = (value * inverse + 128.5) as i32 as u8;
    }
}

#[inline(always)]
fn largest(values: &[f32]) -> f32 {
    let (values, rest) = values.as_chunks::<LANES>();
    let mut most = [0.0_f32; LANES];
    for values in values {
        for lane in 0..LANES {
            most[lane] = if values[lane].abs() > most[lane] { values[lane].abs() } else { most[lane] };
        }
    }
    most.iter().chain(rest).fold(0.0, |most, value| value.abs().max(most))
}

#[inline(always)]
fn magnitude(values: &[f32]) -> f32 {
    let (sums, rest) = lanes::<LANES, f32>(values, values, |value, _| value.abs());
    sums.iter().sum::<f32>() + rest
}

#[inline(always)]
fn table(values: &[f32; GROUP], inverse: f32, entries: &mut [u8; ENTRIES]) {
    let steps = values.map(|value| 2.0 * value * inverse);
    // Half a step more turns cutting into rounding.
    let lowest = steps.iter().map(|step| (-step).max(0.0)).sum::<f32>() + 0.5;
    let [a, b, c, d, e, f] = steps;
    let first: [f32; LANES] =
        std::array::from_fn(|n| lowest + a * bit(n, 0) + b * bit(n, 1) + c * bit(n, 2) + d * bit(n, 3));
    for (n, entries) in entries.as_chunks_mut::<LANES>().0.iter_mut().enumerate() {
        let more = e * bit(n, 0) + f * bit(n, 1);
        for lane in 0..LANES {
            entries[lane] = (first[lane] + more) as i32 as u8;
        }
    }
}

#[inline(always)]
fn bit(number: usize, place: usize) -> f32 {
    (number >> place & 1) as f32
}

#[inline(always)]
fn closer(frame: Frame, products: &[i32], steps: &[(f32, f32)], centre: u32, nearest: &mut [(f32, u32)]) {
    for ((product, (step, _)), nearest) in products.iter().zip(steps).zip(nearest) {
        let distance = frame.square - frame.scale * step * (product - frame.bias) as f32;
        *nearest = if distance < nearest.0 { (distance, centre) } else { *nearest };
    }
}

#[inline(always)]
fn add(sums: &mut [f32], bytes: &[u8], step: f32) {
    for (sum, byte) in sums.iter_mut().zip(bytes) {
        *sum += (f32::from(*byte) - 128.0) * step;
    }
}

#[inline(always)]
fn distances(frame: Frame, products: &[i32], centres: &[(f32, f32)], distances: &mut [f32]) {
    for ((product, step), distance) in products.iter().zip(centres).zip(distances) {
        *distance = frame.distance(*product, *step);
    }
}
