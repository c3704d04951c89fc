//! Answers of SQL as bytes: one JSON document, or a stream of CSV, NDJSON or Arrow.
//!
//! It never runs a query, never holds more of a stream than a chunk and never speaks HTTP. Reading order: [`json`] (one
//! document), [`stream`] (chunk by chunk) with `csv`, `ndjson` and `arrow_stream`, `cell` (one value).

mod arrow_stream;
mod cell;
mod csv;
pub mod json;
mod ndjson;
pub mod stream;

pub use json::json;
pub use stream::{Format, stream};
