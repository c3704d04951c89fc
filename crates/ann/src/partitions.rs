//! Partitions: rows that lie near one of some centres. The centres are found by turns of assigning rows and taking means;
//! between turns some of them move elsewhere, see `moves`.

use rayon::prelude::*;

use crate::bytes::{ByteQuery, Step, meant, quantise};
use crate::kernel::Kernel;
use crate::rotation::Dice;

/// Turns of assigning a sample and taking means.
const TURNS: usize = 8;
/// After so many of them, centres that have rows stay among them.
const MOVES: usize = 5;
/// Rows of the sample for each centre.
const SAMPLE: usize = 32;
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
    pub fn row(&self, row: usize) -> &'a [u8] {
        &self.bytes[row * self.width..(row + 1) * self.width]
    }
}

/// Centres at one byte a dimension.
#[derive(Debug, Clone)]
pub(crate) struct Centres {
    pub bytes: Vec<u8>,
    pub steps: Vec<Step>,
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
        let mut centres = Self { bytes, steps };
        for turn in 0..TURNS {
            let nearest = centres.nearest(sample, kernel);
            centres.move_to_means(sample, &nearest, dice, kernel);
            if turn < MOVES {
                centres.relocate(sample, &nearest, dice, kernel);
            }
        }
        centres
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

    /// The centres as queries.
    pub fn queries(&self, width: usize) -> Vec<ByteQuery> {
        self.bytes.chunks_exact(width).zip(&self.steps).map(|(bytes, step)| ByteQuery::of(bytes, *step)).collect()
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
    pub fn measure(&mut self, width: usize) {
        for (bytes, step) in self.bytes.chunks_exact(width).zip(&mut self.steps) {
            step.1 = bytes.iter().map(|byte| f64::from(meant(*byte) * step.0).powi(2)).sum::<f64>() as f32;
        }
    }
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
