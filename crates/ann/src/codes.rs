//! Codes: what is derived from vectors so that their nearest are found without reading them all.

use std::ops::Range;

use base::Distance;

use crate::blob::{self, Fields};
use crate::bounds::{self, Bounds};
use crate::bytes::{Step, padded};
use crate::error::{Error, Result};
use crate::kernel::{BLOCK, Block, Kernel};
use crate::partitions::Centres;
use crate::reach::{Lifts, Reach};
use crate::rotation::Rotation;
use crate::signs::{self, NOBODY};
use crate::space::{Space, Way};

/// Which vectors codes are of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin {
    /// How many.
    pub rows: usize,
    /// Numbers in each.
    pub dimension: usize,
    /// How they are compared.
    pub measure: Distance,
    /// What tells them from others; the caller's.
    pub checksum: u64,
}

/// How far a search goes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Effort {
    /// How far partitions are searched, in the reach that was found to be needed when the codes were built.
    pub share: f32,
    /// How many deviations an estimate by signs may be wrong by: rows that it puts farther away are not looked at.
    pub margin: f32,
}

impl Effort {
    /// Nearly all of the nearest are found: of the ten nearest, in the mean, at least 98 in 100.
    pub const MEASURED: Self = Self { share: 1.0, margin: 2.5 };
}

/// Codes in the bytes they were built as, used where they lie.
#[derive(Debug)]
pub struct Codes<B> {
    bytes: B,
    pub(crate) origin: Origin,
    pub(crate) reach: Reach,
    pub(crate) space: Space,
    pub(crate) rotation: Rotation,
    pub(crate) kernel: Kernel,
    /// Numbers in a placed row, in whole registers.
    pub(crate) width: usize,
    pub(crate) centres: Centres,
    pub(crate) lifts: Lifts,
    /// Where each partition's blocks begin, and the last ones end.
    starts: Vec<u32>,
    /// Rows for which only double precision will do.
    pub(crate) odd: Vec<u32>,
    blocks: Range<usize>,
    bounds: Range<usize>,
    rows: Range<usize>,
    steps: Range<usize>,
}

/// The sections of codes.
pub(crate) struct Parts {
    pub origin: Origin,
    pub reach: Reach,
    pub seed: u64,
    pub space: Space,
    pub centres: Centres,
    pub lifts: Lifts,
    pub starts: Vec<u32>,
    pub odd: Vec<u32>,
    pub blocks: Vec<u8>,
    pub bounds: Vec<u8>,
    pub rows: Vec<u8>,
    pub steps: Vec<Step>,
}

impl Parts {
    pub fn write(&self) -> Vec<u8> {
        let wholes = [self.origin.rows as u64, self.origin.dimension as u64, self.origin.checksum, self.seed];
        let kinds = [measure_number(self.origin.measure), way_number(self.space.way)];
        let numbers = [self.space.scale, self.reach.all.into(), self.reach.tenth.into()];
        let fields: Vec<u8> = wholes
            .into_iter()
            .chain(kinds)
            .flat_map(u64::to_le_bytes)
            .chain(numbers.into_iter().flat_map(f64::to_le_bytes))
            .collect();
        blob::write(&[
            &fields,
            &blob::floats(&self.space.mean),
            &self.centres.bytes,
            &flat(&self.centres.steps),
            &blob::floats(&self.lifts.0),
            &blob::wholes(&self.starts),
            &blob::wholes(&self.odd),
            &self.blocks,
            &self.bounds,
            &self.rows,
            &flat(&self.steps),
        ])
    }
}

fn flat(steps: &[Step]) -> Vec<u8> {
    steps.iter().flat_map(|(step, square)| [*step, *square]).flat_map(f32::to_le_bytes).collect()
}

impl<B: AsRef<[u8]>> Codes<B> {
    /// Reads codes of these vectors.
    ///
    /// # Errors
    /// [`Error::Damaged`], [`Error::NewerFormat`] or [`Error::OtherVectors`]; codes that open never fail a search.
    pub fn open(bytes: B, origin: &Origin) -> Result<Self> {
        let [fields, mean, centres, centre_steps, lifts, starts, odd, blocks, bounds, rows, steps] =
            blob::read(bytes.as_ref())?;
        let all = bytes.as_ref();
        let mut fields = Fields(&all[fields]);
        let [count, dimension, checksum, seed, measure, way] = [(); 6].map(|()| fields.whole());
        let [scale, all_rows, tenth] = [(); 3].map(|()| fields.number());
        if (count?, dimension?, checksum?) != (origin.rows as u64, origin.dimension as u64, origin.checksum)
            || measure? != measure_number(origin.measure)
        {
            return Err(Error::OtherVectors);
        }
        let mean = words(&all[mean]).map(f32::from_le_bytes).collect();
        let space = Space { way: way_of(way?)?, scale: scale?, mean };
        let width = padded(space.width());
        let kernel = Kernel::best();
        let codes = Self {
            origin: *origin,
            reach: Reach { all: all_rows? as f32, tenth: tenth? as f32 },
            rotation: Rotation::new(width, seed?, kernel),
            space,
            kernel,
            width,
            centres: Centres { bytes: all[centres].to_vec(), steps: pairs(&all[centre_steps]).collect() },
            lifts: Lifts(words(&all[lifts]).map(f32::from_le_bytes).collect()),
            starts: words(&all[starts]).map(u32::from_le_bytes).collect(),
            odd: words(&all[odd]).map(u32::from_le_bytes).collect(),
            blocks,
            bounds,
            rows,
            steps,
            bytes,
        };
        codes.check().then_some(codes).ok_or(Error::Damaged("the sections do not fit each other"))
    }

