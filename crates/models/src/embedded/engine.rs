//! Texts through the model: tokens first, then pieces of work that fill the cores and leave room for others.

use std::sync::Arc;

use rayon::prelude::*;
use sha2::{Digest, Sha256};
use storage::Mapped;

use crate::embedded::forward::{Forward, Text, unit};
use crate::embedded::kit::MINILM;
use crate::embedded::tokens::{self, LIMIT, Tokens};
use crate::embedded::turns::Turns;
use crate::embedded::weights::{self, Precision, SIZE, Weights};
use crate::embedded::{NAME, NAME_F32, PROVIDER};
use crate::embedder::{Card, Overflow};
use crate::error::Result;

/// One run takes texts of about so many tokens: enough to use each weight often, few enough for the cache.
const RUN_TOKENS: usize = 256;
/// Between so many tokens per core others get their turn.
const TURN_TOKENS: usize = 1024;
/// Below so many rows a second core costs more than it gives.
const SPLIT_ROWS: usize = 32;

/// The loaded model, at which requests take turns.
pub(crate) struct Engine(Turns<Core>);

struct Core {
    tokens: Tokens,
    weights: Weights,
}

/// The tokens of every window of every text.
struct Windows {
    tokens: Vec<Vec<u32>>,
    /// How many windows each text has.
    counts: Vec<usize>,
}

/// What the model is. Its files are pinned, so this never changes while the way to a vector does not.
pub(crate) fn card(precision: Precision) -> Card {
    let way = format!("pooling=mean\nlength=unit\nprefix=\ndimension={SIZE}\n{}", tokens::way());
    let mut parts: Vec<String> = MINILM.digests().map(str::to_owned).collect();
    parts.push(way);
    let name = match precision {
        Precision::Int8 => NAME,
        Precision::F32 => NAME_F32,
    };
    if precision == Precision::Int8 {
        parts.push(weights::way());
    }
    Card {
        name: name.to_owned(),
        provider: PROVIDER.to_owned(),
        dimension: SIZE,
        fingerprint: hex::encode(Sha256::digest(parts.join("\n"))),
        max_tokens: Some(LIMIT),
    }
}

impl Engine {
    /// Reads both files. Takes a moment, so not on the runtime's own threads.
    pub(crate) fn load(weights: Mapped, tokenizer: &[u8], precision: Precision) -> Result<Self> {
        let core = Core { tokens: Tokens::load(tokenizer)?, weights: Weights::load(weights, precision)? };
        Ok(Self(Turns::at(core)))
    }

    /// One vector of unit length per text, in order.
    pub(crate) async fn embed(&self, texts: &[Arc<str>], overflow: Overflow) -> Result<Vec<Vec<f32>>> {
        let texts: Arc<[Arc<str>]> = texts.into();
        let Windows { tokens, counts } = self.0.turn(move |core| core.windows(&texts, overflow)).await??;
        let mut vectors = Vec::with_capacity(tokens.len());
        for turn in grouped(tokens, TURN_TOKENS * rayon::current_num_threads()) {
            vectors.extend(self.0.turn(move |core| core.vectors(turn)).await?);
        }
        Ok(joined(vectors, &counts))
    }
}

impl Core {
    fn windows(&self, texts: &[Arc<str>], overflow: Overflow) -> Result<Windows> {
        let of = |(position, text): (usize, &Arc<str>)| self.tokens.windows(position, text, overflow);
        let windows: Vec<_> = match texts {
            [text] => vec![of((0, text))?],
            texts => texts.par_iter().enumerate().map(of).collect::<Vec<_>>().into_iter().collect::<Result<_>>()?,
        };
        let counts = windows.iter().map(Vec::len).collect();
        Ok(Windows { tokens: windows.into_iter().flatten().collect(), counts })
    }

    fn vectors(&self, windows: Vec<Vec<u32>>) -> Vec<Vec<f32>> {
        let threads = rayon::current_num_threads();
        let total: usize = windows.iter().map(Vec::len).sum();
        let runs = grouped(windows, (total / threads).clamp(SPLIT_ROWS, RUN_TOKENS));
        match runs.as_slice() {
            // Few tokens are not worth waking other threads, which may be at work for others.
            [run] => self.run(run, (total / SPLIT_ROWS).clamp(1, threads)),
            runs => runs.par_iter().flat_map_iter(|run| self.run(run, 1)).collect(),
        }
    }

    fn run(&self, windows: &[Vec<u32>], threads: usize) -> Vec<Vec<f32>> {
        let windows: Vec<Text<'_>> = windows.iter().map(|tokens| Text { tokens, second: tokens.len() }).collect();
        Forward::new(&self.weights, threads).vectors(&windows)
    }
}

/// Groups in order, each of which reaches `tokens` with its last window, but for the last group.
fn grouped(windows: Vec<Vec<u32>>, tokens: usize) -> Vec<Vec<Vec<u32>>> {
    let (mut groups, mut group, mut held) = (Vec::new(), Vec::new(), 0);
    for window in windows {
        held += window.len();
        group.push(window);
        if held >= tokens {
            groups.push(std::mem::take(&mut group));
            held = 0;
        }
    }
    groups.extend(Some(group).filter(|group| !group.is_empty()));
    groups
}

/// The vector of a text with several windows is their mean, at unit length.
fn joined(vectors: Vec<Vec<f32>>, counts: &[usize]) -> Vec<Vec<f32>> {
    let mut vectors = vectors.into_iter();
    counts
        .iter()
        .filter_map(|count| vectors.by_ref().take(*count).reduce(added).map(|sum| finished(sum, *count)))
        .collect()
}

fn added(mut sum: Vec<f32>, other: Vec<f32>) -> Vec<f32> {
    sum.iter_mut().zip(other).for_each(|(sum, x)| *sum += x);
    sum
}

fn finished(mut sum: Vec<f32>, count: usize) -> Vec<f32> {
    if count > 1 {
        unit(&mut sum);
    }
    sum
}
