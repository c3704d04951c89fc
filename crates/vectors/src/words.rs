//! The words of the texts of rows that lie together, read when a search by words asks for them.

use std::sync::{Mutex, OnceLock, PoisonError};

use keywords::{Builder, Postings};

use crate::error::Result;

/// The words of rows that do not change.
#[derive(Debug, Default)]
pub(crate) struct Words {
    postings: OnceLock<Postings>,
    /// Held by whoever reads the texts.
    turn: Mutex<()>,
}

impl Words {
    /// The words of so many rows. `text` reads that of a row, where it was not read before.
    pub fn read<'a>(&self, rows: usize, text: impl Fn(usize) -> Result<Option<&'a str>>) -> Result<&Postings> {
        if let Some(known) = self.postings.get() {
            return Ok(known);
        }
        // Who waits here finds what the one before has read.
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = self.postings.get() {
            return Ok(known);
        }
        let mut builder = Builder::default();
        for row in 0..rows {
            builder.push(text(row)?);
        }
        Ok(self.postings.get_or_init(|| builder.finish()))
    }

    /// About how many bytes of memory they take.
    pub fn memory(&self) -> usize {
        self.postings.get().map_or(0, Postings::memory)
    }
}
