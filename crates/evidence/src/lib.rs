//! Evidence: what happened in runs, appended to streams and never changed afterwards.
//!
//! It never interprets what a line says, never commits and never speaks HTTP: a stream is a row of files on the store, each
//! created if absent, so that processes share it without knowing each other. Reading order: [`name`] (what a stream is
//! called), [`fragment`] (one file), `members` (one line), `group` (which fragments lie together), `shelf` (where files lie),
//! `desk` (whoever appends: one task for each stream), `bundle` (many small files become one), [`read`], [`tail`] (its end), [`files`] (for backups), [`evidence`] (the verbs), [`error`].

mod bundle;
mod desk;
pub mod error;
pub mod evidence;
pub mod files;
pub mod fragment;
mod group;
mod members;
pub mod name;
pub mod read;
mod shelf;
pub mod tail;

pub use error::{Error, Result};
pub use evidence::{Appended, Evidence};
pub use files::StreamFile;
pub use fragment::{Line, Skipped, Unread};
pub use name::StreamName;
pub use read::Lines;
pub use tail::Tail;
