//! Search: partitions from near to far, their rows by signs, the promising ones by bytes, the last few exactly.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use base::Distance;

use crate::bytes::ByteQuery;
use crate::codes::{Codes, Effort, NOBODY};
use crate::kernel::{BLOCK, Frame, Kernel, Line};
use crate::rows::Rows;
use crate::signs::SignQuery;

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
        assert_eq!(near.vector.len(), self.origin.dimension, "a query as long as a row");
        let exact = Exact::new(self, vectors, near.vector);
        let mut placed = vec![0.0; self.width];
        if !self.space.aim(near.vector, &mut placed, self.kernel) {
            let all = (0..self.origin.rows as u32).filter(|row| near.may_find(*row));
            return exact.nearest(all, near.k);
        }
        let mut space = Vec::new();
        self.rotation.turn(&mut placed, &mut space);
        let mut scan = Scan::new(self, near, &placed);
        match near.rows {
            Some(rows) if rows.count() <= DIRECT => scan.compare(rows.iter()),
            _ => scan.partitions(&placed),
        }
        let odd = self.odd.iter().copied().filter(|row| near.may_find(*row));
        exact.nearest(scan.top.rows().chain(odd), near.k)
    }
}

/// So few rows are compared one by one.
const DIRECT: usize = 1024;

impl Near<'_> {
    fn may_find(&self, row: u32) -> bool {
        self.rows.is_none_or(|rows| rows.has(row))
    }
}

/// One search under way.
struct Scan<'a, B> {
    codes: &'a Codes<B>,
    near: &'a Near<'a>,
    bytes: ByteQuery,
    top: Top,
    promising: Vec<u32>,
}

impl<'a, B: AsRef<[u8]>> Scan<'a, B> {
    fn new(codes: &'a Codes<B>, near: &'a Near<'a>, placed: &[f32]) -> Self {
        let room = near.k + near.k / 8 + 4;
        Self { codes, near, bytes: ByteQuery::new(placed, codes.kernel), top: Top::new(room), promising: Vec::new() }
    }

    fn partitions(&mut self, placed: &[f32]) {
        let signs = SignQuery::new(placed, self.codes.kernel);
        let mut order = Order::new(self.centres());
        while let Some((square, partition)) = order.next() {
            let reach = self.near.effort.reach;
            if square > self.top.limit * reach * reach {
                break;
            }
            self.partition(&signs, partition as usize, square);
        }
    }

    /// The squares of the distances to all centres.
    fn centres(&self) -> Vec<f32> {
        let (codes, count) = (self.codes, self.codes.partitions());
        let mut products = vec![0; count];
        codes.kernel.products(codes.width, &self.bytes.numbers, codes.centres(), &mut products);
        let mut squares = vec![0.0; count];
        codes.kernel.distances(self.bytes.frame, &products, &codes.centre_steps, &mut squares);
        squares
    }

    fn partition(&mut self, signs: &SignQuery, partition: usize, square: f32) {
        let (codes, near) = (self.codes, self.near);
        let offset = signs.offset(square, near.effort.margin);
        for (block, rows) in codes.blocks(partition) {
            let line = Line { slope: signs.slope, offset, limit: self.top.limit - square };
            let mut below = codes.kernel.scan(&signs.tables, block, line);
            while below != 0 {
                let row = u32::from_le_bytes(rows[below.trailing_zeros() as usize % BLOCK]);
                below &= below - 1;
                if row != NOBODY && near.may_find(row) {
                    codes.kernel.prefetch(codes.row(row));
                    self.promising.push(row);
                }
            }
            if self.promising.len() >= 16 || self.top.limit.is_infinite() {
                self.compare_promising();
            }
        }
        self.compare_promising();
    }

    fn compare_promising(&mut self) {
        let mut rows = std::mem::take(&mut self.promising);
        self.compare(rows.drain(..));
        self.promising = rows;
    }

