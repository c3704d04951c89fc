//! The weights of all-MiniLM-L6-v2, laid out for multiplication.

use std::ops::Range;

use rayon::prelude::*;
use safetensors::{Dtype, SafeTensors};
use storage::Mapped;

use crate::embedded::bytes::{Matrix, Reach, Way};
use crate::embedded::panels::{Panels, Wide, wide};
use crate::error::{Error, Result};

/// How many numbers a token has between the layers, and a vector in the end.
pub(crate) const SIZE: usize = 384;
/// How many layers there are.
const LAYERS: usize = 6;
/// Every input, with zero in the middle.
const ALL: Way<'_> = Way { reach: Reach::Even, apart: &[] };
/// No activation is below this.
pub(crate) const LOWEST: f32 = -0.17;
/// What between the layers is far larger than the rest, in every text: measured on `testdata/embedding`.
const LARGE: [usize; 4] = [63, 99, 157, 223];
/// What in the middle of each layer is far larger than the rest.
const LARGE_MIDDLE: [[usize; 2]; LAYERS] =
    [[856, 1337], [607, 1004], [218, 1004], [358, 493], [637, 1097], [923, 1302]];

/// All that decides which bytes stand for the weights and for what is multiplied with them.
pub(crate) fn way() -> String {
    format!("matrices=int8\nlowest={LOWEST}\nlarge={LARGE:?}\nmiddle={LARGE_MIDDLE:?}")
}

/// The weights.
pub(crate) struct Weights {
    pub(crate) words: Words,
    /// Of each position, what a first text adds included.
    pub(crate) positions: Vec<f32>,
    /// What a second text adds to its tokens, less what a first one does.
    pub(crate) second: Vec<f32>,
    pub(crate) norm: Norm,
    pub(crate) layers: Vec<Layer>,
}

/// The words' vectors. They are half of all bytes, and are read where they are in the file.
pub(crate) struct Words {
    pub(crate) file: Mapped,
    pub(crate) range: Range<usize>,
    pub(crate) kind: Kind,
}

/// What the bytes of a file stand for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    /// Four of them are a number.
    Numbers,
    /// Each is a number: `factor` times what it is more than `zero`.
    Bytes { factor: f32, zero: f32 },
}

/// One layer.
pub(crate) struct Layer {
    /// Queries, keys and values in one matrix.
    pub(crate) qkv: Linear,
    pub(crate) out: Linear,
    pub(crate) attention_norm: Norm,
    pub(crate) up: Linear,
    pub(crate) down: Linear,
    pub(crate) norm: Norm,
}

/// A matrix and what is added to each output.
pub(crate) struct Linear {
    pub(crate) inputs: usize,
    pub(crate) outputs: usize,
    pub(crate) numbers: Numbers,
    pub(crate) bias: Vec<Wide>,
}

/// A matrix as it is multiplied.
pub(crate) enum Numbers {
    F32(Panels),
    Int8(Matrix),
}

/// What the matrices are multiplied as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Precision {
    /// Numbers as they are in the file.
    F32,
    /// Bytes, with the few largest inputs apart.
    Int8,
}

/// What follows a normalisation.
pub(crate) struct Norm {
    pub(crate) gain: Vec<f32>,
    pub(crate) shift: Vec<f32>,
}

impl Weights {
    /// Lays out the weights of a file in the safetensors format.
    pub(crate) fn load(file: Mapped, precision: Precision) -> Result<Self> {
        let tensors = SafeTensors::deserialize(&file).map_err(|error| broken(Some(error.into())))?;
        let tensors = Tensors { tensors, precision };
        let words = tensors.bytes("embeddings.word_embeddings.weight")?;
        let range = within(&file, words);
        let kind = tensors.numbers("embeddings.token_type_embeddings.weight")?;
        let mut positions = tensors.numbers("embeddings.position_embeddings.weight")?;
        for position in positions.chunks_exact_mut(SIZE) {
            position.iter_mut().zip(&kind[..SIZE]).for_each(|(position, kind)| *position += kind);
        }
        let norm = tensors.norm("embeddings.LayerNorm")?;
        let layers = (0..LAYERS).into_par_iter().map(|at| tensors.layer(at)).collect::<Result<_>>()?;
        let words = Words { file, range, kind: Kind::Numbers };
        Ok(Self { words, positions, second: vec![0.0; SIZE], norm, layers })
    }

