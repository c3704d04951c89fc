//! Ranking by BM25: a text is worth more the rarer the words are that it holds, the more often it holds them, and the
//! shorter it is.

use std::collections::HashSet;

use crate::postings::Postings;
use crate::words::words;

#[cfg(test)]
mod tests;

/// How soon another occurrence of a word in the same text says nothing new.
const SATURATION: f64 = 1.2;
/// How much long texts are marked down, from 0 to 1.
const LENGTH: f64 = 0.75;
/// The most different words that are looked for at once: each costs a walk through the texts that hold it.
pub const MAX_WORDS: usize = 1024;

/// The words that are looked for, each once.
#[derive(Debug, Clone)]
pub struct Query {
    words: Vec<String>,
}

/// What is known of all texts that are searched together, however they are divided into postings.
#[derive(Debug, Clone)]
pub struct Statistics {
    /// How many texts.
    texts: u64,
    /// How many words they have.
    words: u64,
    /// How many texts hold each word of the query.
    holding: Vec<u64>,
}

impl Query {
    /// The words of a text; none where more than [`MAX_WORDS`] are different.
    pub fn new(text: &str) -> Option<Self> {
        let (mut own, mut known) = (Vec::new(), HashSet::new());
        for word in words(text) {
            if !known.contains(&word) {
                if own.len() == MAX_WORDS {
                    return None;
                }
                known.insert(word.clone());
                own.push(word);
            }
        }
        Some(Self { words: own })
    }

    /// Whether it looks for nothing.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// The scores of those of the wanted rows that hold any of the words, ascending by row; larger is better.
    pub fn scores(
        &self,
        postings: &Postings,
        statistics: &Statistics,
        is_wanted: impl Fn(u32) -> bool,
    ) -> Vec<(u32, f64)> {
        let mut scores = Vec::new();
        for (word, holding) in self.words.iter().zip(&statistics.holding) {
            let rarity = statistics.rarity(*holding);
            let rows = postings.rows_with(word).filter(|(row, _)| is_wanted(*row));
            scores.extend(rows.map(|(row, count)| (row, rarity * statistics.weight(count, postings.length(row)))));
        }
        // Stable, so that the terms of a row are added in the order of the words, whoever asks.
        scores.sort_by_key(|(row, _)| *row);
        scores.dedup_by(|later, first| {
            let same = later.0 == first.0;
            first.1 += if same { later.1 } else { 0.0 };
            same
        });
        scores
    }
}

impl Statistics {
    /// Of no text yet, for a query.
    pub fn new(query: &Query) -> Self {
        Self { texts: 0, words: 0, holding: vec![0; query.words.len()] }
    }

    /// Counts the rows that are searched.
    pub fn count(&mut self, query: &Query, postings: &Postings, is_searched: impl Fn(u32) -> bool) {
        let lengths = (0..postings.rows() as u32).map(|row| (row, u64::from(postings.length(row))));
        for (_, length) in lengths.filter(|(row, length)| *length > 0 && is_searched(*row)) {
            self.texts += 1;
            self.words += length;
        }
        for (word, holding) in query.words.iter().zip(&mut self.holding) {
            *holding += postings.rows_with(word).filter(|(row, _)| is_searched(*row)).count() as u64;
        }
    }

    /// What holding a word says, when so many texts do.
    fn rarity(&self, holding: u64) -> f64 {
        let (texts, holding) = (self.texts as f64, holding as f64);
        ((texts - holding + 0.5) / (holding + 0.5)).ln_1p()
    }

    /// How much of that holding it so often says of a text with so many words.
    fn weight(&self, count: u32, length: u32) -> f64 {
        let (count, mean) = (f64::from(count), self.words as f64 / self.texts as f64);
        let long = 1.0 - LENGTH + LENGTH * f64::from(length) / mean;
        count * (SATURATION + 1.0) / (count + SATURATION * long)
    }
}
