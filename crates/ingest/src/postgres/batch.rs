//! Values of rows, gathered by column until there are enough of them.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryBuilder, BooleanBuilder, Date32Builder, Decimal128Builder, Float32Builder, Float64Builder,
    Int64Builder, RecordBatch, StringBuilder, TimestampMicrosecondBuilder,
};
use arrow::datatypes::SchemaRef;
use tokio_postgres::Row;
use tokio_postgres::types::{FromSql, Type};

use super::columns::{Columns, Kind};
use crate::csv::CELL_LIMIT;
use crate::error::{Error, Result};
use crate::value::DAYS;
use crate::value::written::decimal;

/// Rows that are encoded in one go.
const ROWS: usize = 8192;
/// Bytes that are encoded in one go.
const BYTES: usize = 4 << 20;
/// Days from 1970-01-01 to 2000-01-01, from where Postgres counts.
const EPOCH_DAYS: i32 = 10_957;
/// The same in microseconds.
const EPOCH_MICROS: i64 = EPOCH_DAYS as i64 * 86_400_000_000;
const UNREADABLE: &str = "holds a value that cannot be read";

/// Rows on their way into a record batch.
pub struct Batch {
    schema: SchemaRef,
    columns: Vec<Values>,
    names: Vec<String>,
    rows: usize,
    bytes: usize,
}

enum Values {
    Bool(BooleanBuilder),
    Int(Int64Builder),
    Float(Float32Builder),
    Double(Float64Builder),
    Date(Date32Builder),
    Time(TimestampMicrosecondBuilder),
    Bytes(BinaryBuilder),
    Decimal(Decimal128Builder, u8, i8),
    Text(StringBuilder),
}

/// A value as the server sent it.
struct Raw<'a>(&'a [u8]);

impl<'a> FromSql<'a> for Raw<'a> {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Self(raw))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

impl Batch {
    /// An empty batch of these columns.
    pub fn of(columns: &Columns) -> Self {
        let names = (0..columns.kinds.len()).map(|column| columns.name(column).to_owned()).collect();
        let values = columns.kinds.iter().map(|kind| Values::of(*kind)).collect();
        Self { schema: columns.schema(), columns: values, names, rows: 0, bytes: 0 }
    }

    /// Adds a row. A value that no table can hold is an error that names its column.
    pub fn add(&mut self, row: &Row) -> Result<()> {
        for (index, values) in self.columns.iter_mut().enumerate() {
            let refuse = |reason| refuse(&self.names[index], reason);
            let raw: Option<Raw<'_>> = row.try_get(index).map_err(|_| refuse(UNREADABLE))?;
            self.bytes += raw.as_ref().map_or(1, |raw| raw.0.len());
            values.add(raw.map(|raw| raw.0)).map_err(refuse)?;
        }
        self.rows += 1;
        Ok(())
    }

    /// Whether it is time to encode.
    pub fn is_full(&self) -> bool {
        self.rows >= ROWS || self.bytes >= BYTES
    }

    /// Bytes of the values gathered.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// The rows gathered; none are left.
    pub fn take(&mut self) -> Result<RecordBatch> {
        (self.rows, self.bytes) = (0, 0);
        let arrays = self.columns.iter_mut().map(Values::finish).collect();
        Ok(RecordBatch::try_new(Arc::clone(&self.schema), arrays)?)
    }
}

fn refuse(column: &str, reason: &str) -> Error {
    Error::Query { reason: format!("column {column:?} {reason}"), source: None }
}

