//! Expiry: versions older than a retention are given up, save those that tags name.
//!
//! The state at the oldest kept version is written as a base, and so are those of tagged versions below it. Then a commit
//! says that the versions below are gone, so that whoever decides anything later knows it. Only then are their records
//! and checkpoints removed, oldest first, and not before the base is older than any process may go on without looking.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use async_trait::async_trait;
use base::{DatasetName, Span, Timestamp, Version};
use bytes::Bytes;
use iceberg::spec::TableMetadataBuilder;
use serde::{Deserialize, Serialize};
use tables::io;
use tables::lake::Lake;
use tables::metadata_file;

use crate::catalog::{Catalog, Room};
use crate::checkpoint::{self, Role};
use crate::committer::{Description, Proposal, Settled, Subject};
use crate::error::{Error, Result};
use crate::format;
use crate::kept::Tables;
use crate::lingering::before;
use crate::log;
use crate::record::{Change, TablePut};
use crate::staging::may_stand;
use crate::state::{State, TableEntry};
use crate::unswept;

/// How many names of records a listing asks for.
const PAGE: usize = 1_000;
/// An object that is written to read the store's clock.
const CLOCK: &str = "_lake/clock";

/// Which versions are to be given up. Without a bound nothing is.
#[derive(Debug, Clone)]
pub struct Expiry {
    /// Versions that were the newest at some moment of this span, counted back from now, are kept.
    pub older_than: Option<Span>,
    /// So many of the newest versions are kept.
    pub keep_last: Option<u64>,
    /// How long the records of expired versions stay after the base was written.
    pub linger: Span,
    /// Who asks for it.
    pub author: String,
}

impl Expiry {
    /// How long records linger unless tests say otherwise: longer than a process trusts what it saw.
    pub const LINGER: Span = Span::secs(3600);
}

/// What an expiry did, or would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expired {
    /// The oldest version before.
    pub before: Version,
    /// The oldest version now.
    pub oldest: Version,
    /// Versions below that one that tags keep.
    pub tagged: Vec<Version>,
    /// How many versions were given up.
    pub versions: u64,
    /// The version that says so; none when nothing was given up.
    pub version: Option<Version>,
    /// How many records of expired versions were removed from the store.
    pub records: u64,
}

impl Catalog {
    /// What an expiry would give up. Changes nothing.
    pub async fn plan_expiry(&self, expiry: &Expiry) -> Result<Expired> {
        let head = self.room.head.ask().await?;
        let oldest = self.room.oldest_kept(expiry, &head).await?;
        Ok(outlook(&head, oldest))
    }

    /// Gives versions up. May be repeated at any time, also after it was interrupted.
    pub async fn expire(&self, expiry: &Expiry) -> Result<Expired> {
        let mut in_need = false;
        let expired = loop {
            let head = self.room.head.ask().await?;
            match self.try_expire(expiry, &head).await {
                Ok(Some(expired)) => break expired,
                // A tag came in between, on a version that was about to go.
                Ok(None) => {}
                // Another expiry came in between, and took what this one was reading.
                Err(Error::Damaged { .. } | Error::UnknownVersion { .. })
                    if self.room.head.ask().await?.oldest > head.oldest => {}
                // The disk is full, and expiry is how it gets room again.
                Err(Error::Storage(storage::Error::Full { .. })) if !in_need => {
                    in_need = true;
                    self.store().spend_reserve().await?;
                }
                Err(error) => return Err(error),
            }
        };
        match self.room.remove_expired(expiry.linger).await {
            Ok(records) => Ok(Expired { records, ..expired }),
            Err(error) if expired.version.is_some() => {
                tracing::warn!(error = %error, "records of expired versions stay until the next expiry");
                Ok(expired)
            }
            Err(error) => Err(error),
        }
    }

    /// None when what was decided on is not so any more.
    async fn try_expire(&self, expiry: &Expiry, head: &State) -> Result<Option<Expired>> {
        let oldest = self.room.oldest_kept(expiry, head).await?;
        let outlook = outlook(head, oldest);
        if outlook.versions == 0 {
            return Ok(Some(outlook));
        }
        let version = self.room.give_up(self, oldest, head, &expiry.author).await?;
        Ok(version.map(|version| Expired { version: Some(version), ..outlook }))
    }

