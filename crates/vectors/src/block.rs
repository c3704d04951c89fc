//! Blocks: rows that lie together, fresh ones or those of a segment, and which of them have ended.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use ann::{Origin, precise};
use base::Distance;
use filters::{Columns, Filter};
use keywords::Postings;

use crate::chosen::Chosen;
use crate::codes::Coded;
use crate::error::Result;
use crate::field::Fields;
use crate::fragment::Fragment;
use crate::fresh::Fresh;
use crate::segment::Segment;
use crate::view::members;
use crate::visible::Visible;

/// The end of a row that has not ended.
const NEVER: u64 = u64::MAX;
/// The end of a row that had ended before anything that a reader of the block could know.
const LONG_AGO: u64 = 0;
/// Lengths between which single precision neither overflows nor vanishes, squares included.
const PLAIN_LENGTHS: Range<f64> = 1e-15..1e18;

/// Vectors of so many bytes are read at once, whether or not they were before.
const SMALL: usize = 256 << 10;
/// What a row costs a scan beside its vector, in bytes of vectors.
const ROW: usize = 64;
/// By how much a search through codes is less work than comparing all vectors, beside what it is at least.
const CODED: usize = 128;

/// Rows whose vectors never change. A row ends when its item is replaced or deleted; readers of older snapshots, who
/// know only smaller fragment numbers, still see it.
#[derive(Debug)]
pub(crate) struct Block {
    dimension: usize,
    rows: Rows,
    /// The number of the fragment that ended each row. Their order to other memory comes from the lock through which
    /// the snapshot that ends the row is published; readers of older ones see the row either way.
    ends: Vec<AtomicU64>,
    ended: AtomicUsize,
    scales: OnceLock<Scales>,
    fields: OnceLock<Fields>,
    visible: Visible,
    /// The codes of fresh rows.
    coded: Coded,
}

#[derive(Debug)]
enum Rows {
    Fresh(Box<Fresh>),
    Sealed(Arc<Segment>),
}

/// What turns the kernel's score of each row into one that can be compared.
#[derive(Debug, Default)]
struct Scales {
    inverse: Vec<f32>,
    odd: Vec<usize>,
}

/// One over the length of a vector; not a number where only double precision will do, so that it wins no comparison.
pub(crate) fn inverse(vector: &[f32]) -> f32 {
    let length = precise::norm(vector);
    if PLAIN_LENGTHS.contains(&length) { (1.0 / length) as f32 } else { f32::NAN }
}

impl Scales {
    fn of(rows: &Fresh) -> Self {
        let inverse: Vec<f32> = (0..rows.count()).map(|row| inverse(rows.vectors(row..row + 1))).collect();
        let odd = inverse.iter().enumerate().filter(|(_, scale)| scale.is_nan()).map(|(row, _)| row).collect();
        Self { inverse, odd }
    }
}

impl Block {
    /// The rows of a fragment, none of which has ended.
    pub fn of(fragment: &Fragment) -> Self {
        let fresh = Fresh::of(fragment);
        let ends = (0..fresh.count()).map(|_| NEVER);
        Self::new(fragment.dimension(), ends, Rows::Fresh(fresh.into()))
    }

    /// The rows of a segment, of which these have ended long ago: a bit for each row, or nothing at all.
    pub fn of_segment(dimension: u32, segment: &Arc<Segment>, ended: &[u8]) -> Self {
        let has_ended = |row: usize| ended.get(row / 8).is_some_and(|byte| byte & (1 << (row % 8)) != 0);
        let ends = (0..segment.rows()).map(|row| if has_ended(row) { LONG_AGO } else { NEVER });
        Self::new(dimension as usize, ends, Rows::Sealed(Arc::clone(segment)))
    }

    /// The living rows of several fresh blocks, copied into one.
    pub fn gather(blocks: &[Arc<Self>]) -> Self {
        let dimension = blocks.first().map_or(0, |block| block.dimension);
        let mut gathered = Fresh::empty(dimension);
        for block in blocks {
            if let Rows::Fresh(fresh) = &block.rows {
                block.living().for_each(|row| gathered.push(fresh, row));
            }
        }
        let ends = (0..gathered.count()).map(|_| NEVER);
        Self::new(dimension, ends, Rows::Fresh(gathered.into()))
    }

    fn new(dimension: usize, ends: impl Iterator<Item = u64>, rows: Rows) -> Self {
        let ends: Vec<AtomicU64> = ends.map(AtomicU64::new).collect();
        let ended = ends.iter().filter(|end| end.load(Ordering::Relaxed) == LONG_AGO).count();
        Self {
            dimension,
            rows,
            ends,
            ended: AtomicUsize::new(ended),
            scales: OnceLock::new(),
            fields: OnceLock::new(),
            visible: Visible::default(),
            coded: Coded::default(),
        }
    }

