//! The best so far, and what is next best.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// How many rows are handed on at most, beside twice as many as are wanted.
const SPARE: usize = 256;

/// Partitions from near to far, put in order only as far as they are asked for.
#[derive(Debug)]
pub(crate) struct Order {
    all: Vec<Ranked>,
    /// How many are put in order at a time.
    some: usize,
    sorted: usize,
    next: usize,
}

impl Order {
    /// Of partitions whose centres' distances have these squares; `some` of them will probably be asked for.
    pub fn new(squares: Vec<f32>, some: usize) -> Self {
        let all = squares.into_iter().zip(0..).map(|(score, number)| Ranked { score, number }).collect();
        Self { all, some: some.max(1), sorted: 0, next: 0 }
    }

    /// The nearest of those not yet taken.
    pub fn next(&mut self) -> Option<(f32, u32)> {
        let found = self.peek();
        self.next += 1;
        found
    }

    /// The one that [`Self::next`] will take.
    pub fn peek(&mut self) -> Option<(f32, u32)> {
        if self.next >= self.sorted {
            let rest = &mut self.all[self.sorted..];
            let more = self.sorted.max(self.some).min(rest.len());
            if more < rest.len() {
                rest.select_nth_unstable(more);
            }
            rest[..more].sort_unstable();
            self.sorted += more;
        }
        self.all.get(self.next).map(|ranked| (ranked.score, ranked.number))
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
        self.kept.push(Ranked { score: score - slack, number });
        let ranked = Ranked { score, number };
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
        self.best.peek().filter(|_| self.is_full()).map_or(f32::INFINITY, |worst| worst.score)
    }

    /// The rows that may be the best. Where very many are about equally far away, those that may be nearest.
    pub fn rows(mut self) -> Vec<u32> {
        let (limit, most) = (self.limit(), self.wanted * 2 + SPARE);
        self.kept.retain(|ranked| ranked.score <= limit);
        if self.kept.len() > most {
            self.kept.select_nth_unstable(most);
            self.kept.truncate(most);
        }
        self.kept.into_iter().map(|ranked| ranked.number).collect()
    }
}

#[derive(Debug, Clone, Copy)]
struct Ranked {
    score: f32,
    number: u32,
}

impl Ord for Ranked {
    fn cmp(&self, other: &Self) -> Ordering {
        self.score.total_cmp(&other.score).then(self.number.cmp(&other.number))
    }
}

impl PartialOrd for Ranked {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Ranked {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Ranked {}
