//! Blocks: rows that lie together in memory or in one mapped fragment, and what the index knows of each.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use crate::field::Fields;
use crate::fragment::Fragment;
use crate::kernel::exact;

/// The end of a row that has not ended.
const NEVER: u64 = u64::MAX;
/// Lengths between which single precision neither overflows nor vanishes, squares included.
const PLAIN_LENGTHS: Range<f64> = 1e-15..1e18;

/// What a row takes beside its vector and its metadata: its id, its place and its end.
const ROW: usize = 192;

/// Vectors of so many bytes are read at once, whether or not they were before.
const SMALL: usize = 256 << 10;

/// Rows whose vectors never change. A row ends when its item is replaced or deleted; readers of older snapshots, who
/// know only smaller fragment numbers, still see it.
#[derive(Debug)]
pub(crate) struct Block {
    dimension: usize,
    floats: Floats,
    ids: Vec<Arc<str>>,
    /// Metadata kept beside the fragment; where there is none, that of the mapped fragment holds.
    metadata: Vec<Option<Arc<[u8]>>>,
    /// Bytes of all metadata, beside the fragment and in it.
    described: usize,
    /// The number of the fragment that ended each row. Their order to other memory comes from the lock through which
    /// the snapshot that ends the row is published; readers of older ones see the row either way.
    ends: Vec<AtomicU64>,
    ended: AtomicUsize,
    scales: OnceLock<Scales>,
    fields: OnceLock<Fields>,
}

#[derive(Debug)]
enum Floats {
    Held(Vec<f32>),
    Mapped(Fragment),
}

/// What turns the kernel's score of each row into one that can be compared.
#[derive(Debug, Default)]
pub(crate) struct Scales {
    /// One over the row's length; not a number where only double precision will do, so that it wins no comparison.
    pub inverse: Vec<f32>,
    /// The rows for which only double precision will do.
    pub odd: Vec<usize>,
}

impl Scales {
    fn push(&mut self, vector: &[f32]) {
        let length = exact::norm(vector);
        if PLAIN_LENGTHS.contains(&length) {
            return self.inverse.push((1.0 / length) as f32);
        }
        self.odd.push(self.inverse.len());
        self.inverse.push(f32::NAN);
    }
}

impl Block {
    /// The rows of a fragment: mapped where it is large, copied where it is small.
    pub fn of(fragment: &Fragment) -> Self {
        let rows = fragment.rows();
        let floats = match fragment.is_large() {
            true => Floats::Mapped(fragment.clone()),
            false => Floats::Held(fragment.vectors().to_vec()),
        };
        let kept = |row| fragment.metadata(row).filter(|_| !fragment.is_large()).map(Arc::from);
        Self {
            dimension: fragment.dimension(),
            floats,
            ids: (0..rows).map(|row| Arc::from(fragment.id(row))).collect(),
            metadata: (0..rows).map(kept).collect(),
            described: (0..rows).filter_map(|row| fragment.metadata(row)).map(<[u8]>::len).sum(),
            ends: (0..rows).map(|_| AtomicU64::new(NEVER)).collect(),
            ended: AtomicUsize::new(0),
            scales: OnceLock::new(),
            fields: OnceLock::new(),
        }
    }

    /// The living rows of several blocks, copied into one.
    pub fn gather(blocks: &[Arc<Self>]) -> Self {
        let mut gathered = Self::empty(blocks.first().map_or(0, |block| block.dimension));
        let mut floats = Vec::new();
        for block in blocks {
            for row in block.living() {
                floats.extend_from_slice(block.vector(row));
                gathered.ids.push(Arc::clone(&block.ids[row]));
                let metadata = block.kept_metadata(row);
                gathered.described += metadata.as_ref().map_or(0, |text| text.len());
                gathered.metadata.push(metadata);
                gathered.ends.push(AtomicU64::new(NEVER));
            }
        }
        gathered.floats = Floats::Held(floats);
        gathered
    }

    fn empty(dimension: usize) -> Self {
        Self {
            dimension,
            floats: Floats::Held(Vec::new()),
            ids: Vec::new(),
            metadata: Vec::new(),
            described: 0,
            ends: Vec::new(),
            ended: AtomicUsize::new(0),
            scales: OnceLock::new(),
            fields: OnceLock::new(),
        }
    }

