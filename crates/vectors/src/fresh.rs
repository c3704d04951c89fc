//! Fresh rows: those that no seal holds yet, in memory or in one mapped fragment.

use std::ops::Range;
use std::sync::Arc;

use filters::Columns;

use crate::fragment::Fragment;
use crate::words::Words;

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
    /// Texts kept beside the fragment: none at all where that holds them, or where there are none.
    texts: Vec<Option<Arc<str>>>,
    has_texts: bool,
    columns: Columns,
    words: Words,
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
            texts: if fragment.is_large() || !fragment.has_texts() {
                Vec::new()
            } else {
                (0..rows).map(|row| fragment.text(row).map(Arc::from)).collect()
            },
            has_texts: fragment.has_texts(),
            columns: Columns::default(),
            words: Words::default(),
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
            texts: Vec::new(),
            has_texts: false,
            columns: Columns::default(),
            words: Words::default(),
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
            self.push_text(other.kept_text(row));
        }
    }

    fn push_text(&mut self, text: Option<Arc<str>>) {
        if text.is_some() && !self.has_texts {
            self.texts = vec![None; self.ids.len() - 1];
            self.has_texts = true;
        }
        if self.has_texts {
            self.texts.push(text);
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
        let texts = self.texts.iter().map(|text| size_of_val(text) + text.as_ref().map_or(0, |text| text.len()));
        let derived = self.columns.memory() + self.words.memory();
        held + self.described + self.count() * ROW + texts.sum::<usize>() + derived
    }

    /// How many bytes the metadata is.
    pub fn described(&self) -> usize {
        self.described
    }

    /// What searches by words know of the rows.
    pub fn words(&self) -> &Words {
        &self.words
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

    /// Whether any row has a text.
    pub fn has_texts(&self) -> bool {
        self.has_texts
    }

    /// A row's text.
    pub fn text(&self, row: usize) -> Option<&str> {
        match &self.floats {
            Floats::Held(_) => self.texts.get(row)?.as_deref(),
            Floats::Mapped(fragment) => fragment.text(row),
        }
    }

    /// A row's text to be kept elsewhere.
    fn kept_text(&self, row: usize) -> Option<Arc<str>> {
        match &self.floats {
            Floats::Held(_) => self.texts.get(row)?.clone(),
            Floats::Mapped(fragment) => fragment.text(row).map(Arc::from),
        }
    }

    /// Gives a row without metadata that of the row it replaces.
    pub fn keep_metadata(&mut self, row: usize, metadata: Option<Arc<[u8]>>) {
        if self.metadata(row).is_none() {
            self.described += metadata.as_ref().map_or(0, |text| text.len());
            self.metadata[row] = metadata;
        }
    }
}
