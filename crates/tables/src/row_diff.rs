//! How many rows came and went between two states of one table, counted by its files.
//!
//! Files in both states count nothing but the rows that other engines deleted from them in between; of the others, the
//! rows count that were left of them. What deletes take by value, or from several files at once, does not count. A pure
//! rewrite (Iceberg's operation `replace`) holds the same rows before and after, so its files are set off against each
//! other. Which rewrites lie between two states is known from the snapshots: they form a tree, in which a rollback leads
//! back to the snapshot that it restored, and the rewrites on the path from one state to the other are those between.
//! Where earlier metadata is gone with expired versions, rewritten rows count as removed and added.

use std::collections::{HashMap, HashSet};

use base::DatasetName;
use iceberg::spec::{Manifest, ManifestFile, ManifestStatus, Operation, Snapshot, SnapshotRef, TableMetadata};

use crate::error::{Error, Result};
use crate::history;
use crate::lake::Lake;
use crate::metadata_file;
use crate::read_table::ReadTable;
use crate::summary::{self, Origin};

/// Rows that came, and rows that went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moved {
    /// Rows that came.
    pub added: u64,
    /// Rows that went.
    pub removed: u64,
}

/// Files by path, with their rows.
type Rows = HashMap<String, u64>;

/// Files that hold the same rows as others did.
#[derive(Debug, Default)]
struct Rewritten {
    old: Rows,
    new: Rows,
}

/// Counts what came and went between two states of the same table.
pub async fn moved(lake: &Lake, name: &DatasetName, before: &ReadTable, after: &ReadTable) -> Result<Moved> {
    let (earlier, later) = (rows(name, before).await?, rows(name, after).await?);
    let gone = without(&earlier, &later);
    let come = without(&later, &earlier);
    let mut rewrites = Vec::new();
    if !gone.is_empty() && !come.is_empty() {
        rewrites = rewrites_between((lake, name), &before.metadata, &after.metadata).await?;
    }
    let carried: u64 = rewrites.iter().map(|rewritten| rewritten.carried(&gone, &come)).sum();
    let count = |files: &Rows| files.values().sum::<u64>().saturating_sub(carried);
    Ok(Moved { added: count(&come) + more(&later, &earlier), removed: count(&gone) + more(&earlier, &later) })
}

async fn rows(name: &DatasetName, table: &ReadTable) -> Result<Rows> {
    Ok(table.files(name).await?.iter().map(|file| (file.path.clone(), file.rows_left())).collect())
}

/// How many more rows are left of files than there are of the same files among others.
fn more(files: &Rows, others: &Rows) -> u64 {
    files.iter().filter_map(|(path, rows)| Some(rows.saturating_sub(*others.get(path)?))).sum()
}

fn without(files: &Rows, others: &Rows) -> Rows {
    files.iter().filter(|(path, _)| !others.contains_key(*path)).map(|(path, rows)| (path.clone(), *rows)).collect()
}

impl Rewritten {
    /// How many rows went with `gone` and came again with `come` at least: those of the new files that came, less what
    /// may stem from old files that had not gone.
    fn carried(&self, gone: &Rows, come: &Rows) -> u64 {
        let sum = |files: &Rows, among: &Rows| {
            files.iter().filter(|(path, _)| among.contains_key(*path)).map(|(_, rows)| rows).sum::<u64>()
        };
        let whole = self.old.values().sum::<u64>().max(self.new.values().sum());
        (sum(&self.old, gone) + sum(&self.new, come)).saturating_sub(whole)
    }

    /// Takes a later rewrite in, which may have rewritten some of the files that this one made.
    fn follow(&mut self, later: &Rewritten) {
        let from_outside = later.old.iter().filter(|(path, _)| !self.new.contains_key(*path));
        self.old.extend(from_outside.map(|(path, rows)| (path.clone(), *rows)));
        self.new.retain(|path, _| !later.old.contains_key(path));
        self.new.extend(later.new.clone());
    }

    fn is_followed_by(&self, later: &Rewritten) -> bool {
        later.old.keys().any(|path| self.new.contains_key(path))
    }

    fn undone(self) -> Self {
        Self { old: self.new, new: self.old }
    }
}

/// The rewrites on the way from one state to the other, which may first lead back and then on from where both came.
async fn rewrites_between(
    table: (&Lake, &DatasetName),
    before: &TableMetadata,
    after: &TableMetadata,
) -> Result<Vec<Rewritten>> {
    let (mut left, mut right) = (Ancestry::of(table, before), Ancestry::of(table, after));
    loop {
        if let Some(met) = left.meets(&right) {
            let back = left.rewrites_since(met).await?.into_iter().map(Rewritten::undone);
            let on = right.rewrites_since(met).await?.into_iter().rev();
            return Ok(join(back.chain(on)));
        }
        if !left.go_back().await? & !right.go_back().await? {
            return Ok(Vec::new());
        }
    }
}

