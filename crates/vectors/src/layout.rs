//! How a fragment is laid out: a header of 256 bytes, then its sections without a gap. All numbers are little-endian.
//!
//! ```text
//!   0  magic "LHVF"            48  dimension u32
//!   4  format u32              52  rows u32
//!   8  number u64              56  deletes u32
//!  16  index's id, 16 bytes    60  steps u32
//!  32  writer's id, 16 bytes   64  of each section: length u64, CRC-32C u32, 4 zero bytes
//!                             252  CRC-32C of the 252 bytes before
//! ```
//!
//! The sections, in this order: *vectors*, rows × dimension f32, which begins at a multiple of 64 so that a mapped
//! file is scanned in place; *steps*, a kind u32 (1 put, 2 delete) and a count u32 for each change, in order; *ids* of
//! the rows; *metadata* of the rows, compact JSON objects, of length 0 where absent; *deletes*, the ids to remove; the
//! *fingerprint* of the model, empty when none was stated; in format 2, the *texts* of the rows, of length 0 where absent.
//! Ids, metadata, deletes and texts are texts: one u32 more than there are texts, the offsets at which they begin and end,
//! then the texts one after another. A fragment without a text of a row has format 1.

use std::ops::Range;

use uuid::Uuid;

/// What a fragment begins with.
pub(crate) const MAGIC: &[u8; 4] = b"LHVF";
/// The newest format that this program writes and reads.
pub(crate) const FORMAT: u32 = 2;
/// The format of fragments and segments without texts.
pub(crate) const TEXTLESS: u32 = 1;
/// The header's length in bytes; a multiple of the alignment that vectors are scanned at.
pub(crate) const HEADER: usize = 256;
/// How many sections follow the header.
pub(crate) const SECTIONS: usize = 7;

pub(crate) const VECTORS: usize = 0;
pub(crate) const STEPS: usize = 1;
pub(crate) const IDS: usize = 2;
pub(crate) const METADATA: usize = 3;
pub(crate) const DELETES: usize = 4;
pub(crate) const FINGERPRINT: usize = 5;
pub(crate) const TEXTS: usize = 6;

/// The length of a step in the section of steps.
pub(crate) const STEP: usize = 8;
pub(crate) const PUT: u32 = 1;
pub(crate) const DELETE: u32 = 2;

/// Where the sections are described.
const TABLE: usize = 64;
/// The length of a description.
const LINE: usize = 16;
/// Where the header's own checksum stands.
const SEAL: usize = HEADER - 4;

/// What a fragment states about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Header {
    pub number: u64,
    /// The id of the index that it belongs to.
    pub index: Uuid,
    /// The id of the one call that wrote it, which tells it from another's under the same number.
    pub writer: Uuid,
    pub dimension: u32,
    pub rows: u32,
    pub deletes: u32,
    pub steps: u32,
    /// The length and the CRC-32C of each section.
    pub sections: [(u64, u32); SECTIONS],
}

/// Why bytes are no fragment of this format.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Flaw {
    #[error("it has format {found}, and {known} is the newest known")]
    Newer { found: u32, known: u32 },
    #[error("{0}")]
    Broken(&'static str),
}

impl Header {
    /// The header's bytes.
    pub fn encode(&self) -> [u8; HEADER] {
        let mut bytes = [0; HEADER];
        let mut put = |at: usize, field: &[u8]| bytes[at..at + field.len()].copy_from_slice(field);
        put(0, MAGIC);
        let format = if self.sections[TEXTS].0 == 0 { TEXTLESS } else { FORMAT };
        put(4, &format.to_le_bytes());
        put(8, &self.number.to_le_bytes());
        put(16, self.index.as_bytes());
        put(32, self.writer.as_bytes());
        for (at, count) in [(48, self.dimension), (52, self.rows), (56, self.deletes), (60, self.steps)] {
            put(at, &count.to_le_bytes());
        }
        for (section, (length, checksum)) in self.sections.iter().enumerate() {
            put(TABLE + section * LINE, &length.to_le_bytes());
            put(TABLE + section * LINE + 8, &checksum.to_le_bytes());
        }
        let seal = crc32c::crc32c(&bytes[..SEAL]);
        bytes[SEAL..].copy_from_slice(&seal.to_le_bytes());
        bytes
    }

    /// Reads the header of a whole fragment. Whose it is, and whether the sections hold what it says, is not checked.
    pub fn decode(bytes: &[u8]) -> Result<Self, Flaw> {
        let header: &[u8; HEADER] = bytes.first_chunk().ok_or(Flaw::Broken("it is cut off in its header"))?;
        if !header.starts_with(MAGIC) {
            return Err(Flaw::Broken("it does not begin as fragments do"));
        }
        match number(header, 4) {
            TEXTLESS..=FORMAT => {}
            newer if newer > FORMAT => return Err(Flaw::Newer { found: newer, known: FORMAT }),
            _ => return Err(Flaw::Broken("it states a format that there never was")),
        }
        if crc32c::crc32c(&header[..SEAL]) != number(header, SEAL) {
            return Err(Flaw::Broken("the checksum of its header is wrong"));
        }
        let section = |section: usize| {
            let at = TABLE + section * LINE;
            (long(header, at), number(header, at + 8))
        };
        Ok(Self {
            number: long(header, 8),
            index: id(header, 16),
            writer: id(header, 32),
            dimension: number(header, 48),
            rows: number(header, 52),
            deletes: number(header, 56),
            steps: number(header, 60),
            sections: std::array::from_fn(section),
        })
    }

    /// Where the sections lie in a fragment of so many bytes; none when it is shorter or longer than they are.
    pub fn places(&self, length: usize) -> Option<[Range<usize>; SECTIONS]> {
        let mut end = HEADER;
        let mut places = [const { 0..0 }; SECTIONS];
        for (place, (section, _)) in places.iter_mut().zip(&self.sections) {
            let begin = end;
            end = begin.checked_add(usize::try_from(*section).ok()?)?;
            *place = begin..end;
        }
        (end == length).then_some(places)
    }
}

/// The u32 at a place that is there.
pub(crate) fn number(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |bytes| u32::from_le_bytes(*bytes))
}

/// The u64 at a place that is there.
pub(crate) fn long(bytes: &[u8], at: usize) -> u64 {
    bytes.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

/// The id at a place that is there.
pub(crate) fn id(bytes: &[u8], at: usize) -> Uuid {
    bytes.get(at..).and_then(|rest| rest.first_chunk()).map_or(Uuid::nil(), |bytes| Uuid::from_bytes(*bytes))
}
