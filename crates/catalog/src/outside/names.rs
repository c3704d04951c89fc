//! Tables renamed and dropped.

use async_trait::async_trait;
use base::DatasetName;

use super::Keeping;
use super::creation::expect_room;
use crate::committer::{Description, Proposal, Settled, Subject};
use crate::error::Result;
use crate::record::Change;
use crate::state::State;

/// A table on its way to another name, or to none.
pub(super) struct Renaming {
    from: DatasetName,
    to: Option<DatasetName>,
    keeping: Keeping,
}

impl Renaming {
    pub fn new(from: DatasetName, to: Option<DatasetName>, keeping: Keeping) -> Self {
        Self { from, to, keeping }
    }
}

#[async_trait]
impl Proposal for Renaming {
    fn subject(&self) -> Subject {
        if self.to.is_some() { Subject::Whole } else { Subject::Dataset(self.from.clone()) }
    }

    fn describe(&self) -> Description {
        let message = match &self.to {
            Some(to) => format!("rename {} to {to}", self.from),
            None => format!("drop {}", self.from),
        };
        self.keeping.describe(message)
    }

    async fn decide(&mut self, state: &State) -> Result<Vec<Change>> {
        if self.keeping.kept(state)?.is_some() {
            return Ok(Vec::new());
        }
        let entry = state.tables.get(&self.from).ok_or_else(|| state.unknown(&self.from, state.published()))?;
        let gone = Change::TableDrop { name: self.from.clone() };
        let Some(to) = &self.to else { return Ok(vec![gone]) };
        expect_room(state, to)?;
        Ok(vec![gone, Change::TablePut(entry.put(to))])
    }

    async fn settle(&mut self, _: &Result<Settled>) {}
}
