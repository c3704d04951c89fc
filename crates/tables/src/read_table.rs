//! A table as its metadata file and manifests tell it.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::sync::Arc;

use base::DatasetName;
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use iceberg::spec::{
    Literal, ManifestContentType, ManifestEntryRef, ManifestFile, PartitionField, Snapshot, Struct, TableMetadata,
    Transform,
};
use tokio::sync::OnceCell;

use crate::column::Column;
use crate::data_file::{Bound, DataFile, bounds};
use crate::deletes::{self, Deletes};
use crate::error::{Error, Result};
use crate::lake::Lake;
use crate::metadata_file;
use crate::schema;

/// How many manifests are read at once.
const MANIFESTS_AT_ONCE: usize = 8;

/// What a metadata file says, shared by all versions that pin it.
pub struct ReadTable {
    lake: Lake,
    /// The metadata.
    pub metadata: TableMetadata,
    /// The directory, relative to the lake's root.
    location: String,
    columns: Vec<Column>,
    files: OnceCell<Arc<[DataFile]>>,
}

impl ReadTable {
    /// Reads a metadata file, given relative to the lake's root.
    pub async fn load(lake: &Lake, name: &DatasetName, metadata: &str) -> Result<Self> {
        let bytes = bytes_of(lake, name, metadata).await?;
        Self::new(lake, name, metadata_file::decode(|| told(name), &bytes)?)
    }

    /// The same, with the snapshots that branches and tags of the table name.
    pub async fn load_naming(lake: &Lake, name: &DatasetName, metadata: &str) -> Result<(Self, HashSet<i64>)> {
        let bytes = bytes_of(lake, name, metadata).await?;
        let (metadata, named) = metadata_file::decode_naming(|| told(name), &bytes)?;
        Ok((Self::new(lake, name, metadata)?, named))
    }

    /// A table whose metadata is at hand.
    pub fn new(lake: &Lake, name: &DatasetName, metadata: TableMetadata) -> Result<Self> {
        let outside = || Error::damaged(told(name), "its location lies outside the lake");
        let location = lake.roots.relative(metadata.location()).ok_or_else(outside)?.to_owned();
        let columns = schema::columns_of(&metadata);
        Ok(Self { lake: lake.clone(), metadata, location, columns, files: OnceCell::new() })
    }

    /// The directory, relative to the lake's root.
    pub fn location(&self) -> &str {
        &self.location
    }

    /// The columns, in order.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The data files of the current snapshot; read once.
    pub async fn files(&self, name: &DatasetName) -> Result<Arc<[DataFile]>> {
        let files = self.files.get_or_try_init(|| self.gather_files(name)).await?;
        Ok(Arc::clone(files))
    }

    /// The manifests of the current snapshot that list living files: of data, and of deletes.
    pub async fn manifests(&self, name: &DatasetName) -> Result<Vec<ManifestFile>> {
        let Some(snapshot) = self.metadata.current_snapshot() else { return Ok(Vec::new()) };
        let living = |manifest: &ManifestFile| manifest.has_added_files() || manifest.has_existing_files();
        Ok(self.listed(name, snapshot).await?.into_iter().filter(living).collect())
    }

    /// All manifests that the list of a snapshot names.
    pub async fn listed(&self, name: &DatasetName, snapshot: &Snapshot) -> Result<Vec<ManifestFile>> {
        let location = snapshot.manifest_list();
        let listed = self.lake.read_list(name, location, self.metadata.format_version()).await?;
        listed.ok_or_else(|| {
            let path = self.lake.roots.relative(location).unwrap_or_default().to_owned();
            Error::unread(self.lake.what_list(name, location), storage::Error::NotFound { path })
        })
    }

    /// The living entries of manifests, in their order.
    pub async fn entries(&self, name: &DatasetName, manifests: &[ManifestFile]) -> Result<Vec<ManifestEntryRef>> {
        Ok(self.entries_by_manifest(name, manifests).await?.into_iter().flatten().collect())
    }