    /// How many rows, ended ones included.
    pub fn rows(&self) -> usize {
        self.ids.len()
    }

    /// How many bytes the vectors are.
    pub fn size(&self) -> usize {
        self.rows() * self.dimension * size_of::<f32>()
    }

    /// How many bytes of memory it keeps, about: what is mapped is the system's to keep.
    pub fn memory(&self) -> usize {
        let held = if self.is_held() { self.size() } else { 0 };
        held + self.described + self.rows() * ROW
    }

    /// How many bytes the metadata is.
    pub fn described(&self) -> usize {
        self.described
    }

    /// Whether the vectors lie in memory of this process.
    pub fn is_held(&self) -> bool {
        matches!(self.floats, Floats::Held(_))
    }

    /// Whether so few rows live that reading past the others costs more than copying the living ones.
    pub fn is_worn(&self) -> bool {
        let ended = self.ended.load(Ordering::Relaxed);
        ended > 0 && ended * 4 >= self.rows() * 3
    }

    /// The rows that have not ended.
    pub fn living(&self) -> impl Iterator<Item = usize> {
        (0..self.rows()).filter(|row| self.is_visible(*row, NEVER - 1))
    }

    /// Whether a reader who knows the fragments up to this number sees the row.
    pub fn is_visible(&self, row: usize, fragment: u64) -> bool {
        self.ends[row].load(Ordering::Relaxed) > fragment
    }

    /// Ends a row as of this fragment.
    pub fn end(&self, row: usize, fragment: u64) {
        self.ends[row].store(fragment, Ordering::Relaxed);
        self.ended.fetch_add(1, Ordering::Relaxed);
    }

    pub fn id(&self, row: usize) -> &Arc<str> {
        &self.ids[row]
    }

    pub fn vector(&self, row: usize) -> &[f32] {
        self.vectors(row..row + 1)
    }

    /// The vectors of neighbouring rows.
    pub fn vectors(&self, rows: Range<usize>) -> &[f32] {
        let all = match &self.floats {
            Floats::Held(floats) => floats,
            Floats::Mapped(fragment) => fragment.vectors(),
        };
        &all[rows.start * self.dimension..rows.end * self.dimension]
    }

    /// A row's metadata as the text of a JSON object.
    pub fn metadata(&self, row: usize) -> Option<&[u8]> {
        let kept = self.metadata[row].as_deref();
        match &self.floats {
            Floats::Held(_) => kept,
            Floats::Mapped(fragment) => kept.or_else(|| fragment.metadata(row)),
        }
    }

    /// A row's metadata to be kept elsewhere.
    pub fn kept_metadata(&self, row: usize) -> Option<Arc<[u8]>> {
        self.metadata[row].clone().or_else(|| self.metadata(row).map(Arc::from))
    }

    /// Gives a row without metadata that of the row it replaces.
    pub fn keep_metadata(&mut self, row: usize, metadata: Option<Arc<[u8]>>) {
        if self.metadata(row).is_none() {
            self.described += metadata.as_ref().map_or(0, |text| text.len());
            self.metadata[row] = metadata;
        }
    }

    /// What the kernel's scores are multiplied with; the first call reads all vectors.
    pub fn scales(&self) -> &Scales {
        self.scales.get_or_init(|| {
            let mut scales = Scales::default();
            (0..self.rows()).for_each(|row| scales.push(self.vector(row)));
            scales
        })
    }

    /// Whether that call was made, or is as good as nothing.
    pub fn is_warm(&self) -> bool {
        self.scales.get().is_some() || self.size() <= SMALL
    }

    /// The fields of the metadata of the rows that have ended.
    pub fn ended_fields(&self) -> Fields {
        let ended = (0..self.rows()).filter(|row| !self.is_visible(*row, NEVER - 1));
        Fields::of(ended.filter_map(|row| self.metadata(row)))
    }

    /// The fields of all metadata; the first call reads it.
    pub fn fields(&self) -> &Fields {
        self.fields.get_or_init(|| Fields::of((0..self.rows()).filter_map(|row| self.metadata(row))))
    }
}
