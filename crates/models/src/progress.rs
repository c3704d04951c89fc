//! How far the fetching of the embedded model is: counters that it raises and anyone may read.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

/// What is being done about the embedded model's files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Nobody has asked for them yet.
    Idle,
    /// They come from the model hub.
    Hub,
    /// They come as a Python package.
    Package,
    /// They are being loaded.
    Loading,
    /// They are loaded.
    Ready,
    /// They could not be had; the next use tries again.
    Failed,
}

/// Counters of one fetch. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Progress(Arc<Counters>);

#[derive(Debug, Default)]
struct Counters {
    bytes: AtomicU64,
    total: AtomicU64,
    phase: AtomicU8,
}

impl Progress {
    /// Bytes that have arrived.
    pub fn bytes(&self) -> u64 {
        self.0.bytes.load(Ordering::Relaxed)
    }

    /// Bytes that will arrive; 0 while that is not known.
    pub fn total(&self) -> u64 {
        self.0.total.load(Ordering::Relaxed)
    }

    /// What is being done.
    pub fn phase(&self) -> Phase {
        match self.0.phase.load(Ordering::Relaxed) {
            0 => Phase::Idle,
            1 => Phase::Hub,
            2 => Phase::Package,
            3 => Phase::Loading,
            4 => Phase::Ready,
            _ => Phase::Failed,
        }
    }

    pub(crate) fn enter(&self, phase: Phase, total: u64) {
        self.0.bytes.store(0, Ordering::Relaxed);
        self.0.total.store(total, Ordering::Relaxed);
        self.0.phase.store(phase as u8, Ordering::Relaxed);
    }

    pub(crate) fn arrived(&self, bytes: u64) {
        self.0.bytes.fetch_add(bytes, Ordering::Relaxed);
    }
}
