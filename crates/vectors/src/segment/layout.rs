//! How a segment is laid out. All numbers are little-endian.
//!
//! First 64 bytes that begin with the magic "LHVS" and the format; then the sections, each at a multiple of 64; then the
//! *sums*, a CRC-32C u32 of each 64 KiB of all that stands before them; last the footer of 256 bytes:
//!
//! ```text
//!   0  magic "LHVS"                48  dimension u32, 4 zero bytes
//!   4  format u32                  56  rows u64
//!   8  last fragment u64           64  of each section: begin u64, length u64
//!  16  index's id, 16 bytes       176  begin of the sums u64, CRC-32C of the sums u32 (in format 2 at 208)
//!  32  segment's id, 16 bytes     252  CRC-32C of the 252 bytes before
//! ```
//!
//! The sections, in this order: *vectors*, rows × dimension f32; *scales*, one over each row's length, f32, not a number
//! where single precision will not do; *ids* of the rows, text after text, and *id ends*, u64, where each text ends;
//! *metadata*, compact JSON objects, of length 0 where absent, and *metadata ends*; the *lookup*, a hash table of a power of
//! two of slots, each a row plus 1 (0 where empty) u32 and the upper half of the id's hash u32; in format 2, the *texts*
//! of the rows, of length 0 where absent, and *text ends*. A segment without a text has format 1.

use std::ops::Range;

use uuid::Uuid;

use crate::layout::{Flaw, TEXTLESS, id, long, number};

/// What a segment begins with, and its footer.
pub(crate) const MAGIC: &[u8; 4] = b"LHVS";
/// The newest format that this program writes and reads.
pub(crate) const FORMAT: u32 = 2;
/// How many bytes stand before the first section.
pub(crate) const HEAD: usize = 64;
/// The footer's length in bytes.
pub(crate) const FOOTER: usize = 256;
/// So many bytes share a checksum.
pub(crate) const CHUNK: usize = 64 << 10;
/// Sections begin at a multiple of this.
pub(crate) const ALIGNMENT: usize = 64;

pub(crate) const SECTIONS: usize = 9;
pub(crate) const VECTORS: usize = 0;
pub(crate) const SCALES: usize = 1;
pub(crate) const IDS: usize = 2;
pub(crate) const ID_ENDS: usize = 3;
pub(crate) const METADATA: usize = 4;
pub(crate) const METADATA_ENDS: usize = 5;
pub(crate) const LOOKUP: usize = 6;
pub(crate) const TEXTS: usize = 7;
pub(crate) const TEXT_ENDS: usize = 8;

/// The length of a slot of the lookup.
pub(crate) const SLOT: usize = 8;

const NO_SEGMENT: &str = "it does not begin and end as segments do";
const TABLE: usize = 64;
const LINE: usize = 16;
const SEAL: usize = FOOTER - 4;

/// What a segment states about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Footer {
    /// Whether it has texts: else the last sections are nowhere.
    pub format: u32,
    /// The last fragment of which it holds rows.
    pub fragment: u64,
    /// The id of the index that it belongs to.
    pub index: Uuid,
    /// Its own id.
    pub segment: Uuid,
    pub dimension: u32,
    pub rows: u64,
    pub sections: [Range<usize>; SECTIONS],
    /// Where the sums begin, and their own checksum.
    pub sums: (usize, u32),
}

/// How many sections a segment of this format has.
pub(crate) fn sections(format: u32) -> usize {
    if format == TEXTLESS { TEXTS } else { SECTIONS }
}

/// The bytes before the first section.
pub(crate) fn head(format: u32) -> [u8; HEAD] {
    let mut head = [0; HEAD];
    head[..4].copy_from_slice(MAGIC);
    head[4..8].copy_from_slice(&format.to_le_bytes());
    head
}

impl Footer {
    /// The footer's bytes.
    pub fn encode(&self) -> [u8; FOOTER] {
        let mut bytes = [0; FOOTER];
        let mut put = |at: usize, field: &[u8]| bytes[at..at + field.len()].copy_from_slice(field);
        put(0, MAGIC);
        put(4, &self.format.to_le_bytes());
        put(8, &self.fragment.to_le_bytes());
        put(16, self.index.as_bytes());
        put(32, self.segment.as_bytes());
        put(48, &self.dimension.to_le_bytes());
        put(56, &self.rows.to_le_bytes());
        let count = sections(self.format);
        for (section, place) in self.sections.iter().enumerate().take(count) {
            put(TABLE + section * LINE, &(place.start as u64).to_le_bytes());
            put(TABLE + section * LINE + 8, &(place.len() as u64).to_le_bytes());
        }
        let sums = TABLE + count * LINE;
        put(sums, &(self.sums.0 as u64).to_le_bytes());
        put(sums + 8, &self.sums.1.to_le_bytes());
        let seal = crc32c::crc32c(&bytes[..SEAL]);
        bytes[SEAL..].copy_from_slice(&seal.to_le_bytes());
        bytes
    }

