//! Bounds what is between the reader and the lanes.

use std::ops::Deref;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// So many bytes may be in flight at once; one thing always may, however large.
pub struct Budget {
    limit: usize,
    used: Mutex<usize>,
    freed: Condvar,
}

/// Something that gives its share of the budget back when the last lane is done with it.
pub struct Counted<'a, T> {
    inner: T,
    size: usize,
    budget: &'a Budget,
}

impl Budget {
    /// A budget of so many bytes.
    pub fn new(limit: usize) -> Self {
        Self { limit, used: Mutex::new(0), freed: Condvar::new() }
    }

    /// Waits until so many bytes fit.
    pub fn admit<T>(&self, inner: T, size: usize) -> Counted<'_, T> {
        let mut used = self.lock();
        while *used > 0 && *used + size > self.limit {
            used = self.freed.wait(used).unwrap_or_else(PoisonError::into_inner);
        }
        *used += size;
        Counted { inner, size, budget: self }
    }

    /// Waits until nothing is in flight.
    pub fn drain(&self) {
        let mut used = self.lock();
        while *used > 0 {
            used = self.freed.wait(used).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn lock(&self) -> MutexGuard<'_, usize> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Deref for Counted<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.inner
    }
}

impl<T> Drop for Counted<'_, T> {
    fn drop(&mut self) {
        *self.budget.lock() -= self.size;
        self.budget.freed.notify_all();
    }
}
