//! A lake to load into, and ways to look at what arrived.

use std::collections::BTreeMap;

use arrow::util::display::{ArrayFormatter, FormatOptions};
use base::{DatasetName, Seams};
use bytes::Bytes;
use catalog::{Catalog, Mode};
use futures::stream;
use ingest::{Config, Error, Ingest, OnError, Outcome, Progress, Request};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use testkit::TestLake;

/// A row as text; none is a null.
pub type Row = Vec<Option<String>>;

pub struct Lake {
    pub lake: TestLake,
    pub catalog: Catalog,
    pub ingest: Ingest,
}

pub fn name(text: &str) -> DatasetName {
    text.parse().unwrap()
}

pub fn request(dataset: &str) -> Request {
    Request::new(name(dataset))
}

pub fn skipping(dataset: &str) -> Request {
    Request { on_error: OnError::Skip, ..request(dataset) }
}

pub fn appending(dataset: &str) -> Request {
    Request { mode: Mode::Append, ..request(dataset) }
}

impl Lake {
    pub async fn open() -> Self {
        let lake = TestLake::open().await;
        let catalog = Catalog::open(lake.store.clone(), &catalog::Config::default(), Seams::system()).await.unwrap();
        let ingest = Ingest::new(catalog.clone(), &Config::default(), Seams::system());
        Self { lake, catalog, ingest }
    }

    /// Sends a body in pieces of an odd size.
    pub async fn send(&self, request: Request, body: impl AsRef<[u8]>) -> Result<Outcome, Error> {
        let pieces: Vec<_> = body.as_ref().chunks(60_001).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
        self.ingest.load(request, stream::iter(pieces), &Progress::default()).await
    }

    pub async fn load(&self, dataset: &str, body: impl AsRef<[u8]>) -> Outcome {
        self.send(request(dataset), body).await.unwrap()
    }

    pub async fn refused(&self, request: Request, body: impl AsRef<[u8]>) -> Error {
        match self.send(request, body).await {
            Err(error) => error,
            Ok(outcome) => panic!("loaded: {outcome:?}"),
        }
    }

    /// The columns of a table and their types.
    pub async fn types(&self, dataset: &str) -> Vec<(String, String)> {
        let pin = self.catalog.pin(None).await.unwrap();
        let table = self.catalog.table(&pin, &name(dataset)).await.unwrap();
        table.columns().iter().map(|column| (column.name.clone(), column.ty.name())).collect()
    }

    /// The rows of a table, in the order of its files.
    pub async fn rows(&self, dataset: &str) -> Vec<Row> {
        let pin = self.catalog.pin(None).await.unwrap();
        let table = self.catalog.table(&pin, &name(dataset)).await.unwrap();
        let mut rows = Vec::new();
        for file in table.files().await.unwrap().iter() {
            rows.extend(parquet_rows(self.lake.store.get(&file.path).await.unwrap()));
        }
        assert_eq!(rows.len() as u64, table.row_count());
        rows
    }

    /// All that lies in the lake: path and size.
    pub async fn paths(&self) -> BTreeMap<String, u64> {
        let page = self.lake.store.list("", None, 10_000).await.unwrap();
        page.entries.into_iter().map(|entry| (entry.path, entry.size)).collect()
    }
}

/// What a Parquet file holds, as text.
pub fn parquet_rows(bytes: Bytes) -> Vec<Row> {
    let mut rows = Vec::new();
    for batch in ParquetRecordBatchReaderBuilder::try_new(bytes).unwrap().build().unwrap() {
        let batch = batch.unwrap();
        let options = FormatOptions::default();
        let columns = batch.columns();
        let shown: Vec<_> = columns.iter().map(|column| ArrayFormatter::try_new(column, &options).unwrap()).collect();
        for row in 0..batch.num_rows() {
            let cell = |(at, column): (usize, &ArrayFormatter<'_>)| {
                (!columns[at].is_null(row)).then(|| column.value(row).to_string())
            };
            rows.push(shown.iter().enumerate().map(cell).collect());
        }
    }
    rows
}

/// Shows rows with `NULL` for nulls.
pub fn show(rows: &[Row]) -> Vec<Vec<&str>> {
    rows.iter().map(|row| row.iter().map(|cell| cell.as_deref().unwrap_or("NULL")).collect()).collect()
}
