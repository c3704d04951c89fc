//! Checksums of a data file, kept in the file itself, so that a byte that changed on the disk is told and not served.
//!
//! Such a file is a row of pieces: the magic, each page with its header, and the tail (page indexes and footer). The
//! footer's key-value metadata holds the length and CRC-32C of every piece but the tail under [`PIECES`], and under
//! [`TAIL`] the CRC-32C of the tail itself, computed with zeros in its own place. Other readers pass over both. Pages
//! are what readers fetch, so what was fetched can be checked before it is decoded.

use std::collections::VecDeque;
use std::future::Future;
use std::io::{self, Write};
use std::ops::Range;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;
use bytes::Bytes;
use crc32c::{crc32c, crc32c_append};
use parquet::column::writer::ColumnCloseResult;
use parquet::errors::ParquetError;
use parquet::file::metadata::{KeyValue, PageIndexPolicy, ParquetMetaData, ParquetMetaDataReader};

use crate::error::Cause;
use crate::stamp;

#[cfg(test)]
mod tests;

/// Where the pieces stand: base64 of 8 bytes for each, its length and its CRC-32C, both 32 bits and little-endian.
pub const PIECES: &str = "lakehouse.pieces";
/// Where the CRC-32C of the tail stands, in 8 hexadecimal digits.
pub const TAIL: &str = "lakehouse.tail";

/// How the writer begins that a footer of ours names. Programs that rewrite a file copy its keys, but name themselves.
const WRITER: &str = "lakehouse ";
/// How much of a file's end is read at once: the whole tail of most files.
const TAIL_HINT: u64 = 64 << 10;
/// How far before a file's end its page indexes may begin, in bytes; others are done without, for they are read at once.
const FARTHEST: u64 = 64 << 20;
/// The longest piece, in bytes; pages are far shorter.
const LONGEST: u64 = 1 << 30;
/// The mark at the beginning of a Parquet file, in bytes.
const MAGIC: u64 = 4;

/// The pieces of a file.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Checksums {
    pieces: Vec<Piece>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Piece {
    begin: u64,
    end: u64,
    sum: u32,
}

/// The end of a file, as it was read.
#[derive(Debug, Clone)]
pub struct Opened {
    /// The footer, with the page indexes when they lie close to it.
    pub footer: Arc<ParquetMetaData>,
    /// The checksums; none when the file's writer left none.
    pub checksums: Option<Arc<Checksums>>,
}

/// Reads the end of a file of `size` bytes, and checks it against its checksums.
pub async fn open<F, B>(size: u64, fetch: F) -> Result<Opened, ParquetError>
where
    F: Fn(Range<u64>) -> B,
    B: Future<Output = Result<Bytes, ParquetError>>,
{
    let mut end = fetch(size.saturating_sub(TAIL_HINT)..size).await?;
    let footer = loop {
        let mut reader = ParquetMetaDataReader::new();
        match reader.try_parse_sized(&end, size) {
            Ok(()) => break reader.finish()?,
            Err(error) => end = fetch(more(error, size)?).await?,
        }
    };
    let checksums = match Checksums::of(&footer)? {
        Some(checksums) => {
            if checksums.end() + (end.len() as u64) < size {
                end = fetch(checksums.end()..size).await?;
            }
            Some(Arc::new(checksums.with_tail(&end, size)?))
        }
        None => None,
    };
    let begin = indexes(&footer).unwrap_or(size);
    let before = size.saturating_sub(begin);
    let policy = if before > FARTHEST { PageIndexPolicy::Skip } else { PageIndexPolicy::Optional };
    if before <= FARTHEST && before > end.len() as u64 {
        end = fetch(begin..size).await?;
    }
    let mut reader = ParquetMetaDataReader::new_with_metadata(footer).with_page_index_policy(policy);
    reader.read_page_indexes_sized(&end, size)?;
    Ok(Opened { footer: Arc::new(reader.finish()?), checksums })
}

/// Where the page indexes begin, which lie before the footer.
fn indexes(footer: &ParquetMetaData) -> Option<u64> {
    let chunks = footer.row_groups().iter().flat_map(|group| group.columns());
    let begins = chunks.flat_map(|chunk| [chunk.column_index_offset(), chunk.offset_index_offset()]);
    begins.flatten().filter_map(|begin| u64::try_from(begin).ok()).min()
}

