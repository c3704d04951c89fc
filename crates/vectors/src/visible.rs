//! Which rows of a block a reader sees, as bits.

use std::sync::{Arc, Mutex, PoisonError};

#[cfg(test)]
mod tests;

/// The bits that the newest readers shared, until more rows end.
#[derive(Debug, Default)]
pub(crate) struct Visible(Mutex<Option<Kept>>);

#[derive(Debug, Clone)]
struct Kept {
    bits: Arc<[u64]>,
    /// How many rows had ended, and the last fragment that ended one.
    ended: usize,
    latest: u64,
}

impl Visible {
    /// The bits for readers of a fragment, of a block of which so many rows are known to have ended; `ends` are the
    /// fragments that ended its rows, `never` where none has.
    pub fn bits(&self, fragment: u64, ended: usize, ends: impl Iterator<Item = u64>, never: u64) -> Arc<[u64]> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        // As many have ended, none after the reader's fragment: so they are the same.
        if let Some(kept) = kept.filter(|kept| kept.ended == ended && kept.latest <= fragment) {
            return kept.bits;
        }
        let made = Kept::of(fragment, ends, never);
        let bits = Arc::clone(&made.bits);
        if made.latest <= fragment {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(made);
        }
        bits
    }
}

impl Kept {
    fn of(fragment: u64, ends: impl Iterator<Item = u64>, never: u64) -> Self {
        let (mut words, mut ended, mut latest) = (Vec::new(), 0, 0);
        for (row, end) in ends.enumerate() {
            if row % 64 == 0 {
                words.push(0);
            }
            if end != never {
                (ended, latest) = (ended + 1, latest.max(end));
            }
            if let Some(word) = words.last_mut().filter(|_| end > fragment) {
                *word |= 1_u64 << (row % 64);
            }
        }
        Self { bits: words.into(), ended, latest }
    }
}
