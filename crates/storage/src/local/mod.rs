//! A local directory as an object store that survives a loss of power.
//!
//! A write goes to a temporary file under `.tmp/`, is synced, and becomes visible by one rename, which for a create
//! refuses to replace; then every directory whose entries changed is synced. So no reader, and no crash, ever meets
//! half an object, and what was acknowledged is on the disk.

#![expect(clippy::disallowed_methods, reason = "storage is the room that touches bytes")]

use std::collections::HashMap;
use std::fmt;
use std::fs::{self, File, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use base::{Seams, Timestamp};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use object_store::path::Path as Location;
use object_store::{
    CopyMode, CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, PutMode,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};
use rustix::fs::FallocateFlags;
use tokio::sync::Semaphore;

use crate::config::Durability;
use crate::error::{Error, unless_unwritable};
use crate::task;

mod list;
mod near;
mod read;
mod sync;
mod upload;
mod write;

/// Where unfinished files lie, below the root. Never listed.
const TEMP: &str = ".tmp";
/// Held while an object is replaced or removed, so that a condition checked before still holds then.
const LOCK: &str = "lock";
/// The room that the lock's file sets aside, in bytes, for commits that free room on a full disk.
const RESERVE: u64 = 1 << 20;
/// A temporary file that was not written to for this long belongs to nobody any more.
const STALE_SECONDS: i64 = 3600;

/// A local directory as an object store. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Directory {
    root: Arc<Root>,
}

#[derive(Debug)]
struct Root {
    path: PathBuf,
    temp: PathBuf,
    /// Whether its file system answers at once.
    is_near: bool,
    durability: Durability,
    seams: Seams,
    /// Directories that are known to be on the disk, with their inode numbers.
    settled: Mutex<HashMap<PathBuf, u64>>,
    /// Held by each piece of a long read.
    piece_turns: Arc<Semaphore>,
}

/// Why a directory refuses what an object store with flat names would do, or cannot say whether it did.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Obstacle {
    #[error("a name would have to be a file and a directory at once")]
    KeyIsPrefix,
    #[error("the object is in place, but the disk did not confirm it")]
    Unsettled(#[source] io::Error),
}

impl Directory {
    /// Opens a directory, creating it when absent, and removes what crashed writers left. One that is there is opened to
    /// be read when nothing can be written.
    pub(crate) async fn open(path: &Path, durability: Durability, seams: Seams) -> crate::Result<Self> {
        let path = path.to_owned();
        let opened = task::blocking("open a directory", move || Root::open(&path, durability, seams)).await;
        let what = "open the lake's directory";
        let opened = opened.map_err(|error| Error::Io { what, source: error.into() })?;
        Ok(Self { root: Arc::new(opened.map_err(|error| Error::io(what, error))?) })
    }

    /// `file://` and the absolute path, as other programs that read the lake expect it: nothing is escaped.
    pub(crate) fn uri(&self) -> crate::Result<String> {
        let path = self.root.path.to_str().map(|path| format!("file://{}", path.trim_end_matches('/')));
        path.ok_or_else(|| Error::InvalidLocation { given: self.root.path.to_string_lossy().into_owned() })
    }

    /// Removes an object in one step with the proof that it carries this ETag.
    pub(crate) async fn delete_if(&self, location: &Location, e_tag: &str) -> Result<()> {
        let (location, e_tag) = (location.clone(), e_tag.to_owned());
        self.run("delete", move |root| root.delete(&location, Some(&e_tag))).await
    }

    /// Gets an object that another program wrote onto the disk.
    pub(crate) async fn harden(&self, location: &Location) -> Result<()> {
        let location = location.clone();
        self.run("harden", move |root| root.harden(&location)).await
    }

    /// Makes the directories above an object that another program shall write.
    pub(crate) async fn make_way(&self, location: &Location) -> Result<()> {
        let location = location.clone();
        self.run("make way", move |root| root.make_home(&root.place(&location)).map_err(generic)).await
    }

    /// Gives up a part of the room that is set aside.
    pub(crate) async fn spend_reserve(&self) -> Result<()> {
        self.run("spend the reserve", move |root| root.spend_reserve().map_err(generic)).await
    }

