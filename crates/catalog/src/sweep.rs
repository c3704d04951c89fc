//! A sweep's announcement: a commit that says which files may vanish, before the first one does.

use async_trait::async_trait;
use base::Timestamp;

use crate::catalog::Catalog;
use crate::committer::{Description, Proposal, Settled, Subject};
use crate::error::Result;
use crate::pin::Pin;
use crate::record::Change;
use crate::state::State;

impl Catalog {
    /// Announces that files written before a moment, by the clock of the store, are deleted if the answered version does
    /// not reach them. Whoever commits later finds out whether files that it staged are among them.
    pub async fn announce_sweep(&self, before: Timestamp, author: &str) -> Result<Pin> {
        let sweeping = Sweeping { before, author: author.to_owned() };
        let settled = self.put_through(sweeping).await?;
        Ok(Pin { state: settled.state })
    }
}

/// An announcement on its way through the committer.
struct Sweeping {
    before: Timestamp,
    author: String,
}

#[async_trait]
impl Proposal for Sweeping {
    fn subject(&self) -> Subject {
        Subject::Whole
    }

    fn describe(&self) -> Description {
        let message = format!("sweep strays from before {}", self.before);
        Description { author: self.author.clone(), message, idempotency_key: None, request: None }
    }

    async fn decide(&mut self, _: &State) -> Result<Vec<Change>> {
        Ok(vec![Change::Sweep { before: self.before }])
    }

    async fn settle(&mut self, _: &Result<Settled>) {}
}
