//! Relocation: a lake that was copied or moved gets metadata whose locations lie under its new address, so that other
//! engines find its files too. We ourselves find them without it.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use base::{DatasetName, Seams, Version};
use iceberg::io::FileIO;
use iceberg::spec::{
    DataFile, FormatVersion, Manifest, ManifestContentType, ManifestEntry, ManifestFile, ManifestList,
    ManifestListWriter, ManifestStatus, ManifestWriter, ManifestWriterBuilder, SnapshotRef,
    deserialize_data_file_from_json, serialize_data_file_to_json,
};
use serde_json::Value;
use storage::Store;
use tables::io::{self, Staged};
use tables::lake::Lake;
use tables::metadata_file;

use crate::catalog::Catalog;
use crate::committer::{Description, Proposal, Settled, Subject};
use crate::config::Config;
use crate::error::{Error, Result};
use crate::format;
use crate::kept::Tables;
use crate::record::{Change, TablePut};
use crate::state::{State, TableEntry};
use crate::unswept;

/// What a relocation did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relocated {
    /// The address that locations now lie under.
    pub root: String,
    /// The version that relocated tables; none when all of them were in place.
    pub version: Option<Version>,
    /// How many tables it relocated.
    pub tables: u64,
    /// The tables that were left as they are, and why.
    pub left_alone: BTreeMap<DatasetName, String>,
}

impl Catalog {
    /// Makes the place where a lake lies its own address, and rewrites the newest metadata of its tables in one commit.
    /// Earlier versions stay readable for us. Processes that have the lake open go on under its old address until they
    /// are started again.
    pub async fn relocate(store: Store, config: &Config, seams: Seams, author: &str) -> Result<Relocated> {
        let root = store.uri().to_owned();
        format::change(&store, |plate| plate.move_to(&root)).await?;
        let catalog = Self::open(store, config, seams).await?;
        let left_alone = Arc::default();
        let relocating = Relocating {
            lake: catalog.room.lake.clone(),
            tables: Arc::clone(&catalog.room.tables),
            author: author.to_owned(),
            known: HashMap::new(),
            left_alone: Arc::clone(&left_alone),
        };
        let settled = catalog.put_through("relocate", relocating).await?;
        catalog.close().await;
        let tables =
            settled.state.tables.values().filter(|entry| entry.version == settled.state.version).count() as u64;
        let (version, tables) = if settled.committed { (Some(settled.state.version), tables) } else { (None, 0) };
        let left_alone = std::mem::take(&mut *left_alone.lock().unwrap_or_else(PoisonError::into_inner));
        Ok(Relocated { root, version, tables, left_alone })
    }
}

/// A relocation on its way through the committer.
struct Relocating {
    lake: Lake,
    tables: Arc<Tables>,
    author: String,
    /// What earlier decisions made of metadata files; none where all was in place.
    known: HashMap<String, Option<Rewritten>>,
    left_alone: Arc<Mutex<BTreeMap<DatasetName, String>>>,
}

#[async_trait]
impl Proposal for Relocating {
    fn subject(&self) -> Subject {
        Subject::Whole
    }

    fn describe(&self) -> Description {
        let message = "relocate the lake".to_owned();
        Description { author: self.author.clone(), message, idempotency_key: None, request: None }
    }

    async fn decide(&mut self, state: &State) -> Result<Vec<Change>> {
        let mut changes = Vec::new();
        for (name, entry) in &state.tables {
            let rewritten = match self.known.get(&entry.metadata) {
                Some(known) if self.outlives(state, known.as_ref()).await? => known.clone(),
                _ => self.relocate(name, entry).await?,
            };
            self.known.insert(entry.metadata.clone(), rewritten.clone());
            changes.extend(rewritten.map(|rewritten| Change::TablePut(rewritten.put)));
        }
        Ok(changes)
    }

    /// What was written for nothing is left to the sweep: it may be a great deal, and none of it is in the way.
    async fn settle(&mut self, _: &Result<Settled>) {}
}

impl Relocating {
    /// Whether all that was written for a table is there, whatever was swept meanwhile.
    async fn outlives(&self, state: &State, rewritten: Option<&Rewritten>) -> Result<bool> {
        let files = rewritten.into_iter().flat_map(|rewritten| &rewritten.files);
        unswept::all(&self.lake.store, state, files.map(String::as_str)).await
    }