/// What is to be read after an attempt that failed for want of bytes.
fn more(error: ParquetError, size: u64) -> Result<Range<u64>, ParquetError> {
    match error {
        ParquetError::NeedMoreData(needed) => Ok(size.saturating_sub(needed as u64)..size),
        error => Err(error),
    }
}

impl FromIterator<(u64, u32)> for Checksums {
    /// The lengths and CRC-32Cs of all pieces of a file of any kind, in their order.
    fn from_iter<I: IntoIterator<Item = (u64, u32)>>(pieces: I) -> Self {
        let mut checksums = Self::default();
        pieces.into_iter().for_each(|(length, sum)| checksums.push(length, sum));
        checksums
    }
}

impl Checksums {
    /// The pieces that a footer states, without the tail; none when it states none of its own.
    fn of(footer: &ParquetMetaData) -> Result<Option<Self>, ParquetError> {
        let is_ours = footer.file_metadata().created_by().is_some_and(|writer| writer.starts_with(WRITER));
        let Some(stated) = value(footer, PIECES).filter(|_| is_ours) else { return Ok(None) };
        let bytes = BASE64.decode(stated).map_err(|_| changed("the list of its checksums is"))?;
        let mut checksums = Self::default();
        let number = |bytes: &[u8]| bytes.iter().rev().fold(0, |number: u32, byte| number << 8 | u32::from(*byte));
        for piece in bytes.chunks(8) {
            let (length, sum) = piece.split_at(piece.len() / 2);
            checksums.push(u64::from(number(length)), number(sum));
        }
        Ok(Some(checksums))
    }

    /// Adds the tail as the last piece. `end` holds it, and perhaps more before it.
    fn with_tail(mut self, end: &[u8], size: u64) -> Result<Self, ParquetError> {
        let length = usize::try_from(size.saturating_sub(self.end())).unwrap_or(usize::MAX);
        let tail = end.len().checked_sub(length).map(|at| &end[at..]);
        let found = tail.and_then(|tail| Some((tail, place(tail)?)));
        let (tail, at) = found.ok_or_else(|| changed("its end is"))?;
        if !stamp::is_true(tail, at) {
            return Err(changed("its end is"));
        }
        self.push(tail.len() as u64, crc32c(tail));
        Ok(self)
    }

    fn push(&mut self, length: u64, sum: u32) {
        let begin = self.end();
        self.pieces.push(Piece { begin, end: begin + length, sum });
    }

    fn end(&self) -> u64 {
        self.pieces.last().map_or(0, |piece| piece.end)
    }

    /// Bytes that it takes in memory.
    pub fn memory_size(&self) -> usize {
        size_of_val(self.pieces.as_slice())
    }

    /// Checks the pieces that lie whole within bytes of the file from `begin` on.
    pub fn check(&self, begin: u64, bytes: &[u8]) -> Result<(), Cause> {
        let end = begin + bytes.len() as u64;
        let first = self.pieces.partition_point(|piece| piece.begin < begin);
        for piece in self.pieces[first..].iter().take_while(|piece| piece.end <= end) {
            let within = |at: u64| usize::try_from(at - begin).unwrap_or(usize::MAX);
            piece.expect(crc32c(&bytes[within(piece.begin)..within(piece.end)]))?;
        }
        Ok(())
    }
}

impl Piece {
    fn expect(&self, found: u32) -> Result<(), Cause> {
        if found == self.sum {
            return Ok(());
        }
        Err(changed(&format!("its bytes from {} to {} are", self.begin, self.end)).into())
    }
}

fn changed(what: &str) -> ParquetError {
    ParquetError::General(format!("{what} not as they were written"))
}

fn value<'a>(footer: &'a ParquetMetaData, key: &str) -> Option<&'a str> {
    let pairs = footer.file_metadata().key_value_metadata()?;
    pairs.iter().find(|pair| pair.key == key)?.value.as_deref()
}

/// Where the tail's checksum stands in the tail: behind the last mention of its key, and the two bytes by which Thrift
/// says that a text of eight bytes follows.
fn place(tail: &[u8]) -> Option<Range<usize>> {
    stamp::place(tail, &[TAIL.as_bytes(), &[0x18, 8]].concat())
}

