//! Tokens through the layers, each with what it finds in those before it, and how likely each word comes next.
//!
//! Many tokens lie under one another in one matrix, and all cores work on their rows. A single one is worked on by one
//! core: the others have answers of their own to give, or texts to read.

use rayon::prelude::*;

use crate::embedded::blocks::{BlockMatrix, BlockRows};
use crate::embedded::kernel::{Kernel, Onto, Rows, RowsMut};
use crate::embedded::panels::WIDTH;
use crate::embedded::talker::memory::{Kept, Memory};
use crate::embedded::talker::weights::{Layer, Shape, Weights};

/// Fewer rows cost more to hand to another thread than to compute.
const FEW_ROWS: usize = 8;

/// One run with some weights: what it needs and where it puts things.
pub(crate) struct Forward<'a> {
    weights: &'a Weights,
    kernel: Kernel,
    scratch: Scratch,
}

#[derive(Default)]
struct Scratch {
    level: Vec<f32>,
    qkv: Vec<f32>,
    context: Vec<f32>,
    middle: Vec<f32>,
    blocks: BlockRows,
}

impl<'a> Forward<'a> {
    /// A run on the fastest instructions.
    pub(crate) fn new(weights: &'a Weights) -> Self {
        Self { weights, kernel: Kernel::best(), scratch: Scratch::default() }
    }

    /// Reads tokens after those in memory, which are kept there too. What the last of them comes to.
    pub(crate) fn read(&mut self, tokens: &[u32], memory: &mut Memory) -> Vec<f32> {
        let Shape { size, width, base, .. } = self.weights.shape;
        let mut x: Vec<f32> = tokens.iter().flat_map(|token| self.weights.word(*token)).collect();
        let first = memory.length;
        let rotations: Vec<Rotation> =
            (first..first + tokens.len()).flat_map(|at| rotations(at, width, base)).collect();
        for (layer, memory) in self.weights.layers.iter().zip(&mut memory.layers) {
            self.attend(layer, memory, &rotations, &mut x);
            self.transform(layer, &mut x);
        }
        memory.length += tokens.len();
        x.split_off(x.len() - size)
    }

    /// How likely each word comes next, given what the last token came to: the larger, the likelier.
    pub(crate) fn likelihoods(&mut self, x: &[f32]) -> Vec<f32> {
        let weights = self.weights;
        let mut level = std::mem::take(&mut self.scratch.level);
        self.level(x, &weights.gain, &mut level);
        let mut out = vec![0.0; weights.out.outputs];
        self.product(&level, &weights.out, false, &mut out);
        self.scratch.level = level;
        out
    }

    /// Every token takes up what it finds in itself and in those before it.
    fn attend(&mut self, layer: &Layer, memory: &mut Kept, rotations: &[Rotation], x: &mut [f32]) {
        let shape = self.weights.shape;
        let mut level = std::mem::take(&mut self.scratch.level);
        let mut qkv = std::mem::take(&mut self.scratch.qkv);
        let mut context = std::mem::take(&mut self.scratch.context);
        self.level(x, &layer.attention_gain, &mut level);
        let count = x.len() / shape.size;
        qkv.resize(count * shape.qkv(), 0.0);
        context.resize(count * shape.size, 0.0);
        self.product(&level, &layer.qkv, false, &mut qkv);
        let before = memory.length();
        for (token, rotations) in qkv.chunks_exact_mut(shape.qkv()).zip(rotations.chunks_exact(shape.width / 2)) {
            rotate(&mut token[..shape.size + shape.kept()], rotations);
            let (keys, values) = token[shape.size..].split_at(shape.kept());
            memory.keep(keys, values);
        }
        let (kernel, memory) = (self.kernel, &*memory);
        pieces(&mut context, shape.size, |first, out| {
            Look { kernel, shape, memory, qkv: &qkv[first * shape.qkv()..], before: before + first }.all(out);
        });
        self.product(&context, &layer.out, true, x);
        (self.scratch.level, self.scratch.qkv, self.scratch.context) = (level, qkv, context);
    }

    /// Each token by itself, through the wide middle.
    fn transform(&mut self, layer: &Layer, x: &mut [f32]) {
        let Shape { size, middle: width, .. } = self.weights.shape;
        let mut level = std::mem::take(&mut self.scratch.level);
        let mut middle = std::mem::take(&mut self.scratch.middle);
        self.level(x, &layer.gain, &mut level);
        let count = x.len() / size;
        middle.resize(count * 2 * width, 0.0);
        self.product(&level, &layer.up, false, &mut middle);
        // What came through its gate takes the place of the rows before it, so that rows lie side by side again.
        for row in 0..count {
            let (gates, numbers) = middle[row * 2 * width..][..2 * width].split_at_mut(width);
            self.kernel.gate(gates, numbers);
            middle.copy_within(row * 2 * width..row * 2 * width + width, row * width);
        }
        middle.truncate(count * width);
        self.product(&middle, &layer.down, true, x);
        (self.scratch.level, self.scratch.middle) = (level, middle);
    }

