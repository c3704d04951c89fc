//! A draft: where a writer puts files for a table that may not exist yet, and under which columns.

use arrow::datatypes::SchemaRef;
use base::{DatasetName, Seams};
use uuid::Uuid;

use crate::column::{Column, NewColumn};
use crate::error::{Error, Result};
use crate::schema;

/// Namespaces of the system's own tables, in any case: SQL would show those instead.
const RESERVED: [&str; 2] = ["information_schema", "runs"];
/// The property by which other engines know whether they may delete files.
pub const GC_ENABLED: &str = "gc.enabled";
/// What every new table states. Other engines must not expire what our versions still read.
pub const PROPERTIES: [(&str, &str); 2] = [(GC_ENABLED, "false"), ("write.parquet.compression-codec", "zstd")];

/// Whether a namespace belongs to the system.
pub fn is_reserved(namespace: &str) -> bool {
    RESERVED.iter().any(|reserved| namespace.eq_ignore_ascii_case(reserved))
}

/// Refuses a name in the system's own namespaces.
pub fn expect_open(name: &DatasetName) -> Result<()> {
    if is_reserved(name.namespace()) { Err(Error::ReservedName { name: name.clone() }) } else { Ok(()) }
}

/// A directory that no table of the name had before, relative to the lake's root.
pub fn new_location(name: &DatasetName, seams: &Seams) -> String {
    format!("tables/{name}-{}", hex::encode(&seams.roll()[..5]))
}

/// The place and the columns of files that are about to be published.
#[derive(Debug, Clone)]
pub struct Draft {
    /// The dataset.
    pub name: DatasetName,
    /// The Iceberg table's uuid.
    pub table_id: Uuid,
    /// The table's directory, relative to the lake's root: `tables/<name>-<suffix>`.
    pub location: String,
    /// The columns with their ids.
    pub columns: Vec<Column>,
    /// How many columns, the last ones, the publication adds to the table; none when it creates it.
    pub added: usize,
    /// The highest id that a column of the table has ever had.
    pub last_id: i32,
    /// Whether the table is created by the publication.
    pub is_new: bool,
}

impl Draft {
    /// A new table with the columns numbered from 1, in a directory of its own.
    pub fn new_table(name: &DatasetName, columns: &[NewColumn], seams: &Seams) -> Result<Self> {
        expect_open(name)?;
        let columns = schema::number(columns, 0);
        Ok(Self {
            name: name.clone(),
            table_id: seams.uuid(),
            location: new_location(name, seams),
            added: 0,
            last_id: columns.iter().map(|column| column.id).max().unwrap_or(0),
            columns,
            is_new: true,
        })
    }

    /// Adds columns at the end, with ids that no column of the table ever had. The rows that are there read null.
    pub fn extend(&mut self, new: &[NewColumn]) {
        self.columns.extend(schema::number(new, self.last_id));
        self.added += if self.is_new { 0 } else { new.len() };
        self.last_id = self.columns.iter().map(|column| column.id).max().unwrap_or(0).max(self.last_id);
    }

    /// The first id that a column added by the publication has, if it adds any.
    pub fn first_added(&self) -> Option<i32> {
        self.columns[self.columns.len() - self.added..].first().map(|column| column.id)
    }

    /// A fresh path for a data file, relative to the lake's root.
    pub fn data_path(&self, seams: &Seams) -> String {
        format!("{}/data/{}.parquet", self.location, seams.uuid())
    }

    /// The Arrow schema to write, each field with its id under `PARQUET:field_id`.
    pub fn arrow_schema(&self) -> Result<SchemaRef> {
        schema::arrow_schema(&self.columns)
    }
}
