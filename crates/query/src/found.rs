//! What a search found, as a table.

use std::fmt;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, StringViewArray};
use arrow::datatypes::{Field, Schema, SchemaRef};
use async_trait::async_trait;
use base::{ByteSize, Version};
use datafusion::catalog::{MemTable, Session, TableProvider};
use datafusion::common::Result as EngineResult;
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_plan::ExecutionPlan;
use serde_json::{Map, Value};
use tokio::runtime::Handle;
use tokio_util::task::AbortOnDropHandle;

use crate::calls::Call;
use crate::columns::position;
use crate::error::{Error, Result};
use crate::provider::exposed_names;
use crate::search::{FieldType, IndexSearches, Neighbour, SearchField, Sought};
use crate::streams::{StreamTable, Streams};

const ID: &str = "id";
const DISTANCE: &str = "distance";
const SCORE: &str = "score";
const METADATA: &str = "metadata";
/// Most fields that become columns, so that no index makes a statement too wide to plan. The rest is in the metadata.
const MAX_FIELDS: usize = 1_000;

/// Asks a search where its query was asked: the engine's threads may be busy with rows, and what the search starts
/// may outlive them.
pub(crate) struct Searcher {
    indexes: Option<Arc<dyn IndexSearches>>,
    streams: Option<Arc<dyn Streams>>,
    runtime: Handle,
}

impl Searcher {
    /// For a query that is asked on this thread.
    pub(crate) fn here(indexes: Option<Arc<dyn IndexSearches>>, streams: Option<Arc<dyn Streams>>) -> Self {
        Self { indexes, streams, runtime: Handle::current() }
    }

    /// The stream of a name, as a table; none where there is no such stream.
    pub(crate) async fn stream(&self, name: &str, limit: ByteSize) -> Result<Option<Found>> {
        let Some(streams) = self.streams.clone() else { return Ok(None) };
        let name = name.to_owned();
        let asked = self.runtime.spawn(async move { streams.stream(&name, ByteSize(limit.0 / 8)).await });
        // The reading ends with the query that waits for it.
        let answer = AbortOnDropHandle::new(asked).await.map_err(Error::SearchBroke)?;
        let Some(table) = answer.map_err(Error::Search)? else { return Ok(None) };
        let found = Found::of_stream(&table)?;
        let fits = found.bytes as u64 <= limit.0 / 4;
        if fits {
            Ok(Some(found))
        } else {
            Err(Error::MemoryLimit { limit, advice: "the stream is too long to be read at once" })
        }
    }

    /// The searches of one statement, one after the other: now, or as of the version that the statement reads. What
    /// they find may take a quarter of the memory of all queries, as the values that a function builds.
    pub(crate) async fn find(&self, calls: &[Call], as_of: Option<Version>, limit: ByteSize) -> Result<Vec<Found>> {
        let mut all = Vec::with_capacity(calls.len());
        let mut bytes = 0;
        for call in calls {
            let (neighbours, fields) = self.ask(call.clone(), as_of).await?;
            let found = Found::new(&call.search.sought, &neighbours, &fields)?;
            bytes += found.bytes;
            if bytes as u64 > limit.0 / 4 {
                return Err(Error::MemoryLimit { limit, advice: "search for fewer items" });
            }
            all.push(found);
        }
        Ok(all)
    }

    async fn ask(
        &self,
        Call { index, search }: Call,
        as_of: Option<Version>,
    ) -> Result<(Vec<Neighbour>, Vec<SearchField>)> {
        let indexes = self.indexes.clone().ok_or_else(|| {
            Error::Unsupported("indexes are not searched here: this queryd has no vector indexes".to_owned())
        })?;
        let asked = self.runtime.spawn(async move {
            let neighbours = indexes.search(&index, search, as_of).await?;
            // Asked last, so that no item was found whose fields were unknown when they were asked for.
            Ok((neighbours, indexes.fields(&index, as_of).await?))
        });
        // The search ends with the query that waits for it.
        let answer = AbortOnDropHandle::new(asked).await.map_err(Error::SearchBroke)?;
        answer.map_err(Error::Search)
    }
}

/// The neighbours of one search in the order in which they were found: id, distance or score or both, a column for each field of the
/// metadata, and the metadata itself.
pub(crate) struct Found {
    schema: SchemaRef,
    rows: MemTable,
    stored: Vec<String>,
    bytes: usize,
}

