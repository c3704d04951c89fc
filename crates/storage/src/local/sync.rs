//! Getting files and directories onto the disk.

use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::PoisonError;

use object_store::Result;
use object_store::path::Path as Location;
use rustix::fs::{Timespec, Timestamps, UTIME_NOW, UTIME_OMIT};

use super::{Root, generic, stamp};
use crate::config::Durability;

/// How many directories are remembered as settled before all are forgotten.
const REMEMBERED: usize = 10_000;

impl Root {
    /// Stamps a finished file with its time and gets it onto the disk.
    pub(super) fn seal(&self, file: &File) -> io::Result<()> {
        let (now, chance) = stamp(&self.seams);
        let second = now.micros().div_euclid(1_000_000);
        let nanos = now.micros().rem_euclid(1_000_000) * 1000 + chance;
        let modified = Timespec { tv_sec: second, tv_nsec: nanos };
        let keep = Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT };
        rustix::fs::futimens(file, &Timestamps { last_access: keep, last_modification: modified })?;
        match self.durability {
            Durability::Power => file.sync_all(),
            Durability::Process => Ok(()),
        }
    }

    /// Gets an object onto the disk that somebody else wrote, and all directories on the way to it.
    pub(super) fn harden(&self, location: &Location) -> Result<()> {
        let (file, _) = self.open_object(location)?;
        if self.durability == Durability::Power {
            file.sync_all().map_err(generic)?;
        }
        let target = self.place(location);
        self.settle(target.parent().unwrap_or(&self.path)).map_err(generic)
    }

    /// Gets the entries of one directory onto the disk.
    pub(super) fn sync(&self, directory: &Path) -> io::Result<()> {
        match self.durability {
            Durability::Power => File::open(directory)?.sync_all(),
            Durability::Process => Ok(()),
        }
    }

    /// Gets a directory's entries onto the disk, and its own path up to the root: a directory that another process
    /// has just made may not be there yet. One that another process has just removed needs nothing.
    pub(super) fn settle(&self, directory: &Path) -> io::Result<()> {
        match self.settle_present(directory) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => match directory.parent() {
                Some(above) if above.starts_with(&self.path) => self.settle(above),
                _ => Ok(()),
            },
            settled => settled,
        }
    }

    fn settle_present(&self, directory: &Path) -> io::Result<()> {
        if self.durability == Durability::Process {
            return Ok(());
        }
        self.sync(directory)?;
        let mut fresh = Vec::new();
        for child in directory.ancestors().take_while(|ancestor| *ancestor != self.path) {
            let number = child.metadata()?.ino();
            if self.is_settled(child, number) {
                break;
            }
            self.sync(child.parent().unwrap_or(&self.path))?;
            fresh.push((child.to_owned(), number));
        }
        self.remember(fresh);
        Ok(())
    }

    fn remember(&self, fresh: Vec<(PathBuf, u64)>) {
        let mut settled = self.settled.lock().unwrap_or_else(PoisonError::into_inner);
        if settled.len() > REMEMBERED {
            settled.clear();
        }
        settled.extend(fresh);
    }

    fn is_settled(&self, directory: &Path, number: u64) -> bool {
        let settled = self.settled.lock().unwrap_or_else(PoisonError::into_inner);
        settled.get(directory) == Some(&number)
    }
}

/// The file system's own present time.
pub(super) fn touch() -> Timestamps {
    let now = Timespec { tv_sec: 0, tv_nsec: UTIME_NOW };
    Timestamps { last_access: now, last_modification: now }
}
