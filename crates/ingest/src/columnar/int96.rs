//! Times in 96 bits, as Hive, Impala and old Spark write them: nanoseconds of a day of a calendar without end.
//!
//! They are read as microseconds, which reach all years; read once more as nanoseconds, which reach some centuries, they
//! show whether microseconds hold them.

use std::fs::File;

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema, TimeUnit, TimestampMicrosecondType, TimestampNanosecondType};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use parquet::basic::Type;
use parquet::schema::types::{ColumnDescPtr, SchemaDescriptor};

use super::guard::quietly;
use crate::error::{Error, Result};

/// The columns of a file that hold such times, by their places. Inside of other columns they are refused.
pub fn places(columns: &SchemaDescriptor) -> Result<Vec<usize>> {
    let leaves = columns.columns().iter().enumerate().filter(|(_, column)| column.physical_type() == Type::INT96);
    let place = |(leaf, column): (usize, &ColumnDescPtr)| match column.path().parts() {
        [_] => Ok(columns.get_column_root_idx(leaf)),
        parts => Err(Error::Column {
            column: parts.join(".").chars().take(200).collect(),
            reason: "times in 96 bits are read in columns of their own only, not in nested ones".to_owned(),
        }),
    };
    leaves.map(place).collect()
}

/// The schema that reads the times at these places as microseconds.
pub fn reading(schema: &Schema, places: &[usize]) -> Schema {
    let field = |(place, field): (usize, &std::sync::Arc<Field>)| match places.contains(&place) {
        true => field.as_ref().clone().with_data_type(DataType::Timestamp(TimeUnit::Microsecond, None)),
        false => field.as_ref().clone(),
    };
    Schema::new(schema.fields().iter().enumerate().map(field).collect::<Vec<_>>())
}

/// The same times in nanoseconds.
pub struct Nanos {
    places: Vec<usize>,
    batches: Option<ParquetRecordBatchReader>,
}

impl Nanos {
    /// Opens the file once more, for these columns alone; batches must be read as long as those of the first reader.
    pub fn open(file: File, metadata: ArrowReaderMetadata, places: Vec<usize>, rows: usize) -> Result<Self> {
        if places.is_empty() {
            return Ok(Self { places, batches: None });
        }
        let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata);
        let mask = ProjectionMask::roots(builder.parquet_schema(), places.iter().copied());
        let batches = quietly(|| builder.with_projection(mask).with_batch_size(rows).build())?;
        Ok(Self { places, batches: Some(batches) })
    }

    /// The first place and row of the next batch whose time has parts of a microsecond.
    pub fn misfit(&mut self, batch: &RecordBatch) -> Result<Option<(usize, usize)>> {
        let Some(batches) = &mut self.batches else { return Ok(None) };
        let Some(exact) = quietly(|| batches.next().transpose())? else { return Ok(None) };
        for (column, &place) in self.places.iter().enumerate() {
            let micros = batch.column(place).as_primitive::<TimestampMicrosecondType>();
            let nanos = exact.column(column).as_primitive::<TimestampNanosecondType>();
            let lost = micros.iter().zip(nanos).position(|(micros, nanos)| {
                let reached = micros.and_then(|micros| micros.checked_mul(1000));
                reached.is_some() && reached != nanos
            });
            if let Some(row) = lost {
                return Ok(Some((place, row)));
            }
        }
        Ok(None)
    }
}
