//! Backup: one version of the lake is copied out, with the hash of every file, while writers go on.
//!
//! A backup is laid out like the lake, without its name plate, so that nobody opens it by mistake. `backup.files.ndjson`
//! lists every file; `backup.json`, written last, holds the hash of that list, so what was interrupted is no backup.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use base::{AsOf, DatasetName, Timestamp, Version};
use bytes::Bytes;
use catalog::checksums::{self, Watch};
use catalog::{Pin, Plate};
use futures::{StreamExt, TryStreamExt, stream};
use parquet::errors::ParquetError;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use storage::{Store, Writer};

use crate::copy::{Copied, Expected, copy};
use crate::error::{Error, Result};
use crate::rows::fetch;
use crate::upkeep::Upkeep;

/// The newest format of backups that this program writes and reads.
pub(crate) const FORMAT: u64 = 1;
/// What makes a backup one.
pub(crate) const HEADING: &str = "backup.json";
/// The files, one JSON object a line.
pub(crate) const LIST: &str = "backup.files.ndjson";
/// How many files are copied at once.
pub(crate) const AT_ONCE: usize = 8;

/// What a backup says about itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Heading {
    pub format: u64,
    pub version: Version,
    pub at: Timestamp,
    pub files: u64,
    pub bytes: u64,
    /// Of the list of files.
    pub list_sha256: String,
    /// The rows of each dataset.
    pub rows: BTreeMap<DatasetName, u64>,
    /// The name plate that the restored lake gets.
    pub plate: Plate,
}

/// What was backed up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackedUp {
    /// The version.
    pub version: Version,
    /// When it was published.
    pub at: Timestamp,
    /// How many datasets it has.
    pub datasets: u64,
    /// How many vector indexes it has.
    pub indexes: u64,
    /// Whether what lies beside the versions was copied, too: what these indexes had not sealed, and the streams. It
    /// belongs to the newest version only.
    pub unsealed: bool,
    /// How many streams were copied.
    pub streams: u64,
    /// How many files were copied.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// The list of files as it grows.
pub(crate) struct List {
    writer: Writer,
    hash: Sha256,
    files: u64,
    bytes: u64,
    /// What the manifests of the table that is being copied state of its data files.
    sizes: HashMap<String, u64>,
}

impl Upkeep {
    /// Copies a version to an empty place; without one asked for, the newest.
    pub async fn back_up(&self, to: &Store, as_of: Option<&AsOf>) -> Result<BackedUp> {
        if lies_within(to, self.catalog.store()) {
            return Err(Error::Nested { place: "the place of the backup", within: "the lake" });
        }
        if !to.list("", None, 1).await?.entries.is_empty() {
            return Err(Error::Occupied { place: "the place of the backup", holds: "choose an empty one" });
        }
        let pin = match as_of {
            Some(as_of) => self.catalog.pin(Some(as_of)).await?,
            None => self.catalog.pin_fresh().await?,
        };
        if pin.version() == Version(0) && self.streams().await?.is_empty() {
            return Err(Error::Empty);
        }
        let is_newest = as_of.is_none() || self.catalog.pin_fresh().await?.version() == pin.version();
        match self.copy_version(&pin, is_newest, to).await {
            Err(Error::Storage(storage::Error::NotFound { path })) => {
                Err(self.expired_or(pin.version(), damaged(path, "it is not there")).await)
            }
            Err(error @ Error::Catalog(catalog::Error::Damaged { .. })) => {
                Err(self.expired_or(pin.version(), error).await)
            }
            copied => copied,
        }
    }

    /// What a version lacks when it expired under the copy is no damage.
    async fn expired_or(&self, version: Version, error: Error) -> Error {
        match self.catalog.pin(Some(&AsOf::Version(version))).await {
            Ok(_) => error,
            Err(_) => Error::Vanished { version },
        }
    }

