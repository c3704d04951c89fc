//! Partitions: rows that lie near one of some centres. The centres are found by turns of assigning rows and taking means,
//! between which those that are hardly missed move to where one stands for rows of several places.

use rayon::prelude::*;

use crate::bytes::{ByteQuery, Step, meant, quantise};
use crate::kernel::{Frame, Kernel};
use crate::rotation::Dice;

/// Turns of assigning a sample and taking means.
const TURNS: usize = 8;
/// After so many of them, no centre moves elsewhere any more.
const MOVES: usize = 5;
/// At each of those, one in so many moves at most.
const MOVERS: usize = 4;
/// Rows of the sample for each centre.
const SAMPLE: usize = 32;
/// How much of the mean square of its rows' distances from the centre a partition is lifted by. Without it those that lie
/// around the middle of everything, and stand for rows of many places, come first for every query; wholly lifted, a
/// partition would be as far away as its rows are in the mean, and what matters are the nearest.
const LIFT: f32 = 0.8;
/// Rows that are compared with all centres at a time: few enough to stay in the nearest cache.
const CHUNK: usize = 32;

/// Rows at one byte a dimension.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ByteRows<'a> {
    pub width: usize,
    pub bytes: &'a [u8],
    pub steps: &'a [Step],
}

impl<'a> ByteRows<'a> {
    fn row(&self, row: usize) -> &'a [u8] {
        &self.bytes[row * self.width..(row + 1) * self.width]
    }
}

/// Centres at one byte a dimension.
#[derive(Debug, Clone)]
pub(crate) struct Centres {
    pub bytes: Vec<u8>,
    pub steps: Vec<Step>,
    /// What is added to the squares of distances to them when partitions are put in order.
    pub lifts: Vec<f32>,
}

impl Centres {
    /// At most `count` centres for those of the rows that are listed.
    pub fn among(rows: ByteRows, listed: &[u32], count: usize, dice: &mut Dice, kernel: Kernel) -> Self {
        let sample: Vec<u32> = dice.choose(count * SAMPLE, listed.len()).into_iter().map(|n| listed[n]).collect();
        let (mut bytes, mut steps) = gather(rows, &sample);
        let sample =
            ByteRows { width: rows.width, bytes: &std::mem::take(&mut bytes), steps: &std::mem::take(&mut steps) };
        let chosen: Vec<u32> = dice.choose(count, sample.steps.len()).into_iter().map(|n| n as u32).collect();
        let (bytes, steps) = gather(sample, &chosen);
        let mut centres = Self { lifts: vec![0.0; steps.len()], bytes, steps };
        for turn in 0..TURNS {
            let nearest = centres.nearest(sample, kernel);
            centres.move_to_means(sample, &nearest, dice, kernel);
            if turn < MOVES {
                centres.relocate(sample, &nearest, dice, kernel);
            }
        }
        centres
    }

    /// Learns how far the members of each partition lie from its centre.
    pub fn lift(&mut self, rows: ByteRows, members: &[Vec<u32>], kernel: Kernel) {
        let totals = self.totals(rows, members, kernel);
        self.lifts =
            totals.iter().zip(members).map(|(total, members)| LIFT * total / members.len().max(1) as f32).collect();
    }

    /// What partitions are put in order by, of the squares of distances to their centres. The closest one comes first all the
    /// same: that is where a row lies that equals the query.
    pub fn lifted(&self, squares: &[f32]) -> Vec<f32> {
        let mut lifted: Vec<f32> = squares.iter().zip(&self.lifts).map(|(square, lift)| square + lift).collect();
        let first = lifted.iter().copied().fold(f32::INFINITY, f32::min);
        let closest = squares.iter().enumerate().min_by(|a, b| a.1.total_cmp(b.1));
        if let Some((closest, _)) = closest {
            lifted[closest] = first.next_down();
        }
        lifted
    }

    /// For each row the number of its nearest centre.
    pub fn nearest(&self, rows: ByteRows, kernel: Kernel) -> Vec<u32> {
        let width = rows.width;
        let queries = self.queries(width);
        let numbers: Vec<i8> = queries.iter().flat_map(|query| query.numbers.iter().copied()).collect();
        let chunks = rows.bytes.par_chunks(CHUNK * width).zip(rows.steps.par_chunks(CHUNK));
        let nearest = chunks.flat_map_iter(|(bytes, steps)| {
            let mut products = vec![0; queries.len() * steps.len()];
            kernel.products(width, &numbers, bytes, &mut products);
            let mut nearest = vec![(f32::INFINITY, 0); steps.len()];
            for (centre, (query, products)) in queries.iter().zip(products.chunks_exact(steps.len())).enumerate() {
                kernel.closer(query.frame, products, steps, centre as u32, &mut nearest);
            }
            nearest.into_iter().map(|(_, centre)| centre)
        });
        nearest.collect()
    }

    /// The squares of a query's distances to all centres.
    pub fn squares(&self, query: &ByteQuery, kernel: Kernel) -> Vec<f32> {
        let mut products = vec![0; self.steps.len()];
        kernel.products(query.numbers.len(), &query.numbers, &self.bytes, &mut products);
        let mut squares = vec![0.0; self.steps.len()];
        kernel.distances(query.frame, &products, &self.steps, &mut squares);
        squares
    }

    fn queries(&self, width: usize) -> Vec<ByteQuery> {
        self.bytes.chunks_exact(width).zip(&self.steps).map(|(bytes, step)| ByteQuery::of(bytes, *step)).collect()
    }

