//! The best so far, and what is next best.

use std::collections::BinaryHeap;

/// How many partitions are put in order at first; then as many more each time as there are.
const FIRST: usize = 64;
/// How many rows are handed on at most, beside twice as many as are wanted.
const SPARE: usize = 256;

/// Partitions from near to far as a search or a proof sees it, put in order only as far as they are asked for.
#[derive(Debug)]
pub(crate) struct Order {
    all: Vec<Ranked>,
    sorted: usize,
    next: usize,
}

impl Order {
    /// Of partitions that are so far away: squares of distances, lifted or not.
    pub fn new(squares: Vec<f32>) -> Self {
        let all = squares.into_iter().zip(0..).map(|(score, number)| Ranked::new(score, number)).collect();
        Self { all, sorted: 0, next: 0 }
    }

    /// The nearest of those not yet taken.
    pub fn next(&mut self) -> Option<Ranked> {
        let found = self.peek();
        self.next += 1;
        found
    }

    /// The one that [`Self::next`] will take.
    pub fn peek(&mut self) -> Option<Ranked> {
        if self.next >= self.sorted {
            let rest = &mut self.all[self.sorted..];
            let more = self.sorted.max(FIRST).min(rest.len());
            if more < rest.len() {
                rest.select_nth_unstable(more);
            }
            rest[..more].sort_unstable();
            self.sorted += more;
        }
        self.all.get(self.next).copied()
    }
}

/// The best rows so far, and all that might be better than they seem.
#[derive(Debug)]
pub(crate) struct Top {
    best: BinaryHeap<Ranked>,
    /// Every row that may be among the best, with the least that its score may be.
    kept: Vec<Ranked>,
    wanted: usize,
}

impl Top {
    /// Of so many rows.
    pub fn new(wanted: usize) -> Self {
        Self { best: BinaryHeap::new(), kept: Vec::new(), wanted }
    }

    /// Keeps a row if it may be among the best: its score may be less than it seems by `slack`.
    pub fn offer(&mut self, score: f32, slack: f32, number: u32) {
        if score - slack > self.limit() {
            return;
        }
        self.kept.push(Ranked::new(score - slack, number));
        let ranked = Ranked::new(score, number);
        if !self.is_full() {
            self.best.push(ranked);
        } else if let Some(mut worst) = self.best.peek_mut()
            && ranked < *worst
        {
            *worst = ranked;
        }
    }

    /// Whether as many were found as are wanted.
    pub fn is_full(&self) -> bool {
        self.best.len() == self.wanted
    }

    /// The score beyond which no row is among the best.
    pub fn limit(&self) -> f32 {
        self.best.peek().filter(|_| self.is_full()).map_or(f32::INFINITY, |worst| worst.score())
    }

    /// The rows that may be the best. Where very many are about equally far away, those that may be nearest.
    pub fn rows(mut self) -> Vec<u32> {
        let (limit, most) = (self.limit(), self.wanted * 2 + SPARE);
        self.kept.retain(|ranked| ranked.score() <= limit);
        if self.kept.len() > most {
            self.kept.select_nth_unstable(most);
            self.kept.truncate(most);
        }
        self.kept.into_iter().map(|ranked| ranked.number()).collect()
    }
}

/// A number with its score, in the order of scores and then of numbers: one whole number, which sorts fastest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Ranked(u64);

impl Ranked {
    const SIGN: u32 = 1 << 31;

    pub fn new(score: f32, number: u32) -> Self {
        let bits = score.to_bits();
        let ordered = if bits & Self::SIGN == 0 { bits | Self::SIGN } else { !bits };
        Self(u64::from(ordered) << 32 | u64::from(number))
    }

    pub fn score(self) -> f32 {
        let ordered = (self.0 >> 32) as u32;
        f32::from_bits(if ordered & Self::SIGN == 0 { !ordered } else { ordered & !Self::SIGN })
    }

    pub fn number(self) -> u32 {
        self.0 as u32
    }
}
