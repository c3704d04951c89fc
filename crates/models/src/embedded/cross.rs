//! The weights of ms-marco-MiniLM-L-12, which reads a query and a text together: bytes with one factor a matrix, as they
//! are in its file.

use storage::Mapped;

use crate::embedded::bytes::{Matrix, Reach};
use crate::embedded::onnx::Constants;
use crate::embedded::panels::wide;
use crate::embedded::weights::{Kind, LOWEST, Layer, Linear, Norm, Numbers, SIZE, Weights, Words, numbers, within};
use crate::error::{Error, Result};

/// How many layers there are.
const LAYERS: usize = 12;
/// In the file the matrices of the layers have numbers for names; each layer has six, in the order of their use.
const NUMBERED: &str = "onnx::MatMul_";
const PER_LAYER: usize = 6;
/// What follows the name of what is stored as bytes.
const BYTES: &str = "_quantized";

/// The model: all layers, and what makes a score of the first token.
pub(crate) struct Cross {
    pub(crate) weights: Weights,
    /// From the first token of each text, to as many numbers.
    pub(crate) dense: Linear,
    /// From those to one number.
    pub(crate) out: Vec<f32>,
    pub(crate) bias: f32,
}

impl Cross {
    /// Lays out the weights of a file in the ONNX format.
    pub(crate) fn load(file: Mapped) -> Result<Self> {
        Self::read(file).ok_or(Error::Broken { what: "read the weights", source: None })
    }

    fn read(file: Mapped) -> Option<Self> {
        let constants = Graph(Constants::read(&file)?);
        let layers = constants.layers()?;
        let [mut positions, kinds] = ["position", "token_type"].map(|kind| constants.vectors(kind));
        let kinds = kinds?;
        let (first, second) = kinds.split_at_checked(SIZE)?;
        for position in positions.as_mut()?.chunks_exact_mut(SIZE) {
            position.iter_mut().zip(first).for_each(|(position, kind)| *position += kind);
        }
        let second = second.iter().zip(first).map(|(second, first)| second - first).collect();
        let (norm, dense) = (constants.norm("bert.embeddings.LayerNorm")?, constants.dense()?);
        let out = constants.stored("classifier.weight")?;
        let bias = *constants.numbers("classifier.bias")?.first()?;
        let (words, kind) = constants.kept("bert.embeddings.word_embeddings.weight")?;
        let words = Words { range: within(&file, words), kind, file };
        Some(Self { weights: Weights { words, positions: positions?, second, norm, layers }, dense, out, bias })
    }
}

/// The constants of the model's graph.
struct Graph<'a>(Constants<'a>);

impl<'a> Graph<'a> {
    fn layers(&self) -> Option<Vec<Layer>> {
        let matrices = self.0.names().iter().filter(|name| name.starts_with(NUMBERED));
        let matrices: Vec<&str> = matrices.filter_map(|name| name.strip_suffix(BYTES)).collect();
        let layers = matrices.chunks_exact(PER_LAYER).enumerate().map(|(at, names)| self.layer(at, names));
        layers.collect::<Option<Vec<_>>>().filter(|layers| layers.len() == LAYERS)
    }

    fn layer(&self, at: usize, names: &[&str]) -> Option<Layer> {
        let of = |part: &str| format!("bert.encoder.layer.{at}.{part}");
        let bias = |part: &str| of(&format!("{part}.bias"));
        let [query, key, value, out, up, down] = *names else { return None };
        let selves = ["query", "key", "value"].map(|part| bias(&format!("attention.self.{part}")));
        Some(Layer {
            qkv: self.linear(SIZE, &[query, key, value], &selves, Reach::Even)?,
            out: self.linear(SIZE, &[out], &[bias("attention.output.dense")], Reach::Even)?,
            attention_norm: self.norm(&of("attention.output.LayerNorm"))?,
            up: self.linear(SIZE, &[up], &[bias("intermediate.dense")], Reach::Even)?,
            down: self.linear(4 * SIZE, &[down], &[bias("output.dense")], Reach::From(LOWEST))?,
            norm: self.norm(&of("output.LayerNorm"))?,
        })
    }

    /// Matrices with the same inputs, as one with the outputs of all.
    fn linear(&self, inputs: usize, names: &[&str], biases: &[String], reach: Reach) -> Option<Linear> {
        let (mut parts, mut factors, mut bias) = (Vec::new(), Vec::new(), Vec::new());
        for (name, of) in names.iter().zip(biases) {
            let (bytes, Kind::Bytes { factor, .. }) = self.kept(name)? else { return None };
            let numbers = self.numbers(of)?;
            (bytes.len() == inputs * numbers.len()).then_some(())?;
            parts.push(bytes);
            factors.extend(std::iter::repeat_n(factor, numbers.len()));
            bias.extend(numbers);
        }
        // In the file the outputs of an input lie side by side.
        let width = factors.len() / parts.len();
        let byte = |output: usize, input: usize| parts[output / width][input * width + output % width].cast_signed();
        let matrix = Matrix::of(inputs, &factors, reach, byte);
        let bias = matrix.biased(wide(&bias));
        Some(Linear { inputs, outputs: factors.len(), numbers: Numbers::Int8(matrix), bias })
    }

    /// Of the first token; its matrix is the only one with a name.
    fn dense(&self) -> Option<Linear> {
        self.linear(SIZE, &["bert.pooler.dense.weight"], &["bert.pooler.dense.bias".to_owned()], Reach::Even)
    }

    fn norm(&self, name: &str) -> Option<Norm> {
        Some(Norm { gain: self.numbers(&format!("{name}.weight"))?, shift: self.numbers(&format!("{name}.bias"))? })
    }

    /// One vector after another, of what stands for itself beside the words.
    fn vectors(&self, kind: &str) -> Option<Vec<f32>> {
        let (bytes, Kind::Bytes { factor, zero }) = self.kept(&format!("bert.embeddings.{kind}_embeddings.weight"))?
        else {
            return None;
        };
        Some(bytes.iter().map(|byte| (f32::from(*byte) - zero) * factor).collect())
    }

    /// Bytes with a sign, as numbers.
    fn stored(&self, name: &str) -> Option<Vec<f32>> {
        let (bytes, Kind::Bytes { factor, .. }) = self.kept(name)? else { return None };
        Some(bytes.iter().map(|byte| f32::from(byte.cast_signed()) * factor).collect())
    }

    /// What is stored as bytes, and what they stand for.
    fn kept(&self, name: &str) -> Option<(&'a [u8], Kind)> {
        let factor = *self.numbers(&format!("{name}_scale"))?.first()?;
        let zero = f32::from(self.0.whole(&format!("{name}_zero_point"))?);
        Some((self.0.bytes(&format!("{name}{BYTES}"))?, Kind::Bytes { factor, zero }))
    }

    fn numbers(&self, name: &str) -> Option<Vec<f32>> {
        self.0.bytes(name).map(|bytes| numbers(bytes).collect())
    }
}