    async fn entries_by_manifest(
        &self,
        name: &DatasetName,
        manifests: &[ManifestFile],
    ) -> Result<Vec<Vec<ManifestEntryRef>>> {
        let io = self.lake.shelf().file_io();
        let io = &io;
        let loads: Vec<_> = manifests
            .iter()
            .map(|manifest| async move {
                let loaded = manifest.load_manifest(io).await;
                let what = || self.lake.what_manifest(name, &manifest.manifest_path);
                let loaded = loaded.map_err(|error| Error::unread_inside(what(), error))?;
                Ok(loaded.into_parts().0.into_iter().filter(|entry| entry.is_alive()).collect())
            })
            .collect();
        stream::iter(loads).buffered(MANIFESTS_AT_ONCE).try_collect().await
    }

    async fn gather_files(&self, name: &DatasetName) -> Result<Arc<[DataFile]>> {
        self.expect_no_defaults(name)?;
        let manifests = self.manifests(name).await?;
        let entries = self.entries_by_manifest(name, &manifests).await?;
        let (listing_deletes, listing_data): (Vec<_>, Vec<_>) =
            manifests.iter().zip(entries).partition(|(manifest, _)| manifest.content == ManifestContentType::Deletes);
        let mut deletes = Deletes::default();
        for (manifest, entries) in &listing_deletes {
            deletes.add(self, name, (manifest.partition_spec_id, entries))?;
        }
        let listed =
            listing_data.iter().flat_map(|(manifest, entries)| entries.iter().map(move |entry| (manifest, entry)));
        listed.map(|(manifest, entry)| self.describe(name, entry, manifest.partition_spec_id, &deletes)).collect()
    }

    fn describe(&self, name: &DatasetName, entry: &ManifestEntryRef, spec: i32, deletes: &Deletes) -> Result<DataFile> {
        let file = entry.data_file();
        deletes::expect_parquet(name, file)?;
        Ok(DataFile {
            path: self.relative(name, file.file_path())?,
            size: file.file_size_in_bytes(),
            rows: file.record_count(),
            lower: bounds(file.lower_bounds()),
            upper: bounds(file.upper_bounds()),
            nulls: file.null_value_counts().iter().map(|(id, nulls)| (*id, *nulls)).collect(),
            constants: self.constants(spec, file.partition()),
            deletes: deletes.of(entry, spec),
            exact: metadata_file::is_ours(&self.metadata, entry),
        })
    }

    /// The path of a file that a manifest lists.
    pub fn relative(&self, name: &DatasetName, location: &str) -> Result<String> {
        let outside = || Error::damaged(format!("a manifest of {name}"), "a file lies outside the lake");
        self.lake.roots.relative(location).map(str::to_owned).ok_or_else(outside)
    }

    /// The values of the columns that a file is partitioned by as they are.
    fn constants(&self, spec: i32, partition: &Struct) -> BTreeMap<i32, Option<Bound>> {
        let Some(spec) = self.metadata.partition_spec_by_id(spec) else { return BTreeMap::new() };
        let identities =
            spec.fields().iter().zip(partition.iter()).filter(|(field, _)| field.transform == Transform::Identity);
        let value = |(field, value): (&PartitionField, Option<&Literal>)| {
            let column = self.metadata.current_schema().field_by_id(field.source_id)?;
            let Some(value) = value else { return Some((field.source_id, None)) };
            let ty = column.field_type.as_primitive_type()?;
            let value = Bound::from_literal(ty, &value.as_primitive_literal()?)?;
            Some((field.source_id, Some(value)))
        };
        identities.filter_map(value).collect()
    }

    /// Values that rows of older files have by default came with a later format of tables.
    fn expect_no_defaults(&self, name: &DatasetName) -> Result<()> {
        let fields = self.metadata.current_schema().field_id_to_fields();
        match fields.values().any(|field| field.initial_default.is_some()) {
            true => Err(Error::UnreadableFiles { name: name.clone(), what: "columns with default values" }),
            false => Ok(()),
        }
    }
}

async fn bytes_of(lake: &Lake, name: &DatasetName, metadata: &str) -> Result<Bytes> {
    lake.store.get(metadata).await.map_err(|error| Error::unread(told(name), error))
}

fn told(name: &DatasetName) -> String {
    format!("the metadata of {name}")
}

impl fmt::Debug for ReadTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ReadTable({})", self.location)
    }
}
