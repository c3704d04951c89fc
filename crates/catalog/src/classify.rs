//! Classifying columns: the proposal that changes what a table's properties say about personal data.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use async_trait::async_trait;
use base::DatasetName;
use iceberg::spec::TableMetadataBuilder;
use tables::io;
use tables::lake::Lake;
use tables::metadata_file;
use tables::pii::{self, Pii};
use tables::read_table::ReadTable;

use crate::catalog::Catalog;
use crate::committer::{Description, Proposal, Settled, Subject};
use crate::error::{Error, Result};
use crate::kept::Tables;
use crate::near::near;
use crate::publish::{self, Published};
use crate::record::{Change, TablePut};
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
    /// Says of columns what personal data they hold: the table, and whether that was known already. Goes on to its end
    /// when the caller goes away.
    pub async fn classify(&self, classify: Classify) -> Result<Published> {
        let name = classify.name.clone();
        let (lake, tables) = (self.room.lake.clone(), Arc::clone(&self.room.tables));
        let settled = self.put_through("classify", Classifying::new(lake, tables, classify)).await?;
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
    /// Metadata files of decisions so far, the one that may be committed last.
    staged: Vec<String>,
}

impl Classifying {
    fn new(lake: Lake, tables: Arc<Tables>, classify: Classify) -> Self {
        Self { lake, tables, classify, staged: Vec::new() }
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
        let file = metadata_file::name(Some(&entry.metadata), self.lake.seams.uuid());
        let path = format!("{}/metadata/{file}", table.location());
        self.staged.push(path.clone());
        let bytes = metadata_file::encode(&built.metadata)?;
        io::write_all(&self.lake.store, vec![(path.clone(), bytes)]).await?;
        let read = ReadTable::new(&self.lake, &self.classify.name, built.metadata)?;
        self.tables.keep(&path, Arc::new(read));
        Ok(TablePut {
            name: self.classify.name.clone(),
            table_id: entry.table_id,
            metadata: path,
            snapshot_id: entry.snapshot_id,
            row_count: entry.row_count,
            fingerprint: entry.fingerprint.clone(),
        })
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
        let committed = match outcome {
            Ok(settled) => settled.committed,
            Err(error) => !error.proves_nothing_committed(),
        };
        let mut needless = std::mem::take(&mut self.staged);
        if committed {
            needless.pop();
        }
        io::discard(&self.lake.store, needless).await;
    }
}
