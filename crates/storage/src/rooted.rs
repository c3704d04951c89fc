//! Files of this machine that a request names, outside the lake: read, never written, and only below directories that
//! the operator allows.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::path::{Component, Path, PathBuf};

use bytes::Bytes;
use futures::stream::{BoxStream, StreamExt, try_unfold};
use rustix::fs::{AtFlags, FileType, Mode, OFlags};

use crate::error::{Error, Result};
use crate::task;

/// How much of a file is read at a time.
const PIECE: usize = 1 << 20;
/// Why a path is refused. It does not tell whether anything is there.
const OUTSIDE: &str = "it must be absolute, without `..`, and lie below a directory that the operator allows";

/// A file being read.
pub struct Rooted {
    /// Its size in bytes when it was opened.
    pub size: u64,
    /// Its bytes, in pieces of bounded size.
    pub stream: BoxStream<'static, Result<Bytes>>,
}

/// Opens a regular file below one of `roots`.
///
/// Links may lead from one place below a root to another, never out of it: the path is first resolved, and then walked
/// from the root without following any link, so that whoever exchanges a directory meanwhile gains nothing. Devices,
/// pipes and sockets are refused before they are opened.
pub async fn open(roots: &[PathBuf], path: &str) -> Result<Rooted> {
    let (roots, path) = (roots.to_vec(), path.to_owned());
    let found = run(move || find(&roots, &path)).await?;
    let size = found.metadata().map_err(failed)?.len();
    let stream = try_unfold(found, async |file: File| run(move || next(file)).await);
    Ok(Rooted { size, stream: stream.boxed() })
}

fn next(mut file: File) -> Result<Option<(Bytes, File)>> {
    let mut piece = vec![0; PIECE];
    let length = file.read(&mut piece).map_err(failed)?;
    piece.truncate(length);
    Ok((length > 0).then(|| (piece.into(), file)))
}

async fn run<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    let what = "read a file of this machine";
    task::blocking(what, work).await.map_err(|error| Error::Io { what, source: error.into() })?
}

fn find(roots: &[PathBuf], given: &str) -> Result<File> {
    let path = Path::new(given);
    let plain = |part: Component<'_>| matches!(part, Component::RootDir | Component::Normal(_));
    if !path.is_absolute() || !path.components().all(plain) || given.contains('\0') {
        return Err(Error::PathDenied { rule: OUTSIDE });
    }
    let denied = |_| Error::PathDenied { rule: OUTSIDE };
    let absent = || Error::NotFound { path: given.to_owned() };
    let roots: Vec<PathBuf> = roots.iter().filter_map(|root| real(root).ok()).collect();
    let resolved = match real(path) {
        Err(error) if is_absence(error.kind()) && ends_below(&roots, path) => return Err(absent()),
        resolved => resolved.map_err(denied)?,
    };
    let below = roots
        .into_iter()
        .filter_map(|root| resolved.strip_prefix(&root).ok().map(|rest| (root.clone(), rest.to_owned())));
    let (root, rest) =
        below.max_by_key(|(root, _)| root.as_os_str().len()).ok_or(Error::PathDenied { rule: OUTSIDE })?;
    walk(&root, &rest)
}

/// Whether nothing is there, or nothing can be: the name is too long, or goes on behind a file.
fn is_absence(kind: io::ErrorKind) -> bool {
    matches!(kind, io::ErrorKind::NotFound | io::ErrorKind::NotADirectory | io::ErrorKind::InvalidFilename)
}

/// Whether a path that leads nowhere ends below a root, as far as it leads. One that ends at a link is no better than
/// the link: it would tell whether there is anything outside.
fn ends_below(roots: &[PathBuf], path: &Path) -> bool {
    let last = path.ancestors().find(|part| std::fs::symlink_metadata(part).is_ok());
    last.and_then(|last| real(last).ok()).is_some_and(|last| roots.iter().any(|root| last.starts_with(root)))
}

fn real(path: &Path) -> io::Result<PathBuf> {
    std::fs::canonicalize(path)
}

/// Opens a file by the names on the way to it, none of which may be a link by now.
fn walk(root: &Path, rest: &Path) -> Result<File> {
    let mut names: Vec<&OsStr> = rest.iter().collect();
    let name = names.pop().ok_or(Error::PathDenied { rule: "it is a directory" })?;
    let way = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut directory: OwnedFd = rustix::fs::open(root, way, Mode::empty()).map_err(refused)?;
    for name in names {
        directory = rustix::fs::openat(&directory, name, way, Mode::empty()).map_err(refused)?;
    }
    let stat = rustix::fs::statat(&directory, name, AtFlags::SYMLINK_NOFOLLOW).map_err(refused)?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return Err(Error::PathDenied { rule: "it is no regular file" });
    }
    // What stands there may have been exchanged since: opening a pipe must not wait, and only a file is read.
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = File::from(rustix::fs::openat(&directory, name, flags, Mode::empty()).map_err(refused)?);
    if file.metadata().map_err(failed)?.is_file() { Ok(file) } else { Err(Error::PathDenied { rule: OUTSIDE }) }
}

fn refused(_: rustix::io::Errno) -> Error {
    Error::PathDenied { rule: "it cannot be opened" }
}

fn failed(error: io::Error) -> Error {
    Error::io("read a file of this machine", error)
}
