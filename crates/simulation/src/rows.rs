//! Tiny Parquet files, made once: each holds one row, whose number tells files apart.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use arrow::array::{ArrayRef, Int64Array, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use bytes::Bytes;
use catalog::{ColumnType, NewColumn};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::file::metadata::ParquetMetaData;

/// How many rows there are.
const ROWS: i64 = 64;

/// A file as it is stored, and its footer.
#[derive(Debug, Clone)]
pub struct Payload {
    /// The bytes.
    pub bytes: Bytes,
    /// The footer as written.
    pub footer: Arc<ParquetMetaData>,
}

static PAYLOADS: LazyLock<Vec<Payload>> = LazyLock::new(|| (0..ROWS).map(|row| write(&[row], true)).collect());
static OBJECTS: LazyLock<Vec<Payload>> = LazyLock::new(|| (0..ROWS).map(|row| write(&[row], false)).collect());
static KNOWN: LazyLock<HashMap<Bytes, i64>> = LazyLock::new(|| {
    let numbered = PAYLOADS.iter().zip(0..).chain(OBJECTS.iter().zip(0..));
    numbered.map(|(payload, row)| (payload.bytes.clone(), row)).collect()
});

/// The one column, `id`.
pub fn columns() -> Vec<NewColumn> {
    vec![NewColumn { name: "id".into(), ty: ColumnType::Int64 }]
}

/// The file of one row of a table.
pub fn payload(row: i64) -> Payload {
    PAYLOADS[at(row)].clone()
}

/// The file of one row as somebody else would write it, without field ids.
pub fn object(row: i64) -> Payload {
    OBJECTS[at(row)].clone()
}

/// A file with these rows of a table.
pub fn merged(rows: &[i64]) -> Payload {
    write(rows, true)
}

/// The rows of a stored file.
pub fn rows_of(bytes: &Bytes) -> Vec<i64> {
    if let Some(row) = KNOWN.get(bytes) {
        return vec![*row];
    }
    let reader = ParquetRecordBatchReaderBuilder::try_new(bytes.clone()).expect("Parquet").build().expect("a reader");
    let mut rows = Vec::new();
    for batch in reader {
        let batch = batch.expect("a batch");
        let ids = batch.column(0).as_any().downcast_ref::<Int64Array>().expect("numbers");
        rows.extend_from_slice(ids.values());
    }
    rows
}

fn at(row: i64) -> usize {
    usize::try_from(row % ROWS).unwrap_or(0)
}

fn write(rows: &[i64], with_ids: bool) -> Payload {
    let schema = schema(with_ids);
    let array: ArrayRef = Arc::new(Int64Array::from(rows.to_vec()));
    let batch = RecordBatch::try_new(schema.clone(), vec![array]).expect("a batch");
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, schema, None).expect("a writer");
    writer.write(&batch).expect("written");
    let footer = Arc::new(writer.close().expect("closed"));
    Payload { bytes: bytes.into(), footer }
}

fn schema(with_ids: bool) -> SchemaRef {
    let field = Field::new("id", DataType::Int64, true);
    let id = HashMap::from([("PARQUET:field_id".to_owned(), "1".to_owned())]);
    Arc::new(Schema::new(vec![if with_ids { field.with_metadata(id) } else { field }]))
}
