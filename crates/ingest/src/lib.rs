//! Files in: CSV, JSON and Parquet become typed columns, Parquet files and one commit.
//!
//! It never guesses silently (drift, bad rows and odd encodings are reported with their lines), never publishes by
//! itself (only `catalog` commits) and never holds a file in memory. Reading order: [`load`] (the whole way as one
//! sentence), [`request`] and [`outcome`] (what goes in and comes out), `unpack` and `format` (what a file is), `stage` (a
//! file into Parquet that nobody sees yet), `pass` (one pass: a reader and its lanes), `rows`, `csv` and `json` (bytes
//! into cells), `infer` and `value` (cells into types and values), `column`, `plan`, `layout` and `write` (values into
//! Parquet), `columnar` (Parquet in) and `batch_writer` (record batches out), `shape` and `pii`, `origin` and `postgres`,
//! [`reject`], [`config`], [`progress`], [`error`].

mod batch_writer;
mod block;
mod budget;
mod cell;
mod column;
mod columnar;
pub mod config;
mod csv;
pub mod error;
mod format;
mod infer;
mod json;
mod lane;
mod layout;
pub mod load;
mod origin;
pub mod outcome;
mod pass;
mod pii;
mod plan;
mod postgres;
pub mod progress;
pub mod reject;
pub mod request;
mod rows;
mod seals;
mod shape;
mod stage;
mod store_file;
mod unpack;
mod value;
mod write;

pub use batch_writer::{BatchWriter, Site};
pub use config::Config;
pub use error::{Error, Result};
pub use format::{Format, Stated};
pub use load::Ingest;
pub use origin::Origin;
pub use outcome::Outcome;
pub use postgres::Postgres;
pub use progress::{Phase, Progress};
pub use reject::Rejected;
pub use request::{Evolve, OnError, Request};
