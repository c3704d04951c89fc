//! Files of a table exchanged for others that hold the very same rows.

use std::collections::HashSet;

use base::{DatasetName, Timestamp, Version};
use iceberg::spec::{ManifestContentType, ManifestEntryRef, ManifestFile, TableMetadata};

use crate::error::{Error, Result};
use crate::footer;
use crate::io::Staged;
use crate::lake::Lake;
use crate::publication::NewFile;
use crate::snapshot::{Base, MERGE_BELOW, Scribe, ending_in, following, list_manifests};
use crate::summary::{self, Sums};

/// The next snapshot of a table, with the same rows in other files.
#[derive(Debug)]
pub struct Exchange<'a> {
    /// The lake that the table lies in.
    pub lake: &'a Lake,
    /// What the table is called.
    pub name: &'a DatasetName,
    /// The table that the snapshot follows.
    pub base: Base<'a>,
    /// Whether that is the very one whose files were read. Delete files that came since could name one of them.
    pub is_as_read: bool,
    /// The files that go, by their paths relative to the lake's root.
    pub old: &'a [String],
    /// The files that come.
    pub new: &'a [NewFile],
    /// The version that publishes it.
    pub version: Version,
    /// When that is.
    pub at: Timestamp,
}

/// What an exchange makes of the table's manifests.
struct Listed {
    manifests: Vec<ManifestFile>,
    added: Sums,
    removed: Sums,
}

/// The files of a table as an exchange finds them.
#[derive(Default)]
struct Sorted {
    /// Manifests that stay as they are.
    whole: Vec<ManifestFile>,
    kept: Vec<ManifestEntryRef>,
    gone: Vec<ManifestEntryRef>,
}

impl Exchange<'_> {
    /// Works the snapshot out: the metadata with it, and the files to write first. None when the table is no more what the
    /// exchange was made for. Nothing is written yet.
    pub async fn take(&self) -> Result<Option<(TableMetadata, Vec<Staged>)>> {
        let (shelf, base) = (self.lake.shelf(), &self.base.table.metadata);
        let Some(before) = base.current_snapshot() else { return Ok(None) };
        let mut scribe = Scribe::new(&shelf, base, self.lake.snapshot_id());
        let Some(listed) = self.list(&mut scribe).await? else { return Ok(None) };
        let summary = summary::rewritten(before, self.version, listed.added, listed.removed);
        let snapshot = following(&scribe, base, self.at, base.current_schema_id(), summary);
        list_manifests(&scribe.io, &snapshot, listed.manifests).await?;
        let location = self.lake.roots.absolute(self.base.path);
        let metadata = ending_in(snapshot, base.clone().into_builder(Some(location)), base)?;
        Ok(Some((metadata, shelf.take())))
    }

    /// Lists the new files in place of the old ones, and merges the small manifests on the way.
    async fn list(&self, scribe: &mut Scribe) -> Result<Option<Listed>> {
        let Sorted { whole: mut manifests, kept, gone } = self.sort().await?;
        if gone.len() != self.old.len() || (!self.is_as_read && manifests.iter().any(lists_deletes)) {
            return Ok(None);
        }
        let columns = self.base.table.columns().iter();
        let personal = columns.filter(|column| column.pii.is_some()).map(|column| column.id).collect();
        let describe =
            |file: &NewFile| footer::data_file(file, self.lake.roots.absolute(&file.path), &scribe.schema, &personal);
        let new: Vec<_> = self.new.iter().map(describe).collect::<Result<_>>()?;
        let (added, removed) = (Sums::of(&new), Sums::of(gone.iter().map(|entry| entry.data_file())));
        if added.records != removed.records {
            return Err(Error::Bug { doing: "rewriting files", source: "the numbers of rows differ".into() });
        }
        manifests.extend(scribe.list_kept(self.name, &kept).await?);
        manifests.extend(scribe.list_removed(self.name, &gone).await?);
        manifests.extend(scribe.list_added(new).await?);
        Ok(Some(Listed { manifests, added, removed }))
    }

    /// Tells the files that stay from those that go.
    async fn sort(&self) -> Result<Sorted> {
        let (name, read) = (self.name, self.base.table);
        let old: HashSet<&str> = self.old.iter().map(String::as_str).collect();
        let is_old = |entry: &ManifestEntryRef| {
            self.lake.roots.relative(entry.file_path()).is_some_and(|path| old.contains(path))
        };
        let mut sorted = Sorted::default();
        let (deletes, lists): (Vec<_>, Vec<_>) = read.manifests(name).await?.into_iter().partition(lists_deletes);
        sorted.whole = deletes;
        for manifest in lists {
            let entries = read.entries(name, std::slice::from_ref(&manifest)).await?;
            if manifest.manifest_length >= MERGE_BELOW && !entries.iter().any(is_old) {
                sorted.whole.push(manifest);
                continue;
            }
            let (leaving, staying): (Vec<_>, Vec<_>) = entries.into_iter().partition(is_old);
            sorted.gone.extend(leaving);
            sorted.kept.extend(staying);
        }
        Ok(sorted)
    }
}

fn lists_deletes(manifest: &ManifestFile) -> bool {
    manifest.content == ManifestContentType::Deletes
}
