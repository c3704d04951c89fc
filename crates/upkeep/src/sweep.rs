//! The sweep: files that no kept version reaches, and none reached within a grace, are deleted once they are older.
//!
//! It is announced in the log before the first file goes, so a commit that comes later knows which of its staged files
//! may be gone, and one that came before is seen: safety does not hang on the grace, which spares slow writers a second
//! attempt, and readers of a version the loss of their files when it has just expired.

use base::{Span, Timestamp, Version};
use catalog::{Pin, Reach};
use futures::{StreamExt, TryStreamExt, stream};
use serde::{Deserialize, Serialize};
use storage::Entry;

use crate::error::Result;
use crate::upkeep::Upkeep;

/// Where strays may lie, in the order of their paths.
const AREAS: [&str; 3] = ["_lake/indexes/", "indexes/", "tables/"];
/// How many names one listing asks for.
const PAGE: usize = 10_000;
/// How many files are deleted at once.
const AT_ONCE: usize = 16;

/// What to sweep.
#[derive(Debug, Clone)]
pub struct Sweep {
    /// Files that are younger stay, by the clock of the store, and so do those that could be reached within it.
    pub grace: Span,
    /// Whether only to say what would go. Nothing is written or deleted then.
    pub dry_run: bool,
    /// How many strays to name; the others are only counted.
    pub name_first: usize,
    /// The path behind which the names begin; none begins with the first.
    pub name_after: Option<String>,
    /// Who asks for it.
    pub author: String,
}

impl Sweep {
    /// The usual grace.
    pub const GRACE: Span = Span::secs(3600);
}

/// What a sweep deleted, or would delete.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Swept {
    /// How many files.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Some of them, sorted by path.
    pub strays: Vec<Stray>,
    /// Behind which path the names go on; none when these are the last, or when all of them are gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// The version that announced the deletions; none in a dry run.
    pub version: Option<Version>,
    /// Directories of tables that did not read: nothing in them was taken for a stray.
    pub unread: Vec<String>,
}

/// A file that nobody can reach.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stray {
    /// Relative to the lake's root.
    pub path: String,
    /// In bytes.
    pub size: u64,
    /// When it was written.
    pub modified: Timestamp,
}

impl Swept {
    /// Counts a stray, and names it when its turn has come.
    fn add(&mut self, stray: Entry, sweep: &Sweep) {
        let Entry { path, size, modified, .. } = stray;
        self.files += 1;
        self.bytes += size;
        if sweep.name_after.as_ref().is_some_and(|after| path <= *after) {
            return;
        }
        if self.strays.len() < sweep.name_first {
            self.strays.push(Stray { path, size, modified });
        } else if sweep.dry_run {
            self.next = self.strays.last().map(|last| last.path.clone());
        }
    }
}

impl Upkeep {
    /// Deletes strays, or names them. May be repeated at any time, also after it was interrupted, and beside other
    /// sweeps and writers.
    pub async fn sweep(&self, sweep: &Sweep) -> Result<Swept> {
        let (pin, now, before) = self.begin(sweep).await?;
        let reach = self.catalog.reach(&pin, now, sweep.grace).await?;
        let mut swept = Swept {
            version: (!sweep.dry_run).then_some(pin.version()),
            unread: reach.unread().map(str::to_owned).collect(),
            ..Swept::default()
        };
        for area in AREAS {
            self.sweep_area(area, sweep, &reach, before, &mut swept).await?;
        }
        Ok(swept)
    }

    /// The version whose reach counts, the moment from which the grace counts back for it, and the one before which a
    /// stray must have been written. A clock that is ahead, ours or the store's, makes nothing look longer expired.
    async fn begin(&self, sweep: &Sweep) -> Result<(Pin, Timestamp, Timestamp)> {
        let grace = i64::try_from(sweep.grace.0.as_micros()).unwrap_or(i64::MAX);
        let back = |now: Timestamp| Timestamp::from_micros(now.micros().saturating_sub(grace));
        let ours = self.seams.now();
        if sweep.dry_run {
            return Ok((self.catalog.pin_fresh().await?, ours, back(ours)));
        }
        let announced = match self.announce(sweep, back).await {
            // A full disk gets room again by a sweep.
            Err(catalog::Error::Storage(storage::Error::Full { .. })) => {
                self.catalog.store().spend_reserve().await?;
                self.announce(sweep, back).await
            }
            announced => announced,
        };
        let (pin, theirs) = announced?;
        Ok((pin, ours.min(theirs), back(theirs)))
    }

    /// Tells all who commit what is about to go, and what time it is by the store's clock.
    async fn announce(
        &self,
        sweep: &Sweep,
        back: impl Fn(Timestamp) -> Timestamp,
    ) -> catalog::Result<(Pin, Timestamp)> {
        let theirs = self.catalog.store_time().await?;
        Ok((self.catalog.announce_sweep(back(theirs), &sweep.author).await?, theirs))
    }

    async fn sweep_area(
        &self,
        area: &str,
        sweep: &Sweep,
        reach: &Reach,
        before: Timestamp,
        swept: &mut Swept,
    ) -> Result<()> {
        let mut after: Option<String> = None;
        loop {
            let page = self.catalog.store().list(area, after.as_deref(), PAGE).await?;
            let is_stray = |entry: &Entry| entry.modified < before && reach.is_stray(&entry.path);
            let strays: Vec<Entry> = page.entries.into_iter().filter(is_stray).collect();
            if !sweep.dry_run {
                self.delete(&strays).await?;
            }
            strays.into_iter().for_each(|stray| swept.add(stray, sweep));
            after = match page.next {
                Some(next) => Some(next),
                None => return Ok(()),
            };
        }
    }

    async fn delete(&self, strays: &[Entry]) -> Result<()> {
        let store = self.catalog.store();
        let deletes = strays.iter().map(|stray| async move { store.delete(&stray.path).await });
        Ok(stream::iter(deletes.collect::<Vec<_>>()).buffer_unordered(AT_ONCE).try_collect().await?)
    }
}
