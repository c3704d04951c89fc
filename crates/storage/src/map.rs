//! Bytes that are read in place: a memory-mapped file, or a buffer in memory.

use std::fmt;
use std::fs::File;
use std::ops::{Deref, Range};
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use memmap2::Mmap;

use crate::error::{Error, Result};

#[cfg(test)]
mod tests;

/// Where the bytes begin in memory, at least: a multiple of this.
pub const ALIGNMENT: usize = 64;

/// Read-only bytes whose address is a multiple of [`ALIGNMENT`]. Cheap to clone.
///
/// A mapped file must never be written or cut while it is mapped: reading beyond a new end kills the process with
/// SIGBUS, and changed bytes are changed under the reader. Files of a lake are never changed once they have their
/// name, and a file that is removed or replaced by rename lives on until its last mapping is gone. Whoever maps a file
/// checks its length and checksum once, right after mapping.
#[derive(Clone)]
pub struct Mapped(Arc<Held>);

enum Held {
    File(Mmap),
    Bytes(Bytes),
    Copy { lines: Vec<Line>, len: usize },
}

#[repr(C, align(64))]
#[derive(Clone, Copy)]
struct Line([u8; ALIGNMENT]);

impl Mapped {
    /// Maps a whole file. It is read when its bytes are touched, so the file system may block there.
    pub fn file(path: &Path) -> Result<Self> {
        #[expect(clippy::disallowed_methods, reason = "storage is the room that touches bytes")]
        let opened = std::fs::metadata(path).and_then(|found| {
            // Opening a pipe would wait until somebody writes to it.
            if found.is_file() { File::open(path) } else { Err(std::io::Error::other("it is no regular file")) }
        });
        opened.map_err(|error| Error::io("open a file to map it", error)).and_then(|file| Self::of(&file))
    }

    /// Maps an open file.
    pub(crate) fn of(file: &File) -> Result<Self> {
        let length = file.metadata().map_err(|error| Error::io("map a file", error))?.len();
        if length == 0 {
            return Ok(Bytes::new().into());
        }
        #[expect(unsafe_code, reason = "files are mapped here only; the type says what must not happen to them")]
        // SAFETY: the mapping is read-only, and by the rule stated on the type the file is not changed under it.
        let map = unsafe { Mmap::map(file) }.map_err(|error| Error::io("map a file", error))?;
        Ok(Self(Arc::new(Held::File(map))))
    }

    /// A range of the bytes as little-endian 32-bit floats, in place. None when the range lies outside, or is not made
    /// of whole floats at their natural alignment.
    pub fn floats(&self, range: Range<usize>) -> Option<&[f32]> {
        let bytes = self.get(range)?;
        if cfg!(target_endian = "big") {
            return None;
        }
        #[expect(unsafe_code, reason = "floats are read where they lie, whether mapped or held")]
        // SAFETY: every pattern of 32 bits is a float, and `align_to` keeps to the alignment of its type.
        let (before, floats, after) = unsafe { bytes.align_to::<f32>() };
        (before.is_empty() && after.is_empty()).then_some(floats)
    }
}

impl From<Bytes> for Mapped {
    /// Holds the bytes; copies them once when they lie unaligned.
    fn from(bytes: Bytes) -> Self {
        if bytes.as_ptr().addr().is_multiple_of(ALIGNMENT) {
            return Self(Arc::new(Held::Bytes(bytes)));
        }
        let line = |piece: &[u8]| {
            let mut line = Line([0; ALIGNMENT]);
            line.0[..piece.len()].copy_from_slice(piece);
            line
        };
        let lines = bytes.chunks(ALIGNMENT).map(line).collect();
        Self(Arc::new(Held::Copy { lines, len: bytes.len() }))
    }
}

impl From<Mapped> for Bytes {
    /// The same bytes, without a copy.
    fn from(mapped: Mapped) -> Self {
        Self::from_owner(mapped)
    }
}

impl AsRef<[u8]> for Mapped {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl Deref for Mapped {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self.0.as_ref() {
            Held::File(map) => map,
            Held::Bytes(bytes) => bytes,
            Held::Copy { lines, len } => &flat(lines)[..*len],
        }
    }
}

/// Lines one after another, as the bytes that they are.
fn flat(lines: &[Line]) -> &[u8] {
    #[expect(unsafe_code, reason = "aligned lines are read as the bytes that they are")]
    // SAFETY: a line is 64 bytes without padding, and bytes have neither an alignment nor an invalid pattern.
    let (_, bytes, _) = unsafe { lines.align_to::<u8>() };
    bytes
}

impl fmt::Debug for Mapped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mapped({} bytes)", self.len())
    }
}
