//! Reading the files of a table from which other engines deleted rows.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Field};
use catalog::{Column, DataFile, DeleteFile, Takes};
use datafusion::catalog::Session;
use datafusion::common::{Result, Statistics};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::execution::memory_pool::MemoryReservation;
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use futures::stream::{self, BoxStream};
use futures::{StreamExt, TryStreamExt};

use crate::ahead::Ahead;
use crate::deletes::{self, PATH_AND_POSITION, Positions, Values, WithoutDeleted};
use crate::kept::{Key, LARGEST};
use crate::provider::{LakeTable, expose, external, listed};
use crate::scan::Scan;

/// How many delete files are read at once.
const READ_AT_ONCE: usize = 8;

/// The delete files by value that some data files have in common.
type Group = (Vec<Arc<DeleteFile>>, Vec<DataFile>);

impl LakeTable {
    /// The plans that read files from which rows were deleted: one for all that share their delete files by value.
    pub(crate) async fn scan_cut(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        files: Vec<DataFile>,
    ) -> Result<Vec<Arc<dyn ExecutionPlan>>> {
        let memory = Arc::new(deletes::reservation(state));
        let mut positions = self.positions(state, &files, &memory).await?;
        let mut plans = Vec::new();
        for (deletes, files) in by_values(files) {
            let files = self.list_left(state, &files, &mut positions).await?;
            let asked = projection.cloned().unwrap_or_else(|| (0..self.schema.fields().len()).collect());
            let reading = Reading { asked, deletes, memory: Arc::clone(&memory) };
            plans.push(self.scan_group(state, reading, files).await?);
        }
        Ok(plans)
    }

    /// The deleted positions of all files.
    async fn positions(
        &self,
        state: &dyn Session,
        files: &[DataFile],
        memory: &MemoryReservation,
    ) -> Result<Positions> {
        let mut applies: BTreeMap<&str, (&DeleteFile, HashSet<&str>)> = BTreeMap::new();
        for file in files {
            for delete in file.deletes.iter().filter(|delete| delete.takes == Takes::Positions) {
                let entry = applies.entry(&delete.path).or_insert_with(|| (delete.as_ref(), HashSet::new()));
                entry.1.insert(&file.path);
            }
        }
        let [path, position] = PATH_AND_POSITION;
        let fields = [
            (path, Field::new("file_path", DataType::Utf8View, true)),
            (position, Field::new("pos", DataType::Int64, true)),
        ];
        let mut positions = Positions::of(files);
        let (deletes, paths): (Vec<&DeleteFile>, Vec<HashSet<&str>>) = applies.into_values().unzip();
        let mut listed = self.listed(state, &fields, deletes);
        while let Some((file, batch)) = listed.try_next().await? {
            positions.take(&batch, &paths[file], memory)?;
        }
        drop(listed);
        Ok(positions)
    }

    /// The files with the rows that are left by position.
    async fn list_left(
        &self,
        state: &dyn Session,
        files: &[DataFile],
        positions: &mut Positions,
    ) -> Result<Vec<PartitionedFile>> {
        let mut left = Vec::with_capacity(files.len());
        for (file, mut listed) in files.iter().zip(self.list(files)) {
            if positions.any(file) {
                let footer = self.source().footer(state, listed.clone()).await?;
                if let Some(access) = positions.left(file, &footer) {
                    listed = listed.with_extension(access);
                }
            }
            left.push(listed);
        }
        Ok(left)
    }