    /// Whether no section leads outside another.
    fn check(&self) -> bool {
        let Origin { rows, dimension, .. } = self.origin;
        let count = self.centres.steps.len();
        let blocks = self.starts.last().map_or(0, |last| *last as usize);
        dimension > 0
            && self.space.mean.len() == dimension
            && self.starts.len() == count + 1
            && self.starts.is_sorted()
            && self.centres.bytes.len() == count * self.width
            && self.lifts.0.len() == count
            && self.blocks.len() == blocks * signs::block_size(self.width)
            && self.bounds.len() == blocks * bounds::SIZE
            && self.rows.len() == rows * self.width
            && self.steps.len() == rows * size_of::<Step>()
            && self.odd.is_sorted()
            && self.odd.iter().all(|row| (*row as usize) < rows)
            && (0..count)
                .flat_map(|partition| self.blocks(partition))
                .flat_map(|(_, numbers)| numbers)
                .map(|number| u32::from_le_bytes(*number))
                .all(|row| row == NOBODY || (row as usize) < rows)
    }

    /// How many partitions there are.
    pub fn partitions(&self) -> usize {
        self.centres.steps.len()
    }

    /// The blocks of a partition, each with the numbers of its rows.
    pub(crate) fn blocks(&self, partition: usize) -> impl Iterator<Item = (Block<'_>, &[[u8; 4]; BLOCK])> {
        let (start, end) = (self.starts[partition] as usize, self.starts[partition + 1] as usize);
        let (size, all) = (signs::block_size(self.width), self.bytes.as_ref());
        all[self.blocks.clone()][start * size..end * size].chunks_exact(size).filter_map(signs::block)
    }

    /// The bounds of a partition's blocks.
    pub(crate) fn bounds(&self, partition: usize) -> impl Iterator<Item = Bounds<'_>> {
        let (start, end) = (self.starts[partition] as usize, self.starts[partition + 1] as usize);
        let all = &self.bytes.as_ref()[self.bounds.clone()];
        all[start * bounds::SIZE..end * bounds::SIZE].as_chunks().0.iter().map(Bounds)
    }

    /// Asks for the first block of a partition.
    pub(crate) fn prefetch(&self, partition: usize) {
        let size = signs::block_size(self.width);
        let start = self.blocks.start + self.starts[partition] as usize * size;
        self.kernel.prefetch(&self.bytes.as_ref()[start..self.blocks.end.min(start + size)]);
    }

    /// A row at one byte a dimension.
    pub(crate) fn row(&self, row: u32) -> &[u8] {
        let start = self.rows.start + row as usize * self.width;
        &self.bytes.as_ref()[start..start + self.width]
    }

    pub(crate) fn step(&self, row: u32) -> Step {
        pairs(self.step_bytes(row)).next().unwrap_or_default()
    }

    fn step_bytes(&self, row: u32) -> &[u8] {
        let start = self.steps.start + row as usize * size_of::<Step>();
        &self.bytes.as_ref()[start..start + size_of::<Step>()]
    }

    /// Asks for all that is known of a row at one byte a dimension.
    pub(crate) fn prefetch_row(&self, row: u32) {
        self.kernel.prefetch(self.row(row));
        self.kernel.prefetch(self.step_bytes(row));
    }
}

fn words(bytes: &[u8]) -> impl Iterator<Item = [u8; 4]> {
    bytes.as_chunks().0.iter().copied()
}

fn pairs(bytes: &[u8]) -> impl Iterator<Item = Step> {
    let (pairs, _) = bytes.as_chunks::<4>();
    pairs.as_chunks::<2>().0.iter().map(|[step, square]| (f32::from_le_bytes(*step), f32::from_le_bytes(*square)))
}

fn measure_number(measure: Distance) -> u64 {
    match measure {
        Distance::Cosine => 0,
        Distance::Euclidean => 1,
        Distance::Dot => 2,
    }
}

fn way_number(way: Way) -> u64 {
    match way {
        Way::Unit => 0,
        Way::Scaled => 1,
        Way::Raised => 2,
    }
}

fn way_of(number: u64) -> Result<Way> {
    [Way::Unit, Way::Scaled, Way::Raised]
        .into_iter()
        .find(|way| way_number(*way) == number)
        .ok_or(Error::Damaged("the vectors are placed in an unknown way"))
}
