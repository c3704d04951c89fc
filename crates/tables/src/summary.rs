//! The summary of a snapshot: the totals that Iceberg wants, and what we note beside them.

use std::collections::HashMap;

use base::{Timestamp, Version};
use iceberg::spec::{DataFile, Operation, Snapshot, Summary};

use crate::history::SnapshotLine;
use crate::publication::{Mode, Source};

const SHA256: &str = "lakehouse.source-sha256";
const OPTIONS: &str = "lakehouse.source-options";
const MODE: &str = "lakehouse.mode";
/// The mode of a rewrite, and the key under which it keeps that of the snapshot whose rows it rewrote.
const REWRITE: &str = "rewrite";
const ROWS_MODE: &str = "lakehouse.rows-mode";
/// The mode of a rollback, and the key under which it names the snapshot that first had its rows.
const ROLLBACK: &str = "rollback";
const ROLLED_BACK_TO: &str = "lakehouse.rolled-back-to";
/// The metadata file that knows the snapshot that a rollback names, relative to the lake's root.
const KNOWN_BY: &str = "lakehouse.rolled-back-metadata";
const VERSION: &str = "lakehouse.version";
/// The version that published a snapshot of an outsider.
const OUTSIDE_VERSION: &str = "lakehouse.outside-version";
/// What only we write begins with this.
const OURS: &str = "lakehouse.";
/// The registered objects by key, size and ETag, as one digest.
const OBJECTS: &str = "lakehouse.objects";

/// The rows that a reader finds, where other engines wrote; their totals count rows that delete files take away.
const ROWS: &str = "lakehouse.rows";
/// The rows that a reader finds no more, where that is not what the files tell that went.
const REMOVED_ROWS: &str = "lakehouse.removed-rows";

const ADDED_RECORDS: &str = "added-records";
const TOTAL_FILES: &str = "total-data-files";
const TOTAL_SIZE: &str = "total-files-size";
const TOTAL_RECORDS: &str = "total-records";

/// What we note of a snapshot.
#[derive(Debug, Clone)]
pub struct Note {
    /// What the rows were made from.
    pub source: Source,
    /// Replace or append.
    pub mode: Mode,
    /// The cheap identity of registered objects.
    pub objects: Option<String>,
}

/// Files, bytes and rows.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sums {
    /// Files.
    pub files: u64,
    /// Bytes.
    pub size: u64,
    /// Rows.
    pub records: u64,
}

impl Sums {
    /// Adds up data files.
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

    /// Both together.
    pub fn plus(self, other: Self) -> Self {
        Self { files: self.files + other.files, size: self.size + other.size, records: self.records + other.records }
    }

    /// After `added` came and `removed` went.
    pub fn change(self, added: Self, removed: Self) -> Self {
        let change = |total: u64, added: u64, removed: u64| (total + added).saturating_sub(removed);
        Self {
            files: change(self.files, added.files, removed.files),
            size: change(self.size, added.size, removed.size),
            records: change(self.records, added.records, removed.records),
        }
    }
}

/// Delete files and the rows in them.
#[derive(Debug, Clone, Copy, Default)]
pub struct Deletes {
    /// Files.
    pub files: u64,
    /// Rows taken away by position.
    pub positions: u64,
    /// Rows taken away by value.
    pub equalities: u64,
}

impl Deletes {
    /// Both together.
    pub fn plus(self, other: Self) -> Self {
        Self {
            files: self.files + other.files,
            positions: self.positions + other.positions,
            equalities: self.equalities + other.equalities,
        }
    }
}

/// What was counted of a snapshot that an outsider wrote.
#[derive(Debug, Clone, Copy)]
pub struct Counted {
    /// Its data files and the rows in them.
    pub totals: Sums,
    /// Its delete files.
    pub deletes: Deletes,
    /// The rows that a reader finds, before it and in it.
    pub rows: (u64, u64),
    /// The rows of the data files that it added.
    pub added: u64,
}

