//! A table at one version: its columns, its files and where to write more.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use base::DatasetName;
use futures::{StreamExt, TryStreamExt, stream};
use iceberg::spec::{
    DEFAULT_SCHEMA_NAME_MAPPING, ManifestContentType, ManifestEntryRef, ManifestFile, ManifestList, NameMapping,
    TableMetadata,
};
use tokio::sync::OnceCell;
use uuid::Uuid;

use crate::column::Column;
use crate::data_file::{DataFile, bounds};
use crate::draft::Draft;
use crate::error::{Error, Result};
use crate::lake::Lake;
use crate::metadata_file;
use crate::pii::{self, Pii};
use crate::publication::Source;
use crate::schema;
use crate::state::TableEntry;
use crate::summary;

/// How many manifests are read at once.
const MANIFESTS_AT_ONCE: usize = 8;

/// The namespace of dataset ids: the same name has the same id on every machine.
const DATASETS: Uuid = Uuid::from_u128(0xa8f3c1d2_4e5b_5a6c_9d8e_7f0a1b2c3d4e);

/// The id of the dataset with this name: a UUIDv5.
pub fn dataset_id(name: &DatasetName) -> Uuid {
    Uuid::new_v5(&DATASETS, name.to_string().as_bytes())
}

/// A table as one version pins it.
#[derive(Debug)]
pub struct Table {
    name: DatasetName,
    entry: TableEntry,
    read: Arc<ReadTable>,
}

/// What a metadata file says, shared by all versions that pin it.
pub(crate) struct ReadTable {
    lake: Lake,
    pub metadata: TableMetadata,
    /// The directory, relative to the lake's root.
    location: String,
    columns: Vec<Column>,
    files: OnceCell<Arc<[DataFile]>>,
}

impl Table {
    pub(crate) fn new(name: &DatasetName, entry: &TableEntry, read: Arc<ReadTable>) -> Result<Self> {
        let (metadata, what) = (&read.metadata, || format!("the table of {name}"));
        if metadata.uuid() != entry.table_id || metadata.current_snapshot_id() != entry.snapshot_id {
            return Err(Error::damaged(what(), "its metadata is not what the log pins"));
        }
        Ok(Self { name: name.clone(), entry: entry.clone(), read })
    }

    /// The dataset's name.
    pub fn name(&self) -> &DatasetName {
        &self.name
    }

    /// UUIDv5 of the name.
    pub fn dataset_id(&self) -> Uuid {
        dataset_id(&self.name)
    }

    /// The Iceberg table's uuid, new at every re-creation.
    pub fn table_id(&self) -> Uuid {
        self.entry.table_id
    }

    /// What the version pins.
    pub fn entry(&self) -> &TableEntry {
        &self.entry
    }

    /// The columns, in order.
    pub fn columns(&self) -> &[Column] {
        &self.read.columns
    }

    /// The schema's fingerprint.
    pub fn fingerprint(&self) -> &str {
        &self.entry.fingerprint
    }

    /// The current snapshot.
    pub fn snapshot_id(&self) -> Option<i64> {
        self.entry.snapshot_id
    }

    /// Rows of the current snapshot.
    pub fn row_count(&self) -> u64 {
        self.entry.row_count
    }

    /// The table's directory, relative to the lake's root.
    pub fn location(&self) -> &str {
        &self.read.location
    }

    /// What is known of columns by their ids: the personal data they hold, or that they hold none.
    pub fn classified(&self) -> BTreeMap<i32, Option<Pii>> {
        pii::noted(&self.read.metadata)
    }

    /// Whether another engine divides the rows by the values of some column.
    pub fn is_partitioned(&self) -> bool {
        self.read.metadata.partition_specs_iter().any(|spec| !spec.is_unpartitioned())
    }

    /// A draft for writing more files under this table's ids and location.
    pub fn draft(&self) -> Draft {
        Draft {
            name: self.name.clone(),
            table_id: self.entry.table_id,
            location: self.read.location.clone(),
            columns: self.read.columns.clone(),
            added: 0,
            last_id: self.read.metadata.last_column_id(),
            is_new: false,
        }
    }

    /// The Arrow schema, each field with its id under `PARQUET:field_id`.
    pub fn arrow_schema(&self) -> Result<SchemaRef> {
        schema::arrow_schema(self.columns())
    }

    /// The data files of the current snapshot; read once for all versions that share them.
    pub async fn files(&self) -> Result<Arc<[DataFile]>> {
        let files = self.read.files.get_or_try_init(|| self.read.gather_files(&self.name)).await?;
        Ok(Arc::clone(files))
    }

    /// What the rows were made from, when the current snapshot is a replacement.
    pub fn source(&self) -> Option<Source> {
        summary::source(self.read.metadata.current_snapshot()?.summary())
    }

