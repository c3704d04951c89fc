//! The weights of a language model of Llama's kind, laid out for multiplication, and its measures.

use std::ops::Range;

use rayon::prelude::*;
use storage::Mapped;

use crate::embedded::blocks::{BlockMatrix, Codes};
use crate::embedded::panels::WIDTH;
use crate::embedded::talker::gguf::{Gguf, Kind};
use crate::embedded::weights::{numbers, within};

/// The weights.
pub(crate) struct Weights {
    pub(crate) shape: Shape,
    words: Words,
    pub(crate) layers: Vec<Layer>,
    /// What follows the last layer.
    pub(crate) gain: Vec<f32>,
    /// From a token to how likely each word comes next: the words' vectors once more.
    pub(crate) out: BlockMatrix,
}

/// How wide everything is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Shape {
    pub(crate) layers: usize,
    /// Numbers of a token between the layers.
    pub(crate) size: usize,
    /// Width of the middle of a layer.
    pub(crate) middle: usize,
    /// How often attention looks.
    pub(crate) heads: usize,
    /// How many keys and values a token has; several heads share one.
    pub(crate) shared: usize,
    /// Numbers of a query, a key or a value.
    pub(crate) width: usize,
    /// How many words there are.
    pub(crate) words: usize,
    /// Added to a mean square.
    pub(crate) epsilon: f32,
    /// The larger, the slower positions turn what they turn least.
    pub(crate) base: f32,
}

/// The words' vectors, read where they are in the file.
struct Words {
    file: Mapped,
    range: Range<usize>,
    codes: Codes,
    /// Bytes of one.
    row: usize,
}

/// One layer.
pub(crate) struct Layer {
    pub(crate) attention_gain: Vec<f32>,
    /// Queries, keys and values in one matrix.
    pub(crate) qkv: BlockMatrix,
    pub(crate) out: BlockMatrix,
    pub(crate) gain: Vec<f32>,
    /// Gates, then what goes through them.
    pub(crate) up: BlockMatrix,
    pub(crate) down: BlockMatrix,
}

impl Shape {
    /// As the file says. None if it says it of a model of another kind, or what these matrices cannot be.
    fn read(file: &Gguf<'_>) -> Option<Self> {
        (file.text("general.architecture")? == "llama").then_some(())?;
        let of = |name: &str| file.whole(&format!("llama.{name}"));
        let (size, heads) = (of("embedding_length")?, of("attention.head_count")?);
        let shape = Self {
            layers: of("block_count")?,
            size,
            middle: of("feed_forward_length")?,
            heads,
            shared: of("attention.head_count_kv")?,
            width: size.checked_div(heads)?,
            words: of("vocab_size")?,
            epsilon: file.real("llama.attention.layer_norm_rms_epsilon")?,
            base: file.real("llama.rope.freq_base")?,
        };
        let fits = shape.shared > 0
            && shape.heads.is_multiple_of(shape.shared)
            && shape.width.is_multiple_of(WIDTH)
            && of("rope.dimension_count")? == shape.width;
        fits.then_some(shape)
    }

    /// Numbers of a token's keys, or of its values.
    pub(crate) fn kept(&self) -> usize {
        self.shared * self.width
    }

    /// Numbers of a token's queries, keys and values together.
    pub(crate) fn qkv(&self) -> usize {
        self.size + 2 * self.kept()
    }
}

impl Weights {
    /// Lays out the weights of a file that was read. None if something is missing, or has another shape.
    pub(crate) fn lay_out(mapped: &Mapped, file: &Gguf<'_>) -> Option<Self> {
        let shape = Shape::read(file)?;
        let tensors = Tensors { file, shape };
        let layers = (0..shape.layers).into_par_iter().map(|at| tensors.layer(at)).collect::<Option<_>>()?;
        let (codes, words) = tensors.codes("token_embd.weight", shape.size, shape.words)?;
        let range = within(mapped, words);
        let row = codes.row(shape.size)?;
        Some(Self {
            shape,
            words: Words { file: mapped.clone(), range, codes, row },
            layers,
            gain: tensors.gain("output_norm.weight")?,
            out: BlockMatrix::of(codes, shape.size, &[words])?,
        })
    }

    /// The vector of a word, which is one of the model's.
    pub(crate) fn word(&self, token: u32) -> impl Iterator<Item = f32> {
        let Words { file, range, codes, row } = &self.words;
        codes.numbers(&file[range.clone()][token as usize * row..][..*row])
    }
}

struct Tensors<'a> {
    file: &'a Gguf<'a>,
    shape: Shape,
}

impl<'a> Tensors<'a> {
    fn layer(&self, at: usize) -> Option<Layer> {
        let Shape { size, middle, .. } = self.shape;
        let of = |part: &str| format!("blk.{at}.{part}.weight");
        let kept = self.shape.kept();
        Some(Layer {
            attention_gain: self.gain(&of("attn_norm"))?,
            qkv: self.matrix(size, &[(of("attn_q"), size), (of("attn_k"), kept), (of("attn_v"), kept)])?,
            out: self.matrix(size, &[(of("attn_output"), size)])?,
            gain: self.gain(&of("ffn_norm"))?,
            up: self.matrix(size, &[(of("ffn_gate"), middle), (of("ffn_up"), middle)])?,
            down: self.matrix(middle, &[(of("ffn_down"), size)])?,
        })
    }

    /// Matrices with the same inputs, as one with the outputs of all.
    fn matrix(&self, inputs: usize, parts: &[(String, usize)]) -> Option<BlockMatrix> {
        let parts =
            parts.iter().map(|(name, outputs)| self.codes(name, inputs, *outputs)).collect::<Option<Vec<_>>>()?;
        let (codes, _) = *parts.first()?;
        let alike = parts.iter().all(|(other, _)| *other == codes);
        let bytes: Vec<&[u8]> = parts.iter().map(|(_, bytes)| *bytes).collect();
        alike.then(|| BlockMatrix::of(codes, inputs, &bytes))?
    }

    fn codes(&self, name: &str, inputs: usize, outputs: usize) -> Option<(Codes, &'a [u8])> {
        let tensor = self.file.tensor(name).filter(|tensor| tensor.shape == [inputs, outputs])?;
        match tensor.kind {
            Kind::Codes(codes) => Some((codes, tensor.bytes)),
            Kind::Numbers => None,
        }
    }

    fn gain(&self, name: &str) -> Option<Vec<f32>> {
        let tensor = self.file.tensor(name)?;
        let fits = tensor.kind == Kind::Numbers && tensor.shape == [self.shape.size, 1];
        fits.then(|| numbers(tensor.bytes).collect())
    }
}
