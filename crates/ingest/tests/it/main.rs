//! Ingest seen from outside, over real lakes.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a helper that fails has failed its test")]

mod abandon;
mod batches;
mod files;
mod lake;
mod modes;
mod python;
mod rows;
mod types;
