//! The rows of a data file as batches of its table's columns, which are found by field id.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, new_null_array};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use bytes::Bytes;
use catalog::checksums::{self, Opened};
use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt};
use parquet::arrow::arrow_reader::ArrowReaderOptions;
use parquet::arrow::async_reader::{AsyncFileReader, ParquetRecordBatchStream, ParquetRecordBatchStreamBuilder};
use parquet::arrow::{PARQUET_FIELD_ID_META_KEY, ProjectionMask};
use parquet::errors::{ParquetError, Result as ParquetResult};
use parquet::file::metadata::ParquetMetaData;
use storage::Store;

use crate::error::Result;

/// A batch holds about so many bytes of values, and never more rows than [`BATCH_ROWS`].
const BATCH_BYTES: u64 = 8 << 20;
const BATCH_ROWS: u64 = 8192;

/// A data file that is read from front to back.
pub(crate) struct Rows {
    stream: ParquetRecordBatchStream<Reader>,
    /// For each column of the table, where it is in the batches; none where the file lacks it.
    places: Vec<Option<usize>>,
    schema: SchemaRef,
}

/// How a file's columns are to be found.
pub(crate) struct Columns<'a> {
    /// The table's, each with its id.
    pub schema: &'a SchemaRef,
    /// Ids by name, for files that carry none.
    pub by_name: Option<&'a HashMap<String, i32>>,
}

impl Rows {
    /// Opens a file of `size` bytes. None when its columns do not become the table's without loss.
    pub async fn open(store: &Store, path: &str, size: u64, columns: &Columns<'_>) -> ParquetResult<Option<Self>> {
        let reader = Reader::open(store, path, size).await?;
        let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
        let builder = ParquetRecordBatchStreamBuilder::new_with_options(reader, options).await?;
        let Some(wanted) = columns.find(builder.schema()) else { return Ok(None) };
        // Projected batches keep the file's order.
        let mut used: Vec<usize> = wanted.iter().flatten().copied().collect();
        used.sort_unstable();
        let places = wanted.iter().map(|index| index.and_then(|index| used.binary_search(&index).ok())).collect();
        let mask = ProjectionMask::roots(builder.parquet_schema(), used);
        let size = batch_size(builder.metadata());
        let stream = builder.with_projection(mask).with_batch_size(size).build()?;
        Ok(Some(Self { stream, places, schema: Arc::clone(columns.schema) }))
    }

    /// The next rows; none at the end.
    pub async fn next(&mut self) -> Result<Option<RecordBatch>, RowsError> {
        let Some(batch) = self.stream.next().await else { return Ok(None) };
        let batch = batch.map_err(RowsError::File)?;
        let column = |(place, field): (&Option<usize>, &Arc<Field>)| match place {
            None => Ok(new_null_array(field.data_type(), batch.num_rows())),
            Some(place) => adapt(batch.column(*place), field.data_type()),
        };
        let columns = self.places.iter().zip(self.schema.fields()).map(column).collect::<Result<Vec<_>, _>>()?;
        let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        let batch = RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options);
        batch.map(Some).map_err(RowsError::Columns)
    }
}

/// What may go wrong with the rows of a file.
#[derive(Debug)]
pub(crate) enum RowsError {
    File(ParquetError),
    Columns(arrow::error::ArrowError),
}

impl From<arrow::error::ArrowError> for RowsError {
    fn from(error: arrow::error::ArrowError) -> Self {
        Self::Columns(error)
    }
}

impl Columns<'_> {
    /// For each column of the table, its position in the file.
    fn find(&self, file: &Schema) -> Option<Vec<Option<usize>>> {
        let ids: Vec<Option<i32>> = file.fields().iter().map(|field| id(field)).collect();
        let named = ids.iter().all(Option::is_none).then_some(self.by_name).flatten();
        let id_at = |index: usize| match named {
            Some(names) => names.get(file.field(index).name()).copied(),
            None => ids[index],
        };
        let position = |field: &Arc<Field>| {
            let wanted = id(field);
            let at = (0..ids.len()).find(|index| wanted.is_some() && id_at(*index) == wanted);
            let fits = at.is_none_or(|at| becomes(file.field(at).data_type(), field.data_type()));
            fits.then_some(at)
        };
        self.schema.fields().iter().map(position).collect()
    }
}

