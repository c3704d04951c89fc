//! Another engine with one table: it writes files and manifests by itself and commits by the protocol's bodies.

use base::DatasetName;
use catalog::{Asked, Caller, Catalog, Error, LoadedTable, NewTable, Result, TableChanges};
use iceberg::TableUpdate;
use iceberg::io::FileIO;
use iceberg::spec::{
    DataContentType, DataFile, DataFileBuilder, DataFileFormat, ManifestFile, ManifestList, ManifestListWriter,
    ManifestWriterBuilder, Operation, Snapshot, Struct, Summary, TableMetadata,
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::support::{columns, parquet};

pub struct Engine<'a> {
    catalog: &'a Catalog,
    pub name: DatasetName,
}

pub fn caller() -> Caller {
    keyed(None)
}

pub fn keyed(key: Option<&str>) -> Caller {
    Caller { author: "engine".into(), idempotency_key: key.map(Into::into), may_take_away: true }
}

pub fn asked<T: DeserializeOwned>(body: Value) -> Asked<T> {
    serde_json::from_value(body).unwrap()
}

/// The schema of the columns `id: long, name: string`.
pub fn schema() -> Value {
    let field = |id: i32, name: &str, ty: &str| json!({ "id": id, "name": name, "required": false, "type": ty });
    json!({ "type": "struct", "schema-id": 0, "fields": [field(1, "id", "long"), field(2, "name", "string")] })
}

pub fn metadata_of(loaded: &LoadedTable) -> TableMetadata {
    serde_json::from_value(serde_json::to_value(loaded).unwrap()["metadata"].take()).unwrap()
}

impl<'a> Engine<'a> {
    /// An engine that creates a table.
    pub async fn create(catalog: &'a Catalog, name: &str) -> Self {
        let engine = Self::of(catalog, name);
        let body = json!({ "name": engine.name.table(), "schema": schema() });
        catalog.create_outside(&engine.name, asked::<NewTable>(body), caller()).await.unwrap();
        engine
    }

    /// An engine that knows of a table.
    pub fn of(catalog: &'a Catalog, name: &str) -> Self {
        Self { catalog, name: name.parse().unwrap() }
    }

    pub async fn load(&self) -> LoadedTable {
        let pin = self.catalog.pin_fresh().await.unwrap();
        self.catalog.load_outside(&pin, &self.name).await.unwrap()
    }

    pub async fn metadata(&self) -> TableMetadata {
        metadata_of(&self.load().await)
    }

    pub async fn commit(&self, body: Value) -> Result<LoadedTable> {
        self.commit_as(body, caller()).await
    }

    pub async fn commit_as(&self, body: Value, caller: Caller) -> Result<LoadedTable> {
        self.catalog.commit_outside(&self.name, asked::<TableChanges>(body), caller).await
    }

    /// Commits updates that require nothing.
    pub async fn update(&self, updates: Value) -> Result<LoadedTable> {
        self.commit(json!({ "requirements": [], "updates": updates })).await
    }

    /// Appends rows the way engines do: again on the newest state for as long as somebody else was faster.
    pub async fn append(&self, ids: &[i64]) -> Result<LoadedTable> {
        loop {
            let metadata = self.metadata().await;
            let body = self.append_to(&metadata, vec![self.file(&metadata, ids).await]).await;
            match self.commit(body).await {
                Err(Error::RequirementFailed { .. }) => {}
                outcome => return outcome,
            }
        }
    }

    /// The body of a commit that appends files to the table as `metadata` has it.
    pub async fn append_to(&self, metadata: &TableMetadata, files: Vec<DataFile>) -> Value {
        let kept = manifests(metadata).await;
        let (snapshot, updates) = snapshot(metadata, kept, files).await;
        json!({
            "requirements": [
                { "type": "assert-table-uuid", "uuid": metadata.uuid() },
                { "type": "assert-ref-snapshot-id", "ref": "main", "snapshot-id": snapshot.parent_snapshot_id() },
            ],
            "updates": updates,
        })
    }