    /// What a position adds to its token.
    pub(crate) fn position(&self, position: usize) -> &[f32] {
        &self.positions[position * SIZE..][..SIZE]
    }
}

impl Words {
    /// Adds the vector of a token to a row.
    pub(crate) fn add(&self, token: u32, row: &mut [f32]) {
        let (bytes, at) = (&self.file[self.range.clone()], token as usize);
        match self.kind {
            Kind::Numbers => {
                let width = SIZE * size_of::<f32>();
                row.iter_mut().zip(numbers(&bytes[at * width..][..width])).for_each(|(x, word)| *x += word);
            }
            Kind::Bytes { factor, zero } => {
                let word = bytes[at * SIZE..][..SIZE].iter().map(|byte| (f32::from(*byte) - zero) * factor);
                row.iter_mut().zip(word).for_each(|(x, word)| *x += word);
            }
        }
    }
}

struct Tensors<'a> {
    tensors: SafeTensors<'a>,
    precision: Precision,
}

impl<'a> Tensors<'a> {
    fn layer(&self, at: usize) -> Result<Layer> {
        let of = |part: &str| format!("encoder.layer.{at}.{part}");
        let selves = ["query", "key", "value"].map(|part| of(&format!("attention.self.{part}")));
        let between = Way { reach: Reach::Even, apart: &LARGE };
        let middle = Way { reach: Reach::From(LOWEST), apart: &LARGE_MIDDLE[at] };
        Ok(Layer {
            qkv: self.linear(SIZE, &selves, between)?,
            out: self.linear(SIZE, &[of("attention.output.dense")], ALL)?,
            attention_norm: self.norm(&of("attention.output.LayerNorm"))?,
            up: self.linear(SIZE, &[of("intermediate.dense")], between)?,
            down: self.linear(4 * SIZE, &[of("output.dense")], middle)?,
            norm: self.norm(&of("output.LayerNorm"))?,
        })
    }

    /// Matrices with the same inputs, as one with the outputs of all.
    fn linear(&self, inputs: usize, names: &[String], way: Way<'_>) -> Result<Linear> {
        let (mut weights, mut bias) = (Vec::new(), Vec::new());
        for name in names {
            weights.extend(self.numbers(&format!("{name}.weight"))?);
            bias.extend(self.numbers(&format!("{name}.bias"))?);
        }
        let outputs = bias.len();
        if weights.len() != inputs * outputs {
            return Err(broken(None));
        }
        let weight = |output: usize, input: usize| weights[output * inputs + input];
        let bias = wide(&bias);
        Ok(match self.precision {
            Precision::F32 => {
                Linear { inputs, outputs, numbers: Numbers::F32(Panels::of(inputs, outputs, weight)), bias }
            }
            Precision::Int8 => {
                let matrix = Matrix::nearest(inputs, outputs, way, weight);
                Linear { inputs, outputs, bias: matrix.biased(bias), numbers: Numbers::Int8(matrix) }
            }
        })
    }

    fn norm(&self, name: &str) -> Result<Norm> {
        Ok(Norm { gain: self.numbers(&format!("{name}.weight"))?, shift: self.numbers(&format!("{name}.bias"))? })
    }

    fn numbers(&self, name: &str) -> Result<Vec<f32>> {
        self.bytes(name).map(|bytes| numbers(bytes).collect())
    }

    fn bytes(&self, name: &str) -> Result<&'a [u8]> {
        let tensor = self.tensors.tensor(name).map_err(|error| broken(Some(error.into())))?;
        if tensor.dtype() == Dtype::F32 { Ok(tensor.data()) } else { Err(broken(None)) }
    }
}

/// Where a part of a file lies in it.
pub(crate) fn within(file: &[u8], part: &[u8]) -> Range<usize> {
    let start = part.as_ptr() as usize - file.as_ptr() as usize;
    start..start + part.len()
}

/// Numbers of four bytes each, little end first.
pub(crate) fn numbers(bytes: &[u8]) -> impl Iterator<Item = f32> {
    let (numbers, _) = bytes.as_chunks::<4>();
    numbers.iter().map(|bytes| f32::from_le_bytes(*bytes))
}

fn broken(source: Option<crate::error::Cause>) -> Error {
    Error::Broken { what: "read the weights", source }
}
