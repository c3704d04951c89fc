//! `Reranker`: how well texts answer a query, by a model that reads both together.

use std::sync::Arc;

use rayon::prelude::*;
use storage::Mapped;

use crate::config::Config;
use crate::embedded::cross::Cross;
use crate::embedded::files::Source;
use crate::embedded::forward::{Forward, Text};
use crate::embedded::kit::CROSS;
use crate::embedded::lazy::Lazy;
use crate::embedded::tokens::{Pair, Tokens};
use crate::embedded::turns::Turns;
use crate::embedded::weights::SIZE;
use crate::error::{Error, Result};

/// Between so many texts others get their turn.
const TURN_TEXTS: usize = 16;

/// Scores texts by how well they answer a query: ms-marco-MiniLM-L-12. Loaded, and fetched when it is absent, on its first
/// use. Clones share it.
#[derive(Clone)]
pub struct Reranker(Lazy<Turns<Judge>>);

/// The loaded model.
struct Judge {
    tokens: Tokens,
    cross: Cross,
}

impl Reranker {
    /// The model with these settings; nothing is loaded yet.
    pub(crate) fn new(config: &Config) -> Self {
        let source = Source::new(config, &CROSS, None, config.reranker_dir.as_ref());
        Self(Lazy::new(source, |weights, tokenizer| Judge::load(weights, tokenizer).map(Turns::at)))
    }

    /// One number for each text, in order: the larger, the better the text answers the query; above zero it does. Of a
    /// query 256 tokens are read, of a text as many as both together may have, which is 512.
    pub async fn score(&self, query: &str, texts: &[Arc<str>]) -> Result<Vec<f32>> {
        let judge = self.0.get().await.map_err(|reasons| Error::NoReranker { reasons })?;
        let mut scores = Vec::with_capacity(texts.len());
        for texts in texts.chunks(TURN_TEXTS) {
            let (query, texts) = (query.to_owned(), texts.to_vec());
            scores.extend(judge.turn(move |judge| judge.scores(&query, &texts)).await??);
        }
        Ok(scores)
    }
}

impl Judge {
    fn load(weights: Mapped, tokenizer: &[u8]) -> Result<Self> {
        Ok(Self { tokens: Tokens::load(tokenizer)?, cross: Cross::load(weights)? })
    }

    fn scores(&self, query: &str, texts: &[Arc<str>]) -> Result<Vec<f32>> {
        let query = self.tokens.query(query)?;
        let share = texts.len().div_ceil(rayon::current_num_threads()).max(1);
        let scores: Vec<Vec<f32>> =
            texts.par_chunks(share).map(|texts| self.share(&query, texts)).collect::<Result<_>>()?;
        Ok(scores.concat())
    }

    fn share(&self, query: &[u32], texts: &[Arc<str>]) -> Result<Vec<f32>> {
        let pairs: Vec<Pair> = texts.iter().map(|text| self.tokens.pair(query, text)).collect::<Result<_>>()?;
        let texts: Vec<Text<'_>> =
            pairs.iter().map(|pair| Text { tokens: &pair.tokens, second: pair.second }).collect();
        let mut forward = Forward::new(&self.cross.weights, 1);
        let x = forward.layers(&texts);
        let (mut firsts, mut row) = (Vec::with_capacity(texts.len() * SIZE), 0);
        for text in &texts {
            firsts.extend_from_slice(&x[row * SIZE..][..SIZE]);
            row += text.tokens.len();
        }
        let mut dense = vec![0.0; firsts.len()];
        forward.product(&mut firsts, &self.cross.dense, false, &mut dense);
        Ok(dense.chunks_exact(SIZE).map(|numbers| self.cross.score(numbers)).collect())
    }
}

impl Cross {
    fn score(&self, numbers: &[f32]) -> f32 {
        self.bias + numbers.iter().zip(&self.out).map(|(x, weight)| x.tanh() * weight).sum::<f32>()
    }
}
