//! What a snapshot of an outsider really is: its manifests and data files are looked up, counted, and refused when they
//! would leave a table that cannot be read.

use std::collections::{BTreeSet, HashMap, HashSet};

use base::{DatasetName, Timestamp};
use futures::{StreamExt, TryStreamExt, stream};
use iceberg::spec::{
    DataContentType, DataFile, DataFileFormat, FormatVersion, Manifest, ManifestContentType, ManifestEntryRef,
    ManifestFile, ManifestList, ManifestStatus, Snapshot,
};
use storage::Entry;
use tables::deletes;
use tables::lake::Lake;
use tables::summary::{Deletes, Sums};

use crate::error::{Error, Result};
use crate::rules::refuse;

/// The table property that lets other engines commit delete files.
pub(crate) const ALLOW_DELETES: &str = "lakehouse.allow-delete-files";
/// How many files are looked up at once.
const LOOKS_AT_ONCE: usize = 32;
/// How many manifests are read at once.
const MANIFESTS_AT_ONCE: usize = 8;

/// What was found of a snapshot. It stays true, as snapshots and their files never change.
#[derive(Debug, Clone, Default)]
pub struct Found {
    /// The living data files. Their size is not known of manifests that were there before.
    pub living: Sums,
    /// The living delete files.
    pub deletes: Deletes,
    /// Rows that position deletes take from living files.
    taken: u64,
    /// What the snapshot's own manifests add.
    pub added: Sums,
    /// What the snapshot's own manifests remove.
    pub removed: Sums,
    /// The partition specs of its own manifests.
    pub specs: BTreeSet<i32>,
    /// When the oldest of the files was written that no table named before.
    pub oldest: Option<Timestamp>,
}

/// The manifests of a snapshot as they were looked at: the entries of those that were read, and the others.
#[derive(Default)]
struct Looked {
    entries: Vec<ManifestEntryRef>,
    unread: Vec<ManifestFile>,
}

/// Where a snapshot is looked at.
pub struct Inspector<'a> {
    /// The lake that the table lies in.
    pub lake: &'a Lake,
    /// The table's name.
    pub name: &'a DatasetName,
    /// Its location.
    pub location: &'a str,
    /// Whether it may have delete files.
    pub allows_deletes: bool,
}

