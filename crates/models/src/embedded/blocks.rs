//! Matrices in blocks of 32 inputs, each with factors of its own, as the files of language models have them; and rows in
//! the same blocks.
//!
//! A code stands for a number: the block's factor times the code, plus the block's least number. Codes have no sign and
//! those of rows have one, as the instructions want it. Sums of a block are exact, so every machine has the same.

use std::ops::Range;

use crate::embedded::bytes::QUAD;
use crate::embedded::kernel::Kernel;
use crate::embedded::panels::WIDTH;

#[cfg(test)]
mod tests;

/// How many inputs a block has.
pub(crate) const BLOCK: usize = 32;
/// The code that stands for zero where a block has no least number.
pub(crate) const MIDDLE: u8 = 128;
/// What four inputs of half a panel's outputs take: one register of AVX-512.
const HALF: usize = QUAD * WIDTH / 2;
/// Bytes of a factor.
const FACTOR: usize = 2;

/// One block of one panel, four bits each: those of the inputs from 16 on stand above those of the first 16.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
pub(crate) struct Nibbles {
    pub(crate) codes: [[u8; HALF]; BLOCK / QUAD],
    /// As numbers of 16 bits.
    pub(crate) factors: [u16; WIDTH],
    /// The same.
    pub(crate) least: [u16; WIDTH],
}

/// One block of one panel, a byte each, of which [`MIDDLE`] is zero.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
pub(crate) struct Octets {
    pub(crate) codes: [[u8; HALF]; 2 * BLOCK / QUAD],
    /// As numbers of 16 bits.
    pub(crate) factors: [u16; WIDTH],
}

/// How a matrix is stored: in the file, output by output, and here, panel by panel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Codes {
    /// A factor, the least number and 16 bytes of two codes each.
    Nibbles,
    /// A factor and 32 bytes with a sign.
    Octets,
}

/// A matrix in panels of 32 outputs, each of which is a row of blocks.
#[derive(Debug)]
pub(crate) struct BlockMatrix {
    pub(crate) inputs: usize,
    pub(crate) outputs: usize,
    blocks: Stored,
}

#[derive(Debug)]
enum Stored {
    Nibbles(Vec<Nibbles>),
    Octets(Vec<Octets>),
}

/// Some panels of a matrix.
#[derive(Clone, Copy)]
pub(crate) enum Part<'a> {
    Nibbles(&'a [Nibbles]),
    Octets(&'a [Octets]),
}

/// Rows as codes.
#[derive(Default)]
pub(crate) struct BlockRows {
    codes: Vec<i8>,
    factors: Vec<f32>,
    sums: Vec<i32>,
}

/// Some of the rows, of `depth` blocks each.
#[derive(Clone, Copy)]
pub(crate) struct Blocked<'a> {
    pub(crate) count: usize,
    pub(crate) depth: usize,
    pub(crate) codes: &'a [i8],
    /// What one in the codes of each block is worth.
    pub(crate) factors: &'a [f32],
    /// The sum of each block's codes.
    pub(crate) sums: &'a [i32],
}

impl Codes {
    /// Bytes of a block of one output in a file.
    pub(crate) fn bytes(self) -> usize {
        match self {
            Self::Nibbles => 2 * FACTOR + BLOCK / 2,
            Self::Octets => FACTOR + BLOCK,
        }
    }

    /// Bytes of so many inputs of one output in a file, if they are whole blocks.
    pub(crate) fn row(self, inputs: usize) -> Option<usize> {
        inputs.is_multiple_of(BLOCK).then(|| inputs / BLOCK * self.bytes())
    }

    /// The numbers of one output as they are in a file.
    pub(crate) fn numbers(self, row: &[u8]) -> impl Iterator<Item = f32> {
        row.chunks_exact(self.bytes()).flat_map(move |block| {
            let number = |at: usize| half(u16::from_le_bytes([block[at], block[at + 1]]));
            let (factor, least) = match self {
                Self::Nibbles => (number(0), number(FACTOR)),
                Self::Octets => (number(0), 0.0),
            };
            (0..BLOCK).map(move |at| factor * f32::from(self.code(block, at)) + least)
        })
    }

    fn code(self, block: &[u8], at: usize) -> i8 {
        match self {
            Self::Nibbles if at < BLOCK / 2 => (block[2 * FACTOR + at] & 15).cast_signed(),
            Self::Nibbles => (block[2 * FACTOR + at - BLOCK / 2] >> 4).cast_signed(),
            Self::Octets => block[FACTOR + at].cast_signed(),
        }
    }
}

impl BlockMatrix {
    /// Matrices with the same inputs as one with the outputs of all: each the bytes of its outputs, one after another.
    /// None if these are no whole panels.
    pub(crate) fn of(codes: Codes, inputs: usize, parts: &[&[u8]]) -> Option<Self> {
        let row = codes.row(inputs).filter(|row| *row > 0)?;
        let whole = parts.iter().all(|part| part.len().is_multiple_of(row * WIDTH));
        let panels = parts.iter().flat_map(|part| part.chunks_exact(row * WIDTH));
        let places = panels.flat_map(|panel| (0..inputs / BLOCK).map(move |at| (panel, at * codes.bytes())));
        let outputs = parts.iter().map(|part| part.len()).sum::<usize>() / row;
        let blocks = match codes {
            Codes::Nibbles => Stored::Nibbles(places.map(|(panel, at)| nibbles(&panel[at..], row)).collect()),
            Codes::Octets => Stored::Octets(places.map(|(panel, at)| octets(&panel[at..], row)).collect()),
        };
        whole.then_some(Self { inputs, outputs, blocks })
    }

