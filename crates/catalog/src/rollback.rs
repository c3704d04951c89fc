//! Rolling a dataset back: the newest version gets the rows and the columns that an earlier one has.
//!
//! History only ever goes on: a rollback is a new snapshot on top of the newest one, and lists the files of the earlier
//! one. So sequence numbers rise, outside readers see one more overwrite, and what was rolled back can be had again.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use async_trait::async_trait;
use base::{AsOf, DatasetName, Version};
use iceberg::spec::{DEFAULT_SCHEMA_NAME_MAPPING, MAIN_BRANCH, Snapshot, TableMetadata, TableMetadataBuilder};
use tables::data_file::DataFile;
use tables::metadata_file;
use tables::snapshot::{Scribe, list_manifests};
use tables::summary::{self, Sums};
use uuid::Uuid;

use crate::catalog::{Catalog, Room};
use crate::committer::{Description, Proposal, Settled, Subject};
use crate::error::{Error, Result};
use crate::publish::{self, Published};
use crate::record::{Change, TablePut};
use crate::staging::{Next, Staging};
use crate::state::{State, TableEntry};
use crate::table::Table;

/// How many records are read at once.
const RECORDS: u64 = 256;

impl Catalog {
    /// Makes a dataset again what it was at `to`: its rows and its columns. One that was dropped since comes back, and
    /// one that was created anew since is exchanged for the earlier table. One that had another name then is found by
    /// what it is; under a name that it lost to another one it is refused. Vector indexes stay as they are. Goes on to
    /// its end when the caller goes away.
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
        let settled = self.put_through("roll back", rolling).await?;
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
        let mut last = until;
        while last > after {
            let first = Version((last.0 + 1).saturating_sub(RECORDS)).max(after.next());
            let records = self.log.range(first, last).await?;
            let commits = records.into_iter().rev().flat_map(|record| record.commits.into_iter().rev());
            let found = commits.flat_map(|commit| commit.changes.into_iter().rev()).find_map(|change| match change {
                Change::TablePut(put) if put.table_id == table_id => Some(put),
                _ => None,
            });
            if found.is_some() {
                return Ok(found);
            }
            last = Version(first.0 - 1);
        }
        Ok(None)
    }
}

impl RollingBack {
    /// Whether the table, as it is, has the very rows and columns of the target.
    fn is_settled_in(&self, table: &Table) -> bool {
        let (ours, theirs) = (&self.target.read().metadata, &table.read().metadata);
        let same_rows = rows_of(ours) == rows_of(theirs);
        let same_columns = ours.current_schema().as_struct() == theirs.current_schema().as_struct();
        same_rows && same_columns
    }

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

    /// The snapshot that lists the target's files again, on top of `base`.
    async fn stage(&mut self, state: &State, base: &Table) -> Result<TablePut> {
        let shelf = self.room.lake.shelf();
        let metadata = &base.read().metadata;
        let builder = self.restore(base).map_err(Error::bug("restoring columns"))?;
        let scribe = Scribe::new(&shelf, metadata, self.room.lake.snapshot_id());
        let exchanged = self.exchanged(base).await?;
        let earlier = self.target.read();
        let rows = (earlier.metadata.current_snapshot().map(Arc::as_ref), self.target.entry().metadata.as_str());
        let snapshot = Snapshot::builder()
            .with_snapshot_id(scribe.snapshot_id)
            .with_parent_snapshot_id(metadata.current_snapshot_id())
            .with_sequence_number(metadata.next_sequence_number())
            .with_timestamp_ms(state.at.millis().max(metadata.last_updated_ms()))
            .with_manifest_list(scribe.manifest_list())
            .with_schema_id(current_schema_id(&builder)?)
            .with_summary(summary::rolled_back(rows, state.version, exchanged))
            .build();
        list_manifests(&scribe.io, &snapshot, earlier.manifests(self.target.name()).await?).await?;
        let builder = metadata_file::leave_out_old(builder, metadata, &[])?;
        let built = builder.set_branch_snapshot(snapshot, MAIN_BRANCH).and_then(TableMetadataBuilder::build);
        let metadata = built.map_err(Error::bug("adding a snapshot"))?.metadata;
        let (row_count, fingerprint) = (self.target.row_count(), self.target.fingerprint());
        self.staging.follow(base, Next { metadata, row_count, fingerprint, files: shelf.take() }).await
    }

    /// The metadata of `base` with the target's columns, partitions and order, and the names by which its files are
    /// read.
    fn restore(&self, base: &Table) -> iceberg::Result<TableMetadataBuilder> {
        let earlier = &self.target.read().metadata;
        let location = self.room.lake.roots.absolute(&base.entry().metadata);
        let builder = base.read().metadata.clone().into_builder(Some(location));
        let names = earlier.properties().get_key_value(DEFAULT_SCHEMA_NAME_MAPPING);
        let names = names.map(|(key, names)| (key.clone(), names.clone()));
        builder
            .add_current_schema(earlier.current_schema().as_ref().clone())?
            .add_default_partition_spec(earlier.default_partition_spec().as_ref().clone().into_unbound())?
            .add_sort_order(earlier.default_sort_order().as_ref().clone())?
            .set_default_sort_order(i64::from(TableMetadataBuilder::LAST_ADDED))?
            .set_properties(HashMap::from_iter(names))
    }

    /// The files that come again, and those that go.
    async fn exchanged(&self, base: &Table) -> Result<(Sums, Sums)> {
        let (ours, theirs) = (self.target.files().await?, base.files().await?);
        Ok((missing_in(&theirs, &ours), missing_in(&ours, &theirs)))
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
        let is_there = state.tables.get(&name).is_some_and(|entry| entry.table_id == base.table_id());
        if is_there && self.is_settled_in(&base) {
            return Ok(Vec::new());
        }
        let put = self.stage(state, &base).await?;
        Ok(state.missing_namespace(&name).into_iter().chain([Change::TablePut(put)]).collect())
    }

    async fn settle(&mut self, outcome: &Result<Settled>) {
        self.staging.end(outcome, []).await;
    }
}

/// The snapshot that first had the rows of the current one; none for a table that never had any.
fn rows_of(metadata: &TableMetadata) -> Option<i64> {
    Some(summary::origin(metadata.current_snapshot()?)?.snapshot)
}

/// The id that the schema to come has. The library shows it in built metadata alone.
fn current_schema_id(builder: &TableMetadataBuilder) -> Result<i32> {
    let built = builder.clone().build().map_err(Error::bug("restoring columns"))?;
    Ok(built.metadata.current_schema_id())
}

/// What of `files` is not among `known`.
fn missing_in(known: &[DataFile], files: &[DataFile]) -> Sums {
    let known: HashSet<&str> = known.iter().map(|file| file.path.as_str()).collect();
    files.iter().filter(|file| !known.contains(file.path.as_str())).fold(Sums::default(), |sums, file| Sums {
        files: sums.files + 1,
        size: sums.size + file.size,
        records: sums.records + file.rows,
    })
}
