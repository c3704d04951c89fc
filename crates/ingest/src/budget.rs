//! Bounds the text that is between the reader and the lanes.

use std::ops::Deref;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::csv::block::Block;

/// So many bytes of text may be in flight at once; one block always may, however large.
pub struct Budget {
    limit: usize,
    used: Mutex<usize>,
    freed: Condvar,
}

/// A block that gives its share of the budget back when the last lane is done with it.
pub struct Counted<'a> {
    block: Block,
    budget: &'a Budget,
}

impl Budget {
    /// A budget of so many bytes.
    pub fn new(limit: usize) -> Self {
        Self { limit, used: Mutex::new(0), freed: Condvar::new() }
    }

    /// Waits until the block fits.
    pub fn admit(&self, block: Block) -> Counted<'_> {
        let mut used = self.lock();
        while *used > 0 && *used + block.size() > self.limit {
            used = self.freed.wait(used).unwrap_or_else(PoisonError::into_inner);
        }
        *used += block.size();
        Counted { block, budget: self }
    }

    fn lock(&self) -> MutexGuard<'_, usize> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Deref for Counted<'_> {
    type Target = Block;

    fn deref(&self) -> &Block {
        &self.block
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        *self.budget.lock() -= self.block.size();
        self.budget.freed.notify_all();
    }
}
