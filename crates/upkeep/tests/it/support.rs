//! A lake for tests: rows in, commits out, and what every version answers.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::Int64Type;
use base::{AsOf, ByteSize, Fault, Kind, Seams, Span, Version};
use catalog::{
    Catalog, ColumnType, Config, Draft, Error, Expiry, Mode, NewColumn, NewFile, Pin, Publication, Published, Result,
    Source,
};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use storage::Store;
use upkeep::{Compact, Sweep, Upkeep};

pub async fn open(store: &Store) -> Catalog {
    Catalog::open(store.clone(), &config(), Seams::system()).await.unwrap()
}

/// Settings with a short patience, and checkpoints that come soon.
pub fn config() -> Config {
    Config { commit_timeout: Span::millis(20), checkpoint_every: 4, ..Config::default() }
}

pub fn upkeep(catalog: &Catalog) -> Upkeep {
    Upkeep::new(catalog.clone(), Seams::system())
}

/// Compaction of everything.
pub fn compact_all() -> Compact {
    Compact { name: None, target: ByteSize::mib(16), dry_run: false, author: "test".into() }
}

/// A sweep of whatever is a stray by now.
pub fn sweep_now() -> Sweep {
    Sweep { grace: Span::millis(0), dry_run: false, name_first: 1000, name_after: None, author: "test".into() }
}

/// An expiry that keeps so many versions, and no record of the others.
pub fn keep_last(count: u64) -> Expiry {
    Expiry { older_than: None, keep_last: Some(count), linger: Span::millis(0), author: "test".into() }
}

/// The columns `id: int64, name: string`.
pub fn columns() -> Vec<NewColumn> {
    let column = |name: &str, ty| NewColumn { name: name.into(), ty };
    vec![column("id", ColumnType::Int64), column("name", ColumnType::String)]
}

/// Stages rows under a draft.
pub async fn stage(catalog: &Catalog, draft: &Draft, ids: &[i64]) -> Result<NewFile> {
    let names: Vec<Option<String>> = ids.iter().map(|id| (id % 5 != 0).then(|| format!("worker {id}"))).collect();
    let arrays: Vec<ArrayRef> = vec![Arc::new(Int64Array::from(ids.to_vec())), Arc::new(StringArray::from(names))];
    let batch = RecordBatch::try_new(draft.arrow_schema()?, arrays).unwrap();
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    let footer = writer.close().unwrap();
    let (path, size) = (draft.data_path(&Seams::system()), bytes.len() as u64);
    catalog.store().put(&path, bytes.into()).await?;
    Ok(NewFile { path, footer: Arc::new(footer), size })
}

/// Stages and publishes rows the way ingest does: again when the table became another meanwhile.
pub async fn load(catalog: &Catalog, name: &str, mode: Mode, ids: &[i64]) -> Result<Published> {
    loop {
        match try_load(catalog, name, mode, ids).await {
            Err(Error::Moved { .. }) => {}
            settled => return settled,
        }
    }
}

async fn try_load(catalog: &Catalog, name: &str, mode: Mode, ids: &[i64]) -> Result<Published> {
    let name = name.parse().unwrap();
    let pin = catalog.pin_fresh().await?;
    let draft = match catalog.table(&pin, &name).await {
        Ok(table) => table.draft(),
        Err(Error::UnknownDataset { .. }) => catalog.draft(&name, &columns())?,
        Err(error) => return Err(error),
    };
    publish(catalog, draft, mode, ids).await
}

/// Stages and publishes rows under a draft.
pub async fn publish(catalog: &Catalog, draft: Draft, mode: Mode, ids: &[i64]) -> Result<Published> {
    let files = vec![stage(catalog, &draft, ids).await?];
    let source = Source { sha256: format!("{ids:?}"), options: "csv".into() };
    let (author, message) = ("test".into(), format!("{mode} {ids:?}"));
    let publication = Publication { draft, mode, files, source, author, message, request: None, idempotency_key: None };
    catalog.publish(publication).await
}

/// The ids in a dataset as pinned, sorted, read back from its files.
pub async fn ids_at(catalog: &Catalog, pin: &Pin, name: &str) -> Vec<i64> {
    let table = catalog.table(pin, &name.parse().unwrap()).await.unwrap();
    let mut found = Vec::new();
    for file in table.files().await.unwrap().iter() {
        let bytes = catalog.store().get(&file.path).await.unwrap();
        assert_eq!(bytes.len() as u64, file.size);
        for batch in ParquetRecordBatchReaderBuilder::try_new(bytes).unwrap().build().unwrap() {
            found.extend(batch.unwrap().column(0).as_primitive::<Int64Type>().values());
        }
    }
    assert_eq!(found.len() as u64, table.row_count());
    found.sort_unstable();
    found
}

/// The ids in a dataset now.
pub async fn ids(catalog: &Catalog, name: &str) -> Vec<i64> {
    let pin = catalog.pin_fresh().await.unwrap();
    ids_at(catalog, &pin, name).await
}

/// How many data files a dataset has now.
pub async fn files(catalog: &Catalog, name: &str) -> usize {
    let pin = catalog.pin_fresh().await.unwrap();
    catalog.table(&pin, &name.parse().unwrap()).await.unwrap().files().await.unwrap().len()
}

/// What a version answers: the rows of each dataset.
pub type Answer = BTreeMap<String, Vec<i64>>;

/// What each version that exists answers.
pub async fn answers(catalog: &Catalog) -> BTreeMap<Version, Answer> {
    let newest = catalog.pin_fresh().await.unwrap().version();
    let mut answers = BTreeMap::new();
    for version in 1..=newest.0 {
        let version = Version(version);
        match catalog.pin(Some(&AsOf::Version(version))).await {
            Ok(pin) => answers.insert(version, answer(catalog, &pin).await),
            Err(error) => {
                assert_eq!(error.kind(), Kind::NotFound, "{error}");
                None
            }
        };
    }
    answers
}

/// What a pinned version answers.
pub async fn answer(catalog: &Catalog, pin: &Pin) -> Answer {
    let mut answer = Answer::new();
    for name in pin.names() {
        answer.insert(name.to_string(), ids_at(catalog, pin, &name.to_string()).await);
    }
    answer
}

/// The paths under a prefix.
pub async fn paths(store: &Store, prefix: &str) -> Vec<String> {
    let page = store.list(prefix, None, 100_000).await.unwrap();
    page.entries.into_iter().map(|entry| entry.path).collect()
}
