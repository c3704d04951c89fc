//! The rows and columns that a table had, as its next snapshot.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use base::{DatasetName, Timestamp, Version};
use iceberg::spec::{DEFAULT_SCHEMA_NAME_MAPPING, TableMetadata, TableMetadataBuilder};

use crate::data_file::DataFile;
use crate::error::{Error, Result};
use crate::io::Staged;
use crate::lake::Lake;
use crate::snapshot::{Base, Scribe, ending_in, following, list_manifests};
use crate::summary::{self, Sums};

/// The next snapshot of a table, with what it held earlier.
#[derive(Debug)]
pub struct Restoration<'a> {
    /// The lake that the table lies in.
    pub lake: &'a Lake,
    /// What the table is called.
    pub name: &'a DatasetName,
    /// The table that the snapshot follows.
    pub base: Base<'a>,
    /// The table as it shall be again.
    pub target: Base<'a>,
    /// The version that publishes it.
    pub version: Version,
    /// When that is.
    pub at: Timestamp,
}

impl Restoration<'_> {
    /// Whether the table has the very rows and columns of the target already.
    pub fn is_needless(&self) -> bool {
        let (base, target) = (&self.base.table.metadata, &self.target.table.metadata);
        let same_columns = base.current_schema().as_struct() == target.current_schema().as_struct();
        rows_of(base) == rows_of(target) && same_columns
    }

    /// Works the snapshot out: the metadata with it, and the files to write first. It lists the files of the target.
    /// Nothing is written yet.
    pub async fn take(&self) -> Result<(TableMetadata, Vec<Staged>)> {
        let (shelf, base, target) = (self.lake.shelf(), &self.base.table.metadata, self.target.table);
        let builder = self.columns().map_err(Error::bug("restoring columns"))?;
        let scribe = Scribe::new(&shelf, base, self.lake.snapshot_id());
        let rows = (target.metadata.current_snapshot().map(Arc::as_ref), self.target.path);
        let summary = summary::rolled_back(rows, self.version, self.exchanged().await?);
        let snapshot = following(&scribe, base, self.at, current_schema_id(&builder)?, summary);
        list_manifests(&scribe.io, &snapshot, target.manifests(self.name).await?).await?;
        Ok((ending_in(snapshot, builder, base)?, shelf.take()))
    }

    /// The metadata of the base with the target's columns, partitions and order, and the names by which its files are
    /// read.
    fn columns(&self) -> iceberg::Result<TableMetadataBuilder> {
        let target = &self.target.table.metadata;
        let location = self.lake.roots.absolute(self.base.path);
        let names = target.properties().get_key_value(DEFAULT_SCHEMA_NAME_MAPPING);
        let names = names.map(|(key, names)| (key.clone(), names.clone()));
        let builder = self.base.table.metadata.clone().into_builder(Some(location));
        builder
            .add_current_schema(target.current_schema().as_ref().clone())?
            .add_default_partition_spec(target.default_partition_spec().as_ref().clone().into_unbound())?
            .add_sort_order(target.default_sort_order().as_ref().clone())?
            .set_default_sort_order(i64::from(TableMetadataBuilder::LAST_ADDED))?
            .set_properties(HashMap::from_iter(names))
    }

    /// The files that come again, and those that go.
    async fn exchanged(&self) -> Result<(Sums, Sums)> {
        let (ours, theirs) = (self.target.table.files(self.name).await?, self.base.table.files(self.name).await?);
        Ok((missing_in(&theirs, &ours), missing_in(&ours, &theirs)))
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
