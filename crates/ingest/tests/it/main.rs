//! Ingest seen from outside, over real lakes.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a helper that fails has failed its test")]

mod abandon;
mod batches;
mod columnar;
mod evolve;
mod files;
mod json;
mod lake;
mod modes;
mod nested;
mod origins;
mod packed;
mod pii;
mod python;
mod rows;
mod secured;
mod types;