/// The summary of a snapshot that an outsider wrote: its own words, but for what only we may say, and with what was
/// counted.
pub fn of_outsider(summary: &Summary, version: Version, counted: Counted) -> Summary {
    let Counted { totals, deletes, rows: (before, after), added } = counted;
    let mut texts = summary.additional_properties.clone();
    texts.retain(|key, _| !key.starts_with(OURS));
    texts.insert(OUTSIDE_VERSION.to_owned(), version.to_string());
    let counted = [
        (ROWS, after),
        (REMOVED_ROWS, (before + added).saturating_sub(after)),
        (ADDED_RECORDS, added),
        (TOTAL_FILES, totals.files),
        (TOTAL_SIZE, totals.size),
        (TOTAL_RECORDS, totals.records),
        ("total-delete-files", deletes.files),
        ("total-position-deletes", deletes.positions),
        ("total-equality-deletes", deletes.equalities),
    ];
    texts.extend(counted.map(|(key, value)| (key.to_owned(), value.to_string())));
    Summary { operation: summary.operation.clone(), additional_properties: texts }
}

/// The summary of a snapshot that follows `before` (none when it is the first) and adds and removes so much.
pub fn write(note: &Note, version: Version, before: Option<&Snapshot>, added: Sums, removed: Sums) -> Summary {
    let after = before.map_or_else(Sums::default, Sums::totals).change(added, removed);
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
    // What is appended to keeps the delete files of other engines; what is replaced does not.
    let kept = before.filter(|_| note.mode == Mode::Append);
    for key in ["total-delete-files", "total-position-deletes", "total-equality-deletes"] {
        state(key, kept.map_or(0, |before| number(before.summary(), key)));
    }
    exchanged(added, removed).for_each(|(key, value)| {
        state(key, value);
    });
    if let Some(before) = before.filter(|before| text(before.summary(), ROWS).is_some()) {
        match note.mode {
            Mode::Append => state(ROWS, rows(before) + added.records),
            Mode::Replace => state(REMOVED_ROWS, rows(before)),
        };
    }
    let operation = if removed.files > 0 { Operation::Overwrite } else { Operation::Append };
    Summary { operation, additional_properties: texts }
}

/// The summary of a snapshot that holds the rows of `before` in other files: what those were made from stays true.
pub fn rewritten(before: &Snapshot, version: Version, added: Sums, removed: Sums) -> Summary {
    let mut texts = before.summary().additional_properties.clone();
    texts.retain(|key, _| is_kept(key));
    let mode = rows_mode(before.summary()).map(str::to_owned);
    texts.extend(mode.map(|mode| (ROWS_MODE.to_owned(), mode)));
    texts.extend([(MODE.to_owned(), REWRITE.to_owned()), (VERSION.to_owned(), version.to_string())]);
    let after = Sums::totals(before).change(added, removed);
    let totals = [(TOTAL_FILES, after.files), (TOTAL_SIZE, after.size), (TOTAL_RECORDS, after.records)];
    let numbers = totals.into_iter().chain(exchanged(added, removed));
    texts.extend(numbers.map(|(key, value)| (key.to_owned(), value.to_string())));
    Summary { operation: Operation::Replace, additional_properties: texts }
}

/// The summary of a snapshot that lists the files of `target` again (none when it had none): what they were made from
/// is true again.
/// `known_by` is the metadata file that has it.
pub fn rolled_back(
    (target, known_by): (Option<&Snapshot>, &str),
    version: Version,
    (added, removed): (Sums, Sums),
) -> Summary {
    let mut texts = target.map(|target| target.summary().additional_properties.clone()).unwrap_or_default();
    texts.retain(|key, _| is_kept(key));
    let mode = target.and_then(|target| rows_mode(target.summary())).map(str::to_owned);
    texts.extend(mode.map(|mode| (ROWS_MODE.to_owned(), mode)));
    if let Some(Origin { snapshot, known_by: noted }) = target.and_then(origin) {
        let known_by = noted.unwrap_or(known_by).to_owned();
        texts.extend([(ROLLED_BACK_TO.to_owned(), snapshot.to_string()), (KNOWN_BY.to_owned(), known_by)]);
    }
    texts.extend([(MODE.to_owned(), ROLLBACK.to_owned()), (VERSION.to_owned(), version.to_string())]);
    texts.extend(exchanged(added, removed).map(|(key, value)| (key.to_owned(), value.to_string())));
    Summary { operation: Operation::Overwrite, additional_properties: texts }
}

/// The snapshot that first had the rows of another, file by file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin<'a> {
    /// The snapshot.
    pub snapshot: i64,
    /// The metadata file that has it, when it is another than the one asked about.
    pub known_by: Option<&'a str>,
}

