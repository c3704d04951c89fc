//! `versions()` and `snapshots('t')`: the past as tables, newest first and read no further than a query asks.

use std::fmt;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, ListArray, RecordBatch, StringArray, StructArray, TimestampMicrosecondArray};
use arrow::buffer::OffsetBuffer;
use arrow::compute::SortOptions;
use arrow::datatypes::{DataType, Field, FieldRef, Fields, Schema, SchemaRef, TimeUnit};
use async_trait::async_trait;
use base::{DatasetName, Timestamp, Version};
use catalog::{Catalog, Change, Pin, Record, SnapshotLine};
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{DataFusionError, Result as EngineResult, TableReference};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::{LexOrdering, PhysicalSortExpr};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};
use futures::stream;

use crate::error::{Error, Result};
use crate::provider::external;
use crate::range::Range;
use crate::scope;

#[cfg(test)]
mod tests;

/// Records, or snapshots, that are read at once.
const AT_ONCE: usize = 256;
/// The column that both tables are ordered by.
const VERSION: &str = "version";

/// A past that a statement asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum History {
    /// What every version changed.
    Versions,
    /// The snapshots of one table.
    Snapshots(TableReference),
}

/// The rows of a past, up to the pinned version.
#[derive(Clone)]
pub(crate) struct Past {
    catalog: Catalog,
    pin: Pin,
    of: Of,
    schema: SchemaRef,
}

#[derive(Debug, Clone)]
enum Of {
    Lake,
    Table(DatasetName),
}

impl Past {
    pub(crate) fn new(catalog: &Catalog, pin: &Pin, history: &History) -> Result<Self> {
        let (of, schema) = match history {
            History::Versions => (Of::Lake, versions_schema()),
            History::Snapshots(reference) => {
                let name = scope::resolve(pin, reference).ok_or_else(|| scope::no_such_table(pin, reference))?;
                (Of::Table(name.clone()), snapshots_schema())
            }
        };
        Ok(Self { catalog: catalog.clone(), pin: pin.clone(), of, schema })
    }

    /// The next rows of the range, and the range after them; none when it is used up.
    async fn step(&self, range: Range) -> Result<Option<(RecordBatch, Range)>> {
        match &self.of {
            Of::Lake => {
                let records = self.catalog.versions(Some(range.end), range.at_most(AT_ONCE)).await?;
                let Some(oldest) = records.last().map(|record| record.version) else { return Ok(None) };
                Ok(Some((versions_batch(&self.schema, &records)?, range.before(oldest))))
            }
            Of::Table(name) => {
                let page = self.catalog.history(&self.pin, name, AT_ONCE, Some(range.end)).await?;
                if page.items.is_empty() {
                    return Ok(None);
                }
                let rest = range.before(page.next.unwrap_or(Version(0)));
                Ok(Some((snapshots_batch(&self.schema, &page.items)?, rest)))
            }
        }
    }
}

/// Reads the rows of a range of versions.
#[derive(Debug, Clone)]
struct Reading {
    past: Past,
    range: Range,
}

impl PartitionStream for Reading {
    fn schema(&self) -> &SchemaRef {
        &self.past.schema
    }

    fn execute(&self, _: Arc<TaskContext>) -> SendableRecordBatchStream {
        let past = self.past.clone();
        let rows = stream::try_unfold(self.range, move |range| {
            let past = past.clone();
            async move {
                let step = if range.is_empty() { Ok(None) } else { past.step(range).await };
                step.map_err(external)
            }
        });
        Box::pin(RecordBatchStreamAdapter::new(Arc::clone(self.schema()), rows))
    }
}

#[async_trait]
impl TableProvider for Past {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::View
    }

    /// What a filter says of the version bounds the reading; every row is still compared.
    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> EngineResult<Vec<TableProviderFilterPushDown>> {
        Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()])
    }

    async fn scan(
        &self,
        _: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> EngineResult<Arc<dyn ExecutionPlan>> {
        // Snapshots of other engines carry no version, so a comparison with it says nothing about where to begin.
        let bounds: &[Expr] = if matches!(self.of, Of::Lake) { filters } else { &[] };
        let range = Range::until(self.pin.version()).within(bounds, VERSION);
        let reading = Reading { past: self.clone(), range };
        let order = matches!(self.of, Of::Lake).then(|| newest_first(&self.schema, projection)).flatten();
        let schema = Arc::clone(&self.schema);
        let plan = StreamingTableExec::try_new(schema, vec![Arc::new(reading)], projection, order, false, limit)?;
        Ok(Arc::new(plan))
    }
}

/// The order of the rows, when the column it is known by is read.
fn newest_first(schema: &SchemaRef, projection: Option<&Vec<usize>>) -> Option<LexOrdering> {
    let at = schema.index_of(VERSION).ok()?;
    let at = projection.map_or(Some(at), |indices| indices.iter().position(|index| *index == at))?;
    let options = SortOptions { descending: true, nulls_first: true };
    LexOrdering::new([PhysicalSortExpr::new(Arc::new(Column::new(VERSION, at)), options)])
}

impl fmt::Debug for Past {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Past").field(&self.of).finish()
    }
}

