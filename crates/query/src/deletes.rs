//! Data files without the rows that delete files of other engines take away.
//!
//! Positions become a selection of rows, which the scan then skips. Rows that are deleted by their values are compared
//! with every row that was read, so the columns compared are read with it. Nothing that the engine learns later, such
//! as a limit, may pass into such a scan: it counts on rows that are not there.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::sync::Arc;

use arrow::array::{AsArray, BooleanArray, RecordBatch};
use arrow::compute::{cast, filter_record_batch};
use arrow::datatypes::{DataType, Int64Type, SchemaRef};
use arrow::row::{RowConverter, SortField};
use catalog::{Column, DataFile, DeleteFile, Takes};
use datafusion::catalog::Session;
use datafusion::common::{DataFusionError, Result};
use datafusion::datasource::physical_plan::parquet::{ParquetAccessPlan, RowGroupAccess};
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::EquivalenceProperties;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, Partitioning, PlanProperties,
};
use futures::StreamExt;
use parquet::arrow::arrow_reader::RowSelection;
use parquet::file::metadata::ParquetMetaData;

#[cfg(test)]
mod tests;

/// Field ids of a position delete file: the location of a data file, and a position in it.
pub(crate) const PATH_AND_POSITION: [i32; 2] = [i32::MAX - 101, i32::MAX - 102];

/// What a selection costs for each position that it leaves out, in bytes.
const SELECTED: usize = 48;
/// What a deleted row costs beside its values, in bytes.
const KEPT: usize = 48;

/// The memory of deleted rows, counted among that of all queries.
pub(crate) fn reservation(state: &dyn Session) -> MemoryReservation {
    MemoryConsumer::new("deleted rows").register(&state.runtime_env().memory_pool)
}

/// Positions of deleted rows in each of some data files, by path.
#[derive(Default)]
pub(crate) struct Positions(BTreeMap<String, Vec<u64>>);

impl Positions {
    /// The positions that delete files list for these data files.
    pub(crate) fn of(files: &[DataFile]) -> Self {
        Self(files.iter().map(|file| (file.path.clone(), Vec::new())).collect())
    }

    /// Whether rows of this file are deleted.
    pub(crate) fn any(&self, file: &DataFile) -> bool {
        self.0.get(&file.path).is_some_and(|deleted| !deleted.is_empty())
    }

    /// Takes in rows that a delete file lists, as far as they apply to a file.
    pub(crate) fn take(
        &mut self,
        batch: &RecordBatch,
        applies: &HashSet<&str>,
        memory: &MemoryReservation,
    ) -> Result<()> {
        memory.try_grow(batch.num_rows() * SELECTED)?;
        let locations = cast(batch.column(0), &DataType::Utf8)?;
        let locations = locations.as_string::<i32>();
        let positions = batch.column(1).as_primitive::<Int64Type>();
        let mut known: Option<(&str, Option<&str>)> = None;
        for row in 0..batch.num_rows() {
            let location = locations.value(row);
            let path = match known {
                Some((same, path)) if same == location => path,
                _ => path_of(location, applies),
            };
            known = Some((location, path));
            if let Some(deleted) = path.and_then(|path| self.0.get_mut(path)) {
                deleted.push(u64::try_from(positions.value(row)).unwrap_or(u64::MAX));
            }
        }
        Ok(())
    }

    /// The rows of a file that are left, row group by row group; none when all are.
    pub(crate) fn left(&mut self, file: &DataFile, footer: &ParquetMetaData) -> Option<ParquetAccessPlan> {
        let mut deleted = self.0.remove(&file.path).filter(|deleted| !deleted.is_empty())?;
        deleted.sort_unstable();
        deleted.dedup();
        let (mut begin, mut groups) = (0_u64, Vec::new());
        for group in footer.row_groups() {
            let rows = group.num_rows().max(0).unsigned_abs();
            let inside = &deleted[deleted.partition_point(|at| *at < begin)..];
            let inside = &inside[..inside.partition_point(|at| *at < begin + rows)];
            groups.push(access(inside, begin, rows));
            begin += rows;
        }
        Some(ParquetAccessPlan::new(groups))
    }
}

/// The one of the paths that a location ends with. The lake may have been moved since it was written.
fn path_of<'a>(location: &str, paths: &HashSet<&'a str>) -> Option<&'a str> {
    let tails = location.match_indices('/').map(|(at, _)| &location[at + 1..]);
    std::iter::once(location).chain(tails).find_map(|tail| paths.get(tail).copied())
}