    /// Opens an object's file to read it.
    pub(crate) async fn open_file(&self, location: &Location) -> Result<File> {
        let location = location.clone();
        self.run("open", move |root| root.open_object(&location).map(|(file, _)| file)).await
    }

    async fn run<T, W>(&self, what: &'static str, work: W) -> Result<T>
    where
        T: Send + 'static,
        W: FnOnce(&Arc<Root>) -> Result<T> + Send + 'static,
    {
        let root = Arc::clone(&self.root);
        task::blocking(what, move || work(&root)).await?
    }
}

impl Root {
    fn open(path: &Path, durability: Durability, seams: Seams) -> io::Result<Self> {
        let path = std::path::absolute(path)?;
        fs::create_dir_all(&path)?;
        let path = fs::canonicalize(path)?;
        let temp = path.join(TEMP);
        let piece_turns = Arc::new(Semaphore::new(read::PIECES_AT_ONCE));
        let is_near = near::is_near(&path);
        let root = Self { path, temp, is_near, durability, seams, settled: Mutex::default(), piece_turns };
        unless_unwritable(root.prepare())?;
        Ok(root)
    }

    /// Makes ready for writers.
    fn prepare(&self) -> io::Result<()> {
        // Whoever first made the lock had settled what lies above the lake.
        if !self.temp.join(LOCK).exists() {
            self.settle_above();
        }
        let lock = self.open_lock()?;
        self.sweep(&lock)?;
        set_aside(&lock)
    }

    /// Gets the lake's own directory, and those made on the way to it, onto the disk.
    fn settle_above(&self) {
        for directory in self.path.ancestors().skip(1) {
            if let Err(error) = self.sync(directory) {
                tracing::debug!(%error, "a directory above the lake is out of reach, so it was there before");
                break;
            }
        }
    }

    /// Removes temporary files that nobody has written to for an hour, by the clock of the file system itself.
    fn sweep(&self, lock: &File) -> io::Result<()> {
        rustix::fs::futimens(lock, &sync::touch())?;
        let now = lock.metadata()?.mtime();
        for found in fs::read_dir(&self.temp)? {
            let found = found?;
            let stale = found.metadata().is_ok_and(|metadata| metadata.mtime() < now - STALE_SECONDS);
            if stale && found.file_name() != LOCK {
                // Another process may be sweeping too; whoever comes second finds the file gone.
                let _ = fs::remove_file(found.path());
            }
        }
        Ok(())
    }

    fn open_lock(&self) -> io::Result<File> {
        let mut options = File::options();
        self.in_temp(|| options.create(true).truncate(false).write(true).open(self.temp.join(LOCK)))
    }

    /// Makes a file below `.tmp/`, and that directory where it is missing.
    fn in_temp(&self, mut make: impl FnMut() -> io::Result<File>) -> io::Result<File> {
        match make() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                fs::create_dir_all(&self.temp)?;
                make()
            }
            made => made,
        }
    }

    /// Gives up half of what is left of the room set aside, so that the next one in need finds some too.
    fn spend_reserve(&self) -> io::Result<()> {
        let lock = self.open_lock()?;
        lock.set_len(lock.metadata()?.len() / 2)
    }

    /// Refuses an object that is seen at once not to be there. Readers ask for the next record of a log again and again, and
    /// mostly there is none: handing that question to another thread would cost more than the answer.
    fn expect_at_once(&self, location: &Location) -> Result<()> {
        if !self.is_near {
            return Ok(());
        }
        match fs::symlink_metadata(self.place(location)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(told(location, error)),
            _ => Ok(()),
        }
    }

    /// Where an object lies.
    fn place(&self, location: &Location) -> PathBuf {
        self.path.join(location.as_ref())
    }
}

/// Fills up the room set aside, as far as the disk has any. File systems that cannot reserve room go without.
fn set_aside(lock: &File) -> io::Result<()> {
    if lock.metadata()?.len() < RESERVE {
        let reserved = rustix::fs::fallocate(lock, FallocateFlags::empty(), 0, RESERVE);
        if let Err(error) = reserved {
            tracing::debug!(%error, "no room is set aside for a full disk");
        }
    }
    Ok(())
}

