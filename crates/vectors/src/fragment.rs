//! Fragments: numbered files that hold the changes of an index, read in place.

use std::ops::Range;
use std::sync::Arc;

use base::{Distance, IndexName};
use bytes::Bytes;
use catalog::IndexEntry;
use storage::Mapped;
use uuid::Uuid;

use crate::error::Error;
use crate::layout::{
    DELETE, DELETES, FINGERPRINT, Flaw, Header, IDS, METADATA, PUT, SECTIONS, STEP, STEPS, TEXTS, VECTORS, number,
};
use crate::texts;

#[cfg(test)]
mod tests;

/// From how many bytes of vectors on a fragment is scanned where it lies.
pub(crate) const LARGE: u64 = 1 << 20;

/// Whose fragments are read and written.
#[derive(Debug, Clone)]
pub(crate) struct Owner {
    pub name: IndexName,
    pub index: Uuid,
    /// How many numbers each vector has.
    pub dimension: u32,
    /// How they are compared.
    pub distance: Distance,
    /// The directory of the index.
    pub location: String,
}

/// One fragment, checked as a whole when it was read. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Fragment(Arc<Read>);

#[derive(Debug)]
struct Read {
    header: Header,
    bytes: Mapped,
    places: [Range<usize>; SECTIONS],
}

/// One change in a fragment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// These rows are put.
    Put(Range<usize>),
    /// These of the ids to delete are deleted.
    Delete(Range<usize>),
}

impl Owner {
    /// The owner that an index of the catalog is.
    pub fn of(name: &IndexName, entry: &IndexEntry) -> Self {
        Self {
            name: name.clone(),
            index: entry.index_id,
            dimension: entry.settings.dimension,
            distance: entry.settings.distance,
            location: entry.location.clone(),
        }
    }

    /// The error that a flaw of one of its fragments is.
    pub fn fault(&self, fragment: u64, flaw: Flaw) -> Error {
        match flaw {
            Flaw::Newer { found, known } => Error::NewerFormat {
                what: format!("fragment {fragment} of {}", self.name),
                found: found.into(),
                known: known.into(),
            },
            flaw => Error::Damaged {
                index: self.name.clone(),
                part: format!("fragment {fragment}"),
                fragment: Some(fragment),
                source: flaw.into(),
            },
        }
    }

    /// The error that a flaw of a file of its seals is.
    pub fn segment_fault(&self, file: &str, flaw: Flaw) -> Error {
        let part = format!("the file {file}");
        match flaw {
            Flaw::Newer { found, known } => Error::NewerFormat {
                what: format!("{part} of {}", self.name),
                found: found.into(),
                known: known.into(),
            },
            flaw => Error::Damaged { index: self.name.clone(), part, fragment: None, source: flaw.into() },
        }
    }
}

impl Fragment {
    /// Reads the fragment of this number, and checks every byte of it.
    pub fn read(bytes: Mapped, owner: &Owner, number: u64) -> Result<Self, Flaw> {
        let header = Header::decode(&bytes)?;
        if (header.number, header.index, header.dimension) != (number, owner.index, owner.dimension) {
            return Err(Flaw::Broken("it is another fragment, or that of another index"));
        }
        let places = header.places(bytes.len()).ok_or(Flaw::Broken("it is longer or shorter than it says"))?;
        for (place, (_, checksum)) in places.iter().zip(header.sections) {
            if crc32c::crc32c(&bytes[place.clone()]) != checksum {
                return Err(Flaw::Broken("the checksum of a section is wrong"));
            }
        }
        let fragment = Self(Arc::new(Read { header, bytes, places }));
        fragment.check()?;
        Ok(fragment)
    }

    /// Checks that the sections hold what the header says.
    fn check(&self) -> Result<(), Flaw> {
        let (floats, expected) = (self.vectors().len(), self.rows().checked_mul(self.dimension()));
        if expected != Some(floats) || self.section(VECTORS).len() != size_of_val(self.vectors()) {
            return Err(Flaw::Broken("its vectors are not as many as it says"));
        }
        texts::check(self.section(IDS), self.rows())?;
        texts::check(self.section(METADATA), self.rows())?;
        texts::check(self.section(DELETES), self.deletes())?;
        if self.has_texts() {
            texts::check(self.section(TEXTS), self.rows())?;
        }
        if std::str::from_utf8(self.section(FINGERPRINT)).is_err() {
            return Err(Flaw::Broken("its fingerprint is not UTF-8"));
        }
        self.check_steps()
    }