impl Found {
    /// A table of neighbours. A field that is called like one of the other columns is found in the metadata only.
    pub(crate) fn new(sought: &Sought, neighbours: &[Neighbour], fields: &[SearchField]) -> Result<Self> {
        let ids = neighbours.iter().map(|neighbour| Some(neighbour.id.as_str()));
        let measures = measures(sought);
        let mut columns: Vec<(String, ArrayRef)> =
            vec![(ID.to_owned(), Arc::new(ids.collect::<StringViewArray>()) as ArrayRef)];
        columns.extend(measures.iter().map(|(name, measure)| {
            let values = neighbours.iter().map(measure).collect::<Float64Array>();
            ((*name).to_owned(), Arc::new(values) as ArrayRef)
        }));
        let own: Vec<&str> = [ID, METADATA].into_iter().chain(measures.iter().map(|(name, _)| *name)).collect();
        let reserved = |name: &str| own.iter().any(|own| own.eq_ignore_ascii_case(name));
        let own = fields.iter().filter(|field| !reserved(&field.name)).take(MAX_FIELDS);
        let maps = neighbours.iter().map(|neighbour| &neighbour.metadata);
        columns.extend(own.map(|field| (field.name.clone(), column(maps.clone(), field))));
        let metadata = neighbours.iter().map(|neighbour| Some(text_of(&neighbour.metadata)));
        columns.push((METADATA.to_owned(), Arc::new(metadata.collect::<StringViewArray>())));
        Self::of(columns)
    }

    /// A table of the lines of a stream.
    fn of_stream(table: &StreamTable) -> Result<Self> {
        let fields = table.fields.iter().take(MAX_FIELDS);
        Self::of(fields.map(|field| (field.name.clone(), column(table.lines.iter(), field))).collect())
    }

    fn of(columns: Vec<(String, ArrayRef)>) -> Result<Self> {
        let (stored, arrays): (Vec<String>, Vec<ArrayRef>) = columns.into_iter().unzip();
        let exposed = exposed_names(stored.iter().map(String::as_str));
        let fields =
            exposed.into_iter().zip(&arrays).map(|(name, array)| Field::new(name, array.data_type().clone(), true));
        let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        let broken = |error: Box<dyn std::error::Error + Send + Sync>| Error::Unreadable(error);
        let rows = RecordBatch::try_new(Arc::clone(&schema), arrays).map_err(|error| broken(error.into()))?;
        let bytes = rows.get_array_memory_size();
        let rows = MemTable::try_new(Arc::clone(&schema), vec![vec![rows]]).map_err(|error| broken(error.into()))?;
        Ok(Self { schema, rows, stored, bytes })
    }

    /// The stored name of an exposed column, which likely stands at `likely`.
    pub(crate) fn stored(&self, exposed: &str, likely: usize) -> Option<&str> {
        let at = position(&self.schema, exposed, likely).ok()?;
        self.stored.get(at).map(String::as_str)
    }

    /// The columns as the engine sees them and as they are stored.
    pub(crate) fn spellings(&self) -> impl Iterator<Item = (&str, &str)> {
        let exposed = self.schema.fields().iter().map(|field| field.name().as_str());
        exposed.zip(self.stored.iter().map(String::as_str))
    }
}

/// A column that says how well items answer.
type Measure = (&'static str, fn(&Neighbour) -> Option<f64>);

fn measures(sought: &Sought) -> &'static [Measure] {
    const BY_DISTANCE: Measure = (DISTANCE, |neighbour| neighbour.distance);
    const BY_SCORE: Measure = (SCORE, |neighbour| neighbour.score);
    match sought {
        Sought::Meaning(_) | Sought::Vector(_) => &[BY_DISTANCE],
        Sought::Words(_) => &[BY_SCORE],
        Sought::Both(_) => &[BY_SCORE, BY_DISTANCE],
    }
}

/// The values of one field. Where one does not fit the type, as when the index changed meanwhile, all are texts: texts as
/// they are, so that one odd item changes no comparison with them, and everything else as JSON.
fn column<'a>(rows: impl Iterator<Item = &'a Map<String, Value>> + Clone, field: &SearchField) -> ArrayRef {
    let values = || rows.clone().map(|row| row.get(&field.name).filter(|value| !value.is_null()));
    let fits = |value: &Value| match field.ty {
        FieldType::Text => value.is_string(),
        FieldType::Integer => value.is_i64(),
        FieldType::Number => value.is_number(),
        FieldType::Boolean => value.is_boolean(),
        FieldType::Json => false,
    };
    if !values().flatten().all(fits) {
        return Arc::new(values().map(|value| value.map(shown)).collect::<StringViewArray>());
    }
    match field.ty {
        FieldType::Integer => Arc::new(values().map(|value| value.and_then(Value::as_i64)).collect::<Int64Array>()),
        FieldType::Number => Arc::new(values().map(|value| value.and_then(Value::as_f64)).collect::<Float64Array>()),
        FieldType::Boolean => Arc::new(values().map(|value| value.and_then(Value::as_bool)).collect::<BooleanArray>()),
        FieldType::Text | FieldType::Json => {
            Arc::new(values().map(|value| value.and_then(Value::as_str)).collect::<StringViewArray>())
        }
    }
}

fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn text_of(metadata: &Map<String, Value>) -> String {
    // Keys are texts and values are JSON already, so that this cannot fail.
    serde_json::to_string(metadata).unwrap_or_default()
}

impl fmt::Debug for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Found").field(&self.stored).finish()
    }
}

#[async_trait]
impl TableProvider for Found {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Temporary
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> EngineResult<Arc<dyn ExecutionPlan>> {
        self.rows.scan(state, projection, filters, limit).await
    }
}
