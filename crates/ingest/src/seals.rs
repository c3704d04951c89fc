//! Vector indexes that a load seals in its commit, so that a table and its index are of one version.

use std::sync::Arc;

use catalog::Seals;

use crate::error::{Error, Result};
use crate::load::Ingest;
use crate::outcome::Outcome;
use crate::request::Request;

impl Ingest {
    /// Refuses indexes that nobody knows before anything is read.
    pub(crate) async fn expect_indexes(&self, request: &Request) -> Result<()> {
        if !request.seal.is_empty() && self.sealer.is_none() {
            let given = request.seal.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
            let rule = "nothing: no vector indexes are worked on here";
            return Err(Error::Option { name: "seal", given, rule });
        }
        for index in &request.seal {
            self.catalog().index(index, None).await?;
        }
        Ok(())
    }

    /// What a load seals.
    pub(crate) fn seals(&self, request: &Request) -> Option<Seals> {
        let sealer = self.sealer.as_ref().filter(|_| !request.seal.is_empty())?;
        Some(Seals { sealer: Arc::clone(sealer), indexes: request.seal.clone() })
    }

    /// Seals the indexes where the table was what it should become already, so that there was no commit to do it in.
    pub(crate) async fn seal_alone(&self, request: &Request, outcome: Outcome) -> Result<Outcome> {
        let Some(Seals { sealer, indexes }) = self.seals(request) else { return Ok(outcome) };
        let mut version = outcome.version;
        for index in &indexes {
            let (_, sealed) = self.catalog().seal(index, Arc::clone(&sealer), &request.author).await?;
            version = version.max(sealed);
        }
        Ok(Outcome { version, ..outcome })
    }
}