    /// Writes rows as a data file of the table.
    pub async fn file(&self, metadata: &TableMetadata, ids: &[i64]) -> DataFile {
        let draft = self.catalog.draft(&"x".parse().unwrap(), &columns()).unwrap();
        let (bytes, _) = parquet(&draft.arrow_schema().unwrap(), ids);
        // Engines escape values in the names of partitions; the file is named so on the store.
        let path = format!("{}/data/k=50%25%2F%C3%A9/{}.parquet", metadata.location(), base::Seams::system().uuid());
        let size = bytes.len() as u64;
        io().new_output(&path).unwrap().write(bytes).await.unwrap();
        described(DataContentType::Data, &path, size, ids.len() as u64)
    }
}

pub fn described(content: DataContentType, path: &str, size: u64, rows: u64) -> DataFile {
    DataFileBuilder::default()
        .content(content)
        .file_path(path.to_owned())
        .file_format(DataFileFormat::Parquet)
        .partition(Struct::empty())
        .partition_spec_id(0)
        .record_count(rows)
        .file_size_in_bytes(size)
        .build()
        .unwrap()
}

fn io() -> FileIO {
    FileIO::new_with_fs()
}

pub async fn manifests(metadata: &TableMetadata) -> Vec<ManifestFile> {
    let Some(now) = metadata.current_snapshot() else { return Vec::new() };
    let bytes = io().new_input(now.manifest_list()).unwrap().read().await.unwrap();
    let list = ManifestList::parse_with_version(&bytes, metadata.format_version()).unwrap();
    list.consume_entries().into_iter().collect()
}

/// The next snapshot of the main branch with these files beside the manifests that stay, and the updates that add it.
pub async fn snapshot(
    metadata: &TableMetadata,
    mut manifests: Vec<ManifestFile>,
    files: Vec<DataFile>,
) -> (Snapshot, Value) {
    let seams = base::Seams::system();
    let id = i64::from_be_bytes(seams.roll()[..8].try_into().unwrap()) & i64::MAX;
    let at = |name: String| format!("{}/metadata/{name}", metadata.location());
    let is_data = files.iter().all(|file| file.content_type() == DataContentType::Data);
    let output = io().new_output(at(format!("{id}-m0.avro"))).unwrap();
    let (schema, spec) = (metadata.current_schema().clone(), metadata.default_partition_spec().as_ref().clone());
    let builder = ManifestWriterBuilder::new(output, Some(id), schema, spec);
    let mut writer = if is_data { builder.build_v2_data() } else { builder.build_v2_deletes() };
    files.into_iter().for_each(|file| writer.add_file(file, -1).unwrap());
    manifests.push(writer.write_manifest_file().await.unwrap());
    let snapshot = Snapshot::builder()
        .with_snapshot_id(id)
        .with_parent_snapshot_id(metadata.current_snapshot_id())
        .with_sequence_number(metadata.next_sequence_number())
        .with_timestamp_ms(seams.now().millis().max(metadata.last_updated_ms()))
        .with_manifest_list(at(format!("snap-{id}.avro")))
        .with_schema_id(metadata.current_schema_id())
        .with_summary(Summary { operation: Operation::Append, additional_properties: Default::default() })
        .build();
    let output = io().new_output(snapshot.manifest_list()).unwrap().writer().await.unwrap();
    let (parent, sequence) = (snapshot.parent_snapshot_id(), snapshot.sequence_number());
    let mut list = ManifestListWriter::v2(output, id, parent, sequence);
    list.add_manifests(manifests.into_iter()).unwrap();
    list.close().await.unwrap();
    let add = serde_json::to_value(TableUpdate::AddSnapshot { snapshot: snapshot.clone() }).unwrap();
    let main = json!({ "action": "set-snapshot-ref", "ref-name": "main", "type": "branch", "snapshot-id": id });
    (snapshot, json!([add, main]))
}
