//! What exists: the lake log, Iceberg tables, versions and the one atomic commit.

#![expect(clippy::todo, unused_imports, dead_code, reason = "the public words come first")]

pub mod catalog;
pub mod config;
pub mod data_file;
pub mod diff;
pub mod draft;
pub mod error;
pub mod history;
pub mod manifest;
pub mod pin;
pub mod publication;
pub mod record;
pub mod register;
pub mod schema;
pub mod state;
pub mod table;

pub use catalog::Catalog;
pub use config::Config;
pub use data_file::{Bound, DataFile};
pub use diff::SchemaDiff;
pub use draft::Draft;
pub use error::{Error, Result};
pub use history::{Page, SnapshotLine};
pub use manifest::{Manifest, dataset_id};
pub use pin::Pin;
pub use publication::{Mode, NewFile, Publication, Published, Source};
pub use record::{Change, Commit, Record, TablePut};
pub use register::{Register, Registered};
pub use schema::{Column, ColumnType, NewColumn, fingerprint};
pub use state::TableEntry;
pub use table::Table;
