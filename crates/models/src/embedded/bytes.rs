//! Matrices and rows as bytes: a quarter of the memory, and four products in one instruction.
//!
//! Each output of a matrix and each row has a factor of its own. Sums of bytes are exact, so every machine has the same.
//! A few inputs are so much larger than the others that bytes wide enough for them would leave nothing of the others:
//! they stay apart, as numbers.

use crate::embedded::panels::{Panels, WIDTH, Wide, wide};

/// How many inputs one instruction takes at once.
pub(crate) const QUAD: usize = 4;
/// The byte that stands for zero where a row reaches as far down as up.
pub(crate) const ZERO: u8 = 128;
/// The largest byte of either sign.
pub(crate) const MOST: f32 = 127.0;

/// The weights of four inputs in one panel, aligned so that no load crosses a cache line.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
pub(crate) struct Quad(pub(crate) [[i8; QUAD]; WIDTH]);

/// One whole number per output of a panel.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
pub(crate) struct Ints(pub(crate) [i32; WIDTH]);

/// What the bytes of a row stand for; they have no sign, as the instructions want one side without.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Reach {
    /// Zero is in the middle, and the row's numbers reach as far down as up.
    Even,
    /// The first byte is this number, which is below zero, and no number of the row is below it.
    From(f32),
}

/// Which inputs become bytes, and how.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Way<'a> {
    pub(crate) reach: Reach,
    /// The inputs that stay apart.
    pub(crate) apart: &'a [usize],
}

/// A matrix in panels; inputs and outputs beyond the last are zero.
#[derive(Debug)]
pub(crate) struct Matrix {
    pub(crate) reach: Reach,
    pub(crate) apart: Vec<usize>,
    /// The weights of the inputs apart.
    numbers: Panels,
    /// Inputs of a panel, four at a time.
    depth: usize,
    quads: Vec<Quad>,
    /// What the sums of each output begin with: less what the zero of the rows adds to them.
    starts: Vec<Ints>,
    /// What one in the sum of each output is worth.
    factors: Vec<Wide>,
}

/// One panel of a matrix.
#[derive(Clone, Copy)]
pub(crate) struct Panel<'a> {
    pub(crate) quads: &'a [Quad],
    pub(crate) start: &'a Ints,
    pub(crate) factor: &'a Wide,
    pub(crate) apart: &'a [Wide],
}

impl Matrix {
    /// The nearest to a matrix of `inputs` × `outputs` of which `weight(output, input)` is one number.
    pub(crate) fn nearest(inputs: usize, outputs: usize, way: Way<'_>, weight: impl Fn(usize, usize) -> f32) -> Self {
        let kept = |output, input| if way.apart.contains(&input) { 0.0 } else { weight(output, input) };
        let most = |output| (0..inputs).map(|input| kept(output, input).abs()).fold(f32::MIN_POSITIVE, f32::max);
        let factors: Vec<f32> = (0..outputs).map(|output| most(output) / MOST).collect();
        let byte = |output: usize, input: usize| (kept(output, input) / factors[output]).round() as i8;
        let numbers = Panels::of(way.apart.len(), outputs, |output, at| weight(output, way.apart[at]));
        Self { apart: way.apart.to_vec(), numbers, ..Self::of(inputs, &factors, way.reach, byte) }
    }

    /// A matrix of which `byte(output, input)` times the output's factor is one number.
    pub(crate) fn of(inputs: usize, factors: &[f32], reach: Reach, byte: impl Fn(usize, usize) -> i8) -> Self {
        let inside = |output, input| output < factors.len() && input < inputs;
        let depth = inputs.div_ceil(QUAD);
        let quads =
            quads(factors.len(), depth, |output, input| if inside(output, input) { byte(output, input) } else { 0 });
        let zero = if reach == Reach::Even { i32::from(ZERO) } else { 0 };
        Self {
            reach,
            apart: Vec::new(),
            numbers: Panels::default(),
            depth,
            starts: quads.chunks_exact(depth).map(|quads| Ints(sums(quads).map(|sum| -zero * sum))).collect(),
            quads,
            factors: wide(factors),
        }
    }

    /// What is added to each output where `bias` is meant: the first byte may stand for a number, which is in every input.
    pub(crate) fn biased(&self, mut bias: Vec<Wide>) -> Vec<Wide> {
        let Reach::From(first) = self.reach else { return bias };
        for (panel, bias) in self.iter().zip(&mut bias) {
            let lift =
                sums(panel.quads).into_iter().zip(&panel.factor.0).map(|(sum, factor)| first * (sum as f32 * factor));
            bias.0.iter_mut().zip(lift).for_each(|(bias, lift)| *bias += lift);
        }
        bias
    }

    /// The panels, in the order of their outputs.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Panel<'_>> {
        let panels = self.quads.chunks_exact(self.depth).zip(&self.starts).zip(&self.factors).enumerate();
        panels.map(|(at, ((quads, start), factor))| Panel { quads, start, factor, apart: self.numbers.panel(at) })
    }
}

/// All panels, of `depth` quads each.
fn quads(outputs: usize, depth: usize, byte: impl Fn(usize, usize) -> i8) -> Vec<Quad> {
    let quad = |panel: usize, at: usize| {
        Quad(std::array::from_fn(|lane| std::array::from_fn(|input| byte(panel * WIDTH + lane, at * QUAD + input))))
    };
    let places = (0..outputs.div_ceil(WIDTH)).flat_map(|panel| (0..depth).map(move |at| (panel, at)));
    places.map(|(panel, at)| quad(panel, at)).collect()
}

/// The sum of each output's weights.
fn sums(quads: &[Quad]) -> [i32; WIDTH] {
    let mut sums = [0; WIDTH];
    for quad in quads {
        for (sum, weights) in sums.iter_mut().zip(&quad.0) {
            *sum += weights.iter().map(|weight| i32::from(*weight)).sum::<i32>();
        }
    }
    sums
}
