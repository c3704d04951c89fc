//! What exists: the lake log, Iceberg tables, versions and the one atomic commit.
//!
//! It never interprets rows, never speaks HTTP or SQL, and nothing else in the house commits. Reading order:
//! [`record`] and [`state`] (what a version is), [`log`] (where writers meet), [`head`], [`checkpoint`] and [`past`]
//! (how states are found), [`committer`] (the one path by which anything changes), [`column`], [`schema`] and [`diff`],
//! [`draft`], [`publication`] and [`publish`] with [`snapshot`], [`summary`], [`footer`] and [`metadata_file`] (our own Iceberg commit),
//! [`register`] and [`stated`], [`pii`] and [`classify`] (what is personal), [`index`] (vector indexes), [`tag`], [`drop`], [`rollback`],
//! [`lake_diff`] with [`row_diff`] (what versions are for), [`outside`] (other engines, by Iceberg's REST protocol), [`table`],
//! [`manifest`], [`history`] and [`near`] (what readers get), and [`catalog`], which holds it together.

mod catalog;
mod checkpoint;
mod classify;
mod column;
mod committer;
mod config;
mod data_file;
mod deletes;
mod diff;
mod draft;
mod drop;
mod error;
mod excerpt;
mod expire;
mod footer;
mod format;
mod head;
mod history;
mod index;
mod io;
mod lake;
mod lake_diff;
mod log;
mod manifest;
mod metadata_file;
mod near;
mod outside;
mod past;
mod pii;
mod pin;
mod publication;
mod publish;
mod reach;
mod record;
mod register;
mod relocate;
mod rewrite;
mod rollback;
mod row_diff;
mod schema;
mod snapshot;
mod state;
mod stated;
mod summary;
mod sweep;
mod table;
mod tables;
mod tag;
mod turns;
mod unswept;

pub use catalog::Catalog;
pub use classify::Classify;
pub use column::{Column, ColumnType, NewColumn, OtherType, fingerprint, fingerprint_of};
pub use config::Config;
pub use data_file::{Bound, DataFile, DeleteFile, Takes};
pub use diff::SchemaDiff;
pub use draft::Draft;
pub use error::{Error, Result};
pub use excerpt::Plate;
pub use expire::{Expired, Expiry};
pub use history::{Page, SnapshotLine};
pub use index::{IndexModel, IndexSettings, NewIndex};
pub use lake_diff::{Became, FieldChange, LakeDiff, NamedChange, SchemaChange, TableChange, TagChange};
pub use manifest::{Broken, FieldShape, Manifest, Object, SchemaShape};
pub use outside::{
    Adoption, Asked, Caller, Identifier, LoadedTable, NamespaceChanged, NamespaceWish, NewTable, TableChanges, Told,
    Transaction,
};
pub use pii::Pii;
pub use pin::Pin;
pub use publication::{Mode, NewFile, Publication, Source};
pub use publish::Published;
pub use reach::Reach;
pub use record::{Change, Commit, IndexPut, Properties, Record, TablePut};
pub use register::{Register, Registered};
pub use relocate::Relocated;
pub use rewrite::Rewrite;
pub use state::{IndexEntry, TableEntry};
pub use stated::StatedObject;
pub use table::{Table, dataset_id};
pub use tag::Tagged;
