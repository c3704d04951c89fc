//! Search: partitions from near to far, their rows by signs, the promising ones by bytes, the last few exactly.

use crate::bytes::ByteQuery;
use crate::codes::{Codes, Effort};
use crate::exact::Exact;
use crate::kernel::{BLOCK, Frame, Line};
use crate::reach::remoteness;
use crate::rows::Rows;
use crate::signs::{NOBODY, SignQuery};
use crate::top::{Order, Ranked, Top};

/// So few rows are compared one by one.
pub(crate) const DIRECT: usize = 1024;
/// How many rows ahead of the one that is compared are asked for.
pub(crate) const AHEAD: usize = 8;
/// Deviations by which a distance by bytes may be wrong. Rounding to whole steps has the deviation of an even
/// distribution, one step in the square root of twelve.
const ROUNDING: f32 = 2.5 / 3.464;
/// Every so many places of a block, one is asked whether its row may be found.
const SURVEY: usize = 4;

/// A filter is against a query when fewer rows nearby may be found than elsewhere, by such a factor: chance alone brings
/// about less. Then the nearest that may be found lie where all are about equally far away, and no reach was measured there.
const AGAINST: f64 = 1.5;

/// What is searched for.
#[derive(Debug, Clone, Copy)]
pub struct Near<'a> {
    /// The query, as long as a vector.
    pub vector: &'a [f32],
    /// How many of the nearest are wanted.
    pub k: usize,
    /// How far the search goes.
    pub effort: Effort,
    /// The rows that may be found; all if absent.
    pub rows: Option<&'a Rows<'a>>,
}

/// One of the nearest.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Found {
    /// Its number among the vectors.
    pub row: u32,
    /// Smaller is nearer: the negative cosine, the square of the distance, or the negative inner product.
    pub score: f64,
}

impl<B: AsRef<[u8]>> Codes<B> {
    /// The nearest rows, nearest first, those at the same score by number. `vectors` are those that the codes are of.
    pub fn search(&self, vectors: &[f32], near: &Near) -> Vec<Found> {
        assert_eq!(vectors.len(), self.origin.rows * self.origin.dimension, "the vectors of the codes");
        Exact::new(self, vectors, near.vector).nearest(&self.candidates(near), near.k)
    }

    /// As [`Self::search`], but proven: the answer is that of comparing all vectors.
    pub fn search_exactly(&self, vectors: &[f32], near: &Near) -> Vec<Found> {
        let likely = self.search(vectors, near);
        let last = likely.get(near.k.saturating_sub(1)).map_or(f64::INFINITY, |found| found.score);
        Exact::new(self, vectors, near.vector).nearest(&self.within(near.vector, near.rows, last), near.k)
    }

    /// Rows among which the nearest are: somewhat more than are wanted, each once, in any order. Whoever keeps the
    /// vectors compares these with the query and takes the first.
    pub fn candidates(&self, near: &Near) -> Vec<u32> {
        assert_eq!(near.vector.len(), self.origin.dimension, "a query as long as a row");
        let mut placed = vec![0.0; self.width];
        if !self.space.aim(near.vector, &mut placed, self.kernel) {
            return (0..self.origin.rows as u32).filter(|row| may_find(near.rows, *row)).collect();
        }
        self.rotation.turn(&mut placed, &mut Vec::new());
        let mut scan = Scan::new(self, near, &placed);
        match near.rows {
            Some(rows) if rows.count() <= DIRECT => scan.compare(&self.plain(rows)),
            _ => scan.partitions(&placed),
        }
        let odd = self.odd.iter().copied().filter(|row| may_find(near.rows, *row));
        scan.top.rows().into_iter().chain(odd).collect()
    }
}

impl<B: AsRef<[u8]>> Codes<B> {
    /// Rows that may be found, without the odd ones, whose bytes say nothing.
    pub(crate) fn plain(&self, rows: &Rows) -> Vec<u32> {
        let known = rows.iter().take_while(|row| (*row as usize) < self.origin.rows);
        known.filter(|row| self.odd.binary_search(row).is_err()).collect()
    }
}

/// Whether a row is among those that may be found.
pub(crate) fn may_find(rows: Option<&Rows>, row: u32) -> bool {
    rows.is_none_or(|rows| rows.has(row))
}

/// One search under way.
struct Scan<'a, B> {
    codes: &'a Codes<B>,
    near: &'a Near<'a>,
    bytes: ByteQuery,
    top: Top,
    /// Rows that signs put near enough, each with its score.
    promising: Vec<Ranked>,
    /// The share of all rows that may be found: the first guess for those nearby.
    guess: f64,
    /// Rows that were asked whether they may be found, and those that may: of all that the search has come by, since what
    /// counts is how many lie nearer than the last that is wanted.
    asked: (f64, f64),
    /// How many times as far the search goes since the filter is against it.
    against: f32,
}

