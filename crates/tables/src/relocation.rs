//! Relocation of one table: metadata, manifest lists and manifests whose locations lie under the lake's present address.

use std::collections::HashMap;

use base::DatasetName;
use iceberg::io::FileIO;
use iceberg::spec::{
    DataFile, FormatVersion, Manifest, ManifestContentType, ManifestEntry, ManifestFile, ManifestListWriter,
    ManifestStatus, ManifestWriter, ManifestWriterBuilder, SnapshotRef, TableMetadata, deserialize_data_file_from_json,
    serialize_data_file_to_json,
};
use serde_json::Value;

use crate::error::{Error, Result};
use crate::io::Staged;
use crate::lake::Lake;
use crate::read_table::ReadTable;
use crate::snapshot;

/// What becomes of a table in a lake that lies elsewhere.
#[derive(Debug)]
pub enum Moved {
    /// Its metadata as it is to be, and the files to write first.
    To(Box<TableMetadata>, Vec<Staged>),
    /// All its locations lie under the present address.
    InPlace,
    /// It cannot be moved, and why.
    Not(&'static str),
}

/// Works out a table's metadata under the present address. Nothing is written yet.
pub async fn relocate(lake: &Lake, name: &DatasetName, table: &ReadTable) -> Result<Moved> {
    let metadata = &table.metadata;
    if metadata.format_version() != FormatVersion::V2 {
        return Ok(Moved::Not("its metadata is not of Iceberg's version 2"));
    }
    let shelf = lake.shelf();
    let directory = format!("{}/metadata", table.location());
    let mut mover = Mover { lake, io: shelf.file_io(), name, directory, moved: HashMap::new() };
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
    Ok(Moved::To(Box::new(after), shelf.take()))
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
        let listed = self.lake.read_list(self.name, snapshot.manifest_list(), FormatVersion::V2).await?;
        let Some(before) = listed else { return Ok(true) };
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
        let what = || self.lake.what_manifest(self.name, &manifest.manifest_path);
        let loaded = loaded.map_err(|error| Error::unread_inside(what(), error))?;
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
        snapshot::close(writer).await
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
