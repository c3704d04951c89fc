//! A running query: planned and executed on the engine's threads, read by whoever asked, ended by whoever is first
//! of the last row, the deadline, a cancel and a dropped answer.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::datatypes::{Field, Schema, SchemaRef};
use arrow::error::ArrowError;
use base::{QueryId, Seams, Span};
use catalog::{Catalog, Pin};
use datafusion::physical_plan::execute_stream;
use futures::stream::BoxStream;
use futures::{FutureExt, StreamExt};
use limits::Pace;
use tokio::sync::{mpsc, oneshot};
use tokio::task::AbortHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::ask::Ask;
use crate::clean::Cleaner;
use crate::config::Config;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::found::Searcher;
use crate::plan::{Planned, Planner};
use crate::provider::Reader;

/// Batches that wait for a slow reader.
const WAITING: usize = 2;

/// What all queries share.
pub(crate) struct Shared {
    pub(crate) catalog: Catalog,
    pub(crate) config: Config,
    pub(crate) engine: Engine,
    pub(crate) reader: Reader,
    pub(crate) running: Arc<Running>,
    pub(crate) seams: Seams,
}

/// The queries that run, so that they can be cancelled by id.
#[derive(Debug, Default)]
pub(crate) struct Running(Mutex<HashMap<QueryId, CancellationToken>>);

impl Running {
    fn enter(self: &Arc<Self>, id: QueryId) -> (CancellationToken, Entry) {
        let token = CancellationToken::new();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(id, token.clone());
        (token, Entry { id, running: Arc::clone(self), task: None, pace: Pace::default() })
    }

    /// How many queries run.
    pub(crate) fn count(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Cancels a query; false when no such query runs.
    pub(crate) fn cancel(&self, id: QueryId) -> bool {
        let running = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        running.get(&id).is_some_and(|token| {
            token.cancel();
            true
        })
    }
}

/// A query's place among the running ones. Dropping it ends the query.
struct Entry {
    id: QueryId,
    running: Arc<Running>,
    task: Option<AbortHandle>,
    pace: Pace,
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.pace.end();
        if let Some(task) = &self.task {
            task.abort();
        }
        self.running.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.id);
    }
}

/// What is asked, at which version, and who searches vectors and reads streams for it.
pub(crate) struct Question {
    pub(crate) pin: Pin,
    pub(crate) ask: Ask,
    pub(crate) search: Searcher,
    /// Most rows of a batch.
    pub(crate) batch_rows: usize,
}

/// What is known of an answer before its first row.
pub(crate) struct Head {
    pub(crate) schema: SchemaRef,
}

/// Starts a query and waits until it is planned.
pub(crate) async fn start(
    shared: &Arc<Shared>,
    question: Question,
    id: QueryId,
) -> Result<(Head, BoxStream<'static, Result<RecordBatch>>)> {
    let limit = shared.config.timeout;
    let deadline = Instant::now() + limit.0;
    let (cancelled, mut entry) = shared.running.enter(id);
    let (head, planned) = oneshot::channel();
    let (rows, batches) = mpsc::channel(WAITING);
    let Some(handle) = shared.engine.handle() else { return Err(Error::Cancelled) };
    let work = execute(Arc::clone(shared), question, entry.pace.clone(), Reply { head, rows });
    // The task ends with its answer: dropping the entry aborts it, and its panics are caught inside.
    entry.task = Some(handle.spawn(work).abort_handle());
    let head = tokio::select! {
        biased;
        () = cancelled.cancelled() => return Err(Error::Cancelled),
        () = tokio::time::sleep_until(deadline) => return Err(Error::Timeout { limit }),
        head = planned => head.unwrap_or(Err(Error::Panicked))?,
    };
    let reading = Reading { batches, deadline, limit, cancelled, entry };
    Ok((head, futures::stream::unfold(Some(reading), next_batch).boxed()))
}

struct Reading {
    batches: mpsc::Receiver<Result<RecordBatch>>,
    deadline: Instant,
    limit: Span,
    cancelled: CancellationToken,
    entry: Entry,
}

/// The next batch, or the error that ends the stream.
async fn next_batch(reading: Option<Reading>) -> Option<(Result<RecordBatch>, Option<Reading>)> {
    let mut reading = reading?;
    let next = tokio::select! {
        biased;
        () = reading.cancelled.cancelled() => Some(Err(Error::Cancelled)),
        () = tokio::time::sleep_until(reading.deadline) => Some(Err(Error::Timeout { limit: reading.limit })),
        next = reading.batches.recv() => next,
    };
    match next? {
        Ok(batch) => Some((Ok(batch), Some(reading))),
        Err(error) => {
            drop(reading.entry);
            Some((Err(error), None))
        }
    }
}

type Rows = mpsc::Sender<Result<RecordBatch>>;

/// Where a running query puts its answer.
struct Reply {
    head: oneshot::Sender<Result<Head>>,
    rows: Rows,
}

/// Plans and executes on the engine's threads. A panic inside becomes an answer.
async fn execute(shared: Arc<Shared>, question: Question, pace: Pace, reply: Reply) {
    let Reply { head, rows } = reply;
    let cleaner = Cleaner { literals: Vec::new(), memory_limit: shared.config.memory_limit };
    let planning = AssertUnwindSafe(plan(&shared, &question, &pace, cleaner)).catch_unwind().await;
    let (planned, cleaner) = match planning.unwrap_or(Err(Error::Panicked)) {
        Ok(planned) => planned,
        Err(error) => return drop(head.send(Err(error))),
    };
    let schema = named(&planned.plan.schema(), &planned.names);
    if head.send(Ok(Head { schema: Arc::clone(&schema) })).is_err() {
        return;
    }
    let pumped = AssertUnwindSafe(pump(planned, &schema, &cleaner, &rows)).catch_unwind().await;
    if let Err(error) = pumped.unwrap_or(Err(Error::Panicked)) {
        // Nobody reads any more when this fails.
        let _ = rows.send(Err(error)).await;
    }
}

async fn plan(shared: &Shared, question: &Question, pace: &Pace, mut cleaner: Cleaner) -> Result<(Planned, Cleaner)> {
    let Question { pin, search, batch_rows, .. } = question;
    let planner = Planner { shared, pin, search, pace, batch_rows: *batch_rows };
    let planned = planner.plan(&question.ask, &mut cleaner).await?;
    Ok((planned, cleaner))
}

async fn pump(planned: Planned, schema: &SchemaRef, cleaner: &Cleaner, rows: &Rows) -> Result<()> {
    let stream = execute_stream(planned.plan, planned.state.task_ctx()).map_err(|error| cleaner.error(error))?;
    let mut stream = stream;
    while let Some(batch) = stream.next().await {
        let batch = batch.map_err(|error| cleaner.error(error))?;
        let batch = renamed(batch, schema).map_err(|error| cleaner.error(error.into()))?;
        if batch.num_rows() > 0 && rows.send(Ok(batch)).await.is_err() {
            return Ok(());
        }
    }
    Ok(())
}

fn renamed(batch: RecordBatch, schema: &SchemaRef) -> std::result::Result<RecordBatch, ArrowError> {
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(Arc::clone(schema), batch.columns().to_vec(), &options)
}

/// The plan's schema under the names of the answer, without the engine's marks.
fn named(schema: &SchemaRef, names: &[String]) -> SchemaRef {
    let fields = schema.fields().iter().enumerate().map(|(at, field)| {
        let name = names.get(at).unwrap_or(field.name());
        Field::new(name, field.data_type().clone(), true)
    });
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}