impl<'a, B: AsRef<[u8]>> Scan<'a, B> {
    fn new(codes: &'a Codes<B>, near: &'a Near<'a>, placed: &[f32]) -> Self {
        let guess = near.rows.map_or(1.0, |rows| rows.count() as f64 / codes.origin.rows.max(1) as f64);
        let asked = (BLOCK as f64, BLOCK as f64 * guess);
        Self {
            codes,
            near,
            bytes: ByteQuery::new(placed, codes.kernel),
            top: Top::new(near.k),
            promising: Vec::new(),
            guess,
            asked,
            against: 1.0,
        }
    }

    fn partitions(&mut self, placed: &[f32]) {
        let signs = SignQuery::new(placed, self.codes.kernel);
        let squares = self.codes.centres.squares(&self.bytes, self.codes.kernel);
        let mut order = Order::new(self.codes.lifts.over(&squares));
        let first = order.peek().map_or(0.0, Ranked::score);
        let mut reach = self.reach();
        let mut searched = 0;
        while let Some(next) = order.next() {
            if self.top.is_full() && remoteness(next.score(), first, self.top.limit(), searched) > reach {
                break;
            }
            if let Some(after) = order.peek() {
                self.codes.prefetch(after.number() as usize);
            }
            let partition = next.number() as usize;
            self.partition(&signs, partition, squares[partition]);
            searched += 1;
            if self.near.rows.is_some() {
                reach = self.reach();
            }
        }
    }

    /// How far to search, as far as is known by now: the fewer rows may be found, the farther away they are.
    fn reach(&mut self) -> f32 {
        let (asked, may) = self.asked;
        // Less than the first guess is certain only as far as one row in all that were asked.
        let share = if self.near.rows.is_some() { may.max((asked * self.guess).min(1.0)) / asked } else { 1.0 };
        if self.top.is_full() {
            self.against = self.against.max((self.guess / share / AGAINST).powi(2) as f32);
        }
        self.codes.reach.of(self.near.k as f64 / share) * self.near.effort.share * self.against
    }

    fn partition(&mut self, signs: &SignQuery, partition: usize, square: f32) {
        let codes = self.codes;
        let offset = signs.offset(square, self.near.effort.margin);
        let line = Line { slope: signs.slope, offset, limit: self.top.limit() - square };
        let mut scores = [0.0; BLOCK];
        for (block, rows) in codes.blocks(partition) {
            let mut below = codes.kernel.scan(&signs.tables, block, line, &mut scores);
            while below != 0 {
                let place = below.trailing_zeros() as usize % BLOCK;
                below &= below - 1;
                self.promise(u32::from_le_bytes(rows[place]), scores[place] + square);
            }
            self.ask(rows);
        }
        self.compare_promising();
    }

    fn promise(&mut self, row: u32, score: f32) {
        if row != NOBODY && may_find(self.near.rows, row) {
            self.promising.push(Ranked::new(score, row));
        }
    }

    /// Learns how many of the rows nearby may be found.
    fn ask(&mut self, rows: &[[u8; 4]; BLOCK]) {
        let Some(wanted) = self.near.rows else {
            return;
        };
        let some = rows.iter().step_by(SURVEY).map(|row| u32::from_le_bytes(*row)).filter(|row| *row != NOBODY);
        for row in some {
            self.asked.0 += 1.0;
            self.asked.1 += f64::from(u8::from(wanted.has(row)));
        }
    }

    /// Compares promising rows, the best first, until what is left promises too little.
    fn compare_promising(&mut self) {
        let mut rows = std::mem::take(&mut self.promising);
        rows.sort_unstable();
        for (n, ranked) in rows.iter().enumerate() {
            if ranked.score() >= self.top.limit() {
                break;
            }
            if n == 0 {
                rows.iter().take(AHEAD).for_each(|ranked| self.codes.prefetch_row(ranked.number()));
            }
            if let Some(next) = rows.get(n + AHEAD) {
                self.codes.prefetch_row(next.number());
            }
            self.compare_one(ranked.number());
        }
        rows.clear();
        self.promising = rows;
    }

    fn compare(&mut self, rows: &[u32]) {
        for (n, row) in rows.iter().enumerate() {
            if let Some(next) = rows.get(n + AHEAD) {
                self.codes.prefetch_row(*next);
            }
            self.compare_one(*row);
        }
    }

    fn compare_one(&mut self, row: u32) {
        let Frame { square, scale, .. } = self.bytes.frame;
        let product = self.codes.kernel.product(&self.bytes.numbers, self.codes.row(row));
        let (step, own) = self.codes.step(row);
        let rounding = own * scale * scale + square * (2.0 * step).powi(2);
        self.top.offer(self.bytes.frame.distance(product, (step, own)), ROUNDING * rounding.sqrt(), row);
    }
}
