//! Another engine that writes to a table, down to its manifests.

use arrow::array::RecordBatch;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use base::DatasetName;
use bytes::Bytes;
use catalog::{Asked, Caller, NewTable, TableChanges};
use futures::TryStreamExt;
use iceberg::TableUpdate;
use iceberg::io::FileIO;
use iceberg::spec::{
    DataContentType, DataFile, DataFileBuilder, DataFileFormat, FormatVersion, ManifestFile, ManifestList,
    ManifestListWriter, ManifestWriterBuilder, Operation, Snapshot, Struct, Summary, TableMetadata,
};
use parquet::arrow::{ArrowWriter, PARQUET_FIELD_ID_META_KEY};
use serde_json::{Value, json};

use crate::lake::Lake;

/// An engine with one table, which allows it delete files.
pub struct Outsider<'a> {
    lake: &'a Lake,
    name: DatasetName,
    io: FileIO,
}

fn caller() -> Caller {
    Caller { author: "outsider".into(), idempotency_key: None, may_take_away: true }
}

fn asked<T: serde::de::DeserializeOwned>(body: Value) -> Asked<T> {
    serde_json::from_value(body).unwrap()
}

impl<'a> Outsider<'a> {
    /// Creates a table with these fields, partitioned by these.
    pub async fn create(lake: &'a Lake, name: &str, fields: Value, partitions: Value) -> Self {
        let body = json!({
            "name": name,
            "schema": { "type": "struct", "schema-id": 0, "fields": fields },
            "partition-spec": { "spec-id": 0, "fields": partitions },
            "properties": { "lakehouse.allow-delete-files": "true" },
        });
        let (catalog, name) = (lake.query.catalog(), name.parse().unwrap());
        catalog.create_outside(&name, asked::<NewTable>(body), caller()).await.unwrap();
        Self { lake, name, io: FileIO::new_with_fs() }
    }

    async fn metadata(&self) -> TableMetadata {
        let catalog = self.lake.query.catalog();
        let pin = catalog.pin(None).await.unwrap();
        let loaded = serde_json::to_value(catalog.load_outside(&pin, &self.name).await.unwrap()).unwrap();
        serde_json::from_value(loaded["metadata"].clone()).unwrap()
    }

    async fn commit(&self, updates: Value) {
        let body = json!({ "requirements": [], "updates": updates });
        let catalog = self.lake.query.catalog();
        catalog.commit_outside(&self.name, asked::<TableChanges>(body), caller()).await.unwrap();
    }

    /// Changes the fields that the table has; what is new gets the id that is told, or a greater one.
    pub async fn change(&self, change: impl FnOnce(&mut Value, i32)) {
        let metadata = self.metadata().await;
        let mut schema = serde_json::to_value(metadata.current_schema()).unwrap();
        change(&mut schema["fields"], metadata.last_column_id() + 1);
        self.evolve(schema["fields"].take()).await;
    }

    /// Gives the table other fields.
    pub async fn evolve(&self, fields: Value) {
        let id = self.metadata().await.current_schema_id() + 1;
        let schema = json!({ "type": "struct", "schema-id": id, "fields": fields });
        let add = json!({ "action": "add-schema", "schema": schema });
        self.commit(json!([add, { "action": "set-current-schema", "schema-id": -1 }])).await;
    }

    /// The table's columns, with their ids.
    pub async fn columns(&self) -> SchemaRef {
        let schema = iceberg::arrow::schema_to_arrow_schema(self.metadata().await.current_schema());
        schema.unwrap().into()
    }

    /// Writes the rows of a query as a data file.
    pub async fn data(&self, sql: &str) -> DataFile {
        let columns = self.columns().await;
        self.file(DataContentType::Data, sql, columns, Struct::empty()).await
    }

    /// Writes the rows of a query as a data file that has these columns, in a partition.
    pub async fn part(&self, sql: &str, columns: SchemaRef, partition: Struct) -> DataFile {
        self.file(DataContentType::Data, sql, columns, partition).await
    }

    /// Writes a file that deletes rows by the positions that a query answers as `at`.
    pub async fn delete_at(&self, file: &DataFile, positions: &str) -> DataFile {
        let column = |name, ty, id: i32| Field::new(name, ty, false).with_metadata(identified(id));
        let columns =
            vec![column("file_path", DataType::Utf8, i32::MAX - 101), column("pos", DataType::Int64, i32::MAX - 102)];
        let sql = format!("SELECT '{}', at FROM ({positions})", file.file_path());
        let columns = Schema::new(columns).into();
        self.file(DataContentType::PositionDeletes, &sql, columns, file.partition().clone()).await
    }

    /// Writes a file that deletes the rows which equal those of a query in these columns of the table.
    pub async fn delete_equal(&self, sql: &str, ids: &[i32]) -> DataFile {
        let columns = self.columns().await;
        let named = columns.fields().iter().filter(|field| ids.iter().any(|id| field.metadata() == &identified(*id)));
        let named: Schema = Schema::new(named.cloned().collect::<Vec<_>>());
        self.file(DataContentType::EqualityDeletes, sql, named.into(), Struct::empty()).await
    }

