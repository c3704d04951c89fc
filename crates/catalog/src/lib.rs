//! What exists: the lake log, Iceberg tables, versions and the one atomic commit.
//!
//! It never interprets rows, never speaks HTTP or SQL, and nothing else in the house commits. How one table lies on the
//! store is `tables`' affair. Reading order: [`record`], [`state`], [`log`], [`head`], [`checkpoint`], [`past`] (what a
//! version is), [`committer`], [`claimed`] and [`staging`] (how one is made), [`publish`] to [`rollback`], [`drop`], [`tag`],
//! [`index`], [`sealing`], [`outside`], [`place`] (what can change), [`expire`], [`lingering`], [`sweep`], [`unswept`], [`reach`],
//! [`relocate`], [`excerpt`] (upkeep), [`table`], [`manifest`], [`lake_diff`] (what is told), [`catalog`].

mod catalog;
mod checkpoint;
mod claimed;
mod classify;
mod committer;
mod config;
mod drop;
mod error;
mod excerpt;
mod expire;
mod format;
mod head;
mod index;
mod kept;
mod lake_diff;
mod lingering;
mod log;
mod manifest;
mod near;
mod outside;
mod past;
mod pin;
mod place;
mod publish;
mod reach;
mod record;
mod register;
mod relocate;
mod rewrite;
mod rollback;
mod sealing;
mod staging;
mod state;
mod stated;
mod sweep;
mod table;
mod tag;
mod turns;
mod unswept;

pub use catalog::Catalog;
pub use classify::Classify;
pub use config::Config;
pub use error::{Error, Result};
pub use excerpt::Plate;
pub use expire::{Expired, Expiry};
pub use index::{IndexModel, IndexSettings, NewIndex};
pub use lake_diff::{Became, LakeDiff, NamedChange, TableChange, TagChange};
pub use manifest::{Broken, Manifest, Object, SchemaShape};
pub use outside::{Caller, NamespaceChanged, NamespaceWish, Told};
pub use outsiders::{Adoption, Asked, Identifier, LoadedTable, NewTable, TableChanges, Transaction};
pub use pin::Pin;
pub use publish::{Meaning, Published};
pub use reach::Reach;
pub use record::{Change, Commit, IndexPut, IndexSeal, Properties, Record, TablePut};
pub use register::{Register, Registered};
pub use relocate::Relocated;
pub use rewrite::Rewrite;
pub use sealing::{DERIVED, SEGMENTS, SealFault, Sealed, Sealer, Seals, StagedSeal};
pub use state::{IndexEntry, TableEntry};
pub use stated::StatedObject;
pub use table::{Table, dataset_id};
pub use tables::column::{Column, ColumnType, NewColumn, OtherType, fingerprint, fingerprint_of};
pub use tables::data_file::{Bound, DataFile, DeleteFile, Takes};
pub use tables::diff::SchemaDiff;
pub use tables::draft::Draft;
pub use tables::history::{Page, SnapshotLine};
pub use tables::pii::Pii;
pub use tables::publication::{Mode, NewFile, Publication, Source};
pub use tables::schema_change::{FieldChange, FieldShape, SchemaChange};
pub use tables::{checksums, thrift};
pub use tag::Tagged;
