//! The past of one table, and pages of anything that is listed newest first.

use std::cmp::Reverse;
use std::collections::HashSet;

use base::{Timestamp, Version};
use iceberg::spec::TableMetadata;
use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::lake::Lake;
use crate::metadata_file;
use crate::summary;

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
    pub fn first(mut lines: Vec<SnapshotLine>, limit: usize) -> Self {
        let end = end_of_page(&lines, limit);
        lines.truncate(end.unwrap_or(lines.len()));
        let next = end.and_then(|end| lines[end - 1].version);
        Self { items: lines, next }
    }
}

/// Where a page ends in lines that go on after it; none when it may go on itself.
fn end_of_page(lines: &[SnapshotLine], limit: usize) -> Option<usize> {
    (limit.max(1)..lines.len()).find(|at| lines[*at].version != lines[*at - 1].version)
}

/// Gathers the lines before version `before` from a table's metadata and, until they fill a page, from the earlier
/// metadata files that hold what it has left out. Where an earlier file is gone, expiry has ended the history.
pub async fn gather(
    lake: &Lake,
    newest: &TableMetadata,
    limit: usize,
    before: Option<Version>,
) -> Result<Vec<SnapshotLine>> {
    let (mut lines, mut seen) = (Vec::new(), HashSet::new());
    let mut next = add_lines(&mut lines, &mut seen, newest, before);
    while let Some(location) = next.take().filter(|_| end_of_page(&lines, limit).is_none()) {
        let Some(metadata) = earlier(lake, &location).await? else { break };
        next = add_lines(&mut lines, &mut seen, &metadata, before);
    }
    Ok(lines)
}

/// An earlier metadata file of a table; none when expiry has taken it.
pub async fn earlier(lake: &Lake, location: &str) -> Result<Option<TableMetadata>> {
    let what = || "an earlier metadata file".to_owned();
    lake.get(what, location).await?.map(|bytes| metadata_file::decode(what, &bytes)).transpose()
}

/// Adds the snapshots that were not seen yet, newest first, and answers where earlier ones are found.
fn add_lines(
    lines: &mut Vec<SnapshotLine>,
    seen: &mut HashSet<i64>,
    metadata: &TableMetadata,
    before: Option<Version>,
) -> Option<String> {
    let mut made: Vec<_> = metadata.snapshots().filter(|snapshot| seen.insert(snapshot.snapshot_id())).collect();
    made.sort_by_key(|snapshot| Reverse(snapshot.sequence_number()));
    let asked = made.into_iter().map(|snapshot| summary::line(snapshot));
    lines.extend(asked.filter(|line| before.is_none_or(|before| line.version < Some(before))));
    metadata_file::earlier(metadata).map(str::to_owned)
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
    /// What was asked for: `replace`, `append`, `register`, `rewrite` (the same rows in other files) or `rollback`.
    pub mode: Option<String>,
    /// The snapshot that first had the rows, as a string, when this one brought them back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rolled_back_to: Option<String>,
    /// Rows of the whole table after it. Where other engines deleted rows by value those still count, as only reading
    /// the table could tell how many they are.
    pub row_count: u64,
    /// Rows that it added.
    pub added_rows: u64,
    /// Rows that it removed, with those that the files held which it exchanged.
    pub removed_rows: u64,
    /// SHA-256 of the source bytes.
    pub sha256: Option<String>,
}