/// Checks a file that goes by from its beginning to its end.
#[derive(Debug)]
pub struct Watch {
    checksums: Arc<Checksums>,
    piece: usize,
    at: u64,
    sum: u32,
}

impl Watch {
    /// Begins at the file's beginning.
    pub fn new(checksums: Arc<Checksums>) -> Self {
        Self { checksums, piece: 0, at: 0, sum: 0 }
    }

    /// Whether all that is summed has gone by.
    pub fn is_over(&self) -> bool {
        self.piece == self.checksums.pieces.len()
    }

    /// Takes the next bytes.
    pub fn pass(&mut self, mut bytes: &[u8]) -> Result<(), Cause> {
        while let Some(piece) = self.checksums.pieces.get(self.piece).filter(|_| !bytes.is_empty()) {
            let (now, later) = bytes.split_at(bytes.len().min(usize::try_from(piece.end - self.at)?));
            (self.sum, self.at, bytes) = (crc32c_append(self.sum, now), self.at + now.len() as u64, later);
            if self.at == piece.end {
                piece.expect(self.sum)?;
                (self.piece, self.sum) = (self.piece + 1, 0);
            }
        }
        Ok(())
    }
}

/// Sums a file while it is written.
#[derive(Debug)]
pub struct Summing<W> {
    to: W,
    /// The lengths of the pieces that follow.
    expected: VecDeque<u64>,
    /// What is left of the piece that is being written, and its checksum so far.
    left: u64,
    sum: u32,
    length: u64,
    /// As they go into the footer.
    pieces: Vec<u8>,
    tail: Option<Vec<u8>>,
}

impl<W: Write> Summing<W> {
    /// Sums what is written to `to`.
    pub fn new(to: W) -> Self {
        let expected = VecDeque::from([MAGIC]);
        Self { to, expected, left: 0, sum: 0, length: 0, pieces: Vec::new(), tail: None }
    }

    /// Says that the pages of a column chunk follow.
    pub fn expect(&mut self, chunk: &ColumnCloseResult) {
        let whole = chunk.metadata.compressed_size().max(0).unsigned_abs();
        let index = chunk.offset_index.as_ref();
        let pages = index.into_iter().flat_map(|index| &index.page_locations);
        let pages: Vec<u64> = pages.map(|page| page.compressed_page_size.max(0).unsigned_abs().into()).collect();
        // The dictionary comes first, and no index lists it.
        let dictionary = whole.saturating_sub(pages.iter().sum());
        self.expected.extend(std::iter::once(dictionary).chain(pages).filter(|length| *length > 0));
    }

    /// Says that all pages are written, and only the tail follows; answers what it must hold.
    pub fn begin_tail(&mut self) -> [KeyValue; 2] {
        self.end_piece();
        self.tail = Some(Vec::new());
        let blank = stamp::BLANK.to_owned();
        [KeyValue::new(PIECES.to_owned(), BASE64.encode(&self.pieces)), KeyValue::new(TAIL.to_owned(), blank)]
    }

    /// Writes the tail with its checksum; answers where everything went.
    pub fn end(&mut self) -> io::Result<&mut W> {
        let mut tail = self.tail.take().unwrap_or_default();
        let at = place(&tail).ok_or_else(|| io::Error::other("the footer has no place for its checksum"))?;
        stamp::put(&mut tail, at);
        self.to.write_all(&tail)?;
        Ok(&mut self.to)
    }

    fn add(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            if self.left == 0 {
                self.end_piece();
                self.left = self.expected.pop_front().unwrap_or(LONGEST);
            }
            let (now, later) = bytes.split_at(bytes.len().min(usize::try_from(self.left).unwrap_or(usize::MAX)));
            self.sum = crc32c_append(self.sum, now);
            self.length += now.len() as u64;
            self.left -= now.len() as u64;
            bytes = later;
        }
    }

    fn end_piece(&mut self) {
        let length = u32::try_from(std::mem::take(&mut self.length)).unwrap_or(u32::MAX);
        let sum = std::mem::take(&mut self.sum);
        if length > 0 {
            self.pieces.extend(length.to_le_bytes().into_iter().chain(sum.to_le_bytes()));
        }
    }
}

impl<W: Write> Write for Summing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Some(tail) = &mut self.tail {
            return tail.write(bytes);
        }
        self.to.write_all(bytes)?;
        self.add(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}
