//! Dropping datasets: the newest version forgets one, the versions before still read it.

use async_trait::async_trait;
use base::{DatasetName, Version};

use crate::catalog::Catalog;
use crate::committer::{Description, Proposal, Settled, Subject};
use crate::error::Result;
use crate::record::Change;
use crate::state::State;

impl Catalog {
    /// Drops a dataset: the first version that does not hold it. Its files stay for the versions that do.
    pub async fn drop_dataset(&self, name: &DatasetName, author: &str) -> Result<Version> {
        let dropping = Dropping { name: name.clone(), author: author.to_owned() };
        Ok(self.put_through(dropping).await?.state.version)
    }
}

/// A drop on its way through the committer.
struct Dropping {
    name: DatasetName,
    author: String,
}

#[async_trait]
impl Proposal for Dropping {
    fn subject(&self) -> Subject {
        Subject::Dataset(self.name.clone())
    }

    fn describe(&self) -> Description {
        let message = format!("drop {}", self.name);
        Description { author: self.author.clone(), message, idempotency_key: None, request: None }
    }

    async fn decide(&mut self, state: &State) -> Result<Vec<Change>> {
        if !state.tables.contains_key(&self.name) {
            return Err(state.unknown(&self.name, state.published()));
        }
        Ok(vec![Change::TableDrop { name: self.name.clone() }])
    }

    async fn settle(&mut self, _: &Result<Settled>) {}
}