    fn level(&self, x: &[f32], gain: &[f32], out: &mut Vec<f32>) {
        out.resize(x.len(), 0.0);
        for (row, out) in x.chunks_exact(gain.len()).zip(out.chunks_exact_mut(gain.len())) {
            self.kernel.level(row, gain, self.weights.shape.epsilon, out);
        }
    }

    /// `out = rows · matrix`, and what is in `out` already if `add`.
    fn product(&mut self, rows: &[f32], matrix: &BlockMatrix, add: bool, out: &mut [f32]) {
        let (kernel, stride) = (self.kernel, matrix.outputs);
        let mut blocks = std::mem::take(&mut self.scratch.blocks);
        blocks.fill(kernel, rows);
        let whole = matrix.part(0..stride / WIDTH);
        pieces(out, stride, |first, out| {
            let rows = blocks.rows(first, out.len() / stride, matrix.depth());
            kernel.multiply_blocks(rows, whole, add, &mut RowsMut { numbers: out, stride });
        });
        self.scratch.blocks = blocks;
    }
}

/// Does the work on pieces of the rows, each told with its first row.
fn pieces(numbers: &mut [f32], stride: usize, work: impl Fn(usize, &mut [f32]) + Send + Sync) {
    let count = numbers.len() / stride;
    let piece = count.div_ceil(rayon::current_num_threads()).max(FEW_ROWS);
    if piece < count {
        let pieces = numbers.par_chunks_mut(piece * stride).enumerate();
        pieces.for_each(|(at, numbers)| work(at * piece, numbers));
    } else {
        work(0, numbers);
    }
}

/// Attention of some tokens that follow one another, of which `before` others are in memory.
struct Look<'a> {
    kernel: Kernel,
    shape: Shape,
    memory: &'a Kept,
    qkv: &'a [f32],
    before: usize,
}

impl Look<'_> {
    /// All looks of all tokens: those of one token that share keys lie under one another, or those of all tokens.
    fn all(&self, out: &mut [f32]) {
        let Shape { size, heads, shared, width, .. } = self.shape;
        let (count, sharing) = (out.len() / size, heads / shared);
        let alone = count == 1;
        let (rows, from, to) = if alone { (sharing, width, width) } else { (count, self.shape.qkv(), size) };
        // Tokens behind these are in memory already when all cores work on a text.
        let stride = self.memory.length().next_multiple_of(WIDTH);
        let mut shares = vec![0.0; rows * stride];
        for head in (0..heads).step_by(if alone { sharing } else { 1 }) {
            let (keys, values) = self.memory.of(head / sharing);
            let queries = Rows { numbers: &self.qkv[head * width..], stride: from };
            let scores = &mut RowsMut { numbers: &mut shares, stride };
            self.kernel.multiply(rows, queries, keys, Onto::Zero, scores);
            for (row, shares) in shares.chunks_exact_mut(stride).enumerate() {
                let (seen, unseen) = shares.split_at_mut(self.before + 1 + if alone { 0 } else { row });
                self.kernel.softmax(seen, 1.0 / (width as f32).sqrt());
                unseen.fill(0.0);
            }
            for (at, values) in values.iter().enumerate() {
                let out = &mut RowsMut { numbers: &mut out[head * width + at * WIDTH..], stride: to };
                self.kernel.multiply(rows, Rows { numbers: &shares, stride }, values, Onto::Zero, out);
            }
        }
    }
}

/// A rotation of a plane, as its cosine and its sine.
type Rotation = [f32; 2];

/// How a position rotates each pair of numbers of a query or a key of so many numbers.
fn rotations(position: usize, width: usize, base: f32) -> impl Iterator<Item = Rotation> {
    (0..width / 2).map(move |pair| {
        let angle = position as f64 * f64::from(base).powf(-2.0 * pair as f64 / width as f64);
        let (sin, cos) = angle.sin_cos();
        [cos as f32, sin as f32]
    })
}

/// Rotates every pair of every head.
fn rotate(heads: &mut [f32], rotations: &[Rotation]) {
    for head in heads.chunks_exact_mut(2 * rotations.len()) {
        let (pairs, _) = head.as_chunks_mut::<2>();
        for (pair, [cos, sin]) in pairs.iter_mut().zip(rotations) {
            let [x, y] = *pair;
            *pair = [x * cos - y * sin, x * sin + y * cos];
        }
    }
}