    async fn file(&self, content: DataContentType, sql: &str, columns: SchemaRef, partition: Struct) -> DataFile {
        let batch = self.rows(sql, &columns).await;
        let mut bytes = Vec::new();
        let mut writer = ArrowWriter::try_new(&mut bytes, columns.clone(), None).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
        let location = format!("{}/data/{}.parquet", self.metadata().await.location(), self.fresh());
        let ids = columns.fields().iter().map(|field| field.metadata()[PARQUET_FIELD_ID_META_KEY].parse().unwrap());
        let size = bytes.len() as u64;
        self.io.new_output(&location).unwrap().write(Bytes::from(bytes)).await.unwrap();
        DataFileBuilder::default()
            .content(content)
            .file_path(location)
            .file_format(DataFileFormat::Parquet)
            .partition(partition)
            .partition_spec_id(0)
            .record_count(batch.num_rows() as u64)
            .file_size_in_bytes(size)
            .equality_ids((content == DataContentType::EqualityDeletes).then(|| ids.collect()))
            .build()
            .unwrap()
    }

    /// The rows of a query as these columns.
    async fn rows(&self, sql: &str, columns: &SchemaRef) -> RecordBatch {
        let answer = self.lake.ask(sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
        let schema = answer.schema.clone();
        let batches: Vec<RecordBatch> = answer.batches.try_collect().await.unwrap();
        let batch = arrow::compute::concat_batches(&schema, &batches).unwrap();
        let arrays = batch.columns().iter().zip(columns.fields());
        let arrays = arrays.map(|(array, field)| cast(array, field.data_type()).unwrap());
        RecordBatch::try_new(columns.clone(), arrays.collect()).unwrap()
    }

    /// Commits a snapshot that adds these files to what is there.
    pub async fn add(&self, data: Vec<DataFile>, deletes: Vec<DataFile>) {
        let metadata = self.metadata().await;
        let (id, parent) = (self.fresh(), metadata.current_snapshot_id());
        let mut manifests = self.manifests(&metadata).await;
        for (files, deleting) in [(data, false), (deletes, true)] {
            if !files.is_empty() {
                manifests.push(self.manifest(&metadata, id, files, deleting).await);
            }
        }
        let list = format!("{}/metadata/snap-{id}.avro", metadata.location());
        let output = self.io.new_output(&list).unwrap().writer().await.unwrap();
        let sequence = metadata.next_sequence_number();
        let mut writer = ManifestListWriter::v2(output, id, parent, sequence);
        writer.add_manifests(manifests.into_iter()).unwrap();
        writer.close().await.unwrap();
        let snapshot = Snapshot::builder()
            .with_snapshot_id(id)
            .with_parent_snapshot_id(parent)
            .with_sequence_number(sequence)
            .with_timestamp_ms(metadata.last_updated_ms() + 1)
            .with_manifest_list(list)
            .with_schema_id(metadata.current_schema_id())
            .with_summary(Summary { operation: Operation::Append, additional_properties: Default::default() })
            .build();
        let add = serde_json::to_value(TableUpdate::AddSnapshot { snapshot }).unwrap();
        let main = json!({ "action": "set-snapshot-ref", "ref-name": "main", "type": "branch", "snapshot-id": id });
        self.commit(json!([add, main])).await;
    }

    async fn manifests(&self, metadata: &TableMetadata) -> Vec<ManifestFile> {
        let Some(snapshot) = metadata.current_snapshot() else { return Vec::new() };
        let bytes = self.io.new_input(snapshot.manifest_list()).unwrap().read().await.unwrap();
        let list = ManifestList::parse_with_version(&bytes, FormatVersion::V2).unwrap();
        list.consume_entries().into_iter().collect()
    }

    async fn manifest(&self, metadata: &TableMetadata, id: i64, files: Vec<DataFile>, deleting: bool) -> ManifestFile {
        let location = format!("{}/metadata/{id}-{deleting}.avro", metadata.location());
        let (schema, spec) = (metadata.current_schema().clone(), metadata.default_partition_spec().as_ref().clone());
        let builder = ManifestWriterBuilder::new(self.io.new_output(location).unwrap(), Some(id), schema, spec);
        let mut writer = if deleting { builder.build_v2_deletes() } else { builder.build_v2_data() };
        for file in files {
            writer.add_file(file, -1).unwrap();
        }
        writer.write_manifest_file().await.unwrap()
    }

    fn fresh(&self) -> i64 {
        i64::try_from(base::Seams::system().uuid().as_u128() >> 66).unwrap()
    }
}

fn identified(id: i32) -> std::collections::HashMap<String, String> {
    [(PARQUET_FIELD_ID_META_KEY.to_owned(), id.to_string())].into()
}
