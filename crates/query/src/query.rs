//! `Query`: the verbs of this room.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use base::{QueryId, Seams};
use catalog::{Catalog, Pin};

use crate::answer::{Answer, ResultColumn};
use crate::ask::Ask;
use crate::config::Config;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::provider::Reader;
use crate::run::{self, Running, Shared};
use crate::types::sql_name;

/// Answers SQL over a catalog. Cheap to clone.
#[derive(Clone)]
pub struct Query(Arc<Shared>);

impl Query {
    /// Starts the threads that plan and execute queries.
    pub fn new(catalog: Catalog, config: &Config, seams: Seams) -> Result<Self> {
        let store = catalog.store().object_store();
        let engine = Engine::start(config, Arc::clone(&store))?;
        let reader = Reader { store, files_skipped: Arc::new(AtomicU64::new(0)) };
        let running = Arc::new(Running::default());
        Ok(Self(Arc::new(Shared { catalog, config: config.clone(), engine, reader, running, seams })))
    }

    /// The catalog that queries read.
    pub fn catalog(&self) -> &Catalog {
        &self.0.catalog
    }

    /// Pins a version, plans the statement and starts it. Errors that show while rows flow arrive in the batches.
    pub async fn run(&self, ask: Ask) -> Result<Answer> {
        let pin = self.0.catalog.pin(ask.as_of.as_ref()).await?;
        let version = pin.version();
        match self.run_at(pin, ask.clone()).await {
            // A table may be so new that this process has not heard of it: ask the store before saying no.
            Err(Error::UnknownTable(text)) if ask.as_of.is_none() => {
                let fresh = self.0.catalog.pin_fresh().await?;
                if fresh.version() == version { Err(Error::UnknownTable(text)) } else { self.run_at(fresh, ask).await }
            }
            answered => answered,
        }
    }

    async fn run_at(&self, pin: Pin, ask: Ask) -> Result<Answer> {
        let started = self.0.seams.now();
        let id = QueryId::mint(&self.0.seams);
        let version = pin.version();
        let (head, batches) = run::start(&self.0, pin, ask, id).await?;
        let columns = head.schema.fields().iter();
        let columns = columns.map(|field| ResultColumn { name: field.name().clone(), ty: sql_name(field.data_type()) });
        Ok(Answer {
            id,
            version,
            columns: columns.collect(),
            schema: head.schema,
            batches,
            started,
            seams: self.0.seams.clone(),
        })
    }

    /// Ends a running query; false when no such query runs.
    pub fn cancel(&self, id: QueryId) -> bool {
        self.0.running.cancel(id)
    }

    /// How many rows a JSON answer may hold when a request asks for `asked`; an error for 0 and above the limit.
    pub fn max_rows(&self, asked: Option<u64>) -> Result<usize> {
        let limit = self.0.config.max_rows_limit;
        let rows = asked.unwrap_or(self.0.config.max_rows_default.min(limit));
        match usize::try_from(rows) {
            Ok(rows) if rows > 0 && rows as u64 <= limit => Ok(rows),
            _ => Err(Error::MaxRows { limit }),
        }
    }

    /// How many data files queries did not open since the start, because their bounds rule out every row.
    pub fn files_skipped(&self) -> u64 {
        self.0.reader.files_skipped.load(Ordering::Relaxed)
    }
}
