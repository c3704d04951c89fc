//! Tokens become a vector: layers of attention and two matrices each, then the mean over the tokens; or a score, of the
//! first of them.
//!
//! The tokens of several texts lie under one another in one matrix, without padding; only attention keeps texts apart.

use rayon::prelude::*;

use crate::embedded::bytes::Matrix;
use crate::embedded::kernel::{Bytes, Kernel, Onto, Rows, RowsMut};
use crate::embedded::panels::{Panels, WIDTH};
use crate::embedded::weights::{Layer, Linear, Norm, Numbers, SIZE, Weights};

/// Attention looks this many times at every pair of tokens; each look reads one panel's width.
const HEADS: usize = SIZE / WIDTH;
/// Queries, keys and values of a token lie side by side.
const QKV: usize = 3 * SIZE;
/// Width of the middle of a layer.
const MIDDLE: usize = 4 * SIZE;
/// One over the square root of a head's width.
const SCALE: f32 = 0.176_776_7;
/// Below so many rows a thread more costs more than it gives.
const FEW_ROWS: usize = 4;

/// One run over some texts: what it needs and where it puts things.
pub(crate) struct Forward<'a> {
    weights: &'a Weights,
    kernel: Kernel,
    /// On how many threads each product runs.
    threads: usize,
    scratch: Scratch,
}

/// The tokens of a text; of two, the second of which begins at `second`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Text<'a> {
    pub(crate) tokens: &'a [u32],
    pub(crate) second: usize,
}

#[derive(Default)]
struct Scratch {
    qkv: Vec<f32>,
    context: Vec<f32>,
    middle: Vec<f32>,
    keys: Panels,
    values: Panels,
    scores: Vec<f32>,
    bytes: ByteRows,
}

/// Rows as bytes.
#[derive(Default)]
struct ByteRows {
    bytes: Vec<u8>,
    factors: Vec<f32>,
    apart: Vec<f32>,
}

impl<'a> Forward<'a> {
    /// A run with these weights on the fastest instructions.
    pub(crate) fn new(weights: &'a Weights, threads: usize) -> Self {
        Self { weights, kernel: Kernel::best(), threads, scratch: Scratch::default() }
    }

