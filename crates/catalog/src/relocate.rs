//! Relocation: a lake that was copied or moved gets metadata whose locations lie under its new address, so that other
//! engines find its files too. We ourselves find them without it.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use base::{DatasetName, Seams, Version};
use storage::Store;
use tables::io;
use tables::lake::Lake;
use tables::metadata_file;
use tables::relocation::{self, Moved};

use crate::catalog::Catalog;
use crate::committer::{Description, Proposal, Settled, Subject};
use crate::config::Config;
use crate::error::{Error, Result};
use crate::format;
use crate::kept::Tables;
use crate::record::{Change, TablePut};
use crate::state::{State, TableEntry};
use crate::unswept;

/// What a relocation did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relocated {
    /// The address that locations now lie under.
    pub root: String,
    /// The version that relocated tables; none when all of them were in place.
    pub version: Option<Version>,
    /// How many tables it relocated.
    pub tables: u64,
    /// The tables that were left as they are, and why.
    pub left_alone: BTreeMap<DatasetName, String>,
}

impl Catalog {
    /// Makes the place where a lake lies its own address, and rewrites the newest metadata of its tables in one commit.
    /// Earlier versions stay readable for us. Processes that have the lake open go on under its old address until they
    /// are started again.
    pub async fn relocate(store: Store, config: &Config, seams: Seams, author: &str) -> Result<Relocated> {
        let root = store.uri().to_owned();
        format::change(&store, |plate| plate.move_to(&root)).await?;
        let catalog = Self::open(store, config, seams).await?;
        let left_alone = Arc::default();
        let relocating = Relocating {
            lake: catalog.room.lake.clone(),
            tables: Arc::clone(&catalog.room.tables),
            author: author.to_owned(),
            known: HashMap::new(),
            left_alone: Arc::clone(&left_alone),
        };
        let settled = catalog.put_through(relocating).await?;
        catalog.close().await;
        let tables =
            settled.state.tables.values().filter(|entry| entry.version == settled.state.version).count() as u64;
        let (version, tables) = if settled.committed { (Some(settled.state.version), tables) } else { (None, 0) };
        let left_alone = std::mem::take(&mut *left_alone.lock().unwrap_or_else(PoisonError::into_inner));
        Ok(Relocated { root, version, tables, left_alone })
    }
}

/// A relocation on its way through the committer.
struct Relocating {
    lake: Lake,
    tables: Arc<Tables>,
    author: String,
    /// What earlier decisions made of metadata files, whatever their tables are called by now.
    known: HashMap<String, Rewritten>,
    left_alone: Arc<Mutex<BTreeMap<DatasetName, String>>>,
}

#[async_trait]
impl Proposal for Relocating {
    fn subject(&self) -> Subject {
        Subject::Whole
    }

    fn describe(&self) -> Description {
        let message = "relocate the lake".to_owned();
        Description { author: self.author.clone(), message, idempotency_key: None, request: None }
    }

    async fn decide(&mut self, state: &State) -> Result<Vec<Change>> {
        self.left_alone.lock().unwrap_or_else(PoisonError::into_inner).clear();
        let mut changes = Vec::new();
        for (name, entry) in &state.tables {
            let rewritten = match self.known.get(&entry.metadata) {
                Some(known) if self.outlives(state, known).await? => known.clone(),
                _ => match self.relocate(name, entry).await? {
                    Some(rewritten) => rewritten,
                    None => continue,
                },
            };
            let metadata = rewritten.metadata.clone();
            self.known.insert(entry.metadata.clone(), rewritten);
            changes.push(Change::TablePut(TablePut { metadata, ..entry.put(name) }));
        }
        Ok(changes)
    }

    /// What was written for nothing is left to the sweep: it may be a great deal, and none of it is in the way.
    async fn settle(&mut self, _: &Result<Settled>) {}
}

impl Relocating {
    /// Whether all that was written for a table is there, whatever was swept meanwhile.
    async fn outlives(&self, state: &State, rewritten: &Rewritten) -> Result<bool> {
        unswept::all(&self.lake.store, state, rewritten.files.iter().map(String::as_str)).await
    }

    /// Writes a table's metadata anew; none when all of it is in place, or cannot be moved.
    async fn relocate(&self, name: &DatasetName, entry: &TableEntry) -> Result<Option<Rewritten>> {
        let why = match self.try_relocate(name, entry).await {
            Ok(Ok(rewritten)) => return Ok(rewritten),
            Ok(Err(why)) => why.to_owned(),
            Err(error @ Error::Damaged { .. }) => error.to_string(),
            Err(error) => return Err(error),
        };
        self.left_alone.lock().unwrap_or_else(PoisonError::into_inner).insert(name.clone(), why);
        Ok(None)
    }

    /// The inner error is why the table cannot be moved.
    async fn try_relocate(
        &self,
        name: &DatasetName,
        entry: &TableEntry,
    ) -> Result<Result<Option<Rewritten>, &'static str>> {
        let table = self.tables.load(name, entry).await?;
        let (metadata, mut files) = match relocation::relocate(&self.lake, name, table.read()).await? {
            Moved::To(metadata, files) => (metadata, files),
            Moved::InPlace => return Ok(Ok(None)),
            Moved::Not(why) => return Ok(Err(why)),
        };
        let file = metadata_file::name(Some(&entry.metadata), self.lake.seams.uuid());
        let path = format!("{}/metadata/{file}", table.location());
        files.push((path.clone(), metadata_file::encode(&metadata)?));
        let written = files.iter().map(|(path, _)| path.clone()).collect();
        io::write_all(&self.lake.store, files).await?;
        Ok(Ok(Some(Rewritten { metadata: path, files: written })))
    }
}

/// A table whose metadata was written anew.
#[derive(Clone)]
struct Rewritten {
    /// The new metadata file.
    metadata: String,
    /// What was written, relative to the lake's root.
    files: Vec<String>,
}
