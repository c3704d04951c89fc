//! The tables that were read lately, by the location of their metadata.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use base::DatasetName;
use tables::lake::Lake;
use tables::read_table::ReadTable;

use crate::error::Result;
use crate::state::TableEntry;
use crate::table::Table;

/// How many are kept.
const KEPT: usize = 256;

/// Loads tables and keeps those that were used last.
#[derive(Debug)]
pub(crate) struct Tables {
    lake: Lake,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    tables: HashMap<String, (u64, Arc<ReadTable>)>,
    /// Counts uses; the table with the smallest count goes first.
    uses: u64,
}

impl Tables {
    pub fn new(lake: Lake) -> Self {
        Self { lake, kept: Mutex::default() }
    }

    /// The table that a version pins.
    pub async fn load(&self, name: &DatasetName, entry: &TableEntry) -> Result<Arc<Table>> {
        let known = self.kept.lock().unwrap_or_else(PoisonError::into_inner).get(&entry.metadata);
        let read = match known {
            Some(read) => read,
            None => {
                let read = Arc::new(ReadTable::load(&self.lake, name, &entry.metadata).await?);
                self.keep(&entry.metadata, Arc::clone(&read));
                read
            }
        };
        Table::new(name, entry, read).map(Arc::new)
    }

    /// Keeps a table, so that whoever asks next need not read it.
    pub fn keep(&self, metadata: &str, read: Arc<ReadTable>) {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).put(metadata, read);
    }
}

impl Kept {
    fn get(&mut self, metadata: &str) -> Option<Arc<ReadTable>> {
        self.uses += 1;
        let (used, read) = self.tables.get_mut(metadata)?;
        *used = self.uses;
        Some(Arc::clone(read))
    }

    fn put(&mut self, metadata: &str, read: Arc<ReadTable>) {
        self.uses += 1;
        self.tables.insert(metadata.to_owned(), (self.uses, read));
        if self.tables.len() > KEPT {
            let oldest = self.tables.iter().min_by_key(|(_, (used, _))| *used).map(|(metadata, _)| metadata.clone());
            oldest.and_then(|metadata| self.tables.remove(&metadata));
        }
    }
}
