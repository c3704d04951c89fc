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
use tables::io;
use tables::lake::Lake;
use tables::metadata_file;
use tables::read_table::ReadTable;
use tables::snapshot::{Scribe, list_manifests};
use tables::summary::{self, Sums};

use crate::catalog::Catalog;
use crate::committer::{Description, Proposal, Settled, Subject};
use crate::error::{Error, Result};
use crate::kept::Tables;
use crate::publish::{self, Published};
use crate::record::{Change, TablePut};
use crate::state::State;
use crate::table::Table;

impl Catalog {
    /// Makes a dataset again what it was at `to`: its rows and its columns. One that was dropped since comes back, and
    /// one that was created anew since is exchanged for the earlier table. Vector indexes stay as they are. Goes on to
    /// its end when the caller goes away.
    pub async fn roll_back(&self, name: &DatasetName, to: &AsOf, author: &str) -> Result<Published> {
        let state = self.room.past.find(to).await?;
        let target = self.room.tables.load(name, state.table(name)?).await?;
        let rolling = RollingBack {
            lake: self.room.lake.clone(),
            tables: Arc::clone(&self.room.tables),
            target,
            to: state.version,
            author: author.to_owned(),
            staged: Vec::new(),
            superseded: Vec::new(),
        };
        let settled = self.put_through("roll back", rolling).await?;
        let entry = publish::outcome(&settled.state, name)?;
        let table = settled.answer(self.room.tables.load(name, &entry).await)?;
        Ok(Published { existing: !settled.committed, repeated: false, version: entry.version, table })
    }
}

/// A rollback on its way through the committer.
struct RollingBack {
    lake: Lake,
    tables: Arc<Tables>,
    /// The table as it shall be again, and the version that has it so.
    target: Arc<Table>,
    to: Version,
    author: String,
    /// Files of the commit as last decided.
    staged: Vec<String>,
    /// Files of earlier decisions, proven not to be committed.
    superseded: Vec<String>,
}

impl RollingBack {
    /// Whether the table has the very rows and columns of the target.
    fn is_settled_in(&self, table: &Table) -> bool {
        let (ours, theirs) = (&self.target.read().metadata, &table.read().metadata);
        let same_rows = rows_of(ours) == rows_of(theirs);
        let same_columns = ours.current_schema().as_struct() == theirs.current_schema().as_struct();
        table.table_id() == self.target.table_id() && same_rows && same_columns
    }

    /// The snapshot that lists the target's files again, on top of `base`.
    async fn stage(&mut self, state: &State, base: &Table) -> Result<TablePut> {
        let shelf = self.lake.shelf();
        let metadata = &base.read().metadata;
        let builder = self.restore(base).map_err(Error::bug("restoring columns"))?;
        let scribe = Scribe::new(&shelf, metadata, self.lake.snapshot_id());
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
        self.write(base, metadata, shelf.take()).await
    }

    /// The metadata of `base` with the target's columns, partitions and order, and the names by which its files are
    /// read.
    fn restore(&self, base: &Table) -> iceberg::Result<TableMetadataBuilder> {
        let earlier = &self.target.read().metadata;
        let location = self.lake.roots.absolute(&base.entry().metadata);
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

    async fn write(&mut self, base: &Table, metadata: TableMetadata, mut files: Vec<io::Staged>) -> Result<TablePut> {
        let file = metadata_file::name(Some(&base.entry().metadata), self.lake.seams.uuid());
        let path = format!("{}/metadata/{file}", base.location());
        files.push((path.clone(), metadata_file::encode(&metadata)?));
        self.staged = files.iter().map(|(path, _)| path.clone()).collect();
        io::write_all(&self.lake.store, files).await?;
        let put = TablePut {
            name: self.target.name().clone(),
            table_id: metadata.uuid(),
            metadata: path,
            snapshot_id: metadata.current_snapshot_id(),
            row_count: self.target.row_count(),
            fingerprint: self.target.fingerprint().to_owned(),
        };
        let read = ReadTable::new(&self.lake, &put.name, metadata)?;
        self.tables.keep(&put.metadata, Arc::new(read));
        Ok(put)
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
        self.superseded.append(&mut self.staged);
        // Expiry may have come in between, and a sweep behind it.
        state.expect(self.to)?;
        let name = self.target.name().clone();
        let current = match state.tables.get(&name) {
            Some(entry) => Some(self.tables.load(&name, entry).await?),
            None => None,
        };
        if current.as_ref().is_some_and(|table| self.is_settled_in(table)) {
            return Ok(Vec::new());
        }
        let same = current.filter(|table| table.table_id() == self.target.table_id());
        let base = same.unwrap_or_else(|| Arc::clone(&self.target));
        let put = self.stage(state, &base).await?;
        Ok(state.missing_namespace(&name).into_iter().chain([Change::TablePut(put)]).collect())
    }

    async fn settle(&mut self, outcome: &Result<Settled>) {
        let mut needless = std::mem::take(&mut self.superseded);
        let committed = match outcome {
            Ok(settled) => settled.committed,
            Err(error) => !error.proves_nothing_committed(),
        };
        if !committed {
            needless.append(&mut self.staged);
        }
        io::discard(&self.lake.store, needless).await;
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
