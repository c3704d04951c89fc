//! How far the rows of partitions lie from their centres.

use rayon::prelude::*;

use crate::bytes::ByteQuery;
use crate::kernel::Kernel;
use crate::partitions::{ByteRows, Centres};
use crate::reach::Lifts;

/// How much of the mean square of its rows' distances from the centre a partition is lifted by. Without it those that lie
/// around the middle of everything, and stand for rows of many places, come first for every query; wholly lifted, a
/// partition would be as far away as its rows are in the mean, and what matters are the nearest.
const LIFT: f32 = 0.8;

/// Sums of the squares of the members' distances from their centres.
#[derive(Debug)]
pub(crate) struct Spread {
    totals: Vec<f32>,
    counts: Vec<usize>,
    /// What a row adds to them, in the median of partitions: a partition of n rows has the total of n - 1, since its
    /// centre lies among them.
    usual: f32,
}

impl Spread {
    pub fn of(centres: &Centres, rows: ByteRows, members: &[Vec<u32>], kernel: Kernel) -> Self {
        let square = |centre: &ByteQuery, row: usize| {
            let product = kernel.product(&centre.numbers, rows.row(row));
            // Lengths are of what rows were before they became bytes, so rows that lie on the centre may seem nearer.
            centre.frame.distance(product, rows.steps[row]).max(0.0)
        };
        let queries = centres.queries(rows.width);
        let each = members.par_iter().zip(&queries);
        let totals: Vec<f32> =
            each.map(|(rows, centre)| rows.iter().map(|row| square(centre, *row as usize)).sum()).collect();
        let counts: Vec<usize> = members.iter().map(Vec::len).collect();
        let several = totals.iter().zip(&counts).filter(|(_, count)| **count > 1);
        let mut means: Vec<f32> = several.map(|(total, count)| total / (count - 1) as f32).collect();
        means.sort_unstable_by(f32::total_cmp);
        let usual = means.get(means.len() / 2).copied().unwrap_or(0.0);
        Self { totals, counts, usual }
    }

    /// Partitions that are wider than usual, by how much their totals are beyond it, the widest first.
    pub fn wide(&self) -> Vec<(f32, usize)> {
        let several = (0..self.counts.len()).filter(|partition| self.counts[*partition] > 1);
        let excess = |partition: usize| self.totals[partition] - self.usual * (self.counts[partition] - 1) as f32;
        let mut wide: Vec<(f32, usize)> =
            several.map(|partition| (excess(partition), partition)).filter(|(excess, _)| *excess > 0.0).collect();
        wide.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        wide
    }

    /// By how much each partition is lifted. Few rows say little of how wide it is, so one more is thought of that is as
    /// usual; partitions without any come last.
    pub fn lifts(&self) -> Lifts {
        let lift = |(total, count): (&f32, &usize)| match count {
            0 => f32::INFINITY,
            count => LIFT * (total + self.usual) / *count as f32,
        };
        Lifts(self.totals.iter().zip(&self.counts).map(lift).collect())
    }
}
