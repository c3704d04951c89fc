//! Matrix arithmetic on the processor at hand: AVX-512 with or without VNNI, AVX2 with FMA, or plain code that every
//! processor runs.
//!
//! Every number of a product is summed in the order of the inputs, whatever the shape of the matrices around it, and
//! rounded at the same places whatever the instructions: a text has the same vector alone and among others, and on every
//! machine, to the bit. The plain code is the reference that the others are tested with.

use std::sync::LazyLock;

use crate::embedded::blocks::{BLOCK, Blocked, Part};
use crate::embedded::bytes::{Matrix, Panel, QUAD, Reach};
use crate::embedded::panels::{Panels, WIDTH, Wide};

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx2_blocks;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod lanes;
mod portable;
#[cfg(test)]
mod tests;
#[cfg(target_arch = "x86_64")]
mod vnni;
#[cfg(target_arch = "x86_64")]
mod vnni_blocks;

/// Instructions that this machine was found to have: nobody but [`Kernel::all`] makes one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Kernel(Instructions);

/// Which instructions are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Instructions {
    /// 512 bits at once, and four products of bytes in each of its numbers.
    #[cfg(target_arch = "x86_64")]
    Vnni,
    /// 512 bits at once.
    #[cfg(target_arch = "x86_64")]
    Avx512,
    /// 256 bits at once, with fused multiplication and addition.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// What the compiler makes of plain code.
    Portable,
}

/// Rows of a matrix that lie `stride` numbers apart.
#[derive(Clone, Copy)]
pub(crate) struct Rows<'a> {
    pub(crate) numbers: &'a [f32],
    pub(crate) stride: usize,
}

/// Rows of bytes that lie `stride` apart, and what one in each is worth.
#[derive(Clone, Copy)]
pub(crate) struct Bytes<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) factors: &'a [f32],
    /// The numbers apart, row by row.
    pub(crate) apart: &'a [f32],
    pub(crate) stride: usize,
}

impl<'a> Bytes<'a> {
    /// The numbers apart of a row, of which there are `count`.
    fn apart(self, row: usize, count: usize) -> &'a [f32] {
        &self.apart[row * count..][..count]
    }
}

/// Where a product goes: rows that lie `stride` numbers apart.
pub(crate) struct RowsMut<'a> {
    pub(crate) numbers: &'a mut [f32],
    pub(crate) stride: usize,
}