    fn compare(&mut self, rows: impl Iterator<Item = u32>) {
        let Frame { square, scale, bias } = self.bytes.frame;
        for row in rows {
            let mut product = [0];
            self.codes.kernel.products(self.codes.width, &self.bytes.numbers, self.codes.row(row), &mut product);
            let (step, own) = self.codes.step(row);
            self.top.offer(square + own - scale * step * (product[0] - bias) as f32, row);
        }
    }
}

/// Partitions from near to far, put in order only as far as they are asked for.
struct Order {
    left: Vec<(f32, u32)>,
    sorted: usize,
    next: usize,
}

impl Order {
    fn new(squares: Vec<f32>) -> Self {
        let left = squares.into_iter().zip(0..).collect();
        Self { left, sorted: 0, next: 0 }
    }

    fn next(&mut self) -> Option<(f32, u32)> {
        if self.next == self.sorted {
            let rest = &mut self.left[self.sorted..];
            let more = if self.sorted == 0 { 32 } else { self.sorted }.min(rest.len());
            if more < rest.len() {
                rest.select_nth_unstable_by(more, nearer);
            }
            rest[..more].sort_unstable_by(nearer);
            self.sorted += more;
        }
        self.next += 1;
        self.left.get(self.next - 1).copied()
    }
}

fn nearer(a: &(f32, u32), b: &(f32, u32)) -> Ordering {
    a.0.total_cmp(&b.0).then(a.1.cmp(&b.1))
}

/// The best rows so far, at most `room`.
struct Top {
    heap: BinaryHeap<Ranked<f32>>,
    room: usize,
    /// Where the last of them stands, once there are enough.
    limit: f32,
}

impl Top {
    fn new(room: usize) -> Self {
        Self { heap: BinaryHeap::new(), room, limit: f32::INFINITY }
    }

    fn offer(&mut self, score: f32, row: u32) {
        let ranked = Ranked { score, row };
        if self.heap.len() < self.room {
            self.heap.push(ranked);
        } else if let Some(mut worst) = self.heap.peek_mut()
            && ranked < *worst
        {
            *worst = ranked;
        }
        if self.heap.len() == self.room
            && let Some(worst) = self.heap.peek()
        {
            self.limit = worst.score;
        }
    }

    fn rows(&self) -> impl Iterator<Item = u32> {
        self.heap.iter().map(|ranked| ranked.row)
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Ranked<S> {
    score: S,
    row: u32,
}

impl Eq for Ranked<f32> {}

impl Ord for Ranked<f32> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.score.total_cmp(&other.score).then(self.row.cmp(&other.row))
    }
}

impl PartialOrd for Ranked<f32> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Comparison with the vectors themselves, in double precision.
struct Exact<'a> {
    vectors: &'a [f32],
    query: &'a [f32],
    length: f64,
    measure: Distance,
    kernel: Kernel,
}

impl<'a> Exact<'a> {
    fn new<B>(codes: &Codes<B>, vectors: &'a [f32], query: &'a [f32]) -> Self {
        let length = codes.kernel.dot_exactly(query, query).sqrt();
        Self { vectors, query, length, measure: codes.origin.measure, kernel: codes.kernel }
    }

    fn nearest(&self, rows: impl Iterator<Item = u32>, k: usize) -> Vec<Found> {
        let mut found: Vec<Found> = rows.map(|row| Found { row, score: self.score(row) }).collect();
        found.sort_unstable_by(|a, b| a.score.total_cmp(&b.score).then(a.row.cmp(&b.row)));
        found.truncate(k);
        found
    }

    fn score(&self, row: u32) -> f64 {
        let (kernel, dimension) = (self.kernel, self.query.len());
        let row = &self.vectors[row as usize * dimension..][..dimension];
        match self.measure {
            Distance::Euclidean => kernel.squared_exactly(self.query, row),
            Distance::Dot => -kernel.dot_exactly(self.query, row),
            Distance::Cosine => {
                let lengths = self.length * kernel.dot_exactly(row, row).sqrt();
                if lengths > 0.0 { -kernel.dot_exactly(self.query, row) / lengths } else { 0.0 }
            }
        }
    }
}