    /// How many numbers each vector has.
    pub fn dimension(&self) -> u32 {
        self.dimension as u32
    }

    /// How many rows, ended ones included.
    pub fn rows(&self) -> usize {
        self.ends.len()
    }

    /// How many rows have not ended.
    pub fn lives(&self) -> usize {
        self.rows() - self.ended.load(Ordering::Relaxed)
    }

    /// How many bytes the vectors are.
    pub fn size(&self) -> usize {
        self.rows() * self.dimension * size_of::<f32>()
    }

    /// How many bytes of memory it keeps, about: what is mapped is the system's to keep.
    pub fn memory(&self) -> usize {
        let ends = self.rows() * size_of::<u64>();
        match &self.rows {
            Rows::Fresh(fresh) => ends + fresh.memory() + self.coded.memory(),
            Rows::Sealed(segment) => {
                ends + segment.columns().memory() + segment.coded().memory() + segment.words().memory()
            }
        }
    }

    /// How many bytes the metadata is.
    pub fn described(&self) -> usize {
        match &self.rows {
            Rows::Fresh(fresh) => fresh.described(),
            Rows::Sealed(segment) => segment.described(),
        }
    }

    /// The segment that its rows are those of.
    pub fn segment(&self) -> Option<&Arc<Segment>> {
        match &self.rows {
            Rows::Fresh(_) => None,
            Rows::Sealed(segment) => Some(segment),
        }
    }

    /// Whether the vectors lie in memory of this process.
    pub fn is_held(&self) -> bool {
        matches!(&self.rows, Rows::Fresh(fresh) if fresh.is_held())
    }

    /// Whether so few rows live that reading past the others costs more than copying the living ones.
    pub fn is_worn(&self) -> bool {
        let ended = self.rows() - self.lives();
        ended > 0 && ended * 4 >= self.rows() * 3
    }

    /// The rows that have not ended.
    pub fn living(&self) -> impl Iterator<Item = usize> {
        self.seen_at(NEVER - 1)
    }

    /// The rows that a reader sees who knows the fragments up to this number.
    pub fn seen_at(&self, fragment: u64) -> impl Iterator<Item = usize> {
        (0..self.rows()).filter(move |row| self.is_visible(*row, fragment))
    }

    /// Whether a reader who knows the fragments up to this number sees the row.
    pub fn is_visible(&self, row: usize, fragment: u64) -> bool {
        self.ends[row].load(Ordering::Relaxed) > fragment
    }

    /// The rows that such a reader sees, as bits; none where no row has ended.
    pub fn seen_bits(&self, fragment: u64) -> Option<Arc<[u64]>> {
        let ended = self.ended.load(Ordering::Relaxed);
        let ends = self.ends.iter().map(|end| end.load(Ordering::Relaxed));
        (ended > 0).then(|| self.visible.bits(fragment, ended, ends, NEVER))
    }

    /// Whether the row has not ended.
    pub fn is_alive(&self, row: usize) -> bool {
        self.is_visible(row, NEVER - 1)
    }

    /// Ends a row as of this fragment.
    pub fn end(&self, row: usize, fragment: u64) {
        self.ends[row].store(fragment, Ordering::Relaxed);
        self.ended.fetch_add(1, Ordering::Relaxed);
    }

    pub fn id(&self, row: usize) -> Result<&str> {
        match &self.rows {
            Rows::Fresh(fresh) => Ok(fresh.id(row)),
            Rows::Sealed(segment) => segment.id(row),
        }
    }

    /// The ids of fresh rows, to be kept elsewhere.
    pub fn fresh_ids(&self) -> &[Arc<str>] {
        match &self.rows {
            Rows::Fresh(fresh) => fresh.ids(),
            Rows::Sealed(_) => &[],
        }
    }

    pub fn vector(&self, row: usize) -> Result<&[f32]> {
        self.vectors(row..row + 1)
    }

    /// The vectors of neighbouring rows.
    pub fn vectors(&self, rows: Range<usize>) -> Result<&[f32]> {
        match &self.rows {
            Rows::Fresh(fresh) => Ok(fresh.vectors(rows)),
            Rows::Sealed(segment) => segment.vectors(rows),
        }
    }

    /// A row's metadata as the text of a JSON object.
    pub fn metadata(&self, row: usize) -> Result<Option<&[u8]>> {
        match &self.rows {
            Rows::Fresh(fresh) => Ok(fresh.metadata(row)),
            Rows::Sealed(segment) => segment.metadata(row),
        }
    }

