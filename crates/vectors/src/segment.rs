//! Segments: the rows that a run of fragments added up to, in one file that never changes and is read where it lies.
//!
//! Nothing of a segment is kept in memory but which of its chunks have been checked (each is, when it is touched first)
//! and what filters and searches by words have read.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use ann::Origin;
use catalog::DERIVED;
use filters::Columns;
use sha2::{Digest, Sha256};
use storage::Mapped;

use crate::codes::Coded;
use crate::error::{Error, Result};
use crate::fragment::Owner;
use crate::layout::{Flaw, long, number};
use crate::words::Words;

mod layout;
#[cfg(test)]
mod tests;
mod writer;

pub(crate) use layout::{CHUNK, FOOTER, Footer};
use layout::{ID_ENDS, IDS, LOOKUP, METADATA, METADATA_ENDS, SCALES, SLOT, TEXT_ENDS, TEXTS, VECTORS};
pub(crate) use writer::{Part, write};

/// One segment. Shared by all that read it.
#[derive(Debug)]
pub(crate) struct Segment {
    name: Arc<str>,
    owner: Arc<Owner>,
    bytes: Mapped,
    footer: Footer,
    /// A bit for each chunk that was found to be sound.
    checked: Vec<AtomicU64>,
    odd: OnceLock<Vec<usize>>,
    columns: Columns,
    coded: Coded,
    words: Words,
}

/// Where an id stands in the lookup of any segment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Hash(u64);

impl Hash {
    /// The hash of an id: the first eight bytes of its SHA-256, so that nobody can make ids that collide.
    pub fn of(id: &str) -> Self {
        Self(long(&Sha256::digest(id), 0))
    }

    /// The slot at which the search for it begins among so many, a power of two.
    fn slot(self, slots: usize) -> usize {
        self.0 as usize & (slots - 1)
    }

    /// What tells it from others that begin at the same slot.
    fn tag(self) -> u32 {
        (self.0 >> 32) as u32
    }
}

impl Segment {
    /// Opens a segment: what it says about itself is checked, and the rest when it is touched.
    pub fn open(bytes: Mapped, owner: &Arc<Owner>, name: &str) -> Result<Self> {
        let footer = Footer::decode(&bytes).map_err(|flaw| owner.segment_fault(name, flaw))?;
        if (footer.index, footer.dimension) != (owner.index, owner.dimension) {
            let other = Flaw::Broken("it is the segment of another index");
            return Err(owner.segment_fault(name, other));
        }
        let words = footer.sums.0.div_ceil(CHUNK).div_ceil(64);
        let checked = (0..words).map(|_| AtomicU64::new(0)).collect();
        Ok(Self {
            name: name.into(),
            owner: Arc::clone(owner),
            bytes,
            footer,
            checked,
            odd: OnceLock::new(),
            columns: Columns::default(),
            words: Words::default(),
            coded: Coded::default(),
        })
    }

    /// The name of its file.
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// How many rows.
    pub fn rows(&self) -> usize {
        self.footer.rows as usize
    }

    /// How many bytes the vectors are.
    pub fn size(&self) -> usize {
        self.footer.sections[VECTORS].len()
    }

    /// Its codes.
    pub fn coded(&self) -> &Coded {
        &self.coded
    }

    /// What its codes are of: the checksums of all chunks tell it from any other.
    pub fn origin(&self) -> Origin {
        let Owner { dimension, distance, .. } = *self.owner;
        let checksum = self.footer.segment.as_u64_pair().1 ^ u64::from(self.footer.sums.1);
        Origin { rows: self.rows(), dimension: dimension as usize, measure: distance, checksum }
    }

    /// The name of the file of its codes. Each format has its own: releases beside each other would else exchange the
    /// file for theirs by turns.
    pub fn derived_name(&self) -> String {
        let stem = self.name.strip_suffix(".lhvs").unwrap_or(&self.name);
        format!("{stem}.{}.lhva", ann::FORMAT)
    }

    /// Where the lake keeps its codes.
    pub fn derived(&self) -> String {
        format!("{}/{DERIVED}/{}", self.owner.location, self.derived_name())
    }

    /// How many bytes the metadata is.
    pub fn described(&self) -> usize {
        self.footer.sections[METADATA].len()
    }

    /// What searches by words know of the rows.
    pub fn words(&self) -> &Words {
        &self.words
    }

    /// What filters know of the rows.
    pub fn columns(&self) -> &Columns {
        &self.columns
    }

    /// The vectors of neighbouring rows.
    pub fn vectors(&self, rows: Range<usize>) -> Result<&[f32]> {
        self.floats(VECTORS, rows, self.footer.dimension as usize)
    }