/// The id of a column.
pub(crate) fn id(field: &Field) -> Option<i32> {
    field.metadata().get(PARQUET_FIELD_ID_META_KEY)?.parse().ok()
}

/// Whether every value of one type is one of the other: what Iceberg lets a column's type change to, and the ways in
/// which writers store the same type.
fn becomes(from: &DataType, to: &DataType) -> bool {
    use DataType::{
        Binary, BinaryView, Decimal128, Float32, Float64, Int32, Int64, LargeBinary, LargeUtf8, Timestamp, Utf8,
        Utf8View,
    };
    match (from, to) {
        (from, to) if from == to => true,
        (Int32, Int64) | (Float32, Float64) => true,
        (Decimal128(from, a), Decimal128(to, b)) => a == b && from <= to,
        (Utf8 | LargeUtf8 | Utf8View, Utf8 | LargeUtf8 | Utf8View) => true,
        (Binary | LargeBinary | BinaryView, Binary | LargeBinary | BinaryView) => true,
        (Timestamp(from, a), Timestamp(to, b)) => from == to && a.is_some() == b.is_some(),
        _ => false,
    }
}

fn adapt(array: &ArrayRef, to: &DataType) -> Result<ArrayRef, arrow::error::ArrowError> {
    if array.data_type() == to {
        return Ok(Arc::clone(array));
    }
    cast_with_options(array, to, &CastOptions { safe: false, ..CastOptions::default() })
}

/// Rows of a batch, so that it costs about the same memory whatever the rows are like.
fn batch_size(file: &ParquetMetaData) -> usize {
    let bytes: i64 = file.row_groups().iter().map(|group| group.total_byte_size()).sum();
    let rows = file.file_metadata().num_rows().max(1).unsigned_abs();
    let each = (bytes.max(0).unsigned_abs() / rows).max(1);
    usize::try_from((BATCH_BYTES / each).clamp(1, BATCH_ROWS)).unwrap_or(1)
}

/// A stored file, as the Parquet reader asks for it. What its writer summed is checked.
struct Reader {
    store: Store,
    path: String,
    opened: Opened,
}

impl Reader {
    async fn open(store: &Store, path: &str, size: u64) -> ParquetResult<Self> {
        let opened = checksums::open(size, |range| fetch(store, path, range)).await?;
        Ok(Self { store: store.clone(), path: path.to_owned(), opened })
    }
}

/// Bytes as they are stored, and as many as were asked for.
pub(crate) async fn fetch(store: &Store, path: &str, range: Range<u64>) -> ParquetResult<Bytes> {
    let read = store.get_range(path, range.clone()).await.map_err(|error| ParquetError::External(error.into()))?;
    if read.len() as u64 == range.end - range.start {
        return Ok(read);
    }
    Err(ParquetError::General("it is shorter than its manifest states".to_owned()))
}

impl AsyncFileReader for Reader {
    fn get_bytes(&mut self, range: Range<u64>) -> BoxFuture<'_, ParquetResult<Bytes>> {
        async move {
            let read = fetch(&self.store, &self.path, range.clone()).await?;
            let checked =
                self.opened.checksums.as_ref().map_or(Ok(()), |checksums| checksums.check(range.start, &read));
            checked.map(|()| read).map_err(ParquetError::External)
        }
        .boxed()
    }

    fn get_metadata<'a>(
        &'a mut self,
        _: Option<&'a ArrowReaderOptions>,
    ) -> BoxFuture<'a, ParquetResult<Arc<ParquetMetaData>>> {
        std::future::ready(Ok(Arc::clone(&self.opened.footer))).boxed()
    }
}