/// What a product is added to.
#[derive(Clone, Copy)]
pub(crate) enum Onto<'a> {
    /// Nothing.
    Zero,
    /// One number per output.
    Bias(&'a [Wide]),
    /// One number per output, and what stands in the place of the result.
    Residual(&'a [Wide]),
}

impl<'a> Onto<'a> {
    /// What the sums of a panel begin with, and whether what stands in their place is added.
    fn of(self, panel: usize) -> (&'a Wide, bool) {
        match self {
            Onto::Zero => (&Wide::ZERO, false),
            Onto::Bias(bias) => (&bias[panel], false),
            Onto::Residual(bias) => (&bias[panel], true),
        }
    }
}

impl Kernel {
    /// The fastest that this machine runs.
    pub(crate) fn best() -> Self {
        static BEST: LazyLock<Kernel> =
            LazyLock::new(|| Kernel::all().first().copied().unwrap_or(Kernel(Instructions::Portable)));
        *BEST
    }

    /// All that this machine runs, the fastest first.
    pub(crate) fn all() -> Vec<Self> {
        let mut all = Vec::new();
        #[cfg(target_arch = "x86_64")]
        {
            let avx2 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
            let avx2 = avx2 && is_x86_feature_detected!("f16c");
            let avx512 = avx2 && is_x86_feature_detected!("avx512f");
            let vnni = avx512 && is_x86_feature_detected!("avx512vnni");
            let found = [(vnni, Instructions::Vnni), (avx512, Instructions::Avx512), (avx2, Instructions::Avx2)];
            all.extend(found.into_iter().filter(|(here, _)| *here).map(|(_, instructions)| Self(instructions)));
        }
        all.push(Self(Instructions::Portable));
        all
    }

    /// `out = rows · panels + onto`, for `count` rows.
    pub(crate) fn multiply(self, count: usize, rows: Rows<'_>, panels: &Panels, onto: Onto<'_>, out: &mut RowsMut<'_>) {
        for (at, panel) in panels.iter().enumerate() {
            let (start, add) = onto.of(at);
            let mut tile = Tile { count, rows, panel, start, add, out, column: at * WIDTH };
            tile.check();
            match self.0 {
                #[cfg(target_arch = "x86_64")]
                Instructions::Vnni | Instructions::Avx512 => avx512::multiply(&mut tile),
                #[cfg(target_arch = "x86_64")]
                Instructions::Avx2 => avx2::multiply(&mut tile),
                Instructions::Portable => portable::multiply(&mut tile),
            }
        }
    }

    /// The same where rows and matrix are bytes.
    pub(crate) fn multiply_bytes(
        self,
        count: usize,
        rows: Bytes<'_>,
        matrix: &Matrix,
        onto: Onto<'_>,
        out: &mut RowsMut<'_>,
    ) {
        for (at, panel) in matrix.iter().enumerate() {
            let (bias, add) = onto.of(at);
            let mut tile = ByteTile { count, rows, panel, bias, add, out, column: at * WIDTH };
            tile.check();
            match self.0 {
                #[cfg(target_arch = "x86_64")]
                Instructions::Vnni => vnni::multiply_bytes(&mut tile),
                #[cfg(target_arch = "x86_64")]
                Instructions::Avx512 | Instructions::Avx2 => avx2::multiply_bytes(&mut tile),
                Instructions::Portable => portable::multiply_bytes(&mut tile),
            }
        }
    }

    /// The same of panels of blocks, one after another, into the columns from the first on; with what stands in the place
    /// of the result if `add`.
    pub(crate) fn multiply_blocks(self, rows: Blocked<'_>, part: Part<'_>, add: bool, out: &mut RowsMut<'_>) {
        match part {
            Part::Nibbles(blocks) => {
                let multiply: fn(&mut BlockTile<'_, '_, _>) = match self.0 {
                    #[cfg(target_arch = "x86_64")]
                    Instructions::Vnni => vnni_blocks::multiply::<_, true>,
                    #[cfg(target_arch = "x86_64")]
                    Instructions::Avx512 | Instructions::Avx2 => avx2_blocks::multiply::<_, true>,
                    Instructions::Portable => portable::multiply_blocks,
                };
                panel_by_panel(rows, blocks, add, out, multiply);
            }
            Part::Octets(blocks) => {
                let multiply: fn(&mut BlockTile<'_, '_, _>) = match self.0 {
                    #[cfg(target_arch = "x86_64")]
                    Instructions::Vnni => vnni_blocks::multiply::<_, false>,
                    #[cfg(target_arch = "x86_64")]
                    Instructions::Avx512 | Instructions::Avx2 => avx2_blocks::multiply::<_, false>,
                    Instructions::Portable => portable::multiply_blocks,
                };
                panel_by_panel(rows, blocks, add, out, multiply);
            }
        }
    }

    /// The nearest codes to each block of numbers, what one in them is worth, and their sum.
    pub(crate) fn to_blocks(self, row: &[f32], codes: &mut [i8], factors: &mut [f32], sums: &mut [i32]) {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Instructions::Vnni | Instructions::Avx512 => avx512::to_blocks(row, codes, factors, sums),
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx2 => avx2::to_blocks(row, codes, factors, sums),
            Instructions::Portable => portable::to_blocks(row, codes, factors, sums),
        }
    }

    /// The row with a mean square of one, times `gain`.
    pub(crate) fn level(self, row: &[f32], gain: &[f32], epsilon: f32, out: &mut [f32]) {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Instructions::Vnni | Instructions::Avx512 => avx512::level(row, gain, epsilon, out),
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx2 => avx2::level(row, gain, epsilon, out),
            Instructions::Portable => portable::level(row, gain, epsilon, out),
        }
    }

    /// Each gate, opened by how far it is above zero, times its number.
    pub(crate) fn gate(self, gates: &mut [f32], numbers: &[f32]) {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Instructions::Vnni | Instructions::Avx512 => avx512::gate(gates, numbers),
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx2 => avx2::gate(gates, numbers),
            Instructions::Portable => portable::gate(gates, numbers),
        }
    }

    /// The nearest bytes to a row, and what one in them is worth.
    pub(crate) fn to_bytes(self, row: &[f32], reach: Reach, bytes: &mut [u8]) -> f32 {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Instructions::Vnni | Instructions::Avx512 => avx512::to_bytes(row, reach, bytes),
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx2 => avx2::to_bytes(row, reach, bytes),
            Instructions::Portable => portable::to_bytes(row, reach, bytes),
        }
    }

    /// The activation between the two halves of a layer, on each number.
    pub(crate) fn gelu(self, numbers: &mut [f32]) {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Instructions::Vnni | Instructions::Avx512 => avx512::gelu(numbers),
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx2 => avx2::gelu(numbers),
            Instructions::Portable => portable::gelu(numbers),
        }
    }

    /// Scores become shares that add up to one.
    pub(crate) fn softmax(self, scores: &mut [f32], scale: f32) {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Instructions::Vnni | Instructions::Avx512 => avx512::softmax(scores, scale),
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx2 => avx2::softmax(scores, scale),
            Instructions::Portable => portable::softmax(scores, scale),
        }
    }

    /// A row gets mean zero and variance one, then `gain` and `shift`.
    pub(crate) fn normalize(self, row: &mut [f32], gain: &[f32], shift: &[f32]) {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Instructions::Vnni | Instructions::Avx512 => avx512::normalize(row, gain, shift),
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx2 => avx2::normalize(row, gain, shift),
            Instructions::Portable => portable::normalize(row, gain, shift),
        }
    }
}

