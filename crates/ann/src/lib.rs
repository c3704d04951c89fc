//! Nearest neighbours among plain arrays: codes that are built from vectors, and searched far faster than those.
//!
//! It never does I/O and knows neither ids nor metadata: rows are numbers. Reading order: [`codes`] (what is derived, and
//! how it lies in bytes) over `blob`, [`search`] with [`rows`], `top` and `exact` (the nearest, very likely), `bounded`
//! and `proof` (all that may be so near), [`build`], `space` and `rotation` (where vectors are put), `signs`, `bounds` and
//! `bytes` (what is kept of them), `partitions`, `moves`, `spread` and `reach` (where one
//! looks), `kernel` and [`precise`] (the loops over
//! numbers), [`error`].

mod blob;
mod bounded;
mod bounds;
pub mod build;
mod bytes;
pub mod codes;
pub mod error;
mod exact;
mod kernel;
mod moves;
mod partitions;
pub mod precise;
mod proof;
mod reach;
mod rotation;
pub mod rows;
pub mod search;
mod signs;
mod space;
mod spread;
mod top;

pub use blob::FORMAT;
pub use build::build;
pub use codes::{Codes, Effort, Origin};
pub use error::{Error, Result};
pub use rows::Rows;
pub use search::{Found, Near};
