//! Rewriting: files of a table are exchanged for others with the very same rows, so that no version answers otherwise.

use std::sync::Arc;

use async_trait::async_trait;
use tables::exchange::Exchange;
use tables::lake::Lake;
use tables::publication::NewFile;

use crate::committer::{Description, Proposal, Settled, Subject};
use crate::error::{Error, Result};
use crate::kept::Tables;
use crate::record::{Change, TablePut};
use crate::staging::{Next, Staging};
use crate::state::State;
use crate::table::Table;
use crate::unswept;

/// Files of a table to be exchanged for others that hold the same rows.
#[derive(Debug, Clone)]
pub struct Rewrite {
    /// The table as it was when the new files were written.
    pub table: Arc<Table>,
    /// The files that go, by their paths relative to the lake's root.
    pub old: Vec<String>,
    /// The files that come, written under the table's draft.
    pub new: Vec<NewFile>,
    /// Who asks for it.
    pub author: String,
}

/// A rewrite on its way through the committer.
pub(crate) struct Rewriting {
    lake: Lake,
    tables: Arc<Tables>,
    rewrite: Rewrite,
    staging: Staging,
}

impl Rewriting {
    pub fn new(lake: Lake, tables: Arc<Tables>, rewrite: Rewrite) -> Self {
        let staging = Staging::new(&lake, &tables);
        Self { lake, tables, rewrite, staging }
    }

    /// The table that `state` holds, as far as the new files still fit it. Appends that came meanwhile do no harm;
    /// other columns, or delete files that may name a replaced file, do.
    async fn current(&self, state: &State) -> Result<Arc<Table>> {
        let planned = &self.rewrite.table;
        let Some(entry) = state.tables.get(planned.name()) else { return Err(self.moved()) };
        let table = self.tables.load(planned.name(), entry).await?;
        let fits = table.table_id() == planned.table_id() && table.columns() == planned.columns();
        if fits { Ok(table) } else { Err(self.moved()) }
    }

    fn moved(&self) -> Error {
        Error::Moved { name: self.rewrite.table.name().clone() }
    }

    async fn stage(&mut self, state: &State, table: &Table) -> Result<TablePut> {
        let exchange = Exchange {
            lake: &self.lake,
            name: table.name(),
            base: table.base(),
            is_as_read: table.entry().metadata == self.rewrite.table.entry().metadata,
            old: &self.rewrite.old,
            new: &self.rewrite.new,
            version: state.version,
            at: state.at,
        };
        let (metadata, files) = exchange.take().await?.ok_or_else(|| self.moved())?;
        let (row_count, fingerprint) = (table.row_count(), table.fingerprint());
        self.staging.follow(table, Next { metadata, row_count, fingerprint, files }).await
    }
}

#[async_trait]
impl Proposal for Rewriting {
    fn subject(&self) -> Subject {
        Subject::Dataset(self.rewrite.table.name().clone())
    }

    fn describe(&self) -> Description {
        let Rewrite { table, old, new, author } = &self.rewrite;
        let message = format!("rewrite {}: {} files become {}", table.name(), old.len(), new.len());
        Description { author: author.clone(), message, idempotency_key: None, request: None }
    }

    async fn decide(&mut self, state: &State) -> Result<Vec<Change>> {
        self.staging.begin();
        let table = self.current(state).await?;
        let paths = self.rewrite.new.iter().map(|file| file.path.as_str());
        if !unswept::all(&self.lake.store, state, paths).await? {
            return Err(self.moved());
        }
        Ok(vec![Change::TablePut(self.stage(state, &table).await?)])
    }

    async fn settle(&mut self, outcome: &Result<Settled>) {
        let brought = self.rewrite.new.iter().map(|file| file.path.clone()).collect::<Vec<_>>();
        self.staging.end(outcome, brought).await;
    }
}
