//! What a seal says beside the rows of its segments: which of them have ended, the fields of all metadata that ever was,
//! and the model.
//!
//! The file begins with the magic "LHVE", the format u32 and the length u64 of a heading in JSON, which follows; after
//! it, for each segment of which rows have ended, a bit for each row. Last comes a CRC-32C u32 of all before.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::field::Fields;
use crate::layout::{Flaw, long, number};

const MAGIC: &[u8; 4] = b"LHVE";
/// The newest format that this program writes and reads.
pub(crate) const FORMAT: u32 = 1;
/// How many bytes stand before the heading.
const BEGIN: usize = 16;
const SUM: usize = 4;

/// What a seal says.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Ends {
    pub heading: Heading,
    /// The rows of each segment that have ended, a bit for each row; nothing at all where none has.
    pub ended: Vec<Bytes>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Heading {
    /// The index's own id.
    pub index: Uuid,
    /// The last fragment whose changes are sealed.
    pub fragment: u64,
    /// The model of the vectors, if any has stated one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    pub fields: Fields,
    pub segments: Vec<SegmentLine>,
}

/// What a seal says of one segment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct SegmentLine {
    /// The name of its file.
    pub name: String,
    pub rows: u64,
    /// How many of them have ended.
    pub ended: u64,
}

impl SegmentLine {
    /// How many bytes its bits take.
    fn length(&self) -> usize {
        if self.ended == 0 { 0 } else { self.rows.div_ceil(8) as usize }
    }
}

impl Ends {
    /// The file's bytes.
    pub fn encode(&self) -> serde_json::Result<Bytes> {
        let heading = serde_json::to_vec(&self.heading)?;
        let mut bytes = MAGIC.to_vec();
        bytes.extend(FORMAT.to_le_bytes());
        bytes.extend((heading.len() as u64).to_le_bytes());
        bytes.extend(heading);
        self.ended.iter().for_each(|bits| bytes.extend_from_slice(bits));
        bytes.extend(crc32c::crc32c(&bytes).to_le_bytes());
        Ok(bytes.into())
    }

    /// Reads the file's bytes, all of which are checked.
    pub fn decode(bytes: &Bytes) -> Result<Self, Flaw> {
        let broken = Flaw::Broken("it is cut off");
        let end = bytes.len().checked_sub(SUM).filter(|end| *end >= BEGIN).ok_or(broken.clone())?;
        if !bytes.starts_with(MAGIC) {
            return Err(Flaw::Broken("it does not begin as it should"));
        }
        let found = number(bytes, 4);
        if found > FORMAT {
            return Err(Flaw::Newer { found, known: FORMAT });
        }
        if crc32c::crc32c(&bytes[..end]) != number(bytes, end) {
            return Err(Flaw::Broken("its checksum is wrong"));
        }
        let heading = usize::try_from(long(bytes, 8)).ok().and_then(|length| BEGIN.checked_add(length));
        let mut at = heading.filter(|at| *at <= end).ok_or(broken.clone())?;
        let heading: Heading =
            serde_json::from_slice(&bytes[BEGIN..at]).map_err(|_| Flaw::Broken("its heading does not read"))?;
        let mut ended = Vec::with_capacity(heading.segments.len());
        for line in &heading.segments {
            let next = at.checked_add(line.length()).filter(|next| *next <= end).ok_or(broken.clone())?;
            ended.push(bytes.slice(at..next));
            at = next;
        }
        if at == end { Ok(Self { heading, ended }) } else { Err(Flaw::Broken("it is longer than it says")) }
    }
}

/// The bits of those rows that have ended; nothing at all where none has, and how many they are.
pub(crate) fn bits(rows: usize, has_ended: impl Fn(usize) -> bool) -> (Bytes, u64) {
    let (mut bits, mut count) = (vec![0_u8; rows.div_ceil(8)], 0);
    for row in (0..rows).filter(|row| has_ended(*row)) {
        bits[row / 8] |= 1 << (row % 8);
        count += 1;
    }
    if count == 0 { (Bytes::new(), 0) } else { (bits.into(), count) }
}