fn access(deleted: &[u64], begin: u64, rows: u64) -> RowGroupAccess {
    let index = |at: u64| usize::try_from(at).unwrap_or(usize::MAX);
    if deleted.is_empty() {
        return RowGroupAccess::Scan;
    }
    if deleted.len() as u64 == rows {
        return RowGroupAccess::Skip;
    }
    let ends = deleted.iter().map(|at| index(at - begin)).chain([index(rows)]);
    let begins = std::iter::once(0).chain(deleted.iter().map(|at| index(at - begin) + 1));
    let left = begins.zip(ends).filter(|(begin, end)| begin < end).map(|(begin, end)| begin..end);
    RowGroupAccess::Selection(RowSelection::from_consecutive_ranges(left, index(rows)))
}

/// Rows that are deleted wherever these columns have their values.
#[derive(Debug)]
pub(crate) struct Values {
    /// Where the columns stand in what is read.
    columns: Vec<usize>,
    fields: Vec<SortField>,
    rows: HashSet<Box<[u8]>>,
    /// Given back when the plan is gone.
    memory: MemoryReservation,
}

impl Values {
    /// No rows yet of columns of these types, which stand at `columns` in what they are compared with.
    pub(crate) fn new(types: impl Iterator<Item = DataType>, columns: Vec<usize>, memory: MemoryReservation) -> Self {
        Self { columns, fields: types.map(SortField::new).collect(), rows: HashSet::new(), memory }
    }

    /// Takes in rows of a delete file.
    pub(crate) fn take(&mut self, batch: &RecordBatch) -> Result<()> {
        let encoded = RowConverter::new(self.fields.clone())?.convert_columns(batch.columns())?;
        self.memory.try_grow(encoded.size() + encoded.num_rows() * KEPT)?;
        self.rows.extend(encoded.iter().map(|row| Box::from(row.data())));
        Ok(())
    }

    /// Which rows of a batch are left.
    fn left(&self, batch: &RecordBatch) -> Result<BooleanArray> {
        let columns: Vec<_> = self.columns.iter().map(|at| Arc::clone(batch.column(*at))).collect();
        let encoded = RowConverter::new(self.fields.clone())?.convert_columns(&columns)?;
        Ok(encoded.iter().map(|row| Some(!self.rows.contains(row.data()))).collect())
    }
}

/// Columns that are compared, and the delete files that hold their values.
type Compared = (Vec<Column>, Vec<Arc<DeleteFile>>);

/// Delete files by value, put together by the columns they compare.
pub(crate) fn by_columns(deletes: &[Arc<DeleteFile>]) -> Vec<Compared> {
    let mut groups: BTreeMap<Vec<i32>, Compared> = BTreeMap::new();
    for file in deletes {
        if let Takes::Equal(columns) = &file.takes {
            let ids = columns.iter().map(|column| column.id).collect();
            groups.entry(ids).or_insert_with(|| (columns.clone(), Vec::new())).1.push(Arc::clone(file));
        }
    }
    groups.into_values().collect()
}

/// A scan without the rows that are deleted by their values, and without the columns that were read to know them.
#[derive(Debug)]
pub(crate) struct WithoutDeleted {
    input: Arc<dyn ExecutionPlan>,
    values: Arc<[Values]>,
    /// What the selections of rows take.
    memory: Arc<MemoryReservation>,
    properties: Arc<PlanProperties>,
}

impl WithoutDeleted {
    /// The first columns of `input`, as many as `schema` has.
    pub(crate) fn new(
        input: Arc<dyn ExecutionPlan>,
        values: Arc<[Values]>,
        memory: Arc<MemoryReservation>,
        schema: SchemaRef,
    ) -> Self {
        let (emission, boundedness) = (input.pipeline_behavior(), input.boundedness());
        let partitions = Partitioning::UnknownPartitioning(input.output_partitioning().partition_count());
        let properties = PlanProperties::new(EquivalenceProperties::new(schema), partitions, emission, boundedness);
        Self { input, values, memory, properties: Arc::new(properties) }
    }
}

impl DisplayAs for WithoutDeleted {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WithoutDeleted: values={}", self.values.iter().map(|values| values.rows.len()).sum::<usize>())
    }
}

impl ExecutionPlan for WithoutDeleted {
    fn name(&self) -> &'static str {
        "WithoutDeleted"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        let input = children.into_iter().next();
        let input = input.ok_or_else(|| DataFusionError::Internal("deletes apply to one input".to_owned()))?;
        Ok(Arc::new(Self::new(input, Arc::clone(&self.values), Arc::clone(&self.memory), self.schema())))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let (schema, values) = (self.schema(), Arc::clone(&self.values));
        let shown: Vec<usize> = (0..schema.fields().len()).collect();
        let left = move |batch: Result<RecordBatch>| {
            let mut batch = batch?;
            for values in values.iter() {
                batch = filter_record_batch(&batch, &values.left(&batch)?)?;
            }
            Ok(batch.project(&shown)?)
        };
        let rows = self.input.execute(partition, context)?.map(left);
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, rows)))
    }
}
