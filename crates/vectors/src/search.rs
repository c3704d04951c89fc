//! Search: codes say which rows may be nearest, or every vector is compared as fast as memory delivers it.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::ops::Range;
use std::sync::Arc;

use ann::precise;
use base::Distance;
use filters::Filter;
use rayon::prelude::*;

use crate::block::Block;
use crate::chosen::Chosen;
use crate::codes::Sought;
use crate::error::Result;
use crate::kernel::{Kernel, Measure};
use crate::snapshot::Snapshot;

/// Rows scored at a time: their scores stay in the nearest cache.
const STRIDE: usize = 256;
/// Where fewer than one row in so many may be found, rows are scored one by one.
const SPARSE: usize = 4;
/// From this many bytes of vectors on, all cores scan.
const SHARED: usize = 8 << 20;
/// Bytes of vectors that one core takes at a time.
const PIECE: usize = 1 << 20;
/// The longest query that single precision can subtract from a plain row and square.
const LONGEST: f64 = 1e18;

/// What is searched for.
#[derive(Debug)]
pub(crate) struct Target {
    distance: Distance,
    vector: Vec<f32>,
    length: f64,
    /// What the kernel compares with: the vector, or one of the same direction that has length 1.
    compared: Vec<f32>,
    kernel: Kernel,
}

/// What a search is to find.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wanted {
    /// How many of the nearest.
    pub k: usize,
    /// What must hold of them.
    pub filter: Option<Filter>,
    pub way: Way,
}

/// How the nearest are found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Way {
    /// By comparing every vector.
    #[default]
    Vectors,
    /// By codes, with proof that what they leave aside is farther away.
    Proof,
    /// By codes, which look for so many at least, and very likely find them.
    Codes(usize),
}

/// One of the nearest.
#[derive(Debug)]
pub(crate) struct Neighbour<'a> {
    pub id: &'a str,
    /// A number of single precision, or one beyond its range.
    distance: f64,
    pub metadata: Option<&'a [u8]>,
    /// Its block and row.
    pub place: (&'a Block, usize),
}

impl Neighbour<'_> {
    /// The distance, kept within what single precision can say.
    pub fn distance(&self) -> f32 {
        self.distance.clamp(f32::MIN.into(), f32::MAX.into()) as f32
    }
}

impl Target {
    pub fn new(distance: Distance, vector: Vec<f32>) -> Self {
        let length = precise::norm(&vector);
        let compared = match distance {
            Distance::Euclidean => vector.clone(),
            Distance::Cosine | Distance::Dot => unit(&vector, length),
        };
        Self { distance, vector, length, compared, kernel: Kernel::best() }
    }

    /// The nearest items of a snapshot, nearest first, those at the same distance by id.
    pub fn nearest<'a>(&self, snapshot: &'a Snapshot, wanted: &Wanted) -> Result<Vec<Neighbour<'a>>> {
        let k = wanted.k;
        // Scores in single precision may change places with their neighbours, so a few more are compared exactly.
        let room = k + k / 4 + 16;
        let scan = Scan { target: self, fragment: snapshot.fragment, room, k, way: wanted.way };
        let best = scan.best(&searched(snapshot, wanted.filter.as_ref())?)?;
        let found = best.heap.into_iter().map(|found| self.neighbour(&found));
        let mut neighbours = found.collect::<Result<Vec<Neighbour>>>()?;
        neighbours.sort_by(|a, b| a.distance.total_cmp(&b.distance).then_with(|| a.id.cmp(b.id)));
        neighbours.truncate(k);
        Ok(neighbours)
    }

    fn neighbour<'a>(&self, found: &Candidate<'a>) -> Result<Neighbour<'a>> {
        let (block, row) = (found.block, found.row);
        let (distance, metadata) = (self.distance(block.vector(row)?), block.metadata(row)?);
        Ok(Neighbour { id: found.id, distance, metadata, place: (block, row) })
    }

    /// The distance of a row, computed in double precision. Within the range of single precision it is rounded to that,
    /// so that items which are answered at the same distance are at the same distance.
    fn distance(&self, row: &[f32]) -> f64 {
        let distance = match self.distance {
            Distance::Cosine => angular(cosine(precise::dot(&self.vector, row), self.length * precise::norm(row))),
            Distance::Euclidean => precise::squared(&self.vector, row).sqrt(),
            Distance::Dot => -precise::dot(&self.vector, row),
        };
        let rounded = f64::from(distance as f32);
        // Adding zero turns minus zero into zero.
        if rounded.is_finite() { rounded + 0.0 } else { distance }
    }

    /// The score of a row in double precision, on the scale of the scan's; smaller is nearer.
    fn score(&self, row: &[f32]) -> f64 {
        match self.distance {
            Distance::Cosine => -cosine(precise::dot(&self.compared, row), precise::norm(row)),
            Distance::Euclidean => precise::squared(&self.compared, row),
            Distance::Dot => -precise::dot(&self.compared, row),
        }
    }

    fn measure(&self) -> Measure {
        if self.distance == Distance::Euclidean { Measure::Squared } else { Measure::Dot }
    }
}