    /// The sums of the squares of the members' distances from their centres.
    fn totals(&self, rows: ByteRows, members: &[Vec<u32>], kernel: Kernel) -> Vec<f32> {
        let square = |centre: &ByteQuery, row: usize| {
            let (Frame { square, scale, bias }, (step, own)) = (centre.frame, rows.steps[row]);
            square + own - scale * step * (kernel.product(&centre.numbers, rows.row(row)) - bias) as f32
        };
        let queries = self.queries(rows.width);
        let totals = members.par_iter().zip(&queries);
        totals.map(|(rows, centre)| rows.iter().map(|row| square(centre, *row as usize)).sum()).collect()
    }

    /// Moves centres beside which another lies among the same rows, to partitions that are wider than usual. As long as
    /// that takes more from the sum of all squares than it adds: half of what is beyond the usual, as a guess.
    fn relocate(&mut self, sample: ByteRows, nearest: &[u32], dice: &mut Dice, kernel: Kernel) {
        let (width, count) = (sample.width, self.steps.len());
        let listed: Vec<u32> = (0..nearest.len() as u32).collect();
        let members = members(nearest, &listed, count);
        let totals = self.totals(sample, &members, kernel);
        let usual = usual(&totals, &members);
        let gain = |centre: usize| (totals[centre] - usual * members[centre].len() as f32) / 2.0;
        let mut widest: Vec<(f32, usize)> = (0..count).map(|centre| (gain(centre), centre)).collect();
        widest.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        let mut widest = widest.into_iter().peekable();
        let mut settled = vec![false; count];
        for (loss, idle, beside) in self.losses(width, &members, kernel).into_iter().take(count / MOVERS) {
            while widest.next_if(|(_, wide)| settled[*wide]).is_some() {}
            let Some((_, wide)) = widest.next_if(|(gain, _)| *gain > loss) else {
                break;
            };
            if settled[idle] || settled[beside] || wide == idle || wide == beside {
                continue;
            }
            let row = members[wide][(dice.roll() % members[wide].len() as u64) as usize] as usize;
            self.bytes[idle * width..][..width].copy_from_slice(sample.row(row));
            self.steps[idle] = sample.steps[row];
            [idle, beside, wide].into_iter().for_each(|centre| settled[centre] = true);
        }
        self.measure(width);
    }

    /// What the sum of all squares gains, at least, when the rows of one centre go to the one beside it: the loss, the centre,
    /// and that other one, the smallest losses first.
    fn losses(&self, width: usize, members: &[Vec<u32>], kernel: Kernel) -> Vec<(f32, usize, usize)> {
        let queries = self.queries(width);
        let losses = queries.par_iter().enumerate().filter_map(|(centre, query)| {
            let squares = self.squares(query, kernel);
            let others = squares.into_iter().enumerate().filter(|(other, _)| *other != centre);
            let (beside, square) = others.min_by(|a, b| a.1.total_cmp(&b.1))?;
            let [own, others] = [centre, beside].map(|centre| members[centre].len() as f32);
            Some((own * others / (own + others).max(1.0) * square, centre, beside))
        });
        let mut losses: Vec<(f32, usize, usize)> = losses.collect();
        losses.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        losses
    }

    fn move_to_means(&mut self, sample: ByteRows, nearest: &[u32], dice: &mut Dice, kernel: Kernel) {
        let width = sample.width;
        let mut sums = vec![0.0_f32; self.bytes.len()];
        let mut counts = vec![0_u32; self.steps.len()];
        for (row, centre) in nearest.iter().enumerate() {
            let centre = *centre as usize;
            counts[centre] += 1;
            kernel.add(&mut sums[centre * width..][..width], sample.row(row), sample.steps[row].0);
        }
        let centres =
            self.bytes.chunks_exact_mut(width).zip(&mut self.steps).zip(sums.chunks_exact_mut(width)).zip(counts);
        for (((bytes, step), sums), count) in centres {
            if count == 0 {
                // Nobody's centre: it starts anew at one of the rows.
                let row = (dice.roll() % sample.steps.len() as u64) as usize;
                bytes.copy_from_slice(sample.row(row));
                *step = sample.steps[row];
                continue;
            }
            sums.iter_mut().for_each(|sum| *sum /= count as f32);
            *step = quantise(sums, bytes, kernel);
        }
        self.measure(width);
    }

    /// The squares of the lengths of what the bytes mean, which is what distances are measured from.
    fn measure(&mut self, width: usize) {
        for (bytes, step) in self.bytes.chunks_exact(width).zip(&mut self.steps) {
            step.1 = bytes.iter().map(|byte| f64::from(meant(*byte) * step.0).powi(2)).sum::<f64>() as f32;
        }
    }
}

/// The mean square of the members' distances from their centre, in the median of partitions that have any.
fn usual(totals: &[f32], members: &[Vec<u32>]) -> f32 {
    let known = totals.iter().zip(members).filter(|(_, members)| members.len() > 1);
    let mut means: Vec<f32> = known.map(|(total, members)| total / (members.len() - 1) as f32).collect();
    means.sort_unstable_by(f32::total_cmp);
    means.get(means.len() / 2).copied().unwrap_or(f32::INFINITY)
}

/// The rows of each partition.
pub(crate) fn members(nearest: &[u32], listed: &[u32], count: usize) -> Vec<Vec<u32>> {
    let mut members = vec![Vec::new(); count];
    listed.iter().for_each(|row| members[nearest[*row as usize] as usize].push(*row));
    members
}

fn gather(rows: ByteRows, listed: &[u32]) -> (Vec<u8>, Vec<Step>) {
    let bytes = listed.iter().flat_map(|row| rows.row(*row as usize).iter().copied()).collect();
    (bytes, listed.iter().map(|row| rows.steps[*row as usize]).collect())
}
