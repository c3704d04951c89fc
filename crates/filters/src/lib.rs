//! Filters: what metadata says, read exactly, and the rows of which that holds which is asked.
//!
//! It never does I/O and knows neither ids nor vectors: items are rows, and rows are numbers. Reading order:
//! [`metadata`] (JSON as people write it), [`filter`] (what is asked of it), `key` (values that can be compared),
//! [`columns`] (which rows have which value), [`error`].

pub mod columns;
pub mod error;
pub mod filter;
mod key;
pub mod metadata;

pub use columns::{Bits, Columns};
pub use error::{Error, Result};
pub use filter::Filter;
