//! All rows that may score so well: a row is left aside only where that is proven, by its signs or by its bytes. What is
//! compared are squares of distances in the space of `space`.

use crate::codes::Codes;
use crate::kernel::{BLOCK, Block, Line};
use crate::proof::Proof;
use crate::rows::Rows;
use crate::search::{AHEAD, DIRECT, may_find};
use crate::signs::{NOBODY, SignQuery};
use crate::top::Order;

impl<B: AsRef<[u8]>> Codes<B> {
    /// Rows among which are all that may be found and score at most so much, each once, in any order. Who asks for the
    /// score of the last of some that were found by [`Codes::candidates`] has proof that there are none nearer than
    /// those that come.
    pub fn within(&self, vector: &[f32], rows: Option<&Rows>, score: f64) -> Vec<u32> {
        assert_eq!(vector.len(), self.origin.dimension, "a query as long as a row");
        let mut placed = vec![0.0; self.width];
        if !self.space.aim(vector, &mut placed, self.kernel) {
            return (0..self.origin.rows as u32).filter(|row| may_find(rows, *row)).collect();
        }
        self.rotation.turn(&mut placed, &mut Vec::new());
        let limit = self.space.square(vector, self.origin.measure, score, self.kernel) as f32;
        let proof = Proof::of(&placed, self.kernel);
        let bounded = Bounded { codes: self, rows, proof, limit };
        let plain = match rows {
            Some(rows) if rows.count() <= DIRECT => self.plain(rows),
            _ => bounded.by_signs(&placed),
        };
        let odd = self.odd.iter().copied().filter(|row| may_find(rows, *row));
        bounded.by_bytes(plain).into_iter().chain(odd).collect()
    }
}

/// What rows are compared with.
struct Bounded<'a, B> {
    codes: &'a Codes<B>,
    rows: Option<&'a Rows<'a>>,
    proof: Proof,
    /// The square of the largest distance.
    limit: f32,
}

impl<B: AsRef<[u8]>> Bounded<'_, B> {
    /// The rows that signs do not prove to be farther away.
    fn by_signs(&self, placed: &[f32]) -> Vec<u32> {
        let (codes, mut rows) = (self.codes, Vec::new());
        let signs = SignQuery::new(placed, codes.kernel);
        // From near to far: in one order for all searches, caches would keep nothing of codes that are larger than they.
        let mut order = Order::new(self.proof.squares(&codes.centres));
        while let Some(next) = order.next() {
            if let Some(after) = order.peek() {
                codes.prefetch(after.number() as usize);
            }
            self.partition(&signs, next.number() as usize, next.score(), &mut rows);
        }
        rows
    }

    fn partition(&self, signs: &SignQuery, partition: usize, square: f32, found: &mut Vec<u32>) {
        let codes = self.codes;
        let (least, most) = self.proof.centre(square);
        let line = Line { slope: signs.slope, offset: signs.most(), limit: self.limit - least };
        let mut scores = [0.0; BLOCK];
        for ((block, rows), bounds) in codes.blocks(partition).zip(codes.bounds(partition)) {
            let bounded = Block { bases: &bounds.floors(most), factors: bounds.shares(), ..block };
            let mut below = codes.kernel.scan(&signs.tables, bounded, line, &mut scores);
            while below != 0 {
                let row = u32::from_le_bytes(rows[below.trailing_zeros() as usize % BLOCK]);
                below &= below - 1;
                if row != NOBODY && may_find(self.rows, row) {
                    found.push(row);
                }
            }
        }
    }

    /// Those of some rows that bytes do not prove to be farther away.
    fn by_bytes(&self, mut rows: Vec<u32>) -> Vec<u32> {
        let all = rows.clone();
        let mut ahead = all.iter().skip(AHEAD);
        rows.retain(|row| {
            if let Some(next) = ahead.next() {
                self.codes.prefetch_row(*next);
            }
            self.proof.row(self.codes.row(*row), self.codes.step(*row)) <= self.limit
        });
        rows
    }
}
