//! The past of one table, and pages of anything that is listed newest first.

use base::{Timestamp, Version};
use serde::{Deserialize, Serialize};

/// A page of a list, with where to go on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Page<T> {
    /// The items, newest first.
    pub items: Vec<T>,
    /// Pass it as `before` to go on; absent on the last page.
    pub next: Option<Version>,
}

impl Page<SnapshotLine> {
    /// The first `limit` lines. `next` names a record, which may have made several snapshots of the table, so those
    /// that share the record of the last one come along.
    pub(crate) fn first(mut lines: Vec<SnapshotLine>, limit: usize) -> Self {
        let begins_record = |at: &usize| lines[*at].version != lines[*at - 1].version;
        let end = (limit.max(1)..lines.len()).find(begins_record);
        lines.truncate(end.unwrap_or(lines.len()));
        let next = end.and_then(|end| lines[end - 1].version);
        Self { items: lines, next }
    }
}

/// One snapshot of a table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SnapshotLine {
    /// The snapshot, as a string.
    pub snapshot_id: String,
    /// The version that published it; absent when another engine wrote it.
    pub version: Option<Version>,
    /// When it was made.
    pub at: Timestamp,
    /// Iceberg's word for what it did: `append`, `overwrite`.
    pub operation: String,
    /// What was asked for: `replace`, `append` or `register`.
    pub mode: Option<String>,
    /// Rows of the whole table after it.
    pub row_count: u64,
    /// Rows that it added.
    pub added_rows: u64,
    /// Rows that it removed.
    pub removed_rows: u64,
    /// SHA-256 of the source bytes.
    pub sha256: Option<String>,
}
