//! `Query`: the verbs of this room.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use base::{DatasetName, QueryId, Seams};
use catalog::{Catalog, Pin};
use datafusion::catalog::TableProvider;
use limits::BATCH_ROWS;

use crate::answer::{Answer, ResultColumn};
use crate::ask::Ask;
use crate::config::Config;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::found::Searcher;
use crate::provider::{LakeTable, Reader};
use crate::run::{self, Question, Running, Shared};
use crate::search::IndexSearches;
use crate::streams::Streams;
use crate::types::sql_name;

/// Answers SQL over a catalog. Cheap to clone.
#[derive(Clone)]
pub struct Query {
    shared: Arc<Shared>,
    search: Option<Arc<dyn IndexSearches>>,
    streams: Option<Arc<dyn Streams>>,
}

impl Query {
    /// Starts the threads that plan and execute queries.
    pub fn new(catalog: Catalog, config: &Config, seams: Seams) -> Result<Self> {
        let store = catalog.store().object_store();
        let engine = Engine::start(config, Arc::clone(&store))?;
        let reader = Reader { store, files_skipped: Arc::default(), deleted: Arc::default() };
        let running = Arc::new(Running::default());
        let shared = Shared { catalog, config: config.clone(), engine, reader, running, seams };
        Ok(Self { shared: Arc::new(shared), search: None, streams: None })
    }

    /// The same, with `vector_search` answered by `search`.
    pub fn with_search(self, search: Arc<dyn IndexSearches>) -> Self {
        Self { search: Some(search), ..self }
    }

    /// The same, with the streams that `streams` keeps as tables, where no table of the lake has their name.
    pub fn with_streams(self, streams: Arc<dyn Streams>) -> Self {
        Self { streams: Some(streams), ..self }
    }

    /// The catalog that queries read.
    pub fn catalog(&self) -> &Catalog {
        &self.shared.catalog
    }

    /// Pins a version, plans the statement and starts it. Errors that show while rows flow arrive in the batches.
    pub async fn run(&self, ask: Ask) -> Result<Answer> {
        self.run_in_batches(ask, BATCH_ROWS).await
    }

    /// The same, in batches of so many rows at most.
    pub(crate) async fn run_in_batches(&self, ask: Ask, rows: usize) -> Result<Answer> {
        let pin = self.shared.catalog.pin(ask.as_of.as_ref()).await?;
        let version = pin.version();
        match self.run_at(pin, ask.clone(), rows).await {
            // A table may be so new that this process has not heard of it: ask the store before saying no.
            Err(Error::UnknownTable(text)) if ask.as_of.is_none() => {
                let fresh = self.shared.catalog.pin_fresh().await?;
                if fresh.version() == version {
                    Err(Error::UnknownTable(text))
                } else {
                    self.run_at(fresh, ask, rows).await
                }
            }
            answered => answered,
        }
    }

    async fn run_at(&self, pin: Pin, ask: Ask, batch_rows: usize) -> Result<Answer> {
        let started = self.shared.seams.now();
        let id = QueryId::mint(&self.shared.seams);
        let version = pin.version();
        let search = Searcher::here(self.search.clone(), self.streams.clone());
        let question = Question { pin, ask, search, batch_rows };
        let (head, batches) = run::start(&self.shared, question, id).await?;
        let columns = head.schema.fields().iter();
        let columns = columns.map(|field| ResultColumn { name: field.name().clone(), ty: sql_name(field.data_type()) });
        Ok(Answer {
            id,
            version,
            columns: columns.collect(),
            schema: head.schema,
            batches,
            started,
            seams: self.shared.seams.clone(),
        })
    }

    /// A table of the newest version as the engine sees it, to be measured beside the engine's own.
    #[doc(hidden)]
    pub async fn provider(&self, name: &DatasetName) -> Result<Arc<dyn TableProvider>> {
        let table = self.shared.catalog.table(&self.shared.catalog.pin(None).await?, name).await?;
        Ok(Arc::new(LakeTable::new(table, self.shared.reader.clone())?))
    }

    /// Ends a running query; false when no such query runs.
    pub fn cancel(&self, id: QueryId) -> bool {
        self.shared.running.cancel(id)
    }

    /// How many queries are being planned, executed or read.
    pub fn running(&self) -> usize {
        self.shared.running.count()
    }

    /// How many rows a JSON answer may hold when a request asks for `asked`; an error for 0 and above the limit.
    pub fn max_rows(&self, asked: Option<u64>) -> Result<usize> {
        let limit = self.shared.config.max_rows_limit;
        let rows = asked.unwrap_or(self.shared.config.max_rows_default.min(limit));
        match usize::try_from(rows) {
            Ok(rows) if rows > 0 && rows as u64 <= limit => Ok(rows),
            _ => Err(Error::MaxRows { limit }),
        }
    }

    /// How many data files queries did not open since the start, because their bounds rule out every row.
    pub fn files_skipped(&self) -> u64 {
        self.shared.reader.files_skipped.load(Ordering::Relaxed)
    }
}