    /// Writes a table's metadata anew; none when all of it is in place, or cannot be moved.
    async fn relocate(&self, name: &DatasetName, entry: &TableEntry) -> Result<Option<Rewritten>> {
        match self.try_relocate(name, entry).await {
            Ok(Moved::Files(rewritten)) => Ok(Some(rewritten)),
            Ok(Moved::InPlace) => Ok(None),
            Ok(Moved::Not(why)) => Ok(self.leave_alone(name, why.to_owned())),
            Err(error @ Error::Damaged { .. }) => Ok(self.leave_alone(name, error.to_string())),
            Err(error) => Err(error),
        }
    }

    fn leave_alone(&self, name: &DatasetName, why: String) -> Option<Rewritten> {
        self.left_alone.lock().unwrap_or_else(PoisonError::into_inner).insert(name.clone(), why);
        None
    }

    async fn try_relocate(&self, name: &DatasetName, entry: &TableEntry) -> Result<Moved> {
        let table = self.tables.load(name, entry).await?;
        let metadata = &table.read().metadata;
        if metadata.format_version() != FormatVersion::V2 {
            return Ok(Moved::Not("its metadata is not of Iceberg's version 2"));
        }
        let shelf = self.lake.shelf();
        let mut mover = Mover {
            lake: &self.lake,
            io: shelf.file_io(),
            name,
            directory: format!("{}/metadata", table.location()),
            moved: HashMap::new(),
        };
        let mut snapshots: Vec<_> = metadata.snapshots().collect();
        snapshots.sort_by_key(|snapshot| (snapshot.sequence_number(), snapshot.snapshot_id()));
        for snapshot in snapshots {
            if !mover.snapshot(snapshot).await? {
                return Ok(Moved::Not("it has delete files, which name its data files by their old locations"));
            }
        }
        let bug = |source: serde_json::Error| Error::Bug { doing: "moving metadata", source: source.into() };
        let before = serde_json::to_value(metadata).map_err(bug)?;
        let mut after = before.clone();
        mover.text_in(&mut after);
        if after == before {
            return Ok(Moved::InPlace);
        }
        let after = serde_json::from_value(after).map_err(bug)?;
        let file = metadata_file::name(Some(&entry.metadata), self.lake.seams.uuid());
        let path = format!("{}/metadata/{file}", table.location());
        let mut files: Vec<Staged> = shelf.take();
        files.push((path.clone(), metadata_file::encode(&after)?));
        let written = files.iter().map(|(path, _)| path.clone()).collect();
        io::write_all(&self.lake.store, files).await?;
        let put = TablePut {
            name: name.clone(),
            table_id: entry.table_id,
            metadata: path,
            snapshot_id: entry.snapshot_id,
            row_count: entry.row_count,
            fingerprint: entry.fingerprint.clone(),
        };
        Ok(Moved::Files(Rewritten { put, files: written }))
    }
}

/// A table whose metadata was written anew.
#[derive(Clone)]
struct Rewritten {
    put: TablePut,
    /// What was written, relative to the lake's root.
    files: Vec<String>,
}

/// What became of a table.
enum Moved {
    Files(Rewritten),
    InPlace,
    Not(&'static str),
}

/// Rewrites the files of one table.
struct Mover<'a> {
    lake: &'a Lake,
    io: FileIO,
    name: &'a DatasetName,
    /// Where the new files go, relative to the lake's root.
    directory: String,
    /// Where manifest lists and manifests went: new locations by old ones.
    moved: HashMap<String, (String, i64)>,
}

