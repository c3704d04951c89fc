//! The whole way of a file into a table.

#![expect(clippy::todo, reason = "being built")]

use base::Seams;
use bytes::Bytes;
use catalog::Catalog;
use futures::Stream;
use storage::BodyError;

use crate::config::Config;
use crate::error::Result;
use crate::outcome::Outcome;
use crate::progress::Progress;
use crate::request::Request;

/// Loads files. Clones share the turn-taking.
#[derive(Clone)]
pub struct Ingest {
    catalog: Catalog,
    config: Config,
    seams: Seams,
}

impl Ingest {
    /// An ingest that commits to this catalog.
    pub fn new(catalog: Catalog, config: &Config, seams: Seams) -> Self {
        Self { catalog, config: config.clone(), seams }
    }

    /// Loads one CSV file: the rows become visible as a whole in one commit, or nothing does.
    pub async fn load(
        &self,
        _request: Request,
        _body: impl Stream<Item = std::result::Result<Bytes, BodyError>> + Send,
        _progress: &Progress,
    ) -> Result<Outcome> {
        let _ = (&self.catalog, &self.config, &self.seams);
        todo!()
    }
}