/// Joins those rewrites that follow one another, so that files in the middle do not count.
fn join(rewrites: impl Iterator<Item = Rewritten>) -> Vec<Rewritten> {
    let mut joined: Vec<Rewritten> = Vec::new();
    for later in rewrites {
        let (followed, others): (Vec<_>, Vec<_>) = joined.into_iter().partition(|one| one.is_followed_by(&later));
        let mut whole = Rewritten::default();
        followed.iter().for_each(|one| whole.follow(one));
        whole.follow(&later);
        joined = others;
        joined.push(whole);
    }
    joined
}

/// The snapshots that led to a state, the newest first, as far as they were asked for.
struct Ancestry<'a> {
    lake: &'a Lake,
    name: &'a DatasetName,
    metadata: TableMetadata,
    /// The next one back; none at the beginning, or where nothing is known any more.
    next: Option<i64>,
    passed: Vec<SnapshotRef>,
}

impl<'a> Ancestry<'a> {
    fn of((lake, name): (&'a Lake, &'a DatasetName), metadata: &TableMetadata) -> Self {
        Self { lake, name, metadata: metadata.clone(), next: metadata.current_snapshot_id(), passed: Vec::new() }
    }

    /// Passes one more snapshot; whether there was one.
    async fn go_back(&mut self) -> Result<bool> {
        let Some(next) = self.next.take() else { return Ok(false) };
        let Some(snapshot) = self.find(next).await? else { return Ok(false) };
        match summary::origin(&snapshot) {
            Some(Origin { snapshot: origin, known_by }) if origin != next => {
                self.next = Some(origin);
                self.turn_to(origin, known_by).await?;
            }
            Some(_) => {
                self.next = snapshot.parent_snapshot_id();
                self.passed.push(snapshot);
            }
            None => {}
        }
        Ok(true)
    }

    /// Goes on in the metadata file that is said to know a snapshot, when this one does not.
    async fn turn_to(&mut self, id: i64, known_by: Option<&str>) -> Result<()> {
        if self.metadata.snapshot_by_id(id).is_none()
            && let Some(path) = known_by
            && let Some(metadata) = history::earlier(self.lake, &self.lake.roots.absolute(path)).await?
        {
            self.metadata = metadata;
        }
        Ok(())
    }

    /// A snapshot of this metadata, or of the earlier one that holds what this has left out.
    async fn find(&mut self, id: i64) -> Result<Option<SnapshotRef>> {
        loop {
            if let Some(snapshot) = self.metadata.snapshot_by_id(id) {
                return Ok(Some(snapshot.clone()));
            }
            let Some(earlier) = metadata_file::earlier(&self.metadata).map(str::to_owned) else { return Ok(None) };
            let Some(metadata) = history::earlier(self.lake, &earlier).await? else { return Ok(None) };
            self.metadata = metadata;
        }
    }

    fn meets(&self, other: &Self) -> Option<i64> {
        let ours: HashSet<i64> = self.passed.iter().map(|snapshot| snapshot.snapshot_id()).collect();
        other.passed.iter().map(|snapshot| snapshot.snapshot_id()).find(|id| ours.contains(id))
    }

    /// The rewrites after snapshot `id`, newest first.
    async fn rewrites_since(&self, id: i64) -> Result<Vec<Rewritten>> {
        let mut rewrites = Vec::new();
        for snapshot in self.passed.iter().take_while(|snapshot| snapshot.snapshot_id() != id) {
            if snapshot.summary().operation == Operation::Replace {
                rewrites.push(self.rewritten(snapshot).await?);
            }
        }
        Ok(rewrites)
    }

    /// The files that a snapshot exchanged; none when the lists of them are gone.
    async fn rewritten(&self, snapshot: &Snapshot) -> Result<Rewritten> {
        let mut rewritten = Rewritten::default();
        let format = self.metadata.format_version();
        let listed = self.lake.read_list(self.name, snapshot.manifest_list(), format).await?;
        let own = listed.into_iter().flatten().filter(|manifest| manifest.added_snapshot_id == snapshot.snapshot_id());
        for ManifestFile { manifest_path: location, .. } in own {
            let what = || self.lake.what_manifest(self.name, &location);
            let Some(bytes) = self.lake.manifest_bytes(self.name, &location).await? else { continue };
            let manifest = Manifest::parse_avro(&bytes).map_err(|error| Error::damaged(what(), error))?;
            for entry in manifest.entries() {
                let side = match entry.status() {
                    ManifestStatus::Added => &mut rewritten.new,
                    ManifestStatus::Deleted => &mut rewritten.old,
                    ManifestStatus::Existing => continue,
                };
                let outside = || Error::damaged(what(), "a file lies outside the lake");
                let path = self.lake.roots.relative(entry.file_path()).ok_or_else(outside)?;
                side.insert(path.to_owned(), entry.data_file().record_count());
            }
        }
        Ok(rewritten)
    }
}