fn unit(vector: &[f32], length: f64) -> Vec<f32> {
    let factor = if length > 0.0 { 1.0 / length } else { 0.0 };
    vector.iter().map(|value| (f64::from(*value) * factor) as f32).collect()
}

/// One minus the cosine, cut to the digits that a sum of products is good for: parallel vectors are at distance 0,
/// whatever their lengths.
fn angular(cosine: f64) -> f64 {
    const STEPS: f64 = (1_u64 << 40) as f64;
    ((1.0 - cosine) * STEPS).round().max(0.0) / STEPS
}

/// The cosine, or 0 where a vector has no direction.
fn cosine(product: f64, lengths: f64) -> f64 {
    if lengths > 0.0 { product / lengths } else { 0.0 }
}

/// One search under way.
struct Scan<'t> {
    target: &'t Target,
    fragment: u64,
    room: usize,
    k: usize,
    way: Way,
}

/// A block, and the rows of it that may be found.
struct Searched<'a> {
    block: &'a Block,
    chosen: Chosen,
}

fn searched<'a>(snapshot: &'a Snapshot, filter: Option<&Filter>) -> Result<Vec<Searched<'a>>> {
    let searched = |block: &'a Arc<Block>| {
        let chosen = filter.map_or(Ok(Chosen::ALL), |filter| block.chosen(filter))?;
        Ok(Searched { block, chosen })
    };
    snapshot.blocks.iter().map(searched).collect()
}

impl Scan<'_> {
    fn best<'a>(&self, searched: &[Searched<'a>]) -> Result<Best<'a>> {
        let (mut best, mut uncoded, mut size) = (Best::new(self.room), Vec::new(), 0);
        for part in searched {
            match self.candidates(part)? {
                Some(rows) => rows.into_iter().try_for_each(|row| self.exactly(part, row as usize, &mut best))?,
                None => {
                    uncoded.push(part);
                    size += part.block.size();
                }
            }
        }
        if size < SHARED {
            uncoded.into_iter().try_for_each(|part| self.rows(part, 0..part.block.rows(), &mut best))?;
            return Ok(best);
        }
        let pieces: Vec<_> = uncoded.into_iter().flat_map(pieces).collect();
        let scanned = pieces.into_par_iter().try_fold(
            || Best::new(self.room),
            |mut best, (part, rows)| self.rows(part, rows, &mut best).map(|()| best),
        );
        Ok(best.join(scanned.try_reduce(|| Best::new(self.room), |best, other| Ok(best.join(other)))?))
    }

    /// The rows among which the nearest of a block are, as far as its codes tell; none where it has no codes.
    fn candidates(&self, part: &Searched) -> Result<Option<Vec<u32>>> {
        let (target, block) = (self.target, part.block);
        let coded = if self.way == Way::Vectors { None } else { block.coded().searched() };
        let Some(coded) = coded else { return Ok(None) };
        let may = part.chosen.and(block.seen_bits(self.fragment));
        let sought = |k| Sought { vector: &target.compared, k, all: block.rows(), may: may.bits() };
        match self.way {
            Way::Codes(depth) => Ok(coded.candidates(&sought(depth.max(self.k)))),
            _ => coded.proven(&sought(self.k), |row| block.vector(row).map(|row| target.score(row))),
        }
    }

    fn rows<'a>(&self, part: &Searched<'a>, mut rows: Range<usize>, best: &mut Best<'a>) -> Result<()> {
        if self.target.distance == Distance::Euclidean && self.target.length > LONGEST {
            return rows.try_for_each(|row| self.exactly(part, row, best));
        }
        let odd = part.block.odd()?;
        let first = odd.partition_point(|row| *row < rows.start);
        let mut odd = odd[first..].iter().take_while(|row| rows.contains(row));
        odd.try_for_each(|row| self.exactly(part, *row, best))?;
        for start in rows.clone().step_by(STRIDE) {
            let stride = start..rows.end.min(start + STRIDE);
            if part.chosen.count(stride.clone()) * SPARSE > stride.len() {
                self.stride(part, stride, best)?;
            } else {
                part.chosen.within(stride).try_for_each(|row| self.stride(part, row..row + 1, best))?;
            }
        }
        Ok(())
    }

    fn stride<'a>(&self, part: &Searched<'a>, rows: Range<usize>, best: &mut Best<'a>) -> Result<()> {
        let (target, block) = (self.target, part.block);
        let mut scores = [0.0; STRIDE];
        let scores = &mut scores[..rows.len()];
        target.kernel.score(target.measure(), &target.compared, block.vectors(rows.clone())?, scores);
        rescale(target.distance, scores, block.scales(rows.clone())?);
        for (row, score) in rows.zip(scores) {
            if *score <= best.limit && self.finds(part, row) {
                best.offer(Candidate { score: (*score).into(), id: block.id(row)?, block, row });
            }
        }
        Ok(())
    }

    fn exactly<'a>(&self, part: &Searched<'a>, row: usize, best: &mut Best<'a>) -> Result<()> {
        let block = part.block;
        if self.finds(part, row) {
            let score = self.target.score(block.vector(row)?);
            best.offer(Candidate { score, id: block.id(row)?, block, row });
        }
        Ok(())
    }

    /// Whether a row may be found.
    fn finds(&self, part: &Searched, row: usize) -> bool {
        part.chosen.has(row) && part.block.is_visible(row, self.fragment)
    }
}

