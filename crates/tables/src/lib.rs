//! One table as it lies on the store: columns, snapshots, manifests and metadata in Iceberg's format.
//!
//! It never knows of versions, never commits, and never interprets rows. Reading order: [`pii`], [`column`] and
//! [`schema`] (what columns are), [`diff`], [`draft`] and [`publication`] (what a writer brings), [`lake`] and [`io`]
//! (where files lie), [`stamp`], [`manifests`], [`metadata_file`], [`data_file`], [`deletes`] and [`read_table`] (a
//! table as it is read), [`checksums`], [`footer`], [`summary`] and [`snapshot`] (our own next snapshot), [`exchange`],
//! [`restoration`] and [`relocation`] (next ones without new rows), [`history`], [`row_diff`] and [`schema_change`]
//! (what became of it), [`thrift`] (footers that are not trusted yet).

pub mod checksums;
pub mod column;
pub mod data_file;
pub mod deletes;
pub mod diff;
pub mod draft;
pub mod error;
pub mod exchange;
pub mod footer;
pub mod history;
pub mod io;
pub mod lake;
pub mod manifests;
pub mod metadata_file;
pub mod pii;
pub mod publication;
pub mod read_table;
pub mod relocation;
pub mod restoration;
pub mod row_diff;
pub mod schema;
pub mod schema_change;
pub mod snapshot;
pub mod stamp;
pub mod summary;
pub mod thrift;

pub use error::{Error, Result};
