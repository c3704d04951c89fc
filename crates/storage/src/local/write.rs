//! Writing, replacing, copying and removing objects in a directory.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use object_store::path::Path as Location;
use object_store::{PutMode, PutPayload, PutResult, Result};
use rustix::fs::{CWD, FlockOperation, RenameFlags, flock, renameat_with};
use rustix::io::Errno;

use super::{Obstacle, Root, etag, generic, told};

/// How often a write starts over because another process removed the empty directory it was about to enter.
const ATTEMPTS: usize = 100;

/// A file that nobody sees yet; unless it is published, it vanishes with this.
#[derive(Debug)]
pub(super) struct Temp {
    path: PathBuf,
    file: File,
    published: AtomicBool,
}

impl Temp {
    pub(super) fn create(root: &Root) -> io::Result<Self> {
        loop {
            let path = root.temp.join(hex::encode(root.seams.roll()));
            match root.in_temp(|| File::options().create_new(true).read(true).write(true).open(&path)) {
                Ok(file) => return Ok(Self { path, file, published: AtomicBool::new(false) }),
                // Seeded dice may roll alike in two processes.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Writes a payload at an offset.
    pub(super) fn write_at(&self, payload: &PutPayload, mut offset: u64) -> io::Result<()> {
        for piece in payload {
            self.file.write_all_at(piece, offset)?;
            offset += piece.len() as u64;
        }
        Ok(())
    }
}

impl Drop for Temp {
    fn drop(&mut self) {
        if !self.published.load(Ordering::Acquire) {
            // What cannot be removed now is swept by a later opening.
            let _ = fs::remove_file(&self.path);
        }
    }
}

impl Root {
    pub(super) fn put(&self, location: &Location, payload: &PutPayload, mode: &PutMode) -> Result<PutResult> {
        if *mode == PutMode::Create && self.place(location).is_file() {
            // What is lost already need not be written and synced first.
            return Err(told(location, io::ErrorKind::AlreadyExists.into()));
        }
        let temp = Temp::create(self).map_err(generic)?;
        temp.write_at(payload, 0).map_err(generic)?;
        self.publish(&temp, location, mode)
    }

    pub(super) fn copy(&self, from: &Location, to: &Location, mode: &PutMode) -> Result<()> {
        let (mut source, _) = self.open_object(from)?;
        let temp = Temp::create(self).map_err(generic)?;
        // Sharing the blocks is instant where the file system can.
        if rustix::fs::ioctl_ficlone(&temp.file, &source).is_err() {
            io::copy(&mut source, &mut &temp.file).map_err(generic)?;
        }
        self.publish(&temp, to, mode).map(drop)
    }

    /// Makes a finished file visible under its name, if the mode's condition holds, and durable.
    pub(super) fn publish(&self, temp: &Temp, location: &Location, mode: &PutMode) -> Result<PutResult> {
        self.seal(&temp.file).map_err(generic)?;
        let e_tag = temp.file.metadata().map(|metadata| etag(&metadata)).map_err(generic)?;
        let target = self.place(location);
        let home = target.parent().unwrap_or(&self.path);
        self.enter(temp, location, &target, mode)?;
        self.settle(home).map_err(|error| generic(Obstacle::Unsettled(error)))?;
        Ok(PutResult { e_tag: Some(e_tag), version: None })
    }

    /// Renames into place, making directories on the way and moving empty ones out of the way.
    fn enter(&self, temp: &Temp, location: &Location, target: &Path, mode: &PutMode) -> Result<()> {
        for attempt in 0..ATTEMPTS {
            // The way is there nearly always.
            let way = if attempt == 0 { Ok(()) } else { self.make_home(target) };
            let entered = match way {
                Ok(()) => self.step(temp, location, target, mode)?,
                obstructed => obstructed,
            };
            let Err(error) = entered else {
                temp.published.store(true, Ordering::Release);
                return Ok(());
            };
            let way_vanished = error.kind() == io::ErrorKind::NotFound && temp.path.exists();
            let occupied = target.is_dir();
            if way_vanished || (occupied && remove_empty(target)) {
                continue;
            }
            return Err(if occupied { generic(Obstacle::KeyIsPrefix) } else { told(location, error) });
        }
        Err(generic(io::Error::other("directories on the way kept being removed")))
    }

    /// One attempt. The outer result is final; the inner one says what the rename met.
    fn step(&self, temp: &Temp, location: &Location, target: &Path, mode: &PutMode) -> Result<io::Result<()>> {
        let version = match mode {
            PutMode::Create => return Ok(rename_new(&temp.path, target)),
            PutMode::Overwrite => None,
            PutMode::Update(version) => Some(version),
        };
        let _lock = self.lock().map_err(generic)?;
        if let Some(version) = version {
            self.require(location, version.e_tag.as_deref())?;
        }
        Ok(fs::rename(&temp.path, target))
    }

    /// Refuses when the object does not carry this ETag. Holds for as long as the lock is held.
    fn require(&self, location: &Location, e_tag: Option<&str>) -> Result<()> {
        let found = self.open_object(location).ok().map(|(_, metadata)| etag(&metadata));
        if found.is_some() && found.as_deref() == e_tag {
            return Ok(());
        }
        let source = "the object changed or is gone".into();
        Err(object_store::Error::Precondition { path: location.to_string(), source })
    }

    /// Makes the directories above an object. Those that another process removes at this moment are `NotFound`.
    pub(super) fn make_home(&self, target: &Path) -> io::Result<()> {
        let home = target.parent().unwrap_or(&self.path);
        let met = |error: io::Error| match error.kind() {
            io::ErrorKind::AlreadyExists if home.is_file() => io::ErrorKind::NotADirectory.into(),
            io::ErrorKind::AlreadyExists => io::ErrorKind::NotFound.into(),
            _ => error,
        };
        fs::create_dir_all(home).map_err(met)
    }

    /// Keeps every other process, and every other thread of this one, from replacing or removing an object.
    fn lock(&self) -> io::Result<File> {
        let lock = self.open_lock()?;
        flock(&lock, FlockOperation::LockExclusive)?;
        Ok(lock)
    }

    /// Removes an object, if it carries the ETag where one is given.
    pub(super) fn delete(&self, location: &Location, e_tag: Option<&str>) -> Result<()> {
        let target = self.place(location);
        match self.remove(location, &target, e_tag)? {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(told(location, error)),
        }
        let left = self.remove_empty_parents(&target);
        self.settle(left).map_err(|error| generic(Obstacle::Unsettled(error)))
    }

    /// The outer result says whether the condition holds, the inner one how the removal went.
    fn remove(&self, location: &Location, target: &Path, e_tag: Option<&str>) -> Result<io::Result<()>> {
        let _lock = self.lock().map_err(generic)?;
        if e_tag.is_some() {
            self.require(location, e_tag)?;
        }
        Ok(remove_object(target))
    }

    /// Removes the directories above a removed object that are now empty. Answers the first that stays.
    fn remove_empty_parents<'a>(&self, target: &'a Path) -> &'a Path {
        let mut above = target.ancestors().skip(1);
        let stays = |directory: &&Path| *directory == self.path || fs::remove_dir(directory).is_err();
        above.find(stays).unwrap_or(target)
    }
}

/// Renames without replacing; by a link where the file system knows no such rename.
fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {
            fs::hard_link(from, to)?;
            // The name is taken and whole; a second name left behind is swept later.
            let _ = fs::remove_file(from);
            Ok(())
        }
        renamed => renamed.map_err(io::Error::from),
    }
}

/// Removes a file; a directory of that name is no object.
fn remove_object(target: &Path) -> io::Result<()> {
    match fs::remove_file(target) {
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => Ok(()),
        Err(error) if target.is_dir() => {
            tracing::debug!(%error, "a directory is no object");
            Ok(())
        }
        removed => removed,
    }
}

/// Removes a directory that holds nothing but empty directories. Answers whether it is gone.
fn remove_empty(directory: &Path) -> bool {
    let inside = fs::read_dir(directory).into_iter().flatten().flatten();
    let emptied = inside.map(|found| found.path()).all(|path| path.is_dir() && remove_empty(&path));
    emptied && fs::remove_dir(directory).is_ok()
}
