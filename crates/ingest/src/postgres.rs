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
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Statement};

use crate::error::{Error, Result};
use crate::progress::Progress;

mod address;
mod batch;
mod columns;
mod fault;
mod pages;
mod statement;
mod tls;

use batch::Batch;
use columns::Columns;
use fault::fault;
use pages::Pages;
use tls::Encryption;

#[cfg(test)]
mod tests;

/// How long the server may take to let a query in, if the query may take longer.
const CONNECT: Duration = Duration::from_secs(20);
/// How much longer than the server itself we wait for the end of a query, so that the server's own word comes first.
const LATE: Duration = Duration::from_secs(1);

/// A database that requests may query under the name of its section.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Postgres {
    /// Where it is and who asks, as `postgres://user:password@host:5432/database`; best written `${env:NAME}` or
    /// `${file:PATH}`. `?sslmode=` at its end says how connections are secured: `disable`, `prefer` (encrypted if the
    /// server offers it; so it is by default), `require` (encrypted, with whomever) or `verify-full` (encrypted, and the
    /// certificate must be the host's and from an authority that is trusted).
    pub url: Secret,
    /// The certificates of the authorities that `verify-full` trusts, in PEM, best written `${file:PATH}`; those that the
    /// machine trusts when not given. Without `verify-full` in the URL they are refused.
    pub authorities: Option<String>,
    /// How long one query may run, until its last row has been read.
    pub timeout: Span,
}

impl Default for Postgres {
    fn default() -> Self {
        Self { url: Secret::default(), authorities: None, timeout: Span::secs(600) }
    }
}

impl Postgres {
    /// What is wrong with these settings: the key and why.
    pub(crate) fn flaw(&self) -> Option<(&'static str, &'static str)> {
        let (url, authorities) = (self.url.expose(), self.authorities.as_deref());
        let place = address::read(url, None).err().map(|reason| ("url", reason));
        let trust = || address::read(url, authorities).err().or_else(|| tls::trusted(authorities?).err());
        place.or_else(|| trust().map(|reason| ("authorities", reason)))
    }
}

/// A connection, which ends with this.
struct Session<'a> {
    named: Named<'a>,
    client: Client,
    connection: JoinHandle<()>,
}

impl Drop for Session<'_> {
    fn drop(&mut self) {
        self.connection.abort();
    }
}

/// A database under the name that requests have for it.
#[derive(Clone, Copy)]
pub(crate) struct Named<'a> {
    pub name: &'a str,
    pub database: &'a Postgres,
}

impl Named<'_> {
    fn fault(self, error: tokio_postgres::Error) -> Error {
        fault(self.name, error)
    }

    /// What the server answers, unless it is silent for longer than `most`.
    async fn within<T>(self, most: Duration, answer: impl Future<Output = Result<T>>) -> Result<T> {
        let silent = |_| Error::UpstreamTimeout { database: self.name.to_owned(), source: None };
        tokio::time::timeout(most, answer).await.map_err(silent)?
    }
}

/// Asks the query and keeps its rows in a temporary Parquet file. The same rows make the same bytes.
pub(crate) async fn spool(named: Named<'_>, query: &str, dir: &Path, progress: &Progress) -> Result<SpoolFile> {
    let timeout = named.database.timeout.0;
    let session = named.within(timeout.min(CONNECT), Session::open(named)).await?;
    named.within(timeout.saturating_add(LATE), session.spool(query, dir, progress)).await
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

impl<'a> Session<'a> {
    /// Connects and begins a transaction that can change nothing.
    async fn open(named: Named<'a>) -> Result<Self> {
        let refuse = |reason: &str| Error::Query { reason: reason.to_owned(), source: None };
        let read = address::read(named.database.url.expose(), named.database.authorities.as_deref());
        let (mut config, trust) = read.map_err(refuse)?;
        let encryption = Encryption::with(&trust).await.map_err(refuse)?;
        config.connect_timeout(CONNECT).application_name("lakehouse");
        let (client, connection) = config.connect(encryption).await.map_err(|error| named.fault(error))?;
        let connection = task::spawn("postgres connection", async move {
            // Whoever waits for an answer learns that the connection failed.
            let _ = connection.await;
        });
        let session = Self { named, client, connection };
        let begin = format!(
            "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL statement_timeout = {}; SET LOCAL TimeZone = 'UTC'",
            named.database.timeout.0.as_millis().clamp(1, 2_000_000_000)
        );
        session.client.batch_execute(&begin).await.map_err(|error| named.fault(error))?;
        Ok(session)
    }

    async fn spool(&self, query: &str, dir: &Path, progress: &Progress) -> Result<SpoolFile> {
        let (statement, columns) = self.prepare(query).await?;
        let mut spool = Spool::create(dir).await?;
        let mut pages = Pages::begin(columns.schema())?;
        let mut batch = Batch::of(&columns);
        let parameters: [&str; 0] = [];
        let fault = |error| self.named.fault(error);
        let rows = self.client.query_raw(&statement, parameters).await.map_err(fault)?;
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

    /// Prepares the query. Columns of types that have no counterpart here are asked for as text.
    async fn prepare(&self, query: &str) -> Result<(Statement, Columns)> {
        let query = statement::bare(query);
        let asked = self.client.prepare(query).await.map_err(|error| self.named.fault(error))?;
        let columns = Columns::of(&asked)?;
        let Some(as_text) = columns.as_text(query) else { return Ok((asked, columns)) };
        match self.client.prepare(&as_text).await {
            Ok(asked) => Ok((asked, columns)),
            // It could be prepared as it stands, so the flaw is in what we put around it.
            Err(error) if error.code() == Some(&SqlState::SYNTAX_ERROR) => Err(columns.not_as_text(error)),
            Err(error) => Err(self.named.fault(error)),
        }
    }
}
