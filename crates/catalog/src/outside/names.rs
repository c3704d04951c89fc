//! Tables renamed and dropped, and the names that are free.

use async_trait::async_trait;
use base::DatasetName;
use tables::draft;

use super::Keeping;
use crate::committer::{Description, Proposal, Settled, Subject};
use crate::error::{Error, Result};
use crate::record::Change;
use crate::state::State;

/// Refuses a name that a new table cannot have in `state`.
pub(super) fn expect_room(state: &State, name: &DatasetName) -> Result<()> {
    draft::expect_open(name)?;
    if !state.namespaces.contains_key(name.namespace()) {
        return Err(Error::UnknownNamespace { namespace: name.namespace().to_owned() });
    }
    if state.tables.contains_key(name) {
        return Err(Error::DatasetExists { name: name.clone() });
    }
    Ok(())
}

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