impl Values {
    fn of(kind: Kind) -> Self {
        match kind {
            Kind::Bool => Self::Bool(BooleanBuilder::new()),
            Kind::Int => Self::Int(Int64Builder::new()),
            Kind::Float => Self::Float(Float32Builder::new()),
            Kind::Double => Self::Double(Float64Builder::new()),
            Kind::Date => Self::Date(Date32Builder::new()),
            Kind::Timestamp | Kind::Moment => {
                Self::Time(TimestampMicrosecondBuilder::new().with_data_type(kind.arrow()))
            }
            Kind::Bytes => Self::Bytes(BinaryBuilder::new()),
            Kind::Decimal(precision, scale) => {
                Self::Decimal(Decimal128Builder::new().with_data_type(kind.arrow()), precision, scale)
            }
            Kind::Text | Kind::AsText => Self::Text(StringBuilder::new()),
        }
    }

    fn add(&mut self, raw: Option<&[u8]>) -> Result<(), &'static str> {
        if raw.is_some_and(|raw| raw.len() > CELL_LIMIT) {
            return Err("holds a value of more than 64 MiB");
        }
        match self {
            Self::Bool(values) => values.append_option(read(raw, |raw| Some(*raw.first()? != 0))?),
            Self::Int(values) => values.append_option(read(raw, integer)?),
            Self::Float(values) => {
                values.append_option(read(raw, |raw| Some(f32::from_be_bytes(raw.try_into().ok()?)))?)
            }
            Self::Double(values) => {
                values.append_option(read(raw, |raw| Some(f64::from_be_bytes(raw.try_into().ok()?)))?)
            }
            Self::Date(values) => values.append_option(within(raw, day, "holds a day outside the years 1 to 9999")?),
            Self::Time(values) => {
                values.append_option(within(raw, moment, "holds a time outside the years 1 to 9999")?)
            }
            Self::Bytes(values) => values.append_option(raw),
            Self::Decimal(values, precision, scale) => {
                let read = |raw| decimal(raw, *precision, *scale);
                values.append_option(within(raw, read, "holds a number that is none, such as NaN")?);
            }
            Self::Text(values) => values.append_option(read(raw, |raw| std::str::from_utf8(raw).ok())?),
        }
        Ok(())
    }

    fn finish(&mut self) -> ArrayRef {
        match self {
            Self::Bool(values) => Arc::new(values.finish()),
            Self::Int(values) => Arc::new(values.finish()),
            Self::Float(values) => Arc::new(values.finish()),
            Self::Double(values) => Arc::new(values.finish()),
            Self::Date(values) => Arc::new(values.finish()),
            Self::Time(values) => Arc::new(values.finish()),
            Self::Bytes(values) => Arc::new(values.finish()),
            Self::Decimal(values, _, _) => Arc::new(values.finish()),
            Self::Text(values) => Arc::new(values.finish()),
        }
    }
}

fn read<'a, T>(raw: Option<&'a [u8]>, read: impl Fn(&'a [u8]) -> Option<T>) -> Result<Option<T>, &'static str> {
    within(raw, read, UNREADABLE)
}

fn within<'a, T>(
    raw: Option<&'a [u8]>,
    read: impl Fn(&'a [u8]) -> Option<T>,
    reason: &'static str,
) -> Result<Option<T>, &'static str> {
    raw.map(|raw| read(raw).ok_or(reason)).transpose()
}

fn integer(raw: &[u8]) -> Option<i64> {
    match *raw {
        [a, b] => Some(i16::from_be_bytes([a, b]).into()),
        [a, b, c, d] => Some(i32::from_be_bytes([a, b, c, d]).into()),
        _ => Some(i64::from_be_bytes(raw.try_into().ok()?)),
    }
}

/// Infinity is the largest number of days, and so outside.
pub fn day(raw: &[u8]) -> Option<i32> {
    let day = i32::from_be_bytes(raw.try_into().ok()?).checked_add(EPOCH_DAYS)?;
    DAYS.contains(&day).then_some(day)
}

pub fn moment(raw: &[u8]) -> Option<i64> {
    let micros = i64::from_be_bytes(raw.try_into().ok()?).checked_add(EPOCH_MICROS)?;
    let day = i32::try_from(micros.div_euclid(86_400_000_000)).ok()?;
    DAYS.contains(&day).then_some(micros)
}