    async fn copy_version(&self, pin: &Pin, unsealed: bool, to: &Store) -> Result<BackedUp> {
        let mut list =
            List { writer: to.writer(LIST).await?, hash: Sha256::new(), files: 0, bytes: 0, sizes: HashMap::new() };
        let (plate, history) = self.catalog.excerpt(pin).await?;
        let mut there = BTreeSet::new();
        for (path, bytes) in history {
            let copied = Copied::of(&path, &bytes);
            to.put(&path, bytes).await?;
            list.add(&copied).await?;
            there.insert(path);
        }
        let names: Vec<DatasetName> = pin.names().cloned().collect();
        for name in &names {
            let table = self.catalog.table(pin, name).await?;
            list.sizes = table.files().await?.iter().map(|file| (file.path.clone(), file.size)).collect();
            let files = self.catalog.files_of(pin, name).await?;
            self.copy_files(to, files.into_iter().filter(|path| !there.contains(path)), &mut list).await?;
        }
        for (name, index) in pin.indexes() {
            self.copy_index(to, (name, index), unsealed, &mut list).await?;
        }
        let streams = if unsealed { self.copy_streams(to, &mut list).await? } else { 0 };
        let rows = names.iter().filter_map(|name| Some((name.clone(), pin.entry(name)?.row_count)));
        let rows = rows.collect();
        let List { writer, hash, files, bytes, .. } = list;
        writer.finish().await?;
        let list_sha256 = hex::encode(hash.finalize());
        let heading =
            Heading { format: FORMAT, version: pin.version(), at: pin.at(), files, bytes, list_sha256, rows, plate };
        let written = serde_json::to_vec_pretty(&heading)?;
        to.create(HEADING, Bytes::from(written)).await?;
        let (datasets, indexes) = (names.len() as u64, pin.indexes().count() as u64);
        Ok(BackedUp { version: pin.version(), at: pin.at(), datasets, indexes, unsealed, streams, files, bytes })
    }

    async fn copy_files(&self, to: &Store, files: impl IntoIterator<Item = String>, list: &mut List) -> Result<()> {
        let from = self.catalog.store();
        let files: Vec<_> = files.into_iter().map(|path| (list.sizes.get(&path).copied(), path)).collect();
        let copies = files.into_iter().map(|(size, path)| async move {
            let watch = match size {
                Some(size) => self.watch(&path, size).await?,
                None => None,
            };
            copy(from, to, &path, Expected::Sound(watch)).await?.map_err(|cause| damaged(path, cause))
        });
        let mut copies = stream::iter(copies).buffered(AT_ONCE);
        while let Some(copied) = copies.try_next().await? {
            list.add(&copied).await?;
        }
        Ok(())
    }

    /// What a data file is checked against while it is copied, when it holds checksums.
    async fn watch(&self, path: &str, size: u64) -> Result<Option<Watch>> {
        let opened = checksums::open(size, |range| fetch(self.catalog.store(), path, range)).await;
        let source = match opened {
            Ok(opened) => return Ok(opened.checksums.map(Watch::new)),
            Err(ParquetError::External(inner)) => match inner.downcast::<storage::Error>() {
                Ok(inner) if !matches!(*inner, storage::Error::Range { .. }) => return Err(Error::Storage(*inner)),
                Ok(inner) => inner,
                Err(inner) => inner,
            },
            Err(error) => error.into(),
        };
        Err(damaged(path.to_owned(), source))
    }
}

impl List {
    pub async fn add(&mut self, copied: &Copied) -> Result<()> {
        if let Some(stated) = self.sizes.get(&copied.path).filter(|stated| **stated != copied.size) {
            let why = format!("it has {} bytes, and its manifest states {stated}", copied.size);
            return Err(damaged(copied.path.clone(), why));
        }
        let mut line = serde_json::to_vec(copied)?;
        line.push(b'\n');
        self.hash.update(&line);
        self.files += 1;
        self.bytes += copied.size;
        Ok(self.writer.append(Bytes::from(line)).await?)
    }
}

/// Whether a store lies somewhere below another one: what is written to the first then appears in the second.
pub(crate) fn lies_within(inner: &Store, outer: &Store) -> bool {
    inner.uri().strip_prefix(outer.uri()).is_some_and(|rest| rest.starts_with('/'))
}

fn damaged(path: String, why: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::Catalog(catalog::Error::Damaged { what: path, source: why.into() })
}
