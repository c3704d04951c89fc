//! A lake for tests: rows in, commits out.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{Schema, SchemaRef};
use base::Seams;
use bytes::Bytes;
use catalog::{
    Catalog, ColumnType, Config, Draft, Error, Mode, NewColumn, NewFile, Publication, Published, Register, Result,
    Source, fingerprint,
};
use parquet::arrow::ArrowWriter;
use parquet::file::metadata::ParquetMetaData;
use storage::Store;

/// A catalog over a store, with the defaults.
pub async fn open(store: &Store) -> Catalog {
    Catalog::open(store.clone(), &config(), Seams::system()).await.unwrap()
}

/// Settings with a short patience.
pub fn config() -> Config {
    Config { commit_timeout: base::Span::millis(200), ..Config::default() }
}

/// The columns `id: int64, name: string`.
pub fn columns() -> Vec<NewColumn> {
    vec![column("id", ColumnType::Int64), column("name", ColumnType::String)]
}

pub fn column(name: &str, ty: ColumnType) -> NewColumn {
    NewColumn { name: name.into(), ty }
}

pub fn fingerprint_of(columns: &[NewColumn]) -> String {
    fingerprint(columns.iter().map(|column| (column.name.as_str(), &column.ty)))
}

/// A batch of `id` and `name` under this schema.
pub fn batch(schema: &SchemaRef, ids: &[i64]) -> RecordBatch {
    let names: Vec<String> = ids.iter().map(|id| format!("worker {id}")).collect();
    let arrays: Vec<ArrayRef> = vec![Arc::new(Int64Array::from(ids.to_vec())), Arc::new(StringArray::from(names))];
    RecordBatch::try_new(schema.clone(), arrays).unwrap()
}

/// A Parquet file with these rows.
pub fn parquet(schema: &SchemaRef, ids: &[i64]) -> (Bytes, ParquetMetaData) {
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, schema.clone(), None).unwrap();
    writer.write(&batch(schema, ids)).unwrap();
    let footer = writer.close().unwrap();
    (bytes.into(), footer)
}

/// The schema of `columns()` without field ids.
pub fn plain_schema() -> SchemaRef {
    let fields =
        columns().into_iter().map(|column| arrow::datatypes::Field::new(column.name, column.ty.arrow().unwrap(), true));
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

/// Stages rows under a draft.
pub async fn stage(catalog: &Catalog, draft: &Draft, ids: &[i64]) -> Result<NewFile> {
    let (bytes, footer) = parquet(&draft.arrow_schema()?, ids);
    let path = draft.data_path(&Seams::system());
    let size = bytes.len() as u64;
    catalog.store().put(&path, bytes).await?;
    Ok(NewFile { path, footer: Arc::new(footer), size })
}

/// The publication of staged files.
pub fn publication(draft: Draft, mode: Mode, files: Vec<NewFile>, source: &str) -> Publication {
    Publication {
        draft,
        mode,
        files,
        source: Source { sha256: source.into(), options: "csv".into() },
        author: "test".into(),
        message: format!("{mode} {source}"),
        idempotency_key: None,
        request: None,
    }
}

/// Stages and publishes rows the way ingest does, under the table if there is one.
pub async fn load(catalog: &Catalog, name: &str, mode: Mode, ids: &[i64]) -> Result<Published> {
    load_keyed(catalog, name, mode, ids, None).await
}

pub async fn load_keyed(
    catalog: &Catalog,
    name: &str,
    mode: Mode,
    ids: &[i64],
    key: Option<&str>,
) -> Result<Published> {
    let name = name.parse().unwrap();
    let pin = catalog.pin(None).await?;
    let draft = match catalog.table(&pin, &name).await {
        Ok(table) => table.draft(),
        Err(Error::UnknownDataset { .. }) => catalog.draft(&name, &columns())?,
        Err(error) => return Err(error),
    };
    let file = stage(catalog, &draft, ids).await?;
    let source = format!("{ids:?}");
    let publication =
        Publication { idempotency_key: key.map(Into::into), ..publication(draft, mode, vec![file], &source) };
    catalog.publish(publication).await
}

/// Puts an object of rows into the users' key space.
pub async fn put_object(store: &Store, key: &str, ids: &[i64]) {
    let (bytes, _) = parquet(&plain_schema(), ids);
    let path = key.parse::<storage::Key>().unwrap().path();
    store.put(&path, bytes).await.unwrap();
}

/// A registration of objects with the columns of `columns()`.
pub fn registration(name: &str, objects: &[&str], row_count: u64) -> Register {
    Register {
        name: name.parse().unwrap(),
        schema_fingerprint: fingerprint_of(&columns()),
        objects: objects.iter().map(|key| (*key).into()).collect(),
        row_count,
        author: "test".into(),
    }
}

/// The ids in a dataset, sorted, read back from its files.
pub async fn ids(catalog: &Catalog, name: &str) -> Vec<i64> {
    let pin = catalog.pin_fresh().await.unwrap();
    ids_at(catalog, &pin, name).await
}

pub async fn ids_at(catalog: &Catalog, pin: &catalog::Pin, name: &str) -> Vec<i64> {
    let table = catalog.table(pin, &name.parse().unwrap()).await.unwrap();
    let mut found = Vec::new();
    for file in table.files().await.unwrap().iter() {
        let bytes = catalog.store().get(&file.path).await.unwrap();
        assert_eq!(bytes.len() as u64, file.size);
        found.extend(ids_in(bytes));
    }
    assert_eq!(found.len() as u64, table.row_count());
    found.sort_unstable();
    found
}

/// The ids in a data file.
pub fn ids_in(file: Bytes) -> Vec<i64> {
    use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
    let mut found = Vec::new();
    for batch in ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap() {
        let batch = batch.unwrap();
        let ids = batch.column(0).as_any().downcast_ref::<Int64Array>().unwrap();
        found.extend(ids.values().iter().copied());
    }
    found
}

/// The paths under a prefix.
pub async fn paths(store: &Store, prefix: &str) -> Vec<String> {
    let page = store.list(prefix, None, 100_000).await.unwrap();
    page.entries.into_iter().map(|entry| entry.path).collect()
}
