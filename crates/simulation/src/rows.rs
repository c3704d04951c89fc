//! Tiny Parquet files, made once: each holds one row, whose number tells files apart.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use arrow::array::{ArrayRef, Int64Array, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use bytes::Bytes;
use catalog::{ColumnType, NewColumn};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::file::metadata::ParquetMetaData;

/// The column that every table has.
pub const ID: &str = "id";
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

/// Files with one more column, by row, column and field.
type Wider = HashMap<(i64, String, i32), Payload>;

static PAYLOADS: LazyLock<Vec<Payload>> = LazyLock::new(|| (0..ROWS).map(|row| write(&[row], true)).collect());
static WIDER: LazyLock<Mutex<Wider>> = LazyLock::new(Mutex::default);
static OBJECTS: LazyLock<Vec<Payload>> = LazyLock::new(|| (0..ROWS).map(|row| write(&[row], false)).collect());
static KNOWN: LazyLock<HashMap<Bytes, i64>> = LazyLock::new(|| {
    let numbered = PAYLOADS.iter().zip(0..).chain(OBJECTS.iter().zip(0..));
    numbered.map(|(payload, row)| (payload.bytes.clone(), row)).collect()
});

/// The column that every table begins with.
pub fn columns() -> Vec<NewColumn> {
    vec![NewColumn { name: ID.into(), ty: ColumnType::Int64 }]
}

/// The file of one row of a table.
pub fn payload(row: i64) -> Payload {
    PAYLOADS[at(row)].clone()
}

/// The file of one row as somebody else would write it, without field ids.
pub fn object(row: i64) -> Payload {
    OBJECTS[at(row)].clone()
}

/// The file of one row of a table that has one more column, of this name and field id.
pub fn wider(row: i64, column: &str, field: i32) -> Payload {
    let mut known = WIDER.lock().unwrap_or_else(PoisonError::into_inner);
    let schema = || Arc::new(Schema::new(vec![numbered(ID, 1), numbered(column, field)]));
    let made = || write_as(&schema(), &[row]);
    known.entry((row, column.to_owned(), field)).or_insert_with(made).clone()
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
    let field = if with_ids { numbered(ID, 1) } else { Field::new(ID, DataType::Int64, true) };
    write_as(&Arc::new(Schema::new(vec![field])), rows)
}

/// A file in which each column holds the numbers of the rows.
fn write_as(schema: &SchemaRef, rows: &[i64]) -> Payload {
    let array: ArrayRef = Arc::new(Int64Array::from(rows.to_vec()));
    let columns = vec![array; schema.fields().len()];
    let batch = RecordBatch::try_new(Arc::clone(schema), columns).expect("a batch");
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, Arc::clone(schema), None).expect("a writer");
    writer.write(&batch).expect("written");
    let footer = Arc::new(writer.close().expect("closed"));
    Payload { bytes: bytes.into(), footer }
}

fn numbered(name: &str, id: i32) -> Field {
    let id = HashMap::from([("PARQUET:field_id".to_owned(), id.to_string())]);
    Field::new(name, DataType::Int64, true).with_metadata(id)
}
