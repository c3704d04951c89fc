//! Temporary files outside the lake, for bytes that must be read more than once before anything is decided.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use sha2::{Digest, Sha256};
use tempfile::{NamedTempFile, TempPath};

use crate::error::{Error, Result};
use crate::task;

/// How many bytes are gathered before the disk is asked.
const BUFFER: usize = 256 << 10;

/// A temporary file being written. It vanishes with its last handle.
pub struct Spool {
    /// None while a piece is being written.
    sheet: Option<Sheet>,
}

struct Sheet {
    file: NamedTempFile,
    buffer: Vec<u8>,
    digest: Sha256,
    len: u64,
}

/// A temporary file that is complete. It vanishes with its last clone.
#[derive(Debug, Clone)]
pub struct SpoolFile {
    path: Arc<TempPath>,
    /// In bytes.
    pub len: u64,
    /// Of all bytes, 64 hexadecimal digits.
    pub sha256: String,
}

impl Spool {
    /// Begins a temporary file in `dir`, which is created when absent.
    pub async fn create(dir: &Path) -> Result<Self> {
        let dir = dir.to_owned();
        let file = run("create a temporary file", move || {
            make_directory(&dir)?;
            NamedTempFile::with_prefix_in("lakehouse-spool-", dir)
        });
        let sheet = Sheet { file: file.await?, buffer: Vec::with_capacity(BUFFER), digest: Sha256::new(), len: 0 };
        Ok(Self { sheet: Some(sheet) })
    }

    /// Adds bytes at the end.
    pub async fn append(&mut self, bytes: &Bytes) -> Result<()> {
        let sheet = self.sheet.as_mut().ok_or_else(torn)?;
        sheet.len += bytes.len() as u64;
        if sheet.buffer.len() + bytes.len() <= BUFFER {
            sheet.buffer.extend_from_slice(bytes);
            return Ok(());
        }
        let mut sheet = self.sheet.take().ok_or_else(torn)?;
        let bytes = bytes.clone();
        let written = run("write a temporary file", move || sheet.write(&bytes).map(|()| sheet));
        self.sheet = Some(written.await?);
        Ok(())
    }

    /// Completes the file.
    pub async fn finish(mut self) -> Result<SpoolFile> {
        let mut sheet = self.sheet.take().ok_or_else(torn)?;
        let sheet = run("write a temporary file", move || sheet.write(&[]).map(|()| sheet)).await?;
        let sha256 = hex::encode(sheet.digest.finalize());
        Ok(SpoolFile { path: Arc::new(sheet.file.into_temp_path()), len: sheet.len, sha256 })
    }
}

impl Sheet {
    /// Writes what is gathered, then `bytes`, hashing both off the runtime's own threads.
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        for piece in [self.buffer.as_slice(), bytes] {
            self.digest.update(piece);
            self.file.write_all(piece)?;
        }
        self.buffer.clear();
        Ok(())
    }
}

impl SpoolFile {
    /// Opens the file at its beginning; any number of times.
    #[expect(clippy::disallowed_methods, reason = "storage is the room that touches bytes")]
    pub fn open(&self) -> Result<File> {
        File::open(&*self.path).map_err(|error| Error::io("open a temporary file", error))
    }
}

#[expect(clippy::disallowed_methods, reason = "storage is the room that touches bytes")]
fn make_directory(dir: &Path) -> io::Result<()> {
    std::fs::create_dir_all(dir)
}

async fn run<T, W>(what: &'static str, work: W) -> Result<T>
where
    T: Send + 'static,
    W: FnOnce() -> io::Result<T> + Send + 'static,
{
    let done = task::blocking(what, work).await.map_err(|error| Error::Io { what, source: error.into() })?;
    done.map_err(|error| Error::io(what, error))
}

/// An earlier write failed or was given up half way, so the file's content is not known.
fn torn() -> Error {
    Error::Io { what: "go on after a failed write", source: "temporary file".into() }
}
