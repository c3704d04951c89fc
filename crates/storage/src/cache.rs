//! A directory outside the lake for derived files: what can be fetched or computed again.

use std::fs::{self, File, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tempfile::{NamedTempFile, TempPath};
use tokio::io::AsyncWriteExt;

use crate::error::{Error, Result, unless_unwritable};
use crate::map::Mapped;
use crate::task;

/// What the names of unfinished files begin with.
const UNFINISHED: &str = ".unfinished-";
/// An unfinished file that was not written to for this long belongs to nobody any more.
const STALE: Duration = Duration::from_secs(24 * 3600);

/// A directory for derived files, shared by any number of processes: a file has its name once it is complete, and is
/// never changed then. Cheap to clone.
#[derive(Debug, Clone)]
pub struct CacheDir {
    path: Arc<Path>,
}

/// A file of a cache being written. It gets its name at [`CacheWriter::finish`]; dropped before that, it leaves
/// nothing.
#[derive(Debug)]
pub struct CacheWriter {
    file: tokio::fs::File,
    unfinished: TempPath,
    target: PathBuf,
}

impl CacheDir {
    /// Opens the directory, creating it when absent, and removes what crashed writers left. Where nothing can be written
    /// now, what is there is found.
    pub async fn open(path: &Path) -> Result<Self> {
        let path = path.to_owned();
        let opened = run("open the cache", move || {
            let path = std::path::absolute(path)?;
            unless_unwritable(make_directory(&path).and_then(|()| sweep(&path)))?;
            Ok(path)
        });
        Ok(Self { path: opened.await?.into() })
    }

    /// Where the directory lies, absolute.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where the file of this name lies; none when there is none.
    pub async fn find(&self, name: &str) -> Result<Option<PathBuf>> {
        let path = self.place(name)?;
        run("look into the cache", move || match fs::metadata(&path).as_ref().map(Metadata::is_file) {
            Ok(true) => Ok(Some(path)),
            Ok(false) => Err(io::ErrorKind::IsADirectory.into()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.kind().into()),
        })
        .await
    }

    /// Maps the file of this name; none when there is none.
    pub async fn mapped(&self, name: &str) -> Result<Option<Mapped>> {
        let Some(path) = self.find(name).await? else { return Ok(None) };
        blocking("map a file", move || Mapped::file(&path)).await.map(Some)
    }

    /// Begins a file of this name. It replaces the one that is there, whose readers keep what they have open.
    pub async fn writer(&self, name: &str) -> Result<CacheWriter> {
        let (target, path) = (self.place(name)?, Arc::clone(&self.path));
        let begun = run("write to the cache", move || NamedTempFile::with_prefix_in(UNFINISHED, path)).await?;
        let (file, unfinished) = begun.into_parts();
        Ok(CacheWriter { file: tokio::fs::File::from_std(file), unfinished, target })
    }

    /// Removes the file of this name; one that is absent is removed already.
    pub async fn remove(&self, name: &str) -> Result<()> {
        let path = self.place(name)?;
        run("remove from the cache", move || remove_file(&path)).await
    }

    fn place(&self, name: &str) -> Result<PathBuf> {
        let plain = !name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\0']);
        if plain { Ok(self.path.join(name)) } else { Err(Error::InvalidKey { rule: "a cached file has a plain name" }) }
    }
}

impl CacheWriter {
    /// Adds bytes at the end.
    pub async fn append(&mut self, bytes: &[u8]) -> Result<()> {
        self.file.write_all(bytes).await.map_err(|error| Error::io("write to the cache", error))
    }

    /// Completes the file: it has its name, and its bytes are on the disk. Answers where it lies.
    pub async fn finish(mut self) -> Result<PathBuf> {
        const WHAT: &str = "complete a file of the cache";
        self.file.flush().await.map_err(|error| Error::io(WHAT, error))?;
        self.file.sync_all().await.map_err(|error| Error::io(WHAT, error))?;
        let (unfinished, target) = (self.unfinished, self.target);
        run(WHAT, move || unfinished.persist(&target).map(|()| target).map_err(|refused| refused.error)).await
    }
}

#[expect(clippy::disallowed_methods, reason = "storage is the room that touches bytes")]
fn make_directory(path: &Path) -> io::Result<()> {
    fs::create_dir_all(path)
}

#[expect(clippy::disallowed_methods, reason = "storage is the room that touches bytes")]
fn remove_file(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Removes unfinished files that nobody has written to for a day, by the clock of the file system itself.
fn sweep(path: &Path) -> io::Result<()> {
    let now = modified(NamedTempFile::with_prefix_in(UNFINISHED, path)?.as_file())?;
    for found in fs::read_dir(path)? {
        let found = found?;
        let unfinished = found.file_name().to_str().is_some_and(|name| name.starts_with(UNFINISHED));
        let written = found.metadata().and_then(|metadata| metadata.modified());
        let stale = written.is_ok_and(|at| now.duration_since(at).is_ok_and(|age| age > STALE));
        if unfinished && stale {
            remove_file(&found.path())?;
        }
    }
    Ok(())
}

fn modified(file: &File) -> io::Result<SystemTime> {
    file.metadata()?.modified()
}

async fn run<T, W>(what: &'static str, work: W) -> Result<T>
where
    T: Send + 'static,
    W: FnOnce() -> io::Result<T> + Send + 'static,
{
    blocking(what, move || work().map_err(|error| Error::io(what, error))).await
}

async fn blocking<T, W>(what: &'static str, work: W) -> Result<T>
where
    T: Send + 'static,
    W: FnOnce() -> Result<T> + Send + 'static,
{
    task::blocking(what, work).await.map_err(|error| Error::Io { what, source: error.into() })?
}