    fn check_steps(&self) -> Result<(), Flaw> {
        let (steps, known) = (self.section(STEPS), [PUT, DELETE]);
        let whole = steps.len() == self.0.header.steps as usize * STEP;
        let known = steps.chunks(STEP).all(|step| known.contains(&number(step, 0)));
        let counted = |kind| {
            let of_kind = steps.chunks(STEP).filter(move |step| number(step, 0) == kind);
            of_kind.map(|step| number(step, 4) as usize).sum::<usize>()
        };
        let all = counted(PUT) == self.rows() && counted(DELETE) == self.deletes();
        if whole && known && all { Ok(()) } else { Err(Flaw::Broken("its steps are not what it says")) }
    }

    /// Its number, from 1.
    pub fn number(&self) -> u64 {
        self.0.header.number
    }

    /// The id of the one call that wrote it.
    pub fn writer(&self) -> Uuid {
        self.0.header.writer
    }

    /// How many numbers each vector has.
    pub fn dimension(&self) -> usize {
        self.0.header.dimension as usize
    }

    /// The model that its vectors come from, where it was stated.
    pub fn fingerprint(&self) -> Option<&str> {
        let text = std::str::from_utf8(self.section(FINGERPRINT)).unwrap_or_default();
        (!text.is_empty()).then_some(text)
    }

    /// How many items it puts.
    pub fn rows(&self) -> usize {
        self.0.header.rows as usize
    }

    /// The vectors of all rows, one after another; they begin at a multiple of 64 bytes.
    pub fn vectors(&self) -> &[f32] {
        self.0.bytes.floats(self.0.places[VECTORS].clone()).unwrap_or_default()
    }

    /// The id of a row's item.
    pub fn id(&self, row: usize) -> &str {
        self.part(IDS, self.rows(), row)
    }

    /// The metadata of a row's item, a compact JSON object; none where it was absent.
    pub fn metadata(&self, row: usize) -> Option<&[u8]> {
        let text = texts::get(self.section(METADATA), self.rows(), row);
        (!text.is_empty()).then_some(text)
    }

    /// Whether any of its rows has a text.
    pub fn has_texts(&self) -> bool {
        !self.section(TEXTS).is_empty()
    }

    /// The text of a row's item; none where it was absent.
    pub fn text(&self, row: usize) -> Option<&str> {
        let text = if self.has_texts() { self.part(TEXTS, self.rows(), row) } else { "" };
        (!text.is_empty()).then_some(text)
    }

    /// How many ids it deletes.
    pub fn deletes(&self) -> usize {
        self.0.header.deletes as usize
    }

    /// One of the ids that it deletes.
    pub fn deleted(&self, at: usize) -> &str {
        self.part(DELETES, self.deletes(), at)
    }

    /// The changes, in the order in which they take effect.
    pub fn steps(&self) -> impl Iterator<Item = Step> + '_ {
        let (mut rows, mut deletes) = (0, 0);
        self.section(STEPS).chunks(STEP).map(move |step| {
            let count = number(step, 4) as usize;
            let (kind, next): (fn(Range<usize>) -> Step, _) =
                if number(step, 0) == PUT { (Step::Put, &mut rows) } else { (Step::Delete, &mut deletes) };
            *next += count;
            kind(*next - count..*next)
        })
    }

    /// Whether its vectors are scanned where they lie, rather than copied and let go.
    pub fn is_large(&self) -> bool {
        self.0.places[VECTORS].len() as u64 >= LARGE
    }

    /// The bytes as they are stored.
    pub fn bytes(&self) -> Bytes {
        self.0.bytes.clone().into()
    }

    fn section(&self, section: usize) -> &[u8] {
        &self.0.bytes[self.0.places[section].clone()]
    }

    fn part(&self, section: usize, count: usize, at: usize) -> &str {
        std::str::from_utf8(texts::get(self.section(section), count, at)).unwrap_or_default()
    }
}
