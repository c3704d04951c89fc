//! What delete files list, kept from one query to the next: they never change.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Field};

/// What all of them may take together, in bytes: beside the memory of queries, as the ends of files that are kept.
const LIMIT: usize = 64 << 20;
/// What the rows of one file may take, in bytes, so that one does not drive out many.
pub(crate) const LARGEST: usize = LIMIT / 8;

/// The rows of delete files. When they would take too much, all are let go.
#[derive(Debug, Default)]
pub(crate) struct KeptRows {
    files: Mutex<Files>,
}

#[derive(Debug, Default)]
struct Files {
    rows: HashMap<Key, Arc<[RecordBatch]>>,
    bytes: usize,
}

/// A file and the columns that were read of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    path: String,
    columns: Vec<(i32, DataType)>,
}

impl Key {
    pub(crate) fn new(path: &str, columns: &[(i32, Field)]) -> Self {
        let columns = columns.iter().map(|(id, field)| (*id, field.data_type().clone()));
        Self { path: path.to_owned(), columns: columns.collect() }
    }
}

impl KeptRows {
    pub(crate) fn get(&self, key: &Key) -> Option<Arc<[RecordBatch]>> {
        self.lock().rows.get(key).cloned()
    }

    pub(crate) fn keep(&self, key: Key, rows: &Arc<[RecordBatch]>) {
        let bytes: usize = rows.iter().map(RecordBatch::get_array_memory_size).sum();
        if bytes > LARGEST {
            return;
        }
        let mut files = self.lock();
        if files.bytes + bytes > LIMIT {
            *files = Files::default();
        }
        if files.rows.insert(key, Arc::clone(rows)).is_none() {
            files.bytes += bytes;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Files> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
