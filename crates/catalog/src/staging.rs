//! What a proposal writes before its commit, and what becomes of it.

use std::sync::Arc;

use base::DatasetName;
use iceberg::spec::TableMetadata;
use tables::io::{self, Staged};
use tables::lake::Lake;
use tables::metadata_file;
use tables::read_table::ReadTable;

use crate::committer::Settled;
use crate::error::Result;
use crate::kept::Tables;
use crate::record::TablePut;
use crate::table::Table;

/// The files that a proposal staged. Those of its last decision may be committed; those of earlier ones are proven not
/// to be.
#[derive(Debug)]
pub(crate) struct Staging {
    lake: Lake,
    tables: Arc<Tables>,
    last: Vec<String>,
    superseded: Vec<String>,
}

/// What a table is to be next.
pub(crate) struct Next<'a> {
    pub metadata: TableMetadata,
    pub row_count: u64,
    pub fingerprint: &'a str,
    /// What the metadata names and is not there yet.
    pub files: Vec<Staged>,
}

impl Staging {
    pub fn new(lake: &Lake, tables: &Arc<Tables>) -> Self {
        let (lake, tables) = (lake.clone(), Arc::clone(tables));
        Self { lake, tables, last: Vec::new(), superseded: Vec::new() }
    }

    /// A new decision begins, so nothing of the last one was committed.
    pub fn begin(&mut self) {
        self.superseded.append(&mut self.last);
    }

    /// Writes files for the decision that was begun.
    pub async fn write(&mut self, files: Vec<Staged>) -> Result<()> {
        self.last.extend(files.iter().map(|(path, _)| path.clone()));
        Ok(io::write_all(&self.lake.store, files).await?)
    }

    /// Writes what follows the metadata of a table.
    pub async fn follow(&mut self, base: &Table, next: Next<'_>) -> Result<TablePut> {
        let Next { metadata, row_count, fingerprint, mut files } = next;
        let file = metadata_file::name(Some(&base.entry().metadata), self.lake.seams.uuid());
        let path = format!("{}/metadata/{file}", base.location());
        files.push((path.clone(), metadata_file::encode(&metadata)?));
        self.write(files).await?;
        self.put(base.name(), path, metadata, (row_count, fingerprint.to_owned()))
    }

    /// The change that makes a table of written metadata, which is kept for whoever reads it first; with the number of its
    /// rows and the fingerprint of its columns.
    pub fn put(
        &self,
        name: &DatasetName,
        path: String,
        metadata: TableMetadata,
        (row_count, fingerprint): (u64, String),
    ) -> Result<TablePut> {
        let (table_id, snapshot_id) = (metadata.uuid(), metadata.current_snapshot_id());
        self.tables.keep(&path, Arc::new(ReadTable::new(&self.lake, name, metadata)?));
        Ok(TablePut { name: name.clone(), table_id, metadata: path, snapshot_id, row_count, fingerprint })
    }

    /// Deletes what is not needed, and with it what the proposal `brought` if nothing can have been committed.
    pub async fn end(&mut self, outcome: &Result<Settled>, brought: impl IntoIterator<Item = String>) {
        let mut needless = std::mem::take(&mut self.superseded);
        if !may_stand(outcome) {
            needless.append(&mut self.last);
            needless.extend(brought);
        }
        io::discard(&self.lake.store, needless).await;
    }
}

/// Whether what was staged for a proposal of this outcome may be in the log.
pub(crate) fn may_stand(outcome: &Result<Settled>) -> bool {
    match outcome {
        Ok(settled) => settled.committed,
        Err(error) => !error.proves_nothing_committed(),
    }
}
