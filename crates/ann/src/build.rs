//! Building codes from vectors.

use rayon::prelude::*;

use crate::bounds;
use crate::bytes::{ByteQuery, Step, meant, padded, quantise};
use crate::codes::{Origin, Parts};
use crate::kernel::{BLOCK, Kernel};
use crate::partitions::{ByteRows, Centres, members};
use crate::reach::{self, Reach};
use crate::rotation::{Dice, Rotation};
use crate::signs;
use crate::space::Space;
use crate::spread::Spread;

/// Rows of a partition, as a rule.
const MEMBERS: usize = 96;
/// How many partitions there are at most, in square roots of the number of rows: every search compares all centres.
const MOST: f64 = 4.0;

/// Builds codes of `origin.rows` vectors, one after another, on the threads of the pool that it runs in. The same
/// vectors and the same seed give the same bytes on every machine.
pub fn build(vectors: &[f32], origin: &Origin, seed: u64) -> Vec<u8> {
    assert_eq!(vectors.len(), origin.rows * origin.dimension, "vectors of the dimension");
    let builder = Builder::new(vectors, *origin, seed);
    let (rows, steps, odd) = builder.quantise();
    let listed: Vec<u32> = (0..origin.rows as u32).filter(|row| odd.binary_search(row).is_err()).collect();
    let count = listed.len().div_ceil(MEMBERS).min((MOST * (listed.len() as f64).sqrt()) as usize);
    let all = ByteRows { width: builder.width, bytes: &rows, steps: &steps };
    let mut dice = Dice(seed);
    let centres = Centres::among(all, &listed, count, &mut dice, builder.kernel);
    let nearest = centres.nearest(all, builder.kernel);
    let partitions = members(&nearest, &listed, centres.steps.len());
    let lifts = Spread::of(&centres, all, &partitions, builder.kernel).lifts();
    let (blocks, bounds): (Vec<_>, Vec<_>) = partitions
        .par_iter()
        .zip(centres.bytes.par_chunks_exact(builder.width))
        .zip(&centres.steps)
        .map(|((members, centre), step)| builder.encode(members, centre, step.0))
        .unzip();
    let reach = Reach::measure(all, &builder.sample(&listed), &centres, &lifts, &nearest, builder.kernel);
    let parts = Parts {
        origin: *origin,
        seed,
        odd,
        rows,
        steps,
        reach,
        starts: starts(&partitions),
        blocks: blocks.concat(),
        bounds: bounds.concat(),
        centres,
        lifts,
        space: builder.space,
    };
    parts.write()
}

struct Builder<'v> {
    vectors: &'v [f32],
    origin: Origin,
    space: Space,
    rotation: Rotation,
    width: usize,
    kernel: Kernel,
}

impl<'v> Builder<'v> {
    fn new(vectors: &'v [f32], origin: Origin, seed: u64) -> Self {
        let kernel = Kernel::best();
        let space = Space::of(vectors, origin.dimension, origin.measure, kernel);
        let width = padded(space.width());
        Self { vectors, origin, rotation: Rotation::new(width, seed, kernel), space, width, kernel }
    }

    /// All rows at one byte a dimension, and those for which only double precision will do.
    fn quantise(&self) -> (Vec<u8>, Vec<Step>, Vec<u32>) {
        let mut bytes = vec![0; self.origin.rows * self.width];
        let steps: Vec<Option<Step>> = bytes
            .par_chunks_mut(self.width)
            .enumerate()
            .map_init(
                || self.desk(),
                |desk, (row, bytes)| {
                    let placed = self.place(row as u32, desk);
                    let step = quantise(&desk.placed, bytes, self.kernel);
                    placed.then_some(step)
                },
            )
            .collect();
        let odd = steps.iter().enumerate().filter(|(_, step)| step.is_none()).map(|(row, _)| row as u32).collect();
        (bytes, steps.into_iter().map(Option::unwrap_or_default).collect(), odd)
    }

    /// A partition's rows as signs around its centre, and what these prove.
    fn encode(&self, members: &[u32], centre: &[u8], step: f32) -> (Vec<u8>, Vec<u8>) {
        let centre: Vec<f32> = centre.iter().map(|byte| meant(*byte) * step).collect();
        let size = signs::block_size(self.width);
        let count = members.len().div_ceil(BLOCK);
        let (mut blocks, mut bounds) = (vec![0; count * size], vec![0; count * bounds::SIZE]);
        blocks.chunks_exact_mut(size).for_each(signs::clear);
        bounds.chunks_exact_mut(bounds::SIZE).for_each(bounds::clear);
        let mut desk = self.desk();
        for (n, row) in members.iter().enumerate() {
            self.place(*row, &mut desk);
            let (block, place) = (n / BLOCK, n % BLOCK);
            signs::encode(*row, &desk.placed, &centre, place, &mut blocks[block * size..][..size]);
            bounds::encode(&desk.placed, &centre, place, &mut bounds[block * bounds::SIZE..][..bounds::SIZE]);
        }
        (blocks, bounds)
    }

    /// Some of the rows as queries.
    fn sample(&self, listed: &[u32]) -> Vec<(u32, ByteQuery)> {
        let mut desk = self.desk();
        let sample = reach::sample(listed).map(|row| {
            self.space.aim(self.vector(row), &mut desk.placed, self.kernel);
            self.rotation.turn(&mut desk.placed, &mut desk.space);
            (row, ByteQuery::new(&desk.placed, self.kernel))
        });
        sample.collect()
    }

    fn desk(&self) -> Desk {
        Desk { placed: vec![0.0; self.width], space: Vec::new() }
    }

    fn place(&self, row: u32, desk: &mut Desk) -> bool {
        let placed = self.space.place(self.vector(row), &mut desk.placed, self.kernel);
        self.rotation.turn(&mut desk.placed, &mut desk.space);
        placed
    }

    fn vector(&self, row: u32) -> &'v [f32] {
        let start = row as usize * self.origin.dimension;
        &self.vectors[start..start + self.origin.dimension]
    }
}

/// Where one row at a time is placed.
struct Desk {
    placed: Vec<f32>,
    space: Vec<f32>,
}

fn starts(partitions: &[Vec<u32>]) -> Vec<u32> {
    let ends = partitions.iter().scan(0, |end, members| {
        *end += members.len().div_ceil(BLOCK) as u32;
        Some(*end)
    });
    std::iter::once(0).chain(ends).collect()
}