    /// Now, by the clock that stamps the store's objects.
    pub async fn store_time(&self) -> Result<Timestamp> {
        self.room.store_time().await
    }
}

fn outlook(head: &State, oldest: Version) -> Expired {
    let tagged: Vec<Version> = head.tagged_below(oldest).into_iter().collect();
    let below = tagged.iter().filter(|version| **version >= head.oldest).count() as u64;
    let versions = (oldest.0 - head.oldest.0).saturating_sub(below);
    Expired { before: head.oldest, oldest, tagged, versions, version: None, records: 0 }
}

impl Room {
    /// The oldest version that an expiry keeps.
    async fn oldest_kept(&self, expiry: &Expiry, head: &State) -> Result<Version> {
        let mut bounds = Vec::new();
        if let Some(span) = expiry.older_than {
            let since = self.moment_before(span);
            bounds.push(self.past.last_until(since, head).await?.unwrap_or(head.oldest));
        }
        if let Some(count) = expiry.keep_last {
            bounds.push(Version(head.version.0.saturating_sub(count.max(1) - 1)));
        }
        let oldest = bounds.into_iter().min().unwrap_or(head.oldest);
        Ok(oldest.max(head.oldest))
    }

    /// Commits that the versions below `oldest` are gone; none when a tag came in between.
    async fn give_up(&self, catalog: &Catalog, oldest: Version, head: &State, author: &str) -> Result<Option<Version>> {
        let tagged = head.tagged_below(oldest);
        for version in tagged.iter().chain([&oldest]) {
            checkpoint::write(&self.lake.store, Role::Base, &*self.past.state(*version).await?).await?;
        }
        format::change(&self.lake.store, |_| {}).await?;
        let expiring = Expiring {
            lake: self.lake.clone(),
            tables: Arc::clone(&self.tables),
            oldest,
            tagged,
            seen: head.version,
            snapshots: self.snapshots(oldest, head).await?,
            author: author.to_owned(),
            trimmed: BTreeMap::new(),
        };
        let settled = catalog.put_through(expiring).await?;
        Ok(settled.committed.then_some(settled.state.version))
    }

    /// The snapshots that the versions from `oldest` to `head`, and the tagged ones, pin.
    async fn snapshots(&self, oldest: Version, head: &State) -> Result<HashSet<i64>> {
        let mut kept = HashSet::new();
        for version in head.tagged_below(oldest).into_iter().chain([oldest]) {
            kept.extend(self.past.state(version).await?.tables.values().filter_map(|entry| entry.snapshot_id));
        }
        for (first, last) in log::pages(oldest.next(), head.version) {
            let records = self.past.records(first, last).await?;
            let changes = records.iter().flat_map(|record| &record.commits).flat_map(|commit| &commit.changes);
            kept.extend(changes.filter_map(|change| match change {
                Change::TablePut(put) => put.snapshot_id,
                _ => None,
            }));
        }
        Ok(kept)
    }

    /// Removes what was given up so long ago that no process can take it for history any more. Answers how many records
    /// went.
    async fn remove_expired(&self, linger: Span) -> Result<u64> {
        let (head, store) = (self.head.ask().await?, &self.lake.store);
        let then = self.newest_before(self.moment_before(linger), &head).await?;
        let oldest = then.oldest;
        if oldest <= Version(1) {
            return Ok(0);
        }
        let written = match store.head(&Role::Base.path(oldest)).await {
            Ok(entry) => entry.modified,
            // Another expiry went further meanwhile, and sees to it.
            Err(storage::Error::NotFound { .. }) => return Ok(0),
            Err(error) => return Err(error.into()),
        };
        // The clock of whoever committed the expiry may be wrong, and that of the store has seen the base.
        if written > before(self.store_time().await?, linger) {
            return Ok(0);
        }
        let kept = head.tagged_below(oldest).union(&then.tagged_below(oldest)).copied().collect();
        let records = self.remove_records(oldest, &kept).await?;
        for role in [Role::Checkpoint, Role::Base] {
            let mut old = checkpoint::list(store, role, None).await?;
            old.retain(|version| *version < oldest && !(role == Role::Base && kept.contains(version)));
            io::discard(store, old.into_iter().map(|version| role.path(version))).await;
        }
        Ok(records)
    }

