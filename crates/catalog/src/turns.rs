//! One at a time for each dataset, so that the same work is not done twice side by side.

use std::collections::HashMap;
use std::sync::{Arc, Mutex as SyncMutex, PoisonError, Weak};

use base::DatasetName;
use tokio::sync::{Mutex, OwnedMutexGuard};

/// The turns that are held or waited for.
#[derive(Debug, Default)]
pub(crate) struct Turns {
    held: SyncMutex<HashMap<DatasetName, Weak<Mutex<()>>>>,
}

impl Turns {
    /// Waits for the turn of a dataset; it ends when the guard is dropped.
    pub async fn take(&self, name: &DatasetName) -> OwnedMutexGuard<()> {
        self.turn(name).lock_owned().await
    }

    fn turn(&self, name: &DatasetName) -> Arc<Mutex<()>> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(turn) = held.get(name).and_then(Weak::upgrade) {
            return turn;
        }
        held.retain(|_, turn| turn.strong_count() > 0);
        let turn = Arc::default();
        held.insert(name.clone(), Arc::downgrade(&turn));
        turn
    }
}
