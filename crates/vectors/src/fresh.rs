//! Fresh rows: those that no seal holds yet, in memory or in one mapped fragment.

use std::ops::Range;
use std::sync::Arc;

use crate::filter::columns::Columns;
use crate::fragment::Fragment;

/// What a row takes beside its vector and its metadata: its id and its place.
const ROW: usize = 184;

/// The rows of one fragment, or of several small ones.
#[derive(Debug)]
pub(crate) struct Fresh {
    dimension: usize,
    floats: Floats,
    ids: Vec<Arc<str>>,
    /// Metadata kept beside the fragment; where there is none, that of the mapped fragment holds.
    metadata: Vec<Option<Arc<[u8]>>>,
    /// Bytes of all metadata, beside the fragment and in it.
    described: usize,
    columns: Columns,
}

#[derive(Debug)]
enum Floats {
    Held(Vec<f32>),
    Mapped(Fragment),
}

impl Fresh {
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
            columns: Columns::default(),
        }
    }

    /// No rows yet.
    pub fn empty(dimension: usize) -> Self {
        Self {
            dimension,
            floats: Floats::Held(Vec::new()),
            ids: Vec::new(),
            metadata: Vec::new(),
            described: 0,
            columns: Columns::default(),
        }
    }

    /// Copies a row of others into memory.
    pub fn push(&mut self, other: &Self, row: usize) {
        if let Floats::Held(floats) = &mut self.floats {
            floats.extend_from_slice(other.vectors(row..row + 1));
            self.ids.push(Arc::clone(&other.ids[row]));
            let metadata = other.kept_metadata(row);
            self.described += metadata.as_ref().map_or(0, |text| text.len());
            self.metadata.push(metadata);
        }
    }

    /// How many rows.
    pub fn count(&self) -> usize {
        self.ids.len()
    }

    /// Whether the vectors lie in memory of this process.
    pub fn is_held(&self) -> bool {
        matches!(self.floats, Floats::Held(_))
    }

    /// How many bytes of memory they keep, about.
    pub fn memory(&self) -> usize {
        let held = if self.is_held() { self.count() * self.dimension * size_of::<f32>() } else { 0 };
        held + self.described + self.count() * ROW + self.columns.memory()
    }

    /// How many bytes the metadata is.
    pub fn described(&self) -> usize {
        self.described
    }

    /// What filters know of the rows.
    pub fn columns(&self) -> &Columns {
        &self.columns
    }

    pub fn id(&self, row: usize) -> &str {
        &self.ids[row]
    }

    pub fn ids(&self) -> &[Arc<str>] {
        &self.ids
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
}
