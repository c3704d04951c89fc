//! The delete files of a snapshot, and which of its data files they apply to.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::sync::Arc;

use base::DatasetName;
use iceberg::spec::{
    DataContentType, DataFile as Stored, DataFileFormat, Datum, ManifestEntryRef, PrimitiveLiteral, SchemaRef, Struct,
};

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
            let (from, to) = named(file);
            self.all.push(Listed {
                everywhere: unpartitioned && matches!(takes, Takes::Equal(_)),
                file: Arc::new(DeleteFile {
                    path: read.relative(name, file.file_path())?,
                    size: file.file_size_in_bytes(),
                    rows: file.record_count(),
                    takes,
                    of: from.clone().filter(|from| Some(from) == to.as_ref()),
                }),
                sequence: entry.sequence_number().unwrap_or(0),
                spec,
                partition: file.partition().clone(),
                from,
                to,
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

/// How many rows the position deletes among the living files of a snapshot take from its data files. A delete file of
/// which the manifest tells that it names one data file takes nothing when that is gone, and no more rows than it has;
/// one that names several counts with all that it lists while one of them may be there.
pub fn taken<'a>(files: impl Iterator<Item = &'a Stored>) -> u64 {
    let (mut data, mut deletes) = (BTreeMap::new(), Vec::new());
    for file in files {
        match file.content_type() {
            DataContentType::Data => drop(data.insert(file.file_path().to_owned(), file.record_count())),
            DataContentType::PositionDeletes => deletes.push((named(file), file.record_count())),
            DataContentType::EqualityDeletes => {}
        }
    }
    let (mut of_one, mut of_several) = (BTreeMap::<&str, u64>::new(), 0);
    for ((from, to), rows) in &deletes {
        match (from.as_deref(), to.as_deref()) {
            (Some(one), Some(same)) if one == same => *of_one.entry(one).or_default() += rows,
            (from, to) if may_name_any(&data, from, to) => of_several += rows,
            _ => {}
        }
    }
    of_several + of_one.iter().map(|(file, rows)| data.get(*file).map_or(0, |all| *rows.min(all))).sum::<u64>()
}

fn may_name_any(files: &BTreeMap<String, u64>, from: Option<&str>, to: Option<&str>) -> bool {
    let from = from.map_or(Bound::Unbounded, Bound::Included);
    files
        .range::<str, _>((from, Bound::Unbounded))
        .next()
        .is_some_and(|(first, _)| to.is_none_or(|to| first.as_str() <= to))
}

/// The least and the greatest location that a position delete file may name.
fn named(file: &Stored) -> (Option<String>, Option<String>) {
    let one = file.referenced_data_file();
    let bound = |bounds: &HashMap<i32, Datum>| one.clone().or_else(|| text(bounds.get(&PATH)?.literal()));
    (bound(file.lower_bounds()), bound(file.upper_bounds()))
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

/// A column of the table, or one that it once had: rows stay deleted by a column that was dropped since. Its type is the
/// last that it had, as types only ever widen.
fn column(read: &ReadTable, id: i32) -> Option<Column> {
    let of = |schema: &SchemaRef| {
        let field = schema.as_struct().fields().iter().find(|field| field.id == id)?;
        Some((schema.schema_id(), schema::column_of(field)))
    };
    let current = of(read.metadata.current_schema());
    let latest = || read.metadata.schemas_iter().filter_map(of).max_by_key(|(schema, _)| *schema);
    current.or_else(latest).map(|(_, column)| column)
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