/// Where a snapshot has its rows from: itself, unless it is a rollback. None when it is one to a table that had no
/// snapshot.
pub fn origin(snapshot: &Snapshot) -> Option<Origin<'_>> {
    let summary = snapshot.summary();
    if text(summary, MODE) != Some(ROLLBACK) {
        return Some(Origin { snapshot: snapshot.snapshot_id(), known_by: None });
    }
    let snapshot = text(summary, ROLLED_BACK_TO)?.parse().ok()?;
    Some(Origin { snapshot, known_by: text(summary, KNOWN_BY) })
}

/// Rows that a reader finds in a snapshot, as far as manifests tell.
pub fn rows(snapshot: &Snapshot) -> u64 {
    let summary = snapshot.summary();
    counted(summary, ROWS).unwrap_or_else(|| number(summary, TOTAL_RECORDS))
}

/// Whether what is noted of a snapshot is true of another one that has its rows.
fn is_kept(key: &str) -> bool {
    (key.starts_with(OURS) && key != REMOVED_ROWS) || key.starts_with("total-")
}

fn exchanged(added: Sums, removed: Sums) -> impl Iterator<Item = (&'static str, u64)> {
    let numbers = [
        ("added-data-files", added.files),
        ("added-files-size", added.size),
        (ADDED_RECORDS, added.records),
        ("deleted-data-files", removed.files),
        ("removed-files-size", removed.size),
        ("deleted-records", removed.records),
    ];
    numbers.into_iter().filter(|(_, value)| *value > 0)
}

/// How the rows came about, whatever happened to their files since.
fn rows_mode(summary: &Summary) -> Option<&str> {
    text(summary, ROWS_MODE).or_else(|| text(summary, MODE))
}

/// What the rows were made from, when they were replaced as a whole.
pub fn source(summary: &Summary) -> Option<Source> {
    let replaced = rows_mode(summary)? == Mode::Replace.to_string();
    let (sha256, options) = (text(summary, SHA256)?, text(summary, OPTIONS)?);
    replaced.then(|| Source { sha256: sha256.to_owned(), options: options.to_owned() })
}

/// The cheap identity of registered objects.
pub fn objects(summary: &Summary) -> Option<&str> {
    text(summary, OBJECTS)
}

/// The rows of all data files, as the summary of a snapshot states them.
pub fn stated_total(summary: &Summary) -> Option<&str> {
    text(summary, TOTAL_RECORDS)
}

/// Whether the files that a snapshot added were written by us, rather than registered or added by another engine.
pub fn wrote_its_files(summary: &Summary) -> bool {
    text(summary, VERSION).is_some() && objects(summary).is_none()
}

/// A snapshot as the history shows it.
pub fn line(snapshot: &Snapshot) -> SnapshotLine {
    let summary = snapshot.summary();
    let owned = |key| text(summary, key).map(str::to_owned);
    let mode = text(summary, MODE).filter(|mode| [REWRITE, ROLLBACK].contains(mode));
    let registered = objects(summary).map(|_| "register");
    SnapshotLine {
        snapshot_id: snapshot.snapshot_id().to_string(),
        version: text(summary, VERSION)
            .or_else(|| text(summary, OUTSIDE_VERSION))
            .and_then(|version| version.parse().ok())
            .map(Version),
        at: Timestamp::from_micros(snapshot.timestamp_ms().saturating_mul(1000)),
        operation: summary.operation.as_str().to_owned(),
        mode: mode.or(registered).or_else(|| text(summary, MODE)).map(str::to_owned),
        rolled_back_to: mode.filter(|mode| *mode == ROLLBACK).and_then(|_| owned(ROLLED_BACK_TO)),
        row_count: rows(snapshot),
        added_rows: number(summary, ADDED_RECORDS),
        removed_rows: counted(summary, REMOVED_ROWS).unwrap_or_else(|| number(summary, "deleted-records")),
        sha256: owned(SHA256),
    }
}

fn text<'a>(summary: &'a Summary, key: &str) -> Option<&'a str> {
    summary.additional_properties.get(key).map(String::as_str)
}

fn number(summary: &Summary, key: &str) -> u64 {
    counted(summary, key).unwrap_or(0)
}

fn counted(summary: &Summary, key: &str) -> Option<u64> {
    text(summary, key)?.parse().ok()
}