impl Mover<'_> {
    /// Moves a snapshot's manifest list; false when the snapshot cannot be moved. One whose files are gone, as in
    /// restored lakes, keeps them.
    async fn snapshot(&mut self, snapshot: &SnapshotRef) -> Result<bool> {
        let what = || format!("a manifest list of {}", self.name);
        let Some(bytes) = self.lake.get(what, snapshot.manifest_list()).await? else { return Ok(true) };
        let list = ManifestList::parse_with_version(&bytes, FormatVersion::V2);
        let list = list.map_err(|error| Error::damaged(what(), error))?;
        let before: Vec<ManifestFile> = list.consume_entries().into_iter().collect();
        if before.iter().any(|manifest| manifest.content == ManifestContentType::Deletes) {
            return Ok(false);
        }
        let mut after = Vec::with_capacity(before.len());
        for manifest in &before {
            after.push(self.manifest(manifest).await?);
        }
        let in_place = self.lake.roots.is_in_place(snapshot.manifest_list());
        if after == before && in_place {
            return Ok(true);
        }
        let bug = Error::bug("moving a manifest list");
        let location = self.location("snap");
        let output = self.io.new_output(&location).map_err(&bug)?.writer().await.map_err(&bug)?;
        let (id, parent) = (snapshot.snapshot_id(), snapshot.parent_snapshot_id());
        let mut writer = ManifestListWriter::v2(output, id, parent, snapshot.sequence_number());
        writer.add_manifests(after.into_iter()).map_err(&bug)?;
        writer.close().await.map_err(&bug)?;
        self.moved.insert(snapshot.manifest_list().to_owned(), (location, 0));
        Ok(true)
    }

    /// The manifest with its entries moved; several snapshots may share it.
    async fn manifest(&mut self, manifest: &ManifestFile) -> Result<ManifestFile> {
        if let Some((manifest_path, manifest_length)) = self.moved.get(&manifest.manifest_path).cloned() {
            return Ok(ManifestFile { manifest_path, manifest_length, ..manifest.clone() });
        }
        let loaded = manifest.load_manifest(&self.io).await;
        let loaded = loaded.map_err(|error| Error::unread_inside(format!("a manifest of {}", self.name), error))?;
        let roots = &self.lake.roots;
        let in_place = |entry: &ManifestEntry| roots.is_in_place(entry.file_path());
        let settled =
            roots.is_in_place(&manifest.manifest_path) && loaded.entries().iter().all(|entry| in_place(entry));
        let written = if settled { manifest.clone() } else { self.write(manifest, loaded).await? };
        let place = (written.manifest_path, written.manifest_length);
        self.moved.insert(manifest.manifest_path.clone(), place.clone());
        Ok(ManifestFile { manifest_path: place.0, manifest_length: place.1, ..manifest.clone() })
    }

    async fn write(&self, manifest: &ManifestFile, loaded: Manifest) -> Result<ManifestFile> {
        let (entries, metadata) = loaded.into_parts();
        let bug = Error::bug("moving a manifest");
        let output = self.io.new_output(self.location("m")).map_err(&bug)?;
        let (schema, spec) = (metadata.schema.clone(), metadata.partition_spec.clone());
        let partition = spec.partition_type(&schema).map_err(&bug)?;
        let mut writer =
            ManifestWriterBuilder::new(output, Some(manifest.added_snapshot_id), schema.clone(), spec).build_v2_data();
        for entry in entries {
            let json = serialize_data_file_to_json(entry.data_file().clone(), &partition, FormatVersion::V2);
            let json = self.moved_file(&json.map_err(&bug)?)?;
            let file = deserialize_data_file_from_json(&json, manifest.partition_spec_id, &partition, &schema);
            add(&mut writer, &entry, file.map_err(&bug)?).map_err(&bug)?;
        }
        writer.write_manifest_file().await.map_err(&bug)
    }

    fn moved_file(&self, json: &str) -> Result<String> {
        let bug = |source: serde_json::Error| Error::Bug { doing: "moving a data file", source: source.into() };
        let mut file: Value = serde_json::from_str(json).map_err(bug)?;
        file.get_mut("file_path").into_iter().for_each(|path| self.text_in(path));
        serde_json::to_string(&file).map_err(bug)
    }

    /// Moves every location within a value.
    fn text_in(&self, value: &mut Value) {
        match value {
            Value::String(text) => {
                if let Some((moved, _)) = self.moved.get(text.as_str()) {
                    moved.clone_into(text);
                } else if let Some(path) = self.lake.roots.relative(text) {
                    *text = self.lake.roots.absolute(path);
                }
            }
            Value::Array(values) => values.iter_mut().for_each(|value| self.text_in(value)),
            Value::Object(members) => members.values_mut().for_each(|value| self.text_in(value)),
            _ => {}
        }
    }

    /// A new location for a file of this kind.
    fn location(&self, kind: &str) -> String {
        let path = format!("{}/{kind}-{}.avro", self.directory, self.lake.seams.uuid());
        self.lake.roots.absolute(&path)
    }
}

/// Adds an entry as it was, with another file.
fn add(writer: &mut ManifestWriter, entry: &ManifestEntry, file: DataFile) -> iceberg::Result<()> {
    let sequence = entry.sequence_number().unwrap_or(0);
    match entry.status() {
        ManifestStatus::Added => writer.add_file(file, sequence),
        ManifestStatus::Deleted => writer.add_delete_file(file, sequence, entry.file_sequence_number),
        ManifestStatus::Existing => {
            writer.add_existing_file(file, entry.snapshot_id().unwrap_or(0), sequence, entry.file_sequence_number)
        }
    }
}