    /// Blocks of a row or a panel.
    pub(crate) fn depth(&self) -> usize {
        self.inputs / BLOCK
    }

    /// Some panels, in the order of their outputs.
    pub(crate) fn part(&self, range: Range<usize>) -> Part<'_> {
        let depth = self.depth();
        let range = range.start * depth..range.end * depth;
        match &self.blocks {
            Stored::Nibbles(blocks) => Part::Nibbles(&blocks[range]),
            Stored::Octets(blocks) => Part::Octets(&blocks[range]),
        }
    }
}

/// One block of a panel, whose outputs begin `row` bytes apart.
fn nibbles(bytes: &[u8], row: usize) -> Nibbles {
    let mut block = Nibbles { codes: [[0; HALF]; BLOCK / QUAD], factors: [0; WIDTH], least: [0; WIDTH] };
    for (output, bytes) in bytes.chunks(row).take(WIDTH).enumerate() {
        block.factors[output] = u16::from_le_bytes([bytes[0], bytes[1]]);
        block.least[output] = u16::from_le_bytes([bytes[2], bytes[3]]);
        let (quads, _) = bytes[2 * FACTOR..][..BLOCK / 2].as_chunks();
        place(&mut block.codes, output, quads);
    }
    block
}

/// The same of bytes with a sign.
fn octets(bytes: &[u8], row: usize) -> Octets {
    let mut block = Octets { codes: [[0; HALF]; 2 * BLOCK / QUAD], factors: [0; WIDTH] };
    for (output, bytes) in bytes.chunks(row).take(WIDTH).enumerate() {
        block.factors[output] = u16::from_le_bytes([bytes[0], bytes[1]]);
        let (quads, _) = bytes[FACTOR..][..BLOCK].as_chunks();
        let quads: Vec<[u8; QUAD]> = quads.iter().map(|quad: &[u8; QUAD]| quad.map(|code| code ^ MIDDLE)).collect();
        place(&mut block.codes, output, &quads);
    }
    block
}

/// Each four inputs of an output beside those of the outputs around it.
fn place(codes: &mut [[u8; HALF]], output: usize, quads: &[[u8; QUAD]]) {
    let (half, lane) = (output / (WIDTH / 2), output % (WIDTH / 2));
    for (at, quad) in quads.iter().enumerate() {
        codes[2 * at + half][lane * QUAD..][..QUAD].copy_from_slice(quad);
    }
}

/// A block as plain code reads it.
pub(crate) trait Block {
    /// What the code of an input stands for, without factor and least number.
    fn code(&self, output: usize, input: usize) -> i32;

    /// The factor of an output and its least number, where blocks have one.
    fn worth(&self, output: usize) -> (f32, Option<f32>);
}

impl Block for Nibbles {
    fn code(&self, output: usize, input: usize) -> i32 {
        let (half, lane) = (output / (WIDTH / 2), output % (WIDTH / 2));
        let within = input % (BLOCK / 2);
        let both = self.codes[within / QUAD * 2 + half][lane * QUAD + within % QUAD];
        i32::from(if input < BLOCK / 2 { both & 15 } else { both >> 4 })
    }

    fn worth(&self, output: usize) -> (f32, Option<f32>) {
        (half(self.factors[output]), Some(half(self.least[output])))
    }
}

impl Block for Octets {
    fn code(&self, output: usize, input: usize) -> i32 {
        let (half, lane) = (output / (WIDTH / 2), output % (WIDTH / 2));
        i32::from(self.codes[input / QUAD * 2 + half][lane * QUAD + input % QUAD]) - i32::from(MIDDLE)
    }

    fn worth(&self, output: usize) -> (f32, Option<f32>) {
        (half(self.factors[output]), None)
    }
}

impl BlockRows {
    /// The nearest to rows of whole blocks of numbers.
    pub(crate) fn fill(&mut self, kernel: Kernel, rows: &[f32]) {
        self.codes.resize(rows.len(), 0);
        self.factors.resize(rows.len() / BLOCK, 0.0);
        self.sums.resize(rows.len() / BLOCK, 0);
        kernel.to_blocks(rows, &mut self.codes, &mut self.factors, &mut self.sums);
    }

    /// Some of the rows, `depth` blocks each.
    pub(crate) fn rows(&self, first: usize, count: usize, depth: usize) -> Blocked<'_> {
        let blocks = first * depth..(first + count) * depth;
        let codes = &self.codes[blocks.start * BLOCK..blocks.end * BLOCK];
        Blocked { count, depth, codes, factors: &self.factors[blocks.clone()], sums: &self.sums[blocks] }
    }
}

/// A number of 16 bits.
pub(crate) fn half(bits: u16) -> f32 {
    let (sign, exponent, fraction) = (bits >> 15, u32::from(bits >> 10 & 31), u32::from(bits & 1023));
    let size = match exponent {
        0 => fraction as f32 / (1 << 24) as f32,
        31 => f32::from_bits(0x7f80_0000 | fraction << 13),
        _ => f32::from_bits((exponent + 112) << 23 | fraction << 13),
    };
    if sign == 0 { size } else { -size }
}
