//! SQL over one pinned version of the lake; the only room that names the query engine.
//!
//! It never writes to the lake, never opens a file, URL or bucket named in SQL, and never answers from two versions
//! at once. Reading order: [`config`] and [`error`], [`query`] (the verbs), [`answer`], [`encode`] (answers as bytes).

#![expect(clippy::todo, reason = "signatures first")]

pub mod answer;
pub mod config;
pub mod encode;
pub mod error;
pub mod query;

pub use answer::{Answer, ResultColumn};
pub use config::Config;
pub use error::{Error, Result};
pub use query::{Ask, Query};