/// One panel's product: `count` rows with all of the panel, into the columns from `column` on.
struct Tile<'a, 'out> {
    count: usize,
    rows: Rows<'a>,
    panel: &'a [Wide],
    start: &'a Wide,
    add: bool,
    out: &'a mut RowsMut<'out>,
    column: usize,
}

impl Tile<'_, '_> {
    /// The bounds that the kernels rely on.
    fn check(&self) {
        let last = self.count.saturating_sub(1);
        assert!(self.count == 0 || last * self.rows.stride + self.panel.len() <= self.rows.numbers.len());
        assert!(self.count == 0 || last * self.out.stride + self.column + WIDTH <= self.out.numbers.len());
    }
}

/// The same of bytes.
struct ByteTile<'a, 'out> {
    count: usize,
    rows: Bytes<'a>,
    panel: Panel<'a>,
    bias: &'a Wide,
    add: bool,
    out: &'a mut RowsMut<'out>,
    column: usize,
}

impl ByteTile<'_, '_> {
    /// The bounds that the kernels rely on.
    fn check(&self) {
        let last = self.count.saturating_sub(1);
        assert!(self.count <= self.rows.factors.len());
        assert!(self.count * self.panel.apart.len() <= self.rows.apart.len());
        assert!(self.count == 0 || last * self.rows.stride + self.panel.quads.len() * QUAD <= self.rows.bytes.len());
        assert!(self.count == 0 || last * self.out.stride + self.column + WIDTH <= self.out.numbers.len());
    }
}

/// The same of blocks.
struct BlockTile<'a, 'out, B> {
    rows: Blocked<'a>,
    panel: &'a [B],
    add: bool,
    out: &'a mut RowsMut<'out>,
    column: usize,
}

impl<B> BlockTile<'_, '_, B> {
    /// The bounds that the kernels rely on.
    fn check(&self) {
        let (blocks, last) = (self.rows.count * self.rows.depth, self.rows.count.saturating_sub(1));
        assert!(self.panel.len() == self.rows.depth && blocks * BLOCK <= self.rows.codes.len());
        assert!(blocks <= self.rows.factors.len() && blocks <= self.rows.sums.len());
        assert!(self.rows.count == 0 || last * self.out.stride + self.column + WIDTH <= self.out.numbers.len());
    }
}

fn panel_by_panel<B>(
    rows: Blocked<'_>,
    blocks: &[B],
    add: bool,
    out: &mut RowsMut<'_>,
    multiply: fn(&mut BlockTile<'_, '_, B>),
) {
    for (at, panel) in blocks.chunks_exact(rows.depth).enumerate() {
        let mut tile = BlockTile { rows, panel, add, out, column: at * WIDTH };
        tile.check();
        multiply(&mut tile);
    }
}