    /// Oldest first, so that what is left after an interruption has no hole but at its beginning.
    async fn remove_records(&self, oldest: Version, kept: &BTreeSet<Version>) -> Result<u64> {
        let (store, mut after, mut removed) = (&self.lake.store, None::<String>, 0);
        loop {
            let page = store.list(log::DIRECTORY, after.as_deref(), PAGE).await?;
            for entry in &page.entries {
                let Some(version) = log::version_of(&entry.path) else { continue };
                if version >= oldest {
                    return Ok(removed);
                }
                if !kept.contains(&version) {
                    store.delete(&entry.path).await?;
                    removed += 1;
                }
            }
            after = match page.next {
                Some(next) => Some(next),
                None => return Ok(removed),
            };
        }
    }

    async fn store_time(&self) -> Result<Timestamp> {
        self.lake.store.put(CLOCK, Bytes::from_static(b"{\"format\":1}")).await?;
        Ok(self.lake.store.head(CLOCK).await?.modified)
    }
}

/// An expiry on its way through the committer. The tables' newest metadata forgets the snapshots that no kept version
/// pins, so that other engines are not shown what a sweep may take.
struct Expiring {
    lake: Lake,
    tables: Arc<Tables>,
    oldest: Version,
    /// Tagged versions whose bases are written.
    tagged: BTreeSet<Version>,
    /// The version up to which `snapshots` is complete.
    seen: Version,
    /// What kept versions pin.
    snapshots: HashSet<i64>,
    author: String,
    /// What earlier decisions made of metadata files; none where nothing is to be forgotten.
    trimmed: BTreeMap<String, Option<TablePut>>,
}

impl Expiring {
    /// The table without the snapshots that nobody can reach any more; none when it lists no such.
    async fn trim(&mut self, state: &State, name: &DatasetName, entry: &TableEntry) -> Result<Option<TablePut>> {
        // Younger than what was looked through: the next expiry sees to it.
        if entry.version > self.seen {
            return Ok(None);
        }
        if let Some(trimmed) = self.trimmed.get(&entry.metadata) {
            let written = trimmed.iter().map(|put| put.metadata.as_str());
            if unswept::all(&self.lake.store, state, written).await? {
                return Ok(trimmed.clone());
            }
        }
        let table = self.tables.load(name, entry).await?;
        let base = &table.read().metadata;
        let gone = metadata_file::unneeded(base, &self.snapshots)?;
        if gone.is_empty() {
            return Ok(None);
        }
        let builder = base.clone().into_builder(Some(self.lake.roots.absolute(&entry.metadata)));
        let built = metadata_file::leave_out(builder, base, &gone)?;
        let metadata = TableMetadataBuilder::build(built).map_err(Error::bug("leaving snapshots out"))?.metadata;
        let file = metadata_file::name(Some(&entry.metadata), self.lake.seams.uuid());
        let path = format!("{}/metadata/{file}", table.location());
        self.lake.store.put(&path, metadata_file::encode(&metadata)?).await?;
        Ok(Some(TablePut { metadata: path, ..entry.put(name) }))
    }
}

#[async_trait]
impl Proposal for Expiring {
    fn subject(&self) -> Subject {
        Subject::Whole
    }

    fn describe(&self) -> Description {
        let message = format!("expire versions below {}", self.oldest);
        Description { author: self.author.clone(), message, idempotency_key: None, request: None }
    }

    async fn decide(&mut self, state: &State) -> Result<Vec<Change>> {
        let uncovered = !state.tagged_below(self.oldest).is_subset(&self.tagged);
        if uncovered || state.oldest >= self.oldest {
            return Ok(Vec::new());
        }
        let mut changes = Vec::new();
        for (name, entry) in &state.tables {
            let trimmed = match self.trim(state, name, entry).await {
                Err(error @ Error::Damaged { .. }) => {
                    tracing::warn!(dataset = %name, error = %error, "a table does not read and keeps its snapshots");
                    None
                }
                trimmed => trimmed?,
            };
            self.trimmed.insert(entry.metadata.clone(), trimmed.clone());
            changes.extend(trimmed.map(Change::TablePut));
        }
        changes.push(Change::Expire { oldest: self.oldest });
        Ok(changes)
    }

    async fn settle(&mut self, outcome: &Result<Settled>) {
        if !may_stand(outcome) {
            let written = std::mem::take(&mut self.trimmed).into_values().filter_map(|trimmed| Some(trimmed?.metadata));
            io::discard(&self.lake.store, written).await;
        }
    }
}
