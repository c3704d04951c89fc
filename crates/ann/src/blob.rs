//! The codes as bytes: a header, then sections, each at a multiple of 64 bytes and with a checksum of its own.

use crate::error::{Error, Result};

const MAGIC: [u8; 8] = *b"LAKE-ANN";
/// The format of codes that this release writes and reads.
pub const FORMAT: u32 = 3;
const ALIGNMENT: usize = 64;
/// The magic, the format, the number of sections; then each section's length and checksum; then a checksum of all that.
const FIXED: usize = 16;
const ENTRY: usize = 16;
const CHECKSUM: usize = 4;

/// The bytes of sections.
pub(crate) fn write(sections: &[&[u8]]) -> Vec<u8> {
    let mut blob = Vec::with_capacity(size(sections.iter().map(|section| section.len())));
    blob.extend(MAGIC);
    blob.extend(FORMAT.to_le_bytes());
    blob.extend((sections.len() as u32).to_le_bytes());
    for section in sections {
        blob.extend((section.len() as u64).to_le_bytes());
        blob.extend(u64::from(crc32c::crc32c(section)).to_le_bytes());
    }
    blob.extend(crc32c::crc32c(&blob).to_le_bytes());
    for section in sections {
        blob.resize(blob.len().next_multiple_of(ALIGNMENT), 0);
        blob.extend_from_slice(section);
    }
    blob
}

fn size(lengths: impl ExactSizeIterator<Item = usize>) -> usize {
    let header = FIXED + lengths.len() * ENTRY + CHECKSUM;
    lengths.fold(header, |size, length| size.next_multiple_of(ALIGNMENT) + length)
}

/// Where each section lies; all bytes are compared with their checksums.
pub(crate) fn read<const N: usize>(blob: &[u8]) -> Result<[std::ops::Range<usize>; N]> {
    let header = blob.get(..FIXED + N * ENTRY + CHECKSUM).ok_or(Error::Damaged("they are cut"))?;
    let (header, checksum) = header.split_last_chunk::<CHECKSUM>().ok_or(Error::Damaged("they are cut"))?;
    if header[..8] != MAGIC {
        return Err(Error::Damaged("they are something else"));
    }
    let found = number(&header[8..]) as u32;
    if found > FORMAT {
        return Err(Error::NewerFormat { found, known: FORMAT });
    }
    if found < FORMAT {
        return Err(Error::OlderFormat { found, known: FORMAT });
    }
    if crc32c::crc32c(header) != u32::from_le_bytes(*checksum) {
        return Err(Error::Damaged("the header is garbled"));
    }
    let mut end = header.len() + CHECKSUM;
    let mut sections = [const { 0..0 }; N];
    for (section, entry) in sections.iter_mut().zip(header[FIXED..].as_chunks::<ENTRY>().0) {
        let start = end.next_multiple_of(ALIGNMENT);
        end = usize::try_from(number(entry)).ok().and_then(|length| start.checked_add(length)).unwrap_or(usize::MAX);
        let bytes = blob.get(start..end).ok_or(Error::Damaged("they are cut"))?;
        if u64::from(crc32c::crc32c(bytes)) != number(&entry[8..]) {
            return Err(Error::Damaged("a section is garbled"));
        }
        *section = start..end;
    }
    if end == blob.len() { Ok(sections) } else { Err(Error::Damaged("something follows them")) }
}

/// The first eight bytes, or fewer where there are no more.
fn number(bytes: &[u8]) -> u64 {
    bytes.iter().take(8).rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// A reader of fixed fields, one after another.
#[derive(Debug)]
pub(crate) struct Fields<'a>(pub &'a [u8]);

impl Fields<'_> {
    /// The next eight bytes.
    pub fn next(&mut self) -> Result<[u8; 8]> {
        let (field, rest) = self.0.split_first_chunk().ok_or(Error::Damaged("a section is too short"))?;
        self.0 = rest;
        Ok(*field)
    }

    /// The next eight bytes as a whole number.
    pub fn whole(&mut self) -> Result<u64> {
        self.next().map(u64::from_le_bytes)
    }

    /// The next eight bytes as a number.
    pub fn number(&mut self) -> Result<f64> {
        self.next().map(f64::from_le_bytes)
    }
}

/// Numbers as bytes.
pub(crate) fn floats(numbers: &[f32]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
}

/// Whole numbers as bytes.
pub(crate) fn wholes(numbers: &[u32]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
}
