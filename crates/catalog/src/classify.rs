//! Classifying columns: the proposal that changes what a table's properties say about personal data.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use async_trait::async_trait;
use base::DatasetName;
use iceberg::spec::TableMetadataBuilder;
use tables::lake::Lake;
use tables::pii::{self, Pii};

use crate::catalog::Catalog;
use crate::committer::{Description, Proposal, Settled, Subject};
use crate::error::{Error, Result};
use crate::kept::Tables;
use crate::near::near;
use crate::publish::{self, Published};
use crate::record::{Change, TablePut};
use crate::staging::{Next, Staging};
use crate::state::State;
use crate::table::Table;

/// Columns of one dataset and what they hold; `None` for nothing personal.
#[derive(Debug, Clone)]
pub struct Classify {
    /// The dataset.
    pub name: DatasetName,
    /// The columns by name.
    pub columns: BTreeMap<String, Option<Pii>>,
    /// Who says so.
    pub author: String,
}

impl Catalog {
    /// Says of columns what personal data they hold: the table, and whether that was known already.
    pub async fn classify(&self, classify: Classify) -> Result<Published> {
        let name = classify.name.clone();
        let (lake, tables) = (self.room.lake.clone(), Arc::clone(&self.room.tables));
        let settled = self.put_through(Classifying::new(lake, tables, classify)).await?;
        let entry = publish::outcome(&settled.state, &name)?;
        let table = settled.answer(self.room.tables.load(&name, &entry).await)?;
        Ok(Published { existing: !settled.committed, repeated: false, version: entry.version, table })
    }
}

/// A classification on its way through the committer.
struct Classifying {
    lake: Lake,
    tables: Arc<Tables>,
    classify: Classify,
    staging: Staging,
}

impl Classifying {
    fn new(lake: Lake, tables: Arc<Tables>, classify: Classify) -> Self {
        let staging = Staging::new(&lake, &tables);
        Self { lake, tables, classify, staging }
    }

    /// The properties that the table does not have yet.
    fn changes(&self, table: &Table) -> Result<HashMap<String, String>> {
        let known = pii::noted(&table.read().metadata);
        let mut changes = HashMap::new();
        for (name, kind) in &self.classify.columns {
            let column = table.columns().iter().find(|column| column.name == *name);
            let id = column.ok_or_else(|| unknown(table, name))?.id;
            if known.get(&id) != Some(kind) {
                changes.extend([pii::property(id, *kind)]);
            }
        }
        Ok(changes)
    }

    /// Writes the metadata that says so; the rows stay as they are.
    async fn stage(&mut self, table: &Table, changes: HashMap<String, String>) -> Result<TablePut> {
        let (read, entry) = (table.read(), table.entry());
        let location = self.lake.roots.absolute(&entry.metadata);
        let builder = read.metadata.clone().into_builder(Some(location)).set_properties(changes);
        let built = builder.and_then(TableMetadataBuilder::build).map_err(Error::bug("classifying columns"))?;
        let (row_count, fingerprint) = (entry.row_count, entry.fingerprint.as_str());
        let next = Next { metadata: built.metadata, row_count, fingerprint, files: Vec::new() };
        self.staging.follow(table, next).await
    }
}

fn unknown(table: &Table, column: &str) -> Error {
    let near = near(column, table.columns().iter().map(|column| column.name.clone()));
    Error::UnknownColumn { name: table.name().clone(), column: column.to_owned(), near }
}

#[async_trait]
impl Proposal for Classifying {
    fn subject(&self) -> Subject {
        Subject::Dataset(self.classify.name.clone())
    }

    fn describe(&self) -> Description {
        let columns: Vec<&str> = self.classify.columns.keys().map(String::as_str).collect();
        let message = format!("classify {} ({})", self.classify.name, columns.join(", "));
        Description { author: self.classify.author.clone(), message, idempotency_key: None, request: None }
    }

    async fn decide(&mut self, state: &State) -> Result<Vec<Change>> {
        self.staging.begin();
        let name = &self.classify.name;
        let entry = state.tables.get(name).ok_or_else(|| state.unknown(name, state.published()))?;
        let table = self.tables.load(name, entry).await?;
        let changes = self.changes(&table)?;
        if changes.is_empty() {
            return Ok(Vec::new());
        }
        Ok(vec![Change::TablePut(self.stage(&table, changes).await?)])
    }

    async fn settle(&mut self, outcome: &Result<Settled>) {
        self.staging.end(outcome, []).await;
    }
}
