//! A checksum that stands within the bytes it covers: 8 hexadecimal digits, computed with zeros in their place.

use std::ops::Range;

use crc32c::{crc32c, crc32c_append};

/// What stands in place of the checksum while it is computed.
pub const BLANK: &str = "00000000";

/// The place of a checksum that stands behind the last mention of something.
pub fn place(bytes: &[u8], mention: &[u8]) -> Option<Range<usize>> {
    let at = bytes.windows(mention.len()).rposition(|window| window == mention)? + mention.len();
    (at + BLANK.len() <= bytes.len()).then_some(at..at + BLANK.len())
}

/// Puts the checksum into its place.
pub fn put(bytes: &mut [u8], at: Range<usize>) {
    let sum = sum(bytes, &at);
    bytes[at].copy_from_slice(sum.as_bytes());
}

/// Whether the checksum in its place is that of the bytes.
pub fn is_true(bytes: &[u8], at: Range<usize>) -> bool {
    bytes[at.clone()] == *sum(bytes, &at).as_bytes()
}

fn sum(bytes: &[u8], at: &Range<usize>) -> String {
    let before = crc32c_append(crc32c(&bytes[..at.start]), BLANK.as_bytes());
    format!("{:08x}", crc32c_append(before, &bytes[at.end..]))
}
