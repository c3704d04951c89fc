//! Upkeep: small files become large ones, strays go, a version is copied out and put back.
//!
//! It never changes what a version answers, never commits by itself (only `catalog` does) and never deletes what it
//! does not know. Reading order: [`upkeep`] (the verbs), [`compact`] with `rows` (files read by field id), `stated`
//! (rows against what the manifest says), `tally` (rows compared as a multiset) and `telling` (files that state personal
//! values), [`sweep`], [`backup`] with `indexes`, `streams` and [`restore`] with `copy` (files copied and hashed), and [`error`].

pub mod backup;
pub mod compact;
mod copy;
pub mod error;
mod indexes;
pub mod restore;
mod rows;
mod stated;
mod streams;
pub mod sweep;
mod tally;
mod telling;
pub mod upkeep;

pub use backup::BackedUp;
pub use compact::{Compact, Compacted};
pub use error::{Error, Result};
pub use restore::{Restored, restore};
pub use sweep::{Stray, Sweep, Swept};
pub use upkeep::Upkeep;
