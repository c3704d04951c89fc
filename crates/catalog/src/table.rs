//! A table at one version: its columns, its files and where to write more.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use base::DatasetName;
use uuid::Uuid;

use crate::data_file::DataFile;
use crate::draft::Draft;
use crate::error::Result;
use crate::publication::Source;
use crate::schema::Column;
use crate::state::TableEntry;

/// A table as one version pins it.
#[derive(Debug)]
pub struct Table {
    name: DatasetName,
    entry: TableEntry,
    columns: Vec<Column>,
}

impl Table {
    /// The dataset's name.
    pub fn name(&self) -> &DatasetName {
        &self.name
    }

    /// UUIDv5 of the name.
    pub fn dataset_id(&self) -> Uuid {
        todo!()
    }

    /// What the version pins.
    pub fn entry(&self) -> &TableEntry {
        &self.entry
    }

    /// The columns, in order.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The schema's fingerprint.
    pub fn fingerprint(&self) -> &str {
        &self.entry.fingerprint
    }

    /// The current snapshot.
    pub fn snapshot_id(&self) -> Option<i64> {
        self.entry.snapshot_id
    }

    /// Rows of the current snapshot.
    pub fn row_count(&self) -> u64 {
        self.entry.row_count
    }

    /// A draft for writing more files under this table's ids and location.
    pub fn draft(&self) -> Draft {
        todo!()
    }

    /// The Arrow schema, each field with its id under `PARQUET:field_id`.
    pub fn arrow_schema(&self) -> Result<SchemaRef> {
        todo!()
    }

    /// The data files of the current snapshot; read once.
    pub async fn files(&self) -> Result<Arc<[DataFile]>> {
        todo!()
    }

    /// What the rows were made from, when the current snapshot is a replacement.
    pub fn source(&self) -> Option<Source> {
        todo!()
    }

    /// Field ids by column name, for files that carry no ids.
    pub fn name_mapping(&self) -> Option<HashMap<String, i32>> {
        todo!()
    }
}