    /// Reads the footer of a whole segment, and checks the sums; whose it is, is not checked.
    pub fn decode(bytes: &[u8]) -> Result<Self, Flaw> {
        let begin = bytes.len().checked_sub(FOOTER).filter(|begin| *begin >= HEAD);
        let begin = begin.ok_or(Flaw::Broken("it is cut off"))?;
        if !bytes.starts_with(MAGIC) {
            return Err(Flaw::Broken(NO_SEGMENT));
        }
        let footer = Self::of(&bytes[begin..])?;
        footer.check_sums(bytes.get(footer.sums.0..begin).unwrap_or_default())?;
        if footer.is_sound() { Ok(footer) } else { Err(Flaw::Broken("its sections are not what it says")) }
    }

    /// Reads the last bytes of a segment.
    pub fn of(footer: &[u8]) -> Result<Self, Flaw> {
        if footer.len() != FOOTER || !footer.starts_with(MAGIC) {
            return Err(Flaw::Broken(NO_SEGMENT));
        }
        match number(footer, 4) {
            TEXTLESS..=FORMAT => {}
            newer if newer > FORMAT => return Err(Flaw::Newer { found: newer, known: FORMAT }),
            _ => return Err(Flaw::Broken("it states a format that there never was")),
        }
        if crc32c::crc32c(&footer[..SEAL]) != number(footer, SEAL) {
            return Err(Flaw::Broken("the checksum of its footer is wrong"));
        }
        Self::read(footer).ok_or(Flaw::Broken("it states places that no file has"))
    }

    /// Checks the sums, which stand before the footer.
    pub fn check_sums(&self, sums: &[u8]) -> Result<(), Flaw> {
        if sums.len() != self.sums.0.div_ceil(CHUNK) * 4 || crc32c::crc32c(sums) != self.sums.1 {
            return Err(Flaw::Broken("the checksum of its sums is wrong"));
        }
        Ok(())
    }

    fn read(footer: &[u8]) -> Option<Self> {
        let place = |section: usize| {
            let at = TABLE + section * LINE;
            let begin = usize::try_from(long(footer, at)).ok()?;
            Some(begin..begin.checked_add(usize::try_from(long(footer, at + 8)).ok()?)?)
        };
        let mut sections = [const { 0..0 }; SECTIONS];
        let (format, count) = (number(footer, 4), self::sections(number(footer, 4)));
        for (section, found) in sections.iter_mut().enumerate().take(count) {
            *found = place(section)?;
        }
        let sums = TABLE + count * LINE;
        Some(Self {
            format,
            fragment: long(footer, 8),
            index: id(footer, 16),
            segment: id(footer, 32),
            dimension: number(footer, 48),
            rows: long(footer, 56),
            sections,
            sums: (usize::try_from(long(footer, sums)).ok()?, number(footer, sums + 8)),
        })
    }

    /// Whether the sections lie before the sums, aligned, and are as long as the rows say.
    fn is_sound(&self) -> bool {
        let rows = usize::try_from(self.rows).unwrap_or(usize::MAX);
        let each = |size: usize| rows.checked_mul(size);
        let long = |section: usize| Some(self.sections[section].len());
        let within = |place: &Range<usize>| place.end <= self.sums.0 && place.start.is_multiple_of(ALIGNMENT);
        let slots = self.sections[LOOKUP].len() / SLOT;
        self.sections.iter().all(within)
            && rows < u32::MAX as usize
            && long(VECTORS) == (self.dimension as usize).checked_mul(4).and_then(each)
            && long(SCALES) == each(4)
            && long(ID_ENDS) == each(8)
            && long(METADATA_ENDS) == each(8)
            && (self.format == TEXTLESS || long(TEXT_ENDS) == each(8))
            && self.sections[LOOKUP].len() == slots * SLOT
            && slots.is_power_of_two()
            && slots > rows
    }
}
