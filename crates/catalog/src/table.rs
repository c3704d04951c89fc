//! A table at one version: its columns, its files and where to write more.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use base::DatasetName;
use iceberg::spec::{DEFAULT_SCHEMA_NAME_MAPPING, NameMapping};
use tables::column::Column;
use tables::data_file::DataFile;
use tables::draft::Draft;
use tables::pii::{self, Pii};
use tables::publication::Source;
use tables::read_table::ReadTable;
use tables::snapshot::Base;
use tables::{schema, summary};
use uuid::Uuid;

use crate::error::{Error, Result};
use crate::state::TableEntry;

/// The namespace of dataset ids: the same name has the same id on every machine.
const DATASETS: Uuid = Uuid::from_u128(0xa8f3c1d2_4e5b_5a6c_9d8e_7f0a1b2c3d4e);

/// The id of the dataset with this name: a UUIDv5.
pub fn dataset_id(name: &DatasetName) -> Uuid {
    Uuid::new_v5(&DATASETS, name.to_string().as_bytes())
}

/// A table as one version pins it.
#[derive(Debug)]
pub struct Table {
    name: DatasetName,
    entry: TableEntry,
    read: Arc<ReadTable>,
}

impl Table {
    pub(crate) fn new(name: &DatasetName, entry: &TableEntry, read: Arc<ReadTable>) -> Result<Self> {
        let (metadata, what) = (&read.metadata, || format!("the table of {name}"));
        if metadata.uuid() != entry.table_id || metadata.current_snapshot_id() != entry.snapshot_id {
            return Err(Error::damaged(what(), "its metadata is not what the log pins"));
        }
        Ok(Self { name: name.clone(), entry: entry.clone(), read })
    }

    /// The dataset's name.
    pub fn name(&self) -> &DatasetName {
        &self.name
    }

    /// UUIDv5 of the name.
    pub fn dataset_id(&self) -> Uuid {
        dataset_id(&self.name)
    }

    /// The Iceberg table's uuid, new at every re-creation.
    pub fn table_id(&self) -> Uuid {
        self.entry.table_id
    }

    /// What the version pins.
    pub fn entry(&self) -> &TableEntry {
        &self.entry
    }

    /// The columns, in order.
    pub fn columns(&self) -> &[Column] {
        self.read.columns()
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

    /// Rows that the current snapshot added.
    pub fn added_rows(&self) -> u64 {
        self.read.metadata.current_snapshot().map_or(0, |snapshot| summary::line(snapshot).added_rows)
    }

    /// The table's directory, relative to the lake's root.
    pub fn location(&self) -> &str {
        self.read.location()
    }

    /// What is known of columns by their ids: the personal data they hold, or that they hold none.
    pub fn classified(&self) -> BTreeMap<i32, Option<Pii>> {
        pii::noted(&self.read.metadata)
    }

    /// Whether another engine divides the rows by the values of some column, or once did: files of then may still be
    /// there.
    pub fn is_or_was_partitioned(&self) -> bool {
        self.read.metadata.partition_specs_iter().any(|spec| !spec.is_unpartitioned())
    }

    /// A draft for writing more files under this table's ids and location.
    pub fn draft(&self) -> Draft {
        Draft {
            name: self.name.clone(),
            table_id: self.entry.table_id,
            location: self.read.location().to_owned(),
            columns: self.read.columns().to_vec(),
            added: 0,
            last_id: self.read.metadata.last_column_id(),
            is_new: false,
        }
    }

    /// The Arrow schema, each field with its id under `PARQUET:field_id`.
    pub fn arrow_schema(&self) -> Result<SchemaRef> {
        Ok(schema::arrow_schema(self.columns())?)
    }

    /// The data files of the current snapshot; read once for all versions that share them.
    pub async fn files(&self) -> Result<Arc<[DataFile]>> {
        Ok(self.read.files(&self.name).await?)
    }

    /// What the rows were made from, when the current snapshot is a replacement.
    pub fn source(&self) -> Option<Source> {
        summary::source(self.read.metadata.current_snapshot()?.summary())
    }

    /// The cheap identity of the objects that were registered as the current snapshot.
    pub(crate) fn registered_objects(&self) -> Option<&str> {
        summary::objects(self.read.metadata.current_snapshot()?.summary())
    }

    /// Field ids by column name, for files that carry no ids.
    pub fn name_mapping(&self) -> Option<HashMap<String, i32>> {
        let stored = self.read.metadata.properties().get(DEFAULT_SCHEMA_NAME_MAPPING)?;
        let mapping: NameMapping = serde_json::from_str(stored).ok()?;
        let fields = mapping.fields().iter().filter_map(|field| Some((field.field_id()?, field.names())));
        Some(fields.flat_map(|(id, names)| names.iter().map(move |name| (name.clone(), id))).collect())
    }

    pub(crate) fn read(&self) -> &ReadTable {
        &self.read
    }

    /// The table as what a snapshot follows.
    pub(crate) fn base(&self) -> Base<'_> {
        Base { table: &self.read, path: &self.entry.metadata, rows: self.entry.row_count }
    }
}