    async fn scan_group(
        &self,
        state: &dyn Session,
        reading: Reading,
        files: Vec<PartitionedFile>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let mut columns: Vec<(i32, Field)> =
            self.ids.iter().copied().zip(self.schema.fields().iter().map(|field| field.as_ref().clone())).collect();
        let mut read = reading.asked.clone();
        let mut values = Vec::new();
        for (compared, deletes) in deletes::by_columns(&reading.deletes) {
            let mut places = Vec::new();
            for column in &compared {
                let at = place(&mut columns, column)?;
                places.push(read.iter().position(|known| *known == at).unwrap_or_else(|| {
                    read.push(at);
                    read.len() - 1
                }));
            }
            let fields: Vec<(i32, Field)> = places.iter().map(|place| columns[read[*place]].clone()).collect();
            let types = fields.iter().map(|(_, field)| field.data_type().clone());
            let mut deleted = Values::new(types, places, deletes::reservation(state));
            let mut listed = self.listed(state, &fields, deletes.iter().map(AsRef::as_ref).collect());
            while let Some((_, batch)) = listed.try_next().await? {
                deleted.take(&batch)?;
            }
            drop(listed);
            values.push(deleted);
        }
        let shown = Arc::new(self.schema.project(&reading.asked)?);
        let scan = Scan::new(self.source(), columns, self.ids_by_name());
        let unknown = Statistics::new_unknown(&scan.schema);
        let input = scan.plan(state, Some(&read), files, |config| config.with_statistics(unknown))?;
        Ok(Arc::new(WithoutDeleted::new(input, values.into(), reading.memory, shown)))
    }

    /// The rows of delete files, in their order, each batch with its file's place; several files are read at once.
    fn listed<'a>(
        &'a self,
        state: &'a dyn Session,
        fields: &'a [(i32, Field)],
        deletes: Vec<&'a DeleteFile>,
    ) -> BoxStream<'a, Result<(usize, RecordBatch)>> {
        let reads = deletes.into_iter().map(move |delete| self.rows_of(state, fields, delete));
        let reads = stream::iter(reads).buffered(READ_AT_ONCE).enumerate();
        let placed =
            |(file, ahead): (usize, Result<Ahead>)| ahead.map(|ahead| ahead.rows().map_ok(move |batch| (file, batch)));
        reads.map(placed).try_flatten().boxed()
    }

    async fn rows_of(&self, state: &dyn Session, fields: &[(i32, Field)], delete: &DeleteFile) -> Result<Ahead> {
        let (key, memory) = (Key::new(&delete.path, fields), deletes::reservation(state));
        if let Some(kept) = self.reader.deleted.get(&key) {
            return Ok(Ahead::whole(kept, memory));
        }
        let names = fields.iter().map(|(id, field)| (field.name().clone(), *id)).collect::<HashMap<_, _>>();
        let files = vec![listed(&delete.path, delete.size)];
        let plan = Scan::new(self.source(), fields.to_vec(), names).plan(state, None, files, |config| config)?;
        let ahead = Ahead::read(execute_stream(plan, state.task_ctx())?, memory, LARGEST).await?;
        if let Some(rows) = ahead.all() {
            self.reader.deleted.keep(key, rows);
        }
        Ok(ahead)
    }
}

/// What is read of a group of files, and which rows are not.
struct Reading {
    /// The columns that are asked for.
    asked: Vec<usize>,
    deletes: Vec<Arc<DeleteFile>>,
    memory: Arc<MemoryReservation>,
}

/// Where a column stands among those that are read. One that the table has no more is read behind its own.
fn place(columns: &mut Vec<(i32, Field)>, column: &Column) -> Result<usize> {
    if let Some(at) = columns.iter().position(|(id, _)| *id == column.id) {
        return Ok(at);
    }
    let stored = column.ty.arrow().map_err(|error| external(catalog::Error::from(error).into()))?;
    columns.push((column.id, expose(column, &stored, format!("dropped:{}", column.id))));
    Ok(columns.len() - 1)
}

fn by_values(files: Vec<DataFile>) -> Vec<Group> {
    let mut groups: BTreeMap<Vec<String>, Group> = BTreeMap::new();
    for file in files {
        let by_value = file.deletes.iter().filter(|delete| matches!(delete.takes, Takes::Equal(_)));
        let deletes: Vec<Arc<DeleteFile>> = by_value.cloned().collect();
        let key = deletes.iter().map(|delete| delete.path.clone()).collect();
        groups.entry(key).or_insert_with(|| (deletes, Vec::new())).1.push(file);
    }
    groups.into_values().collect()
}
