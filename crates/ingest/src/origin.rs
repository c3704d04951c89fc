//! What a request names instead of sending a file: a path of the server's machine, an object of the lake, a query to
//! Postgres.

use std::collections::BTreeMap;
use std::path::PathBuf;

use catalog::Meaning;
use futures::TryStreamExt;
use sha2::{Digest, Sha256};
use storage::{Key, SpoolFile, rooted};

use crate::config::Config;
use crate::error::{Error, Result};
use crate::format::Format;
use crate::load::{Ingest, reading};
use crate::outcome::Outcome;
use crate::postgres::{self, Named, Postgres};
use crate::progress::Progress;
use crate::request::Request;

/// Where rows come from when the request does not bring them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A file of the server's machine, below one of the allowed directories.
    Path(String),
    /// An object of the lake.
    Object(String),
    /// The rows of a query.
    Postgres {
        /// The configured database.
        database: String,
        /// One statement that returns rows.
        query: String,
    },
}

/// What the operator lets requests name.
#[derive(Debug, Default)]
pub(crate) struct Allowed {
    roots: Vec<PathBuf>,
    databases: BTreeMap<String, Postgres>,
}

impl Allowed {
    pub fn by(config: &Config) -> Self {
        Self { roots: config.allowed_roots.clone(), databases: config.postgres.clone() }
    }

    fn database<'a>(&'a self, name: &'a str) -> Result<Named<'a>> {
        let unknown = || Error::UnknownDatabase {
            given: name.chars().take(100).collect(),
            known: self.databases.keys().cloned().collect(),
        };
        Ok(Named { name, database: self.databases.get(name).ok_or_else(unknown)? })
    }
}

impl Origin {
    /// What an idempotency key stands for: the request, since another reading may find other rows. So nothing counts that
    /// is known only once it has been carried out.
    fn digest(&self, request: &Request) -> String {
        let [kind, place, query] = match self {
            Self::Path(path) => ["path", path, ""],
            Self::Object(key) => ["object", key, ""],
            Self::Postgres { database, query } => ["postgres", database, query],
        };
        let reading = reading(request, request.stated.format.map_or("detect", Format::as_str));
        let mut hash = Sha256::new();
        for part in [kind, place, query, &reading] {
            hash.update(part.len().to_le_bytes());
            hash.update(part);
        }
        hex::encode(hash.finalize())
    }
}

impl Ingest {
    /// Loads what `origin` holds as if it had been sent, at any size. A retry with the same idempotency key answers the
    /// first outcome, whatever stands there by then.
    ///
    /// Dropping the future ends the load and leaves nothing, unless the commit is under way already.
    pub async fn load_from(&self, mut request: Request, origin: Origin, progress: &Progress) -> Result<Outcome> {
        let arrival = self.arrive(&request).await?;
        let means = origin.digest(&request);
        if let Some(first) = self.first_outcome(&request, Meaning::Request(&means)).await? {
            return Ok(self.ended(first, arrival.at, progress));
        }
        request.key_means = Some(means);
        let spool = self.fetch(&origin, progress).await?;
        if let Origin::Postgres { .. } = origin {
            request.stated.format = Some(Format::Parquet);
        }
        self.load_spooled(request, spool, arrival, progress).await
    }

    async fn fetch(&self, origin: &Origin, progress: &Progress) -> Result<SpoolFile> {
        match origin {
            Origin::Path(path) => {
                let found = rooted::open(&self.allowed().roots, path).await?;
                progress.expect(found.size);
                self.receive(found.stream.map_err(Error::from), progress).await
            }
            Origin::Object(key) => {
                let path = key.parse::<Key>()?.path();
                let found = self.catalog().store().read(&path, None).await.map_err(|error| match error {
                    storage::Error::NotFound { .. } => storage::Error::NotFound { path: key.clone() },
                    error => error,
                })?;
                progress.expect(found.entry.size);
                self.receive(found.stream.map_err(Error::from), progress).await
            }
            Origin::Postgres { database, query } => {
                postgres::spool(self.allowed().database(database)?, query, self.spool_dir(), progress).await
            }
        }
    }
}