    /// A row's metadata to be kept elsewhere.
    pub fn kept_metadata(&self, row: usize) -> Result<Option<Arc<[u8]>>> {
        match &self.rows {
            Rows::Fresh(fresh) => Ok(fresh.kept_metadata(row)),
            Rows::Sealed(segment) => Ok(segment.metadata(row)?.map(Arc::from)),
        }
    }

    /// Whether any row has a text.
    pub fn has_texts(&self) -> bool {
        match &self.rows {
            Rows::Fresh(fresh) => fresh.has_texts(),
            Rows::Sealed(segment) => segment.has_texts(),
        }
    }

    /// A row's text.
    pub fn text(&self, row: usize) -> Result<Option<&str>> {
        match &self.rows {
            Rows::Fresh(fresh) => Ok(fresh.text(row)),
            Rows::Sealed(segment) => segment.text(row),
        }
    }

    /// The words of the texts; the first call reads them.
    pub fn words(&self) -> Result<&Postings> {
        let words = match &self.rows {
            Rows::Fresh(fresh) => fresh.words(),
            Rows::Sealed(segment) => segment.words(),
        };
        words.read(if self.has_texts() { self.rows() } else { 0 }, |row| self.text(row))
    }

    /// Gives a fresh row without metadata that of the row it replaces.
    pub fn keep_metadata(&mut self, row: usize, metadata: Option<Arc<[u8]>>) {
        if let Rows::Fresh(fresh) = &mut self.rows {
            fresh.keep_metadata(row, metadata);
        }
    }

    /// The rows that a filter is about, ended ones included; the first call may read all metadata.
    pub fn chosen(&self, filter: &Filter) -> Result<Chosen> {
        let bits = self.columns().find(filter, self.rows(), |row| members(self.metadata(row)?))?;
        Ok(Chosen::of(bits))
    }

    /// Whether it is known which rows a filter is about.
    pub fn knows(&self, filter: &Filter) -> bool {
        self.columns().known(filter).is_some()
    }

    fn columns(&self) -> &Columns {
        match &self.rows {
            Rows::Fresh(fresh) => fresh.columns(),
            Rows::Sealed(segment) => segment.columns(),
        }
    }

    /// What the kernel's scores of neighbouring rows are multiplied with; the first call may read all vectors.
    pub fn scales(&self, rows: Range<usize>) -> Result<&[f32]> {
        match &self.rows {
            Rows::Fresh(fresh) => Ok(&self.scales_of(fresh).inverse[rows]),
            Rows::Sealed(segment) => segment.scales(rows),
        }
    }

    /// The rows for which only double precision will do, in order.
    pub fn odd(&self) -> Result<&[usize]> {
        match &self.rows {
            Rows::Fresh(fresh) => Ok(&self.scales_of(fresh).odd),
            Rows::Sealed(segment) => segment.odd(),
        }
    }

    fn scales_of(&self, fresh: &Fresh) -> &Scales {
        self.scales.get_or_init(|| Scales::of(fresh))
    }

    /// Its codes.
    pub fn coded(&self) -> &Coded {
        match &self.rows {
            Rows::Fresh(_) => &self.coded,
            Rows::Sealed(segment) => segment.coded(),
        }
    }

    /// What codes of fresh rows are of: they are never looked for, so nothing need tell them from others.
    pub fn origin(&self, measure: Distance) -> Origin {
        Origin { rows: self.rows(), dimension: self.dimension, measure, checksum: 0 }
    }

    /// How much a search reads of it, about, in bytes of vectors that are compared one after another.
    pub fn work(&self, by_codes: bool) -> usize {
        let all = self.size() + self.rows() * ROW;
        if by_codes && self.coded().is_there() { all / CODED + SMALL } else { all }
    }

    /// Whether a search need not wait for the disk, nor do more than later ones.
    pub fn is_warm(&self, by_codes: bool) -> bool {
        let is_known = matches!(&self.rows, Rows::Fresh(_)) && self.scales.get().is_some();
        is_known || self.size() <= SMALL || (by_codes && self.coded().is_warm())
    }

    /// The fields of the metadata of the fresh rows that have ended.
    pub fn ended_fields(&self) -> Fields {
        let Rows::Fresh(fresh) = &self.rows else { return Fields::default() };
        let ended = (0..self.rows()).filter(|row| !self.is_alive(*row));
        Fields::of(ended.filter_map(|row| fresh.metadata(row)))
    }

    /// The fields of all metadata of fresh rows; the first call reads it. Those of segments are known from their seal.
    pub fn fields(&self) -> &Fields {
        self.fields.get_or_init(|| match &self.rows {
            Rows::Fresh(fresh) => Fields::of((0..self.rows()).filter_map(|row| fresh.metadata(row))),
            Rows::Sealed(_) => Fields::default(),
        })
    }
}