    /// What the kernel's scores of neighbouring rows are multiplied with.
    pub fn scales(&self, rows: Range<usize>) -> Result<&[f32]> {
        self.floats(SCALES, rows, 1)
    }

    /// The rows that single precision will not do for. The first call reads all scales.
    pub fn odd(&self) -> Result<&[usize]> {
        if self.odd.get().is_none() {
            let scales = self.scales(0..self.rows())?;
            let odd = scales.iter().enumerate().filter(|(_, scale)| scale.is_nan()).map(|(row, _)| row).collect();
            // Whoever was faster found the same.
            let _ = self.odd.set(odd);
        }
        Ok(self.odd.get().map(Vec::as_slice).unwrap_or_default())
    }

    /// The id of a row's item.
    pub fn id(&self, row: usize) -> Result<&str> {
        std::str::from_utf8(self.part(IDS, ID_ENDS, row)?).map_err(|_| self.fault("an id is not UTF-8"))
    }

    /// A row's metadata as the text of a JSON object; none where it was absent.
    pub fn metadata(&self, row: usize) -> Result<Option<&[u8]>> {
        Ok(Some(self.part(METADATA, METADATA_ENDS, row)?).filter(|text| !text.is_empty()))
    }

    /// Whether any row has a text.
    pub fn has_texts(&self) -> bool {
        !self.footer.sections[TEXT_ENDS].is_empty()
    }

    /// The text of a row's item; none where it was absent.
    pub fn text(&self, row: usize) -> Result<Option<&str>> {
        if !self.has_texts() {
            return Ok(None);
        }
        let text = self.part(TEXTS, TEXT_ENDS, row)?;
        let text = std::str::from_utf8(text).map_err(|_| self.fault("a text is not UTF-8"))?;
        Ok(Some(text).filter(|text| !text.is_empty()))
    }

    /// The row of this id; none when there is none.
    pub fn find(&self, hash: Hash, id: &str) -> Result<Option<usize>> {
        let slots = self.footer.sections[LOOKUP].len() / SLOT;
        let mut at = hash.slot(slots);
        for _ in 0..slots {
            let slot = self.section(LOOKUP, at * SLOT..(at + 1) * SLOT)?;
            let row = number(slot, 0) as usize;
            if row == 0 {
                return Ok(None);
            }
            if number(slot, 4) == hash.tag() && self.id(row - 1)? == id {
                return Ok(Some(row - 1));
            }
            at = (at + 1) & (slots - 1);
        }
        Ok(None)
    }

    fn floats(&self, section: usize, rows: Range<usize>, each: usize) -> Result<&[f32]> {
        let (begin, each) = (self.footer.sections[section].start, each * size_of::<f32>());
        let place = begin + rows.start * each..begin + rows.end * each;
        self.check(place.clone())?;
        self.bytes.floats(place).ok_or_else(|| self.fault("its vectors do not lie as they should"))
    }

    fn part(&self, texts: usize, ends: usize, row: usize) -> Result<&[u8]> {
        let end = |row: usize| -> Result<usize> { Ok(long(self.section(ends, row * 8..(row + 1) * 8)?, 0) as usize) };
        let begin = if row == 0 { 0 } else { end(row - 1)? };
        self.section(texts, begin..end(row)?)
    }

    /// Bytes of a section, once they are found to be sound.
    fn section(&self, section: usize, within: Range<usize>) -> Result<&[u8]> {
        let place = &self.footer.sections[section];
        if within.start > within.end || within.end > place.len() {
            return Err(self.fault("it refers to what is not there"));
        }
        let place = place.start + within.start..place.start + within.end;
        self.check(place.clone())?;
        Ok(&self.bytes[place])
    }

    /// Refuses bytes of which a chunk is not what was written.
    fn check(&self, place: Range<usize>) -> Result<()> {
        if place.is_empty() {
            return Ok(());
        }
        for chunk in place.start / CHUNK..=(place.end - 1) / CHUNK {
            let (word, bit) = (&self.checked[chunk / 64], 1_u64 << (chunk % 64));
            if word.load(Ordering::Relaxed) & bit == 0 {
                self.check_chunk(chunk)?;
                word.fetch_or(bit, Ordering::Relaxed);
            }
        }
        Ok(())
    }

    #[cold]
    fn check_chunk(&self, chunk: usize) -> Result<()> {
        let sums = self.footer.sums.0;
        let bytes = &self.bytes[chunk * CHUNK..sums.min((chunk + 1) * CHUNK)];
        if crc32c::crc32c(bytes) == number(&self.bytes, sums + chunk * 4) {
            return Ok(());
        }
        Err(self.fault("the checksum of a chunk is wrong"))
    }

    fn fault(&self, why: &'static str) -> Error {
        self.owner.segment_fault(&self.name, Flaw::Broken(why))
    }
}
