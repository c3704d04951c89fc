//! Memory of aggregates, given only where their next step fits too.
//!
//! The engine reserves what an aggregate holds after the aggregate has grown, and a text or table that grows is copied
//! into one of twice its size. Sorts and joins ask before they take, and may have all there is.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use datafusion::common::Result;
use datafusion::execution::memory_pool::{FairSpillPool, MemoryConsumer, MemoryLimit, MemoryPool, MemoryReservation};

#[cfg(test)]
mod tests;

/// The memory of all queries, shared fairly.
#[derive(Debug)]
pub struct Foresight(Mutex<FairSpillPool>);

impl Foresight {
    /// Memory of so many bytes.
    pub fn new(bytes: usize) -> Self {
        Self(Mutex::new(FairSpillPool::new(bytes)))
    }

    fn pool(&self) -> MutexGuard<'_, FairSpillPool> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the next step of a consumer takes beside the bytes that it holds. One without groups cannot spill, and copies
/// what it holds into the answer: its state, the column of that, and what is built of it.
fn next_step(consumer: &MemoryConsumer, bytes: usize) -> usize {
    match consumer.name() {
        name if name.starts_with("AggregateStream") => 3 * bytes,
        name if name.starts_with("GroupedHashAggregateStream") => bytes,
        _ => 0,
    }
}

impl MemoryPool for Foresight {
    fn name(&self) -> &str {
        "foresight"
    }

    fn register(&self, consumer: &MemoryConsumer) {
        self.pool().register(consumer);
    }

    fn unregister(&self, consumer: &MemoryConsumer) {
        self.pool().unregister(consumer);
    }

    fn grow(&self, reservation: &MemoryReservation, additional: usize) {
        self.pool().grow(reservation, additional);
    }

    fn shrink(&self, reservation: &MemoryReservation, shrink: usize) {
        self.pool().shrink(reservation, shrink);
    }

    fn try_grow(&self, reservation: &MemoryReservation, additional: usize) -> Result<()> {
        let step = next_step(reservation.consumer(), reservation.size() + additional);
        // Under one lock, so that nobody else is refused for what is only tried.
        let pool = self.pool();
        pool.try_grow(reservation, additional + step)?;
        pool.shrink(reservation, step);
        Ok(())
    }

    fn reserved(&self) -> usize {
        self.pool().reserved()
    }

    fn memory_limit(&self) -> MemoryLimit {
        self.pool().memory_limit()
    }
}

impl fmt::Display for Foresight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.pool().fmt(f)
    }
}