/// Makes the kernel's scores comparable; odd rows become not a number, which no comparison lets in.
fn rescale(distance: Distance, scores: &mut [f32], inverse: &[f32]) {
    let rows = scores.iter_mut().zip(inverse);
    match distance {
        Distance::Cosine => rows.for_each(|(score, inverse)| *score *= -inverse),
        Distance::Euclidean => rows.for_each(|(score, inverse)| *score += inverse * 0.0),
        Distance::Dot => rows.for_each(|(score, inverse)| *score = inverse * 0.0 - *score),
    }
}

/// A block in pieces that cores take in turn.
fn pieces<'s, 'a>(part: &'s Searched<'a>) -> impl Iterator<Item = (&'s Searched<'a>, Range<usize>)> {
    let rows = part.block.rows();
    let step = (PIECE * rows).checked_div(part.block.size()).unwrap_or(1).max(1);
    (0..rows).step_by(step).map(move |start| (part, start..rows.min(start + step)))
}

/// The best candidates so far, at most `room`.
struct Best<'a> {
    heap: BinaryHeap<Candidate<'a>>,
    room: usize,
    /// The score above which nothing more is wanted.
    limit: f32,
}

impl<'a> Best<'a> {
    fn new(room: usize) -> Self {
        Self { heap: BinaryHeap::new(), room, limit: f32::INFINITY }
    }

    fn offer(&mut self, candidate: Candidate<'a>) {
        if self.heap.len() < self.room {
            self.heap.push(candidate);
        } else if let Some(mut worst) = self.heap.peek_mut()
            && candidate < *worst
        {
            *worst = candidate;
        }
        if self.heap.len() == self.room
            && let Some(worst) = self.heap.peek()
        {
            // A score in double precision may have been rounded down, and its equals are wanted.
            self.limit = (worst.score as f32).next_up();
        }
    }

    fn join(mut self, other: Self) -> Self {
        other.heap.into_iter().for_each(|candidate| self.offer(candidate));
        self
    }
}

#[derive(Debug)]
struct Candidate<'a> {
    score: f64,
    id: &'a str,
    block: &'a Block,
    row: usize,
}

impl Ord for Candidate<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.score.total_cmp(&other.score).then_with(|| self.id.cmp(other.id))
    }
}

impl PartialOrd for Candidate<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Candidate<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Candidate<'_> {}
