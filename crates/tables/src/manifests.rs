//! Manifests and lists of them as they lie on the store. Those that we write carry a checksum of all their bytes.
//!
//! It is the first entry of the metadata in their Avro header, which other readers pass over, and names the file: programs
//! that copy a header into a file of their own copy a sum that says nothing of that one.

use std::ops::Range;

use base::DatasetName;
use bytes::Bytes;
use iceberg::spec::{FormatVersion, ManifestFile, ManifestList};

use crate::error::{Error, Result};
use crate::lake::Lake;
use crate::stamp;

#[cfg(test)]
mod tests;

/// The entry of the header that holds the sum, a space, and the name of the file.
pub const KEY: &str = "lakehouse.crc32c";

/// How an Avro file begins: a mark, and the number of entries in its header.
const MARK: &[u8] = b"Obj\x01";
const COUNT: usize = MARK.len();
/// What the number of entries grows by with one more, and the first that takes more than a byte.
const ONE: u8 = 2;
const LONG: u8 = 0x80;

impl Lake {
    /// The manifest at a stored location; none when it is gone.
    pub async fn manifest_bytes(&self, name: &DatasetName, location: &str) -> Result<Option<Bytes>> {
        self.sound(|| self.what_manifest(name, location), location).await
    }

    /// The list of manifests at a stored location; none when it is gone.
    pub async fn list_bytes(&self, name: &DatasetName, location: &str) -> Result<Option<Bytes>> {
        self.sound(|| self.what_list(name, location), location).await
    }

    async fn sound(&self, what: impl Fn() -> String, location: &str) -> Result<Option<Bytes>> {
        let Some(bytes) = self.get(&what, location).await? else { return Ok(None) };
        expect_sound(location, &bytes).map_err(|why| Error::damaged(what(), why))?;
        Ok(Some(bytes))
    }

    /// The manifests that a list at a stored location names; none when it is gone.
    pub async fn read_list(
        &self,
        name: &DatasetName,
        location: &str,
        format: FormatVersion,
    ) -> Result<Option<Vec<ManifestFile>>> {
        let Some(bytes) = self.list_bytes(name, location).await? else { return Ok(None) };
        let list = ManifestList::parse_with_version(&bytes, format);
        let list = list.map_err(|error| Error::damaged(self.what_list(name, location), error))?;
        Ok(Some(list.consume_entries().into_iter().collect()))
    }

    /// What errors call a manifest.
    pub(crate) fn what_manifest(&self, name: &DatasetName, location: &str) -> String {
        format!("the manifest {} of {name}", self.shown(location))
    }

    /// What errors call a list of manifests.
    pub(crate) fn what_list(&self, name: &DatasetName, location: &str) -> String {
        format!("the manifest list {} of {name}", self.shown(location))
    }

    /// Where a file lies in the lake; of one that lies elsewhere its own name alone.
    fn shown<'a>(&self, location: &'a str) -> &'a str {
        let own = || location.rsplit('/').next().unwrap_or_default();
        self.roots.relative(location).unwrap_or_else(own)
    }
}

/// A new file with the sum; none when it is no Avro file.
pub(crate) fn summed(location: &str, bytes: &[u8]) -> Option<Bytes> {
    let count = bytes.get(COUNT).filter(|count| **count < LONG - ONE && bytes.starts_with(MARK))?;
    let (entry, at) = entry(location);
    let mut summed = [MARK, &[count + ONE], &entry, &bytes[COUNT + 1..]].concat();
    stamp::put(&mut summed, at);
    Some(summed.into())
}

/// By how many bytes the sum makes a file longer.
pub(crate) fn growth(location: &str) -> usize {
    entry(location).0.len()
}

/// Refuses bytes that are not as they were written, where the file at this location has a sum of its own, and those of
/// another file of ours.
pub(crate) fn expect_sound(location: &str, bytes: &[u8]) -> Result<(), &'static str> {
    let Some((at, name)) = stated(bytes) else { return Ok(()) };
    match (location.rsplit('/').next() == Some(name), stamp::is_true(bytes, at)) {
        (true, false) => Err("its bytes are not as they were written"),
        // A program that copies the entry into a file of its own has other bytes there.
        (false, true) => Err("its bytes are those of another file"),
        _ => Ok(()),
    }
}

/// Where the sum stands that a file states, and the name of the file that it says it is of.
fn stated(bytes: &[u8]) -> Option<(Range<usize>, &str)> {
    let key = text(KEY);
    let value = bytes.get(COUNT + 1..)?.strip_prefix(key.as_slice())?;
    let digits = value.iter().take(size_of::<u32>()).position(|byte| byte & LONG == 0)? + 1;
    let length = value[..digits].iter().rev().fold(0, |length, byte| length << 7 | usize::from(byte & !LONG)) >> 1;
    let name = value.get(digits + stamp::BLANK.len() + 1..digits + length)?;
    let at = COUNT + 1 + key.len() + digits;
    Some((at..at + stamp::BLANK.len(), str::from_utf8(name).ok()?))
}

/// The entry of a file without its sum, and where in the file that belongs.
fn entry(location: &str) -> (Vec<u8>, Range<usize>) {
    let name = location.rsplit('/').next().unwrap_or_default();
    let mut entry = text(KEY);
    let value = text(&format!("{} {name}", stamp::BLANK));
    entry.extend(&value);
    let end = COUNT + 1 + entry.len() - name.len() - 1;
    (entry, end - stamp::BLANK.len()..end)
}

/// A text as Avro writes it: its length as a zigzag number of 7 bits a byte, and its bytes.
fn text(text: &str) -> Vec<u8> {
    let mut left = text.len() << 1;
    let mut bytes = Vec::new();
    while left >= usize::from(LONG) {
        bytes.push((left & 0x7f) as u8 | LONG);
        left >>= 7;
    }
    bytes.push(left as u8);
    bytes.extend(text.as_bytes());
    bytes
}