    /// One vector of unit length per text.
    pub(crate) fn vectors(&mut self, texts: &[Text<'_>]) -> Vec<Vec<f32>> {
        let x = self.layers(texts);
        let mut rest = x.as_slice();
        let mut pooled = Vec::with_capacity(texts.len());
        for text in texts {
            let (rows, after) = rest.split_at(text.tokens.len() * SIZE);
            pooled.push(mean(rows));
            rest = after;
        }
        pooled
    }

    /// One row per token, as the last layer leaves it.
    pub(crate) fn layers(&mut self, texts: &[Text<'_>]) -> Vec<f32> {
        let mut x = self.embeddings(texts);
        for layer in &self.weights.layers {
            self.attend(layer, texts, &mut x);
            self.transform(layer, &mut x);
        }
        x
    }

    fn embeddings(&self, texts: &[Text<'_>]) -> Vec<f32> {
        let mut x = Vec::with_capacity(texts.iter().map(|text| text.tokens.len()).sum::<usize>() * SIZE);
        for text in texts {
            for (position, token) in text.tokens.iter().enumerate() {
                let first = x.len();
                x.extend_from_slice(self.weights.position(position));
                self.weights.words.add(*token, &mut x[first..]);
                if position >= text.second {
                    x[first..].iter_mut().zip(&self.weights.second).for_each(|(x, second)| *x += second);
                }
            }
        }
        self.normalize(&self.weights.norm, &mut x);
        x
    }

    /// Every token takes up what it finds in the tokens of its text.
    fn attend(&mut self, layer: &Layer, texts: &[Text<'_>], x: &mut [f32]) {
        let mut qkv = std::mem::take(&mut self.scratch.qkv);
        let mut context = std::mem::take(&mut self.scratch.context);
        let count = x.len() / SIZE;
        qkv.resize(count * QKV, 0.0);
        context.resize(count * SIZE, 0.0);
        self.product(x, &layer.qkv, false, &mut qkv);
        let mut row = 0;
        for text in texts {
            let rows = row..row + text.tokens.len();
            self.look(&qkv[rows.start * QKV..rows.end * QKV], &mut context[rows.start * SIZE..rows.end * SIZE]);
            row = rows.end;
        }
        self.product(&mut context, &layer.out, true, x);
        self.normalize(&layer.attention_norm, x);
        (self.scratch.qkv, self.scratch.context) = (qkv, context);
    }

    /// The looks of one text: shares by how well queries and keys agree, then that much of each value.
    fn look(&mut self, qkv: &[f32], context: &mut [f32]) {
        let count = qkv.len() / QKV;
        let stride = count.next_multiple_of(WIDTH);
        let Scratch { keys, values, scores, .. } = &mut self.scratch;
        scores.resize(count * stride, 0.0);
        for head in 0..HEADS {
            let at = head * WIDTH;
            keys.turn(qkv.chunks_exact(QKV).map(|token| &token[SIZE + at..]));
            values.take(qkv.chunks_exact(QKV).map(|token| &token[2 * SIZE + at..]));
            let queries = Rows { numbers: &qkv[at..], stride: QKV };
            self.kernel.multiply(count, queries, keys, Onto::Zero, &mut RowsMut { numbers: scores, stride });
            for scores in scores.chunks_exact_mut(stride) {
                self.kernel.softmax(&mut scores[..count], SCALE);
            }
            let shares = Rows { numbers: scores, stride };
            let out = &mut RowsMut { numbers: &mut context[at..], stride: SIZE };
            self.kernel.multiply(count, shares, values, Onto::Zero, out);
        }
    }

    /// Each token by itself, through the wide middle.
    fn transform(&mut self, layer: &Layer, x: &mut [f32]) {
        let mut middle = std::mem::take(&mut self.scratch.middle);
        middle.resize(x.len() / SIZE * MIDDLE, 0.0);
        self.product(x, &layer.up, false, &mut middle);
        let kernel = self.kernel;
        self.pieces(&mut middle, MIDDLE, |_, piece| kernel.gelu(piece));
        self.product(&mut middle, &layer.down, true, x);
        self.normalize(&layer.norm, x);
        self.scratch.middle = middle;
    }

    /// `out = rows · matrix + bias`, and what is in `out` already if `residual`. The rows are the same afterwards.
    pub(crate) fn product(&mut self, rows: &mut [f32], linear: &Linear, residual: bool, out: &mut [f32]) {
        let (kernel, width, stride) = (self.kernel, linear.inputs, linear.outputs);
        let onto = if residual { Onto::Residual(&linear.bias) } else { Onto::Bias(&linear.bias) };
        match &linear.numbers {
            Numbers::F32(panels) => self.pieces(out, stride, |first, out| {
                let (count, rows) = (out.len() / stride, Rows { numbers: &rows[first * width..], stride: width });
                kernel.multiply(count, rows, panels, onto, &mut RowsMut { numbers: out, stride });
            }),
            Numbers::Int8(matrix) => {
                let mut bytes = std::mem::take(&mut self.scratch.bytes);
                bytes.fill(kernel, matrix, rows, width);
                self.pieces(out, stride, |first, out| {
                    let (count, rows) = (out.len() / stride, bytes.rows(first, width, matrix));
                    kernel.multiply_bytes(count, rows, matrix, onto, &mut RowsMut { numbers: out, stride });
                });
                self.scratch.bytes = bytes;
            }
        }
    }

    fn normalize(&self, norm: &Norm, x: &mut [f32]) {
        x.chunks_exact_mut(SIZE).for_each(|row| self.kernel.normalize(row, &norm.gain, &norm.shift));
    }

    /// Does the work on pieces of the rows, each told with its first row, on all threads of this run.
    fn pieces(&self, numbers: &mut [f32], stride: usize, work: impl Fn(usize, &mut [f32]) + Send + Sync) {
        if self.threads > 1 {
            let piece = self.piece(numbers.len() / stride);
            let pieces = numbers.par_chunks_mut(piece * stride).enumerate();
            pieces.for_each(|(at, numbers)| work(at * piece, numbers));
        } else {
            work(0, numbers);
        }
    }

    /// How many of `count` rows one thread takes.
    fn piece(&self, count: usize) -> usize {
        count.div_ceil(self.threads).max(FEW_ROWS)
    }
}

impl ByteRows {
    /// The nearest to rows of numbers, for this matrix.
    fn fill(&mut self, kernel: Kernel, matrix: &Matrix, rows: &mut [f32], width: usize) {
        self.bytes.resize(rows.len(), 0);
        self.factors.clear();
        self.apart.clear();
        for (row, bytes) in rows.chunks_exact_mut(width).zip(self.bytes.chunks_exact_mut(width)) {
            let first = self.apart.len();
            self.apart.extend(matrix.apart.iter().map(|at| std::mem::take(&mut row[*at])));
            self.factors.push(kernel.to_bytes(row, matrix.reach, bytes));
            matrix.apart.iter().zip(&self.apart[first..]).for_each(|(at, number)| row[*at] = *number);
        }
    }

    /// From the row `first` on.
    fn rows(&self, first: usize, width: usize, matrix: &Matrix) -> Bytes<'_> {
        Bytes {
            bytes: &self.bytes[first * width..],
            factors: &self.factors[first..],
            apart: &self.apart[first * matrix.apart.len()..],
            stride: width,
        }
    }
}

/// The mean of the rows, at unit length.
fn mean(rows: &[f32]) -> Vec<f32> {
    let mut mean = vec![0.0; SIZE];
    for row in rows.chunks_exact(SIZE) {
        mean.iter_mut().zip(row).for_each(|(sum, x)| *sum += x);
    }
    unit(&mut mean);
    mean
}

/// Unit length; a mean and a sum have the same direction.
pub(crate) fn unit(vector: &mut [f32]) {
    let length = vector.iter().map(|x| f64::from(*x) * f64::from(*x)).sum::<f64>().sqrt();
    let scale = 1.0 / length.max(f64::MIN_POSITIVE);
    vector.iter_mut().for_each(|x| *x = (f64::from(*x) * scale) as f32);
}
