//! Ingest seen from outside, over real lakes.

mod abandon;
mod files;
mod lake;
mod modes;
mod python;
mod rows;
mod types;
