//! The bytes of a waiting file, unpacked when it is gzip or zstd, within limits.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use base::ByteSize;
use flate2::bufread::GzDecoder;

use crate::error::{Error, Result};

#[cfg(test)]
mod tests;

/// Bytes of the packed file that are read at a time.
const BUFFER: usize = 32 << 10;
/// The largest window of zstd that is unpacked, as a power of two: 32 MiB, which all but its `--ultra` levels keep to.
const WINDOW_LOG: u32 = 25;
/// A file may not unpack to more than so many times what was read of it. Text in tables stays below, unless its rows are
/// all but equal; files made to exhaust whoever reads them are above: deflate packs nothing but zeros 1,030 times.
const RATIO: u64 = 200;
/// The ratio does not count before a file has unpacked to more than this: a few packed bytes may hold hundreds of
/// megabytes of equal rows, which are read in seconds, and what follows them may not pack at all.
const RATIO_FREE: ByteSize = ByteSize::mib(512);
/// Unpacked bytes after which most files show that they are no bombs.
const FIRST_GLANCE: u64 = 1 << 20;

/// How a file is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    /// One gzip member or several.
    Gzip,
    /// One zstd frame or several.
    Zstd,
}

impl Packing {
    /// What the first bytes of a file say.
    pub fn of(head: &[u8]) -> Option<Self> {
        match head {
            [0x1f, 0x8b, ..] => Some(Self::Gzip),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Some(Self::Zstd),
            // A frame that is to be skipped may come first.
            [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Some(Self::Zstd),
            _ => None,
        }
    }

    /// The name that people know it by.
    pub fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        }
    }
}

/// A waiting file as it is meant to be read. Its errors hold an [`Error`] that says what is wrong.
pub struct Unpacked {
    source: Source,
    packing: Option<Packing>,
    len: u64,
    packed: Arc<AtomicU64>,
    given: u64,
    limit: ByteSize,
    /// Up to here the ratio does not count.
    free: ByteSize,
}

enum Source {
    Plain(Metered),
    Gzip(Box<Members>),
    Zstd(Box<zstd::Decoder<'static, BufReader<Metered>>>),
}

/// The members of a gzip file, one after the other.
struct Members(Option<GzDecoder<BufReader<Metered>>>);

/// What is wrong when something else comes behind a member.
const FOLLOWED: &str = "bytes follow its end that belong to no packed file";

/// A file that counts what is read of it.
struct Metered {
    file: File,
    read: Arc<AtomicU64>,
}

impl Unpacked {
    /// A file from its beginning, which may unpack to at most `limit`.
    pub fn open(mut file: File, limit: ByteSize) -> Result<Self> {
        let mut head = Vec::new();
        (&mut file).take(4).read_to_end(&mut head).map_err(Error::Spool)?;
        file.seek(SeekFrom::Start(0)).map_err(Error::Spool)?;
        let packing = Packing::of(&head);
        let len = file.metadata().map_err(Error::Spool)?.len();
        let packed = Arc::new(AtomicU64::new(0));
        let metered = Metered { file, read: Arc::clone(&packed) };
        let buffered = |metered| BufReader::with_capacity(BUFFER, metered);
        let source = match packing {
            None => Source::Plain(metered),
            Some(Packing::Gzip) => Source::Gzip(Box::new(Members(Some(GzDecoder::new(buffered(metered)))))),
            Some(Packing::Zstd) => {
                let mut decoder = zstd::Decoder::with_buffer(buffered(metered)).map_err(Error::Spool)?;
                decoder.window_log_max(WINDOW_LOG).map_err(Error::Spool)?;
                Source::Zstd(Box::new(decoder))
            }
        };
        Ok(Self { source, packing, len, packed, given: 0, limit, free: RATIO_FREE })
    }

    /// Whether the file is packed at all.
    pub fn is_packed(&self) -> bool {
        self.packing.is_some()
    }

    /// The next bytes, at most so many; none at the end.
    pub fn piece(&mut self, most: usize) -> Result<Vec<u8>> {
        let mut piece = Vec::new();
        self.take(most as u64).read_to_end(&mut piece).map_err(Error::of_waiting)?;
        Ok(piece)
    }

    /// Unpacks as much as tells whether the file is a bomb, faster than its rows could be read, and refuses it if so.
    pub fn expect_no_bomb(mut self) -> Result<()> {
        let mut piece = vec![0; BUFFER];
        while self.packing.is_some() && (self.given < FIRST_GLANCE || self.is_dense()) {
            if self.read(&mut piece).map_err(Error::of_waiting)? == 0 {
                break;
            }
        }
        Ok(())
    }

    /// Bytes of the waiting file that have been read.
    pub fn position(&self) -> u64 {
        self.packed.load(Ordering::Relaxed)
    }

    /// Bytes of the file that the decoder has taken so far.
    fn taken(&self) -> u64 {
        let waiting = match &self.source {
            Source::Plain(_) => 0,
            Source::Gzip(members) => members.waiting(),
            Source::Zstd(decoder) => decoder.get_ref().buffer().len(),
        };
        self.position() - waiting as u64
    }

    /// Whether the bytes so far are more than they may be if the rest is as densely packed.
    fn is_dense(&self) -> bool {
        let taken = self.taken().max(1);
        let whole = u128::from(self.given) * u128::from(self.len) / u128::from(taken);
        self.given / RATIO > taken && whole > u128::from(self.free.0)
    }

    /// Refuses what unpacks to more than it may, before more of it is unpacked.
    fn weigh(&self, packing: Packing) -> Result<()> {
        let bomb = self.given > self.free.0 && self.is_dense();
        if bomb || self.given > self.limit.0 {
            let (packing, limit) = (packing.name(), self.limit);
            return Err(Error::Inflated { packing, limit, ratio: bomb.then_some((self.free, RATIO)) });
        }
        Ok(())
    }

    fn damaged(&self, packing: Packing, error: &io::Error) -> Error {
        let reason = match error.kind() {
            io::ErrorKind::UnexpectedEof => "it ends in the middle, as if cut off",
            _ if error.to_string() == FOLLOWED => FOLLOWED,
            _ if error.to_string().contains("too much memory") => "it needs a window of more than 32 MiB",
            _ => "what stands there is not valid",
        };
        Error::Packed { packing: packing.name(), position: self.position(), unpacked: self.given, reason }
    }
}

impl Read for Unpacked {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = match &mut self.source {
            Source::Plain(file) => file.read(into),
            Source::Gzip(decoder) => decoder.read(into),
            Source::Zstd(decoder) => decoder.read(into),
        };
        let Some(packing) = self.packing else { return read };
        let read = read.map_err(|error| io::Error::other(self.damaged(packing, &error)))?;
        self.given += read as u64;
        self.weigh(packing).map_err(io::Error::other)?;
        Ok(read)
    }
}

impl Members {
    /// Bytes that were read of the file and not yet unpacked.
    fn waiting(&self) -> usize {
        self.0.as_ref().map_or(0, |decoder| decoder.get_ref().buffer().len())
    }
}

impl Read for Members {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while let Some(decoder) = &mut self.0 {
            let read = decoder.read(into)?;
            if read > 0 || into.is_empty() {
                return Ok(read);
            }
            match decoder.get_mut().fill_buf()?.first() {
                None => break,
                Some(0x1f) => self.0 = self.0.take().map(|ended| GzDecoder::new(ended.into_inner())),
                Some(_) => return Err(io::Error::other(FOLLOWED)),
            }
        }
        Ok(0)
    }
}

impl Read for Metered {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(into)?;
        self.read.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}
