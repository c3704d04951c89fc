//! How far a load is: counters that it raises and anyone may read.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

/// What a load is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// The body is arriving.
    Receiving,
    /// Rows are read, typed and written.
    Reading,
    /// The commit is under way.
    Publishing,
    /// Over, well or not.
    Done,
}

impl Phase {
    /// The word as it stands in answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Receiving => "receiving",
            Self::Reading => "reading",
            Self::Publishing => "publishing",
            Self::Done => "done",
        }
    }
}

/// Counters of one load. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Progress(Arc<Counters>);

#[derive(Debug, Default)]
struct Counters {
    received: AtomicU64,
    expected: AtomicU64,
    read: AtomicU64,
    rows: AtomicU64,
    phase: AtomicU8,
}

impl Progress {
    /// Bytes of the body that have arrived.
    pub fn bytes_received(&self) -> u64 {
        self.0.received.load(Ordering::Relaxed)
    }

    /// Bytes of the body in all, when that is known.
    pub fn bytes_expected(&self) -> Option<u64> {
        Some(self.0.expected.load(Ordering::Relaxed)).filter(|expected| *expected > 0)
    }

    /// Says how many bytes the body has.
    pub fn expect(&self, bytes: u64) {
        self.0.expected.store(bytes, Ordering::Relaxed);
    }

    /// Bytes that have been read into rows; starts again when a type proved wrong.
    pub fn bytes_read(&self) -> u64 {
        self.0.read.load(Ordering::Relaxed)
    }

    /// Rows read so far.
    pub fn rows(&self) -> u64 {
        self.0.rows.load(Ordering::Relaxed)
    }

    /// What the load is doing.
    pub fn phase(&self) -> Phase {
        match self.0.phase.load(Ordering::Relaxed) {
            0 => Phase::Receiving,
            1 => Phase::Reading,
            2 => Phase::Publishing,
            _ => Phase::Done,
        }
    }

    pub(crate) fn received(&self, bytes: u64) {
        self.0.received.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(crate) fn at(&self, bytes: u64, rows: u64) {
        self.0.read.store(bytes, Ordering::Relaxed);
        self.0.rows.store(rows, Ordering::Relaxed);
    }

    pub(crate) fn enter(&self, phase: Phase) {
        self.0.phase.store(phase as u8, Ordering::Relaxed);
    }
}