/// One row for each version. Commits that were published together are told together, in their order.
fn versions_schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new(VERSION, DataType::Int64, false),
        Field::new("at", moment(), false),
        Field::new("author", DataType::Utf8, false),
        Field::new("message", DataType::Utf8, false),
        Field::new("changes", DataType::List(change_field()), false),
        Field::new("commits", DataType::Int64, false),
    ]))
}

/// Each change with the name of what it changed.
fn change_field() -> FieldRef {
    let text = |name| Field::new(name, DataType::Utf8, true);
    let parts = Fields::from(vec![text("change"), text("name")]);
    Arc::new(Field::new("item", DataType::Struct(parts), true))
}

fn moment() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some("+00:00".into()))
}

fn versions_batch(schema: &SchemaRef, records: &[Record]) -> Result<RecordBatch> {
    let changes: Vec<&Change> =
        records.iter().flat_map(|record| &record.commits).flat_map(|commit| &commit.changes).collect();
    let changed = |record: &Record| record.commits.iter().map(|commit| commit.changes.len()).sum();
    let lengths = OffsetBuffer::from_lengths(records.iter().map(changed));
    let numbers =
        |of: fn(&Record) -> u64| Arc::new(records.iter().map(|record| number(of(record))).collect::<Int64Array>());
    batch(
        schema,
        vec![
            numbers(|record| record.version.0),
            moments(records.iter().map(|record| record.at)),
            texts(records.iter().map(|record| Some(authors(record)))),
            texts(records.iter().map(|record| Some(messages(record)))),
            Arc::new(ListArray::try_new(change_field(), lengths, described(&changes), None).map_err(broken)?),
            numbers(|record| record.commits.len() as u64),
        ],
    )
}

/// Whoever committed to a version, each once.
fn authors(record: &Record) -> String {
    let mut authors: Vec<&str> = Vec::new();
    for commit in &record.commits {
        if !authors.contains(&commit.author.as_str()) {
            authors.push(&commit.author);
        }
    }
    authors.join(", ")
}

fn messages(record: &Record) -> String {
    let messages: Vec<&str> = record.commits.iter().map(|commit| commit.message.as_str()).collect();
    messages.join("; ")
}

/// What each change is called in the log, and what it changed.
fn described(changes: &[&Change]) -> ArrayRef {
    let stored: Vec<serde_json::Value> =
        changes.iter().map(|change| serde_json::to_value(change).unwrap_or_default()).collect();
    let part = |names: &'static [&'static str]| {
        texts(stored.iter().map(move |change| {
            let named = names.iter().find_map(|name| change.get(*name)?.as_str());
            named.map(str::to_owned)
        }))
    };
    let DataType::Struct(fields) = change_field().data_type().clone() else { return texts(std::iter::empty()) };
    let arrays = vec![part(&["change"]), part(&["name", "tag", "namespace"])];
    Arc::new(StructArray::new(fields, arrays, None))
}

fn snapshots_schema() -> SchemaRef {
    let field = |name, ty| Field::new(name, ty, true);
    Arc::new(Schema::new(vec![
        field("snapshot_id", DataType::Utf8),
        field(VERSION, DataType::Int64),
        field("at", moment()),
        field("operation", DataType::Utf8),
        field("mode", DataType::Utf8),
        field("row_count", DataType::Int64),
        field("added_rows", DataType::Int64),
        field("removed_rows", DataType::Int64),
        field("sha256", DataType::Utf8),
    ]))
}

fn snapshots_batch(schema: &SchemaRef, lines: &[SnapshotLine]) -> Result<RecordBatch> {
    let count = |of: fn(&SnapshotLine) -> u64| -> ArrayRef {
        Arc::new(lines.iter().map(|line| number(of(line))).collect::<Int64Array>())
    };
    batch(
        schema,
        vec![
            texts(lines.iter().map(|line| Some(line.snapshot_id.clone()))),
            Arc::new(
                lines.iter().map(|line| line.version.and_then(|version| number(version.0))).collect::<Int64Array>(),
            ),
            moments(lines.iter().map(|line| line.at)),
            texts(lines.iter().map(|line| Some(line.operation.clone()))),
            texts(lines.iter().map(|line| line.mode.clone())),
            count(|line| line.row_count),
            count(|line| line.added_rows),
            count(|line| line.removed_rows),
            texts(lines.iter().map(|line| line.sha256.clone())),
        ],
    )
}

fn number(number: u64) -> Option<i64> {
    i64::try_from(number).ok()
}

fn texts(texts: impl Iterator<Item = Option<String>>) -> ArrayRef {
    Arc::new(texts.collect::<StringArray>())
}

fn moments(moments: impl Iterator<Item = Timestamp>) -> ArrayRef {
    let moments: TimestampMicrosecondArray = moments.map(|moment| Some(moment.micros())).collect();
    Arc::new(moments.with_timezone("+00:00"))
}

fn batch(schema: &SchemaRef, columns: Vec<ArrayRef>) -> Result<RecordBatch> {
    RecordBatch::try_new(Arc::clone(schema), columns).map_err(broken)
}

fn broken(error: impl Into<DataFusionError>) -> Error {
    Error::Unreadable(Box::new(error.into()))
}
