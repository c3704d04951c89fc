//! Rows of a Postgres query, as a Parquet file that is loaded like any other.
//!
//! The query runs in a read-only transaction under a time limit, as one prepared statement: several in one text are
//! refused by the server. Rows are read as they come, so memory stays bounded whatever the query returns.

use std::path::Path;
use std::pin::pin;
use std::time::Duration;

use base::Span;
use bytes::Bytes;
use futures::TryStreamExt;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use storage::{Secret, Spool, SpoolFile, task};
use tokio::task::JoinHandle;
use tokio_postgres::config::SslMode;
use tokio_postgres::{Client, NoTls, Statement};

use crate::error::{Error, Result};
use crate::progress::Progress;

mod batch;
mod columns;
mod fault;
mod pages;

use batch::Batch;
use columns::Columns;
use fault::fault;
use pages::Pages;

#[cfg(test)]
mod tests;

/// How long the server may take to answer the first word.
const CONNECT: Duration = Duration::from_secs(20);

/// A database that requests may query under the name of its section.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Postgres {
    /// Where it is and who asks, as `postgres://user:password@host:5432/database`; best written `${env:NAME}` or
    /// `${file:PATH}`. The connection is not encrypted: a URL that demands `sslmode=require` is refused.
    pub url: Secret,
    /// How long one query may run.
    #[serde(default = "timeout")]
    pub timeout: Span,
}

fn timeout() -> Span {
    Span::secs(600)
}

/// A connection, which ends with this.
struct Session {
    client: Client,
    connection: JoinHandle<()>,
}

impl Drop for Session {
    fn drop(&mut self) {
        self.connection.abort();
    }
}

/// Asks the query and keeps its rows in a temporary Parquet file. The same rows make the same bytes.
pub(crate) async fn spool(database: &Postgres, query: &str, dir: &Path, progress: &Progress) -> Result<SpoolFile> {
    let session = Session::open(database).await?;
    let (statement, columns) = session.prepare(query).await?;
    let mut spool = Spool::create(dir).await?;
    let mut pages = Pages::begin(columns.schema())?;
    let mut batch = Batch::of(&columns);
    let parameters: [&str; 0] = [];
    let rows = session.client.query_raw(&statement, parameters).await.map_err(fault)?;
    let mut rows = pin!(rows);
    while let Some(row) = rows.try_next().await.map_err(fault)? {
        batch.add(&row)?;
        if batch.is_full() {
            pages = keep(pages, &mut batch, &mut spool, progress).await?;
        }
    }
    pages = keep(pages, &mut batch, &mut spool, progress).await?;
    let last = work(move || pages.finish()).await?;
    spool.append(&last).await?;
    Ok(spool.finish().await?)
}

/// Encodes what has gathered and hands it to the temporary file.
async fn keep(mut pages: Pages, batch: &mut Batch, spool: &mut Spool, progress: &Progress) -> Result<Pages> {
    progress.received(batch.bytes() as u64);
    let rows = batch.take()?;
    let (pages, bytes): (Pages, Bytes) = work(move || {
        let bytes = pages.add(&rows)?;
        Ok((pages, bytes))
    })
    .await?;
    spool.append(&bytes).await?;
    Ok(pages)
}

async fn work<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    task::blocking("keep the rows of a query", work).await.map_err(|_| Error::Lost)?
}

impl Session {
    /// Connects and begins a transaction that can change nothing.
    async fn open(database: &Postgres) -> Result<Self> {
        let refuse = |reason: &str| Error::Query { reason: reason.to_owned(), source: None };
        let parsed = database.url.expose().parse::<tokio_postgres::Config>();
        let mut config = parsed.map_err(|_| refuse("the configured URL of the database cannot be read"))?;
        if config.get_ssl_mode() == SslMode::Require {
            return Err(refuse("the configured URL demands an encrypted connection, which is not supported"));
        }
        config.connect_timeout(CONNECT).application_name("lakehouse");
        let (client, connection) = config.connect(NoTls).await.map_err(fault)?;
        let connection = task::spawn("postgres connection", async move {
            // Whoever waits for an answer learns that the connection failed.
            let _ = connection.await;
        });
        let session = Self { client, connection };
        let begin = format!(
            "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL statement_timeout = {}; SET LOCAL TimeZone = 'UTC'",
            database.timeout.0.as_millis().clamp(1, 2_000_000_000)
        );
        session.client.batch_execute(&begin).await.map_err(fault)?;
        Ok(session)
    }

    /// Prepares the query. Columns of types that have no counterpart here are asked for as text.
    async fn prepare(&self, query: &str) -> Result<(Statement, Columns)> {
        let query = query.trim_end_matches(|char: char| char == ';' || char.is_whitespace());
        let asked = self.client.prepare(query).await.map_err(fault)?;
        let columns = Columns::of(&asked)?;
        let Some(as_text) = columns.as_text(query) else { return Ok((asked, columns)) };
        Ok((self.client.prepare(&as_text).await.map_err(fault)?, columns))
    }
}
