//! Rolling a dataset back: the newest version gets the rows and the columns that an earlier one has.
//!
//! History only ever goes on: a rollback is a new snapshot on top of the newest one, and lists the files of the earlier
//! one. So sequence numbers rise, outside readers see one more overwrite, and what was rolled back can be had again.

use std::sync::Arc;

use async_trait::async_trait;
use base::{AsOf, DatasetName, Version};
use tables::restoration::Restoration;
use uuid::Uuid;

use crate::catalog::{Catalog, Room};
use crate::committer::{Description, Proposal, Settled, Subject};
use crate::error::{Error, Result};
use crate::log;
use crate::publish::{self, Published};
use crate::record::{Change, TablePut};
use crate::staging::{Next, Staging};
use crate::state::{State, TableEntry};
use crate::table::Table;

impl Catalog {
    /// Makes a dataset again what it was at `to`: its rows and its columns. One that was dropped since comes back, and
    /// one that was created anew since is exchanged for the earlier table. One that had another name then is found by
    /// what it is; under a name that it lost to another one it is refused. Vector indexes stay as they are.
    pub async fn roll_back(&self, name: &DatasetName, to: &AsOf, author: &str) -> Result<Published> {
        let state = self.room.past.find(to).await?;
        let target = match state.table(name) {
            Ok(entry) => entry,
            Err(unknown) => {
                let now = self.room.head.ask().await?;
                let table_id = now.tables.get(name).map(|entry| entry.table_id);
                table_id.and_then(|table_id| named(&state, table_id)).ok_or(unknown)?.1
            }
        };
        let target = self.room.tables.load(name, target).await?;
        let rolling = RollingBack {
            room: Arc::clone(&self.room),
            target,
            to: state.version,
            author: author.to_owned(),
            staging: Staging::new(&self.room.lake, &self.room.tables),
        };
        let settled = self.put_through(rolling).await?;
        let entry = publish::outcome(&settled.state, name)?;
        let table = settled.answer(self.room.tables.load(name, &entry).await)?;
        Ok(Published { existing: !settled.committed, repeated: false, version: entry.version, table })
    }
}

/// The table of this id at a version, and what it is called there.
fn named(state: &State, table_id: Uuid) -> Option<(&DatasetName, &Arc<TableEntry>)> {
    state.tables.iter().find(|(_, entry)| entry.table_id == table_id)
}

/// A rollback on its way through the committer.
struct RollingBack {
    room: Arc<Room>,
    /// The table as it shall be again, and the version that has it so.
    target: Arc<Table>,
    to: Version,
    author: String,
    staging: Staging,
}

impl Room {
    /// What the records after one version, up to another, last made of a table.
    async fn last_put(&self, table_id: Uuid, after: Version, until: Version) -> Result<Option<TablePut>> {
        for (first, last) in log::pages(after.next(), until).rev() {
            let records = self.past.records(first, last).await?;
            let commits = records.into_iter().rev().flat_map(|record| record.commits.into_iter().rev());
            let found = commits.flat_map(|commit| commit.changes.into_iter().rev()).find_map(|change| match change {
                Change::TablePut(put) if put.table_id == table_id => Some(put),
                _ => None,
            });
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }
}

impl RollingBack {
    /// The table as it is in `state`; where that has lost it, as it was at last, so that what was said about it since
    /// stays said.
    async fn base(&self, state: &State) -> Result<Arc<Table>> {
        let (name, table_id) = (self.target.name(), self.target.table_id());
        if let Some((now, entry)) = named(state, table_id) {
            if now == name {
                return self.room.tables.load(name, entry).await;
            }
            return Err(Error::Renamed { name: name.clone(), to: self.to, now: now.clone() });
        }
        // Below the oldest version only what tags name is known.
        let since = self.to.max(state.oldest);
        let entry = match self.room.last_put(table_id, since, state.published()).await? {
            Some(last) => Some(self.target.entry().after(&last)),
            None => named(&*self.room.past.state(since).await?, table_id).map(|(_, entry)| entry.as_ref().clone()),
        };
        match entry {
            Some(entry) => self.room.tables.load(name, &entry).await,
            None => Ok(Arc::clone(&self.target)),
        }
    }
}

#[async_trait]
impl Proposal for RollingBack {
    fn subject(&self) -> Subject {
        Subject::Dataset(self.target.name().clone())
    }

    fn describe(&self) -> Description {
        let message = format!("roll {} back to version {}", self.target.name(), self.to);
        Description { author: self.author.clone(), message, idempotency_key: None, request: None }
    }

    async fn decide(&mut self, state: &State) -> Result<Vec<Change>> {
        self.staging.begin();
        // Expiry may have come in between, and a sweep behind it.
        state.expect(self.to)?;
        let base = self.base(state).await?;
        let name = self.target.name().clone();
        let restoration = Restoration {
            lake: &self.room.lake,
            name: &name,
            base: base.base(),
            target: self.target.base(),
            version: state.version,
            at: state.at,
        };
        if named(state, base.table_id()).is_some() && restoration.is_needless() {
            return Ok(Vec::new());
        }
        if named(state, base.table_id()).is_none() {
            state.expect_place(&name, &base.entry().metadata)?;
        }
        let (metadata, files) = restoration.take().await?;
        let (row_count, fingerprint) = (self.target.row_count(), self.target.fingerprint());
        let put = self.staging.follow(&base, Next { metadata, row_count, fingerprint, files }).await?;
        Ok(state.missing_namespace(&name).into_iter().chain([Change::TablePut(put)]).collect())
    }

    async fn settle(&mut self, outcome: &Result<Settled>) {
        self.staging.end(outcome, []).await;
    }
}
