//! What the outside sees of a dataset.

use base::{DatasetName, Fault, Timestamp, Version};
use serde::{Deserialize, Serialize};
use tables::data_file::DataFile;
use tables::schema_change::FieldShape;
use uuid::Uuid;

use crate::error::{Error, Result};
use crate::record::snapshot_text;
use crate::state::TableEntry;
use crate::table::{Table, dataset_id};

/// A dataset as the catalog answers it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// UUIDv5 of the name.
    pub dataset_id: Uuid,
    /// The name.
    pub name: DatasetName,
    /// The schema's fingerprint.
    pub schema_fingerprint: String,
    /// The data files.
    pub objects: Vec<Object>,
    /// Rows of the current snapshot.
    pub row_count: u64,
    /// When the dataset was created.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// The version that last changed it.
    pub version: Version,
    /// The current snapshot, as a string.
    #[serde(with = "snapshot_text")]
    pub snapshot_id: Option<i64>,
    /// The columns.
    pub schema: SchemaShape,
    /// Why the table cannot be read; absent when it can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Broken>,
}

/// A data file of a dataset.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Object {
    /// The lake path, which is also its key on the storage routes.
    pub key: String,
    /// The size in bytes.
    pub size: u64,
    /// The number of rows.
    pub row_count: u64,
}

/// The columns of a dataset.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SchemaShape {
    /// The columns, in order.
    pub fields: Vec<FieldShape>,
}

/// Why a table cannot be read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Broken {
    /// The error's code.
    pub code: String,
    /// The error's message.
    pub detail: String,
}

impl Manifest {
    /// The manifest of a table that reads well.
    pub(crate) async fn of(table: &Table) -> Result<Self> {
        let files = table.files().await?;
        let object = |file: &DataFile| Object { key: file.path.clone(), size: file.size, row_count: file.rows };
        let mut manifest = Self::bare(table.name(), table.entry());
        manifest.objects = files.iter().map(object).collect();
        manifest.schema.fields = table.columns().iter().map(FieldShape::of).collect();
        Ok(manifest)
    }

    /// What the log alone knows of a table that does not read.
    pub(crate) fn broken(name: &DatasetName, entry: &TableEntry, error: &Error) -> Self {
        let error = Broken { code: error.code().to_owned(), detail: error.to_string() };
        Self { error: Some(error), ..Self::bare(name, entry) }
    }

    fn bare(name: &DatasetName, entry: &TableEntry) -> Self {
        Self {
            dataset_id: dataset_id(name),
            name: name.clone(),
            schema_fingerprint: entry.fingerprint.clone(),
            objects: Vec::new(),
            row_count: entry.row_count,
            created_at: entry.created_at,
            updated_at: entry.updated_at,
            version: entry.version,
            snapshot_id: entry.snapshot_id,
            schema: SchemaShape::default(),
            error: None,
        }
    }
}
