//! The summary of a snapshot: the totals that Iceberg wants, and what we note beside them.

use std::collections::HashMap;

use base::{Timestamp, Version};
use iceberg::spec::{DataFile, Operation, Snapshot, Summary};

use crate::history::SnapshotLine;
use crate::publication::{Mode, Source};

const SHA256: &str = "lakehouse.source-sha256";
const OPTIONS: &str = "lakehouse.source-options";
const MODE: &str = "lakehouse.mode";
const VERSION: &str = "lakehouse.version";
/// The registered objects by key, size and ETag, as one digest.
const OBJECTS: &str = "lakehouse.objects";

const TOTAL_FILES: &str = "total-data-files";
const TOTAL_SIZE: &str = "total-files-size";
const TOTAL_RECORDS: &str = "total-records";

/// What we note of a snapshot.
#[derive(Debug, Clone)]
pub(crate) struct Note {
    pub source: Source,
    pub mode: Mode,
    /// The cheap identity of registered objects.
    pub objects: Option<String>,
}

/// Files, bytes and rows.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Sums {
    pub files: u64,
    pub size: u64,
    pub records: u64,
}

impl Sums {
    pub fn of<'a>(files: impl IntoIterator<Item = &'a DataFile>) -> Self {
        files.into_iter().fold(Self::default(), |sums, file| Self {
            files: sums.files + 1,
            size: sums.size + file.file_size_in_bytes(),
            records: sums.records + file.record_count(),
        })
    }

    /// The totals that a snapshot states.
    pub fn totals(snapshot: &Snapshot) -> Self {
        let stated = |key| number(snapshot.summary(), key);
        Self { files: stated(TOTAL_FILES), size: stated(TOTAL_SIZE), records: stated(TOTAL_RECORDS) }
    }

    fn change(self, added: Self, removed: Self) -> Self {
        let change = |total: u64, added: u64, removed: u64| (total + added).saturating_sub(removed);
        Self {
            files: change(self.files, added.files, removed.files),
            size: change(self.size, added.size, removed.size),
            records: change(self.records, added.records, removed.records),
        }
    }
}

/// The summary of a snapshot that adds and removes so much, and the totals after it.
pub(crate) fn write(note: &Note, version: Version, before: Sums, added: Sums, removed: Sums) -> (Summary, Sums) {
    let after = before.change(added, removed);
    let mut texts = HashMap::from([
        (SHA256.to_owned(), note.source.sha256.clone()),
        (OPTIONS.to_owned(), note.source.options.clone()),
        (MODE.to_owned(), note.mode.to_string()),
        (VERSION.to_owned(), version.to_string()),
    ]);
    texts.extend(note.objects.clone().map(|objects| (OBJECTS.to_owned(), objects)));
    let mut state = |key: &str, value: u64| texts.insert(key.to_owned(), value.to_string());
    for (key, value) in [(TOTAL_FILES, after.files), (TOTAL_SIZE, after.size), (TOTAL_RECORDS, after.records)] {
        state(key, value);
    }
    for key in ["total-delete-files", "total-position-deletes", "total-equality-deletes"] {
        state(key, 0);
    }
    let changes = [
        ("added-data-files", added.files),
        ("added-files-size", added.size),
        ("added-records", added.records),
        ("deleted-data-files", removed.files),
        ("removed-files-size", removed.size),
        ("deleted-records", removed.records),
    ];
    changes.into_iter().filter(|(_, value)| *value > 0).for_each(|(key, value)| {
        state(key, value);
    });
    let operation = if removed.files > 0 { Operation::Overwrite } else { Operation::Append };
    (Summary { operation, additional_properties: texts }, after)
}

/// What the rows were made from, when they were replaced as a whole.
pub(crate) fn source(summary: &Summary) -> Option<Source> {
    let replaced = text(summary, MODE)? == Mode::Replace.to_string();
    let (sha256, options) = (text(summary, SHA256)?, text(summary, OPTIONS)?);
    replaced.then(|| Source { sha256: sha256.to_owned(), options: options.to_owned() })
}

pub(crate) fn objects(summary: &Summary) -> Option<&str> {
    text(summary, OBJECTS)
}

/// Whether the files that a snapshot added were written by us, rather than registered or added by another engine.
pub(crate) fn wrote_its_files(summary: &Summary) -> bool {
    text(summary, VERSION).is_some() && objects(summary).is_none()
}

/// A snapshot as the history shows it.
pub(crate) fn line(snapshot: &Snapshot) -> SnapshotLine {
    let summary = snapshot.summary();
    let owned = |key| text(summary, key).map(str::to_owned);
    let registered = objects(summary).map(|_| "register".to_owned());
    SnapshotLine {
        snapshot_id: snapshot.snapshot_id().to_string(),
        version: text(summary, VERSION).and_then(|version| version.parse().ok()).map(Version),
        at: Timestamp::from_micros(snapshot.timestamp_ms().saturating_mul(1000)),
        operation: summary.operation.as_str().to_owned(),
        mode: registered.or_else(|| owned(MODE)),
        row_count: number(summary, TOTAL_RECORDS),
        added_rows: number(summary, "added-records"),
        removed_rows: number(summary, "deleted-records"),
        sha256: owned(SHA256),
    }
}

fn text<'a>(summary: &'a Summary, key: &str) -> Option<&'a str> {
    summary.additional_properties.get(key).map(String::as_str)
}

fn number(summary: &Summary, key: &str) -> u64 {
    text(summary, key).and_then(|value| value.parse().ok()).unwrap_or(0)
}
