//! Files in: CSV becomes typed columns, Parquet files and one commit.
//!
//! It never guesses silently (drift, bad rows and odd encodings are reported with their lines), never publishes by
//! itself (only `catalog` commits) and never holds a file in memory. Reading order: [`load`] (the whole way as one
//! sentence), [`request`] and [`outcome`] (what goes in and comes out), [`config`], [`progress`], [`error`].

pub mod config;
pub mod error;
pub mod load;
pub mod outcome;
pub mod progress;
pub mod reject;
pub mod request;

pub use config::Config;
pub use error::{Error, Result};
pub use load::Ingest;
pub use outcome::Outcome;
pub use progress::{Phase, Progress};
pub use reject::Rejected;
pub use request::{OnError, Request};