impl Inspector<'_> {
    /// Looks at a snapshot and all files that it names and those before it, which were looked at when they came, do not.
    pub async fn inspect(&self, snapshot: &Snapshot, earlier: &[&Snapshot]) -> Result<Found> {
        let mut ages = vec![self.take_over(snapshot.manifest_list()).await?.modified];
        let listed = self.list(snapshot.manifest_list()).await?;
        let mut before = Vec::new();
        for earlier in earlier {
            before.extend(self.list(earlier.manifest_list()).await?);
        }
        let known: HashMap<&str, &ManifestFile> =
            before.iter().map(|manifest| (manifest.manifest_path.as_str(), manifest)).collect();
        let (mut found, mut entries, mut looked) = (Found::default(), Vec::new(), Looked::default());
        for manifest in &listed {
            self.expect_allowed(manifest)?;
            match known.get(manifest.manifest_path.as_str()) {
                Some(known) => self.count_known(&mut found, known, &mut looked).await?,
                None => {
                    found.specs.insert(manifest.partition_spec_id);
                    ages.push(self.take_over(&manifest.manifest_path).await?.modified);
                    entries.extend(self.read(manifest).await?);
                }
            }
        }
        entries.iter().for_each(|entry| count(&mut found, entry));
        looked.entries.extend(entries.iter().cloned());
        found.taken = self.taken(&found, looked).await?;
        ages.extend(self.expect_files(&entries, &before).await?);
        found.oldest = ages.into_iter().min();
        Ok(found)
    }

    /// The rows of a snapshot that was accepted before.
    pub async fn rows(&self, snapshot: &Snapshot) -> Result<u64> {
        let (mut found, mut looked) = (Found::default(), Looked::default());
        for manifest in &self.list(snapshot.manifest_list()).await? {
            self.count_known(&mut found, manifest, &mut looked).await?;
        }
        found.taken = self.taken(&found, looked).await?;
        Ok(found.rows())
    }

    /// The rows that the position deletes of a snapshot take from its data files.
    async fn taken(&self, found: &Found, looked: Looked) -> Result<u64> {
        if found.deletes.positions == 0 {
            return Ok(0);
        }
        let mut living = self.living(&looked.unread).await?;
        living.extend(looked.entries.into_iter().filter(|entry| entry.is_alive()));
        Ok(deletes::taken(living.iter().map(|entry| entry.data_file())))
    }

    fn expect_allowed(&self, manifest: &ManifestFile) -> Result<()> {
        if manifest.content == ManifestContentType::Data || self.allows_deletes {
            return Ok(());
        }
        let why = format!("delete files are refused here; write anew what changes, or set {ALLOW_DELETES}=true first");
        Err(refuse(self.name, why))
    }

    /// Counts a manifest by what the list says of it, which was true when it was accepted; where that is not enough, by
    /// its entries.
    async fn count_known(&self, found: &mut Found, manifest: &ManifestFile, looked: &mut Looked) -> Result<()> {
        let rows = manifest.added_rows_count.zip(manifest.existing_rows_count);
        let files = manifest.added_files_count.zip(manifest.existing_files_count);
        if let (Some((added, existing)), Some((new, old)), ManifestContentType::Data) = (rows, files, manifest.content)
        {
            found.living.records += added + existing;
            found.living.files += u64::from(new) + u64::from(old);
            looked.unread.push(manifest.clone());
            return Ok(());
        }
        let (mut counted, entries) = (Found::default(), self.read(manifest).await?);
        entries.iter().for_each(|entry| count(&mut counted, entry));
        looked.entries.extend(entries);
        found.living = found.living.plus(counted.living);
        found.deletes = found.deletes.plus(counted.deletes);
        Ok(())
    }

    /// Refuses entries whose files the table cannot read, and tells when they were written. Those that it read before
    /// are not looked up again.
    async fn expect_files(&self, entries: &[ManifestEntryRef], before: &[ManifestFile]) -> Result<Vec<Timestamp>> {
        let living: Vec<_> = entries.iter().filter(|entry| entry.is_alive()).collect();
        let known = match living.iter().any(|entry| entry.status() == ManifestStatus::Existing) {
            true => self.living_paths(before).await?,
            false => HashSet::new(),
        };
        let unknown = living.iter().filter(|entry| !known.contains(entry.file_path()));
        let looks: Vec<_> = unknown.map(|entry| self.expect_file(entry.data_file())).collect();
        stream::iter(looks).buffer_unordered(LOOKS_AT_ONCE).try_collect().await
    }

    async fn living_paths(&self, manifests: &[ManifestFile]) -> Result<HashSet<String>> {
        Ok(self.living(manifests).await?.iter().map(|entry| entry.file_path().to_owned()).collect())
    }

    async fn living(&self, manifests: &[ManifestFile]) -> Result<Vec<ManifestEntryRef>> {
        let reads: Vec<_> = manifests.iter().map(|manifest| self.read(manifest)).collect();
        let read: Vec<_> = stream::iter(reads).buffered(MANIFESTS_AT_ONCE).try_collect().await?;
        Ok(read.into_iter().flatten().filter(|entry| entry.is_alive()).collect())
    }

    async fn expect_file(&self, file: &DataFile) -> Result<Timestamp> {
        let told = || shown(file.file_path());
        if file.file_format() != DataFileFormat::Parquet {
            return Err(refuse(self.name, format!("{} is not Parquet", told())));
        }
        let (entry, stated) = (self.take_over(file.file_path()).await?, file.file_size_in_bytes());
        if entry.size == stated {
            return Ok(entry.modified);
        }
        Err(refuse(self.name, format!("{} has {} bytes, and its manifest states {stated}", told(), entry.size)))
    }

    /// A commit that is acknowledged lasts, and so must the files that others wrote for it.
    async fn take_over(&self, location: &str) -> Result<Entry> {
        self.lake.store.take_over(self.path(location)?).await.map_err(|error| self.missing(location, error))
    }

    async fn list(&self, location: &str) -> Result<Vec<ManifestFile>> {
        self.path(location)?;
        let bytes = self.lake.list_bytes(self.name, location).await?;
        let bytes = bytes.ok_or_else(|| self.gone(location))?;
        let list = ManifestList::parse_with_version(&bytes, FormatVersion::V2);
        Ok(list.map_err(|error| self.unreadable(location, error))?.consume_entries().into_iter().collect())
    }

    async fn read(&self, manifest: &ManifestFile) -> Result<Vec<ManifestEntryRef>> {
        let location = &manifest.manifest_path;
        self.path(location)?;
        let bytes = self.lake.manifest_bytes(self.name, location).await?;
        let parsed = Manifest::parse_avro(&bytes.ok_or_else(|| self.gone(location))?);
        Ok(parsed.map_err(|error| self.unreadable(location, error))?.into_parts().0)
    }

    fn missing(&self, location: &str, error: storage::Error) -> Error {
        match error {
            storage::Error::NotFound { .. } => self.gone(location),
            error => error.into(),
        }
    }

    fn gone(&self, location: &str) -> Error {
        refuse(self.name, format!("{} is not there", shown(location)))
    }

    /// The path of a file under the table.
    fn path<'b>(&self, location: &'b str) -> Result<&'b str> {
        let table = self.lake.roots.relative(self.location);
        let is_inside = |path: &&str| {
            let rest = table.and_then(|table| path.strip_prefix(table));
            rest.is_some_and(|rest| rest.starts_with('/'))
        };
        let outside = || refuse(self.name, format!("{} does not lie under the table's location", shown(location)));
        self.lake.roots.relative(location).filter(is_inside).ok_or_else(outside)
    }

    fn unreadable(&self, location: &str, error: iceberg::Error) -> Error {
        let why = format!("{} does not read", shown(location));
        Error::Unacceptable { name: self.name.clone(), why, source: Some(Box::new(error)) }
    }
}

impl Found {
    /// The rows: those of the data files without those that positions delete. What equality deletes take away only a
    /// scan could tell.
    pub fn rows(&self) -> u64 {
        self.living.records.saturating_sub(self.taken)
    }
}

fn count(found: &mut Found, entry: &ManifestEntryRef) {
    let file = Sums::of([entry.data_file()]);
    match (entry.content_type(), entry.status()) {
        (DataContentType::Data, ManifestStatus::Deleted) => found.removed = found.removed.plus(file),
        (DataContentType::Data, status) => {
            found.living = found.living.plus(file);
            if status == ManifestStatus::Added {
                found.added = found.added.plus(file);
            }
        }
        (_, ManifestStatus::Deleted) => {}
        (DataContentType::PositionDeletes, _) => {
            found.deletes = found.deletes.plus(Deletes { files: 1, positions: file.records, equalities: 0 });
        }
        (DataContentType::EqualityDeletes, _) => {
            found.deletes = found.deletes.plus(Deletes { files: 1, positions: 0, equalities: file.records });
        }
    }
}

/// A location as the client wrote it, never a megabyte of it.
fn shown(location: &str) -> String {
    location.chars().take(300).collect()
}
