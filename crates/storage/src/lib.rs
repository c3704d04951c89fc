//! Bytes at rest: a local directory, S3 or memory behind one [`Store`] that syncs, streams and creates atomically.
//!
//! It never interprets what it stores, never commits and never speaks HTTP. Reading order: [`location`] and
//! [`config`] (where bytes lie and how), [`key`] and [`path`] (what names are allowed and how they are written),
//! [`store`] with [`writer`], [`probe`] and the backends `local` and `s3`, [`objects`] (the users' key space),
//! [`rooted`] (files of this machine that requests name), [`spool`] and [`cache`] (temporary and derived files outside
//! the lake), [`map`] (bytes read in place), [`task`] (the one place that spawns).

pub mod cache;
pub mod config;
pub mod error;
mod fault;
pub mod key;
mod listing;
mod local;
pub mod location;
pub mod map;
mod mapping;
pub mod objects;
pub mod path;
pub mod probe;
pub mod rooted;
mod s3;
pub mod secret;
pub mod spool;
pub mod store;
pub mod task;
pub mod writer;

pub use cache::{CacheDir, CacheWriter};
pub use config::{Config, Durability, S3Config};
pub use error::{BodyError, Error, Result};
pub use key::Key;
pub use location::Location;
pub use map::Mapped;
pub use objects::{If, Objects, Stored};
pub use secret::Secret;
pub use spool::{Spool, SpoolFile};
pub use store::{Entry, Page, Reading, Server, Store};
pub use writer::Writer;