    /// The cheap identity of the objects that were registered as the current snapshot.
    pub(crate) fn registered_objects(&self) -> Option<&str> {
        summary::objects(self.read.metadata.current_snapshot()?.summary())
    }

    /// Field ids by column name, for files that carry no ids.
    pub fn name_mapping(&self) -> Option<HashMap<String, i32>> {
        let stored = self.read.metadata.properties().get(DEFAULT_SCHEMA_NAME_MAPPING)?;
        let mapping: NameMapping = serde_json::from_str(stored).ok()?;
        let fields = mapping.fields().iter().filter_map(|field| Some((field.field_id()?, field.names())));
        Some(fields.flat_map(|(id, names)| names.iter().map(move |name| (name.clone(), id))).collect())
    }

    pub(crate) fn read(&self) -> &ReadTable {
        &self.read
    }
}

impl ReadTable {
    /// Reads a metadata file, given relative to the lake's root.
    pub async fn load(lake: &Lake, name: &DatasetName, metadata: &str) -> Result<Self> {
        let what = || format!("the metadata of {name}");
        let bytes = lake.store.get(metadata).await.map_err(|error| Error::unread(what(), error))?;
        Self::new(lake, name, metadata_file::decode(what, &bytes)?)
    }

    pub fn new(lake: &Lake, name: &DatasetName, metadata: TableMetadata) -> Result<Self> {
        let outside = || Error::damaged(format!("the metadata of {name}"), "its location lies outside the lake");
        let location = lake.roots.relative(metadata.location()).ok_or_else(outside)?.to_owned();
        let columns = schema::columns_of(&metadata);
        Ok(Self { lake: lake.clone(), metadata, location, columns, files: OnceCell::new() })
    }

    /// The manifests of the current snapshot that list living files.
    pub async fn manifests(&self, name: &DatasetName) -> Result<Vec<ManifestFile>> {
        let Some(snapshot) = self.metadata.current_snapshot() else { return Ok(Vec::new()) };
        let what = || format!("the manifest list of {name}");
        let path = self.lake.roots.relative(snapshot.manifest_list());
        let path = path.ok_or_else(|| Error::damaged(what(), "it lies outside the lake"))?;
        let bytes = self.lake.store.get(path).await.map_err(|error| Error::unread(what(), error))?;
        let list = ManifestList::parse_with_version(&bytes, self.metadata.format_version());
        let list = list.map_err(|error| Error::damaged(what(), error))?;
        let living = |manifest: &ManifestFile| manifest.has_added_files() || manifest.has_existing_files();
        let manifests: Vec<_> = list.consume_entries().into_iter().filter(living).collect();
        if manifests.iter().any(|manifest| manifest.content == ManifestContentType::Deletes) {
            return Err(Error::DeleteFiles { name: name.clone() });
        }
        Ok(manifests)
    }

    /// The living entries of manifests, in their order.
    pub async fn entries(&self, name: &DatasetName, manifests: &[ManifestFile]) -> Result<Vec<ManifestEntryRef>> {
        let io = self.lake.shelf().file_io();
        let io = &io;
        let loads: Vec<_> = manifests
            .iter()
            .map(|manifest| async move {
                let loaded = manifest.load_manifest(io).await;
                loaded.map_err(|error| Error::unread_inside(format!("a manifest of {name}"), error))
            })
            .collect();
        let loaded: Vec<_> = stream::iter(loads).buffered(MANIFESTS_AT_ONCE).try_collect().await?;
        let entries = loaded.into_iter().flat_map(|manifest| manifest.into_parts().0);
        Ok(entries.filter(|entry| entry.is_alive()).collect())
    }

    async fn gather_files(&self, name: &DatasetName) -> Result<Arc<[DataFile]>> {
        let manifests = self.manifests(name).await?;
        let entries = self.entries(name, &manifests).await?;
        entries.iter().map(|entry| self.describe(name, entry)).collect()
    }

    fn describe(&self, name: &DatasetName, entry: &ManifestEntryRef) -> Result<DataFile> {
        let file = entry.data_file();
        let outside = || Error::damaged(format!("a manifest of {name}"), "a data file lies outside the lake");
        Ok(DataFile {
            path: self.lake.roots.relative(file.file_path()).ok_or_else(outside)?.to_owned(),
            size: file.file_size_in_bytes(),
            rows: file.record_count(),
            lower: bounds(file.lower_bounds()),
            upper: bounds(file.upper_bounds()),
            nulls: file.null_value_counts().iter().map(|(id, nulls)| (*id, *nulls)).collect(),
            exact: metadata_file::is_ours(&self.metadata, entry),
        })
    }
}

impl fmt::Debug for ReadTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ReadTable({})", self.location)
    }
}