/// What is known of an object from its file.
fn meta(location: &Location, metadata: &Metadata) -> ObjectMeta {
    let micros = metadata.mtime() * 1_000_000 + metadata.mtime_nsec() / 1000;
    ObjectMeta {
        location: location.clone(),
        last_modified: DateTime::<Utc>::from_timestamp_micros(micros).unwrap_or_default(),
        size: metadata.size(),
        e_tag: Some(etag(metadata)),
        version: None,
    }
}

/// Every write makes a new file with a time of its own, so its number, time and size name the write.
fn etag(metadata: &Metadata) -> String {
    let (seconds, nanos) = (metadata.mtime(), metadata.mtime_nsec());
    format!("{:x}-{:x}-{:x}", metadata.ino(), i128::from(seconds) * 1_000_000_000 + i128::from(nanos), metadata.size())
}

/// What the machine says about an object, in the words of an object store.
fn told(location: &Location, error: io::Error) -> object_store::Error {
    let path = location.to_string();
    match error.kind() {
        io::ErrorKind::NotFound => object_store::Error::NotFound { path, source: error.into() },
        io::ErrorKind::AlreadyExists => object_store::Error::AlreadyExists { path, source: error.into() },
        io::ErrorKind::PermissionDenied => object_store::Error::PermissionDenied { path, source: error.into() },
        io::ErrorKind::NotADirectory | io::ErrorKind::IsADirectory => generic(Obstacle::KeyIsPrefix),
        _ => generic(error),
    }
}

fn generic(error: impl std::error::Error + Send + Sync + 'static) -> object_store::Error {
    object_store::Error::Generic { store: "directory", source: Box::new(error) }
}

impl fmt::Display for Directory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Directory")
    }
}

#[async_trait]
impl ObjectStore for Directory {
    async fn put_opts(&self, location: &Location, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        let location = location.clone();
        self.run("put", move |root| root.put(&location, &payload, &options.mode)).await
    }

    async fn put_multipart_opts(
        &self,
        location: &Location,
        mut options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        let mode = options.extensions.remove::<PutMode>().unwrap_or(PutMode::Overwrite);
        let location = location.clone();
        let upload = self.run("begin upload", move |root| upload::Upload::begin(root, location, mode)).await?;
        Ok(Box::new(upload))
    }

    async fn get_opts(&self, location: &Location, options: GetOptions) -> Result<GetResult> {
        self.root.expect_at_once(location)?;
        let location = location.clone();
        self.run("get", move |root| root.get(&location, &options)).await
    }

    async fn get_ranges(&self, location: &Location, ranges: &[std::ops::Range<u64>]) -> Result<Vec<Bytes>> {
        let (location, ranges) = (location.clone(), ranges.to_vec());
        self.run("get ranges", move |root| root.get_ranges(&location, &ranges)).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Location>>) -> BoxStream<'static, Result<Location>> {
        let directory = self.clone();
        let deleted = locations.and_then(move |location| {
            let directory = directory.clone();
            async move { directory.run("delete", move |root| root.delete(&location, None).map(|()| location)).await }
        });
        deleted.boxed()
    }

    fn list(&self, prefix: Option<&Location>) -> BoxStream<'static, Result<ObjectMeta>> {
        list::stream(self.clone(), prefix.cloned(), None)
    }

    fn list_with_offset(&self, prefix: Option<&Location>, offset: &Location) -> BoxStream<'static, Result<ObjectMeta>> {
        list::stream(self.clone(), prefix.cloned(), Some(offset.clone()))
    }

    async fn list_with_delimiter(&self, prefix: Option<&Location>) -> Result<ListResult> {
        let prefix = prefix.cloned();
        self.run("list", move |root| list::children(root, prefix.as_ref())).await
    }

    async fn copy_opts(&self, from: &Location, to: &Location, options: CopyOptions) -> Result<()> {
        let mode = match options.mode {
            CopyMode::Overwrite => PutMode::Overwrite,
            CopyMode::Create => PutMode::Create,
        };
        let (from, to) = (from.clone(), to.clone());
        self.run("copy", move |root| root.copy(&from, &to, &mode)).await
    }
}

/// A file's time: now by the clock seam, with chance below the microsecond so that two writes never share it.
fn stamp(seams: &Seams) -> (Timestamp, i64) {
    let chance = i64::from(u16::from_be_bytes([seams.roll()[0], seams.roll()[1]])) % 1000;
    (seams.now(), chance)
}
