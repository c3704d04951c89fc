//! The lake log: numbered records, each created once and never changed. The only point where writers meet.

use std::time::Duration;

use base::{Seams, Span, Version};
use futures::{FutureExt, StreamExt, TryStreamExt, stream};
use storage::Store;

use crate::error::{Error, Result};
use crate::record::Record;

/// The directory of the records.
pub(crate) const DIRECTORY: &str = "_lake/log/";
/// How many records are asked for at once while catching up, at most.
const WINDOW: u64 = 32;
/// How many places beyond the end, at doubling distances, are looked at for records after a hole.
const PROBES: usize = 11;
/// How many records are held at once by whoever goes through many.
const PAGE: u64 = 256;
/// The pauses between attempts to learn the outcome of a publication.
const PAUSES: [Duration; 4] =
    [Duration::from_millis(2), Duration::from_millis(20), Duration::from_millis(100), Duration::from_millis(500)];

/// Reads and publishes records.
#[derive(Debug, Clone)]
pub(crate) struct Log {
    store: Store,
}

/// Whose record stands under the number that was published.
#[derive(Debug)]
pub(crate) enum Landed {
    /// The one that was published.
    Ours,
    /// Another writer's, so ours is proven not to be in the log.
    Theirs,
}

impl Log {
    pub fn new(store: Store) -> Self {
        Self { store }
    }

    /// The record of a version; none when it is not there.
    pub async fn read(&self, version: Version) -> Result<Option<Record>> {
        match self.store.get(&path(version)).await {
            Ok(bytes) => Record::parse(version, &bytes).map(Some),
            Err(storage::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The records after `version` up to the newest, in order. Costs one failed read when there are none.
    pub async fn after(&self, version: Version) -> Result<Vec<Record>> {
        let mut found = Vec::new();
        let (mut next, mut window) = (version.next(), 1);
        loop {
            let asked = (next.0..next.0 + window).map(|number| self.read(Version(number)));
            let answers: Vec<_> = stream::iter(asked).buffered(WINDOW as usize).try_collect().await?;
            // A later one may be there when an earlier one was not yet: only the unbroken run is taken.
            let run = answers.into_iter().map_while(|record| record);
            found.extend(run);
            if found.len() as u64 + version.0 + 1 < next.0 + window {
                return Ok(found);
            }
            next = Version(next.0 + window);
            window = (window * 2).min(WINDOW);
        }
    }

    /// The records from `first` to `last`, both included, in order; each of them must be there.
    pub async fn range(&self, first: Version, last: Version) -> Result<Vec<Record>> {
        let asked = (first.0..=last.0).map(|number| self.expect(Version(number)));
        stream::iter(asked).buffered(WINDOW as usize).try_collect().await
    }

    /// A record that must be there.
    pub async fn expect(&self, version: Version) -> Result<Record> {
        let missing = || Error::damaged(format!("record {version} of the lake log"), "it is missing");
        self.read(version).await?.ok_or_else(missing)
    }

    /// Refuses a log that goes on after a hole: committing into the hole would fork history.
    pub async fn expect_end(&self, head: Version) -> Result<()> {
        let beyond = (0..PROBES).map(|power| self.read(Version(head.0 + 1 + (1 << power))));
        let found: Vec<_> = stream::iter(beyond).buffered(PROBES).try_collect().await?;
        // Other writers may have gone on since the end was read; then there is no hole.
        if found.iter().all(Option::is_none) || self.read(head.next()).await?.is_some() {
            return Ok(());
        }
        Err(Error::damaged(
            format!("record {} of the lake log", head.next()),
            "it is missing, and later ones are there",
        ))
    }

    /// Publishes the next record and finds out whose record stands under its number.
    ///
    /// A lost reply is followed up for `patience`; then the outcome is unknown. Any other error proves that the record
    /// was not published.
    pub async fn publish(&self, record: &Record, seams: &Seams, patience: Span) -> Result<Landed> {
        let (bytes, path) = (record.bytes()?, path(record.version));
        let mut patience = seams.wait(patience.0);
        // Whether an earlier attempt may have taken effect, so that a later one's failure proves nothing.
        let mut doubt = false;
        for attempt in 0.. {
            let failure = match self.store.create(&path, bytes.clone()).await {
                Ok(_) => return Ok(Landed::Ours),
                Err(error) => error,
            };
            doubt |= matches!(failure, storage::Error::OutcomeUnknown { .. } | storage::Error::AlreadyExists { .. });
            match self.whose(record).await {
                Ok(Some(landed)) => return Ok(landed),
                Ok(None) if !doubt => return Err(failure.into()),
                Ok(None) | Err(_) => doubt = true,
            }
            if (&mut patience).now_or_never().is_some() {
                break;
            }
            seams.wait(pause_after(attempt)).await;
        }
        tracing::error!(version = %record.version, "the outcome of a commit stayed unknown");
        Err(Error::OutcomeUnknown)
    }

    /// Whose record stands under the number of `record`; the commit ids decide, never the store's answer.
    async fn whose(&self, record: &Record) -> Result<Option<Landed>> {
        let ours =
            |found: &Record| found.commits.first().map(|commit| commit.id) == record.commits.first().map(|c| c.id);
        let found = self.read(record.version).await?;
        Ok(found.map(|found| if ours(&found) { Landed::Ours } else { Landed::Theirs }))
    }
}

fn pause_after(attempt: usize) -> Duration {
    PAUSES[attempt.min(PAUSES.len() - 1)]
}

/// The versions from `first` to `last`, both included, by pages: the first and the last of each.
pub(crate) fn pages(first: Version, last: Version) -> impl DoubleEndedIterator<Item = (Version, Version)> {
    let pages = (last.0 + 1).saturating_sub(first.0).div_ceil(PAGE);
    let begins = (0..pages).map(move |page| first.0 + page * PAGE);
    begins.map(move |begin| (Version(begin), last.min(Version(begin + PAGE - 1))))
}

/// The version of the record at a path.
pub(crate) fn version_of(path: &str) -> Option<Version> {
    path.strip_prefix(DIRECTORY)?.strip_suffix(".json")?.parse().ok().map(Version)
}

/// Twenty digits, so that names sort like numbers.
pub(crate) fn path(version: Version) -> String {
    format!("{DIRECTORY}{:020}.json", version.0)
}
