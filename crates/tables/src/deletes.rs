//! The delete files of a snapshot, and which of its data files they apply to.

use std::sync::Arc;

use base::DatasetName;
use iceberg::spec::{DataContentType, DataFile as Stored, DataFileFormat, ManifestEntryRef, PrimitiveLiteral, Struct};

use crate::column::Column;
use crate::data_file::{DeleteFile, Takes};
use crate::error::{Error, Result};
use crate::read_table::ReadTable;
use crate::schema;

/// The column of a position delete file that names data files, which its bounds are kept of.
const PATH: i32 = i32::MAX - 101;

/// Every delete file of a snapshot.
#[derive(Debug, Default)]
pub struct Deletes {
    all: Vec<Listed>,
}

#[derive(Debug)]
struct Listed {
    file: Arc<DeleteFile>,
    sequence: i64,
    spec: i32,
    partition: Struct,
    /// Whether it applies in every partition.
    everywhere: bool,
    /// The least and the greatest location that it may name.
    from: Option<String>,
    to: Option<String>,
}

impl Deletes {
    /// Takes the entries of a delete manifest in, whose files are partitioned by `spec`.
    pub fn add(
        &mut self,
        read: &ReadTable,
        name: &DatasetName,
        (spec, entries): (i32, &[ManifestEntryRef]),
    ) -> Result<()> {
        let unpartitioned = read.metadata.partition_spec_by_id(spec).is_none_or(|spec| spec.is_unpartitioned());
        for entry in entries {
            let file = entry.data_file();
            expect_parquet(name, file)?;
            let takes = takes(read, name, file)?;
            let named = file.referenced_data_file();
            self.all.push(Listed {
                everywhere: unpartitioned && matches!(takes, Takes::Equal(_)),
                file: Arc::new(DeleteFile {
                    path: read.relative(name, file.file_path())?,
                    size: file.file_size_in_bytes(),
                    rows: file.record_count(),
                    takes,
                }),
                sequence: entry.sequence_number().unwrap_or(0),
                spec,
                partition: file.partition().clone(),
                from: named.clone().or_else(|| text(file.lower_bounds().get(&PATH)?.literal())),
                to: named.or_else(|| text(file.upper_bounds().get(&PATH)?.literal())),
            });
        }
        Ok(())
    }

    /// Those that apply to a data file which is partitioned by `spec`.
    pub fn of(&self, entry: &ManifestEntryRef, spec: i32) -> Vec<Arc<DeleteFile>> {
        let applying = self.all.iter().filter(|listed| listed.applies(entry, spec));
        applying.map(|listed| Arc::clone(&listed.file)).collect()
    }
}

impl Listed {
    fn applies(&self, entry: &ManifestEntryRef, spec: i32) -> bool {
        let (file, sequence) = (entry.data_file(), entry.sequence_number().unwrap_or(0));
        if !self.everywhere && (self.spec != spec || self.partition != *file.partition()) {
            return false;
        }
        match self.file.takes {
            // Equal rows of the same commit stay: they replace those that it takes away.
            Takes::Equal(_) => sequence < self.sequence,
            Takes::Positions => sequence <= self.sequence && self.may_name(file.file_path()),
        }
    }

    fn may_name(&self, location: &str) -> bool {
        // An upper bound may be cut short and raised, a lower one only cut, so both still bound.
        self.from.as_deref().is_none_or(|from| from <= location) && self.to.as_deref().is_none_or(|to| location <= to)
    }
}

fn takes(read: &ReadTable, name: &DatasetName, file: &Stored) -> Result<Takes> {
    match file.content_type() {
        DataContentType::EqualityDeletes => {
            let ids = file.equality_ids().unwrap_or_default();
            let columns = ids.iter().map(|id| column(read, *id).ok_or_else(|| unreadable(name, NESTED)));
            Ok(Takes::Equal(columns.collect::<Result<_>>()?))
        }
        DataContentType::PositionDeletes => Ok(Takes::Positions),
        DataContentType::Data => Err(Error::damaged(format!("a manifest of {name}"), "it lists data among deletes")),
    }
}

const NESTED: &str = "equality deletes by fields of nested columns";

/// A column of the table, or one that it once had: rows stay deleted by a column that was dropped since.
fn column(read: &ReadTable, id: i32) -> Option<Column> {
    let current = std::iter::once(read.metadata.current_schema());
    let mut fields = current.chain(read.metadata.schemas_iter()).flat_map(|schema| schema.as_struct().fields());
    fields.find(|field| field.id == id).map(|field| schema::column_of(field))
}

/// Refuses files that are not Parquet.
pub fn expect_parquet(name: &DatasetName, file: &Stored) -> Result<()> {
    match file.file_format() {
        DataFileFormat::Parquet => Ok(()),
        DataFileFormat::Avro => Err(unreadable(name, "Avro files")),
        DataFileFormat::Orc => Err(unreadable(name, "ORC files")),
        DataFileFormat::Puffin => Err(unreadable(name, "deletion vectors")),
    }
}

fn unreadable(name: &DatasetName, what: &'static str) -> Error {
    Error::UnreadableFiles { name: name.clone(), what }
}

fn text(literal: &PrimitiveLiteral) -> Option<String> {
    match literal {
        PrimitiveLiteral::String(text) => Some(text.clone()),
        _ => None,
    }
}
