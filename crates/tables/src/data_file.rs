//! The data files of a table, in words of our own: what a reader needs to skip files and to plan.

use std::collections::BTreeMap;
use std::sync::Arc;

use iceberg::spec::{Datum, PrimitiveLiteral, PrimitiveType};

use crate::column::Column;

/// A Parquet file of a table with what is known about its columns, by field id.
#[derive(Debug, Clone, PartialEq)]
pub struct DataFile {
    /// The path, relative to the lake's root.
    pub path: String,
    /// The size in bytes.
    pub size: u64,
    /// The number of rows.
    pub rows: u64,
    /// No value is below these; text may be cut short.
    pub lower: BTreeMap<i32, Bound>,
    /// No value is above these (NaN aside); text may be cut short and raised.
    pub upper: BTreeMap<i32, Bound>,
    /// The number of missing values.
    pub nulls: BTreeMap<i32, u64>,
    /// Columns that have one value in all rows, by which the table is partitioned: the value, or none for null. The
    /// file need not hold them.
    pub constants: BTreeMap<i32, Option<Bound>>,
    /// The files that take rows away from this one.
    pub deletes: Vec<Arc<DeleteFile>>,
    /// Whether the bounds of booleans, integers, dates and times are values that occur. Never claimed for text and
    /// floats, nor for files that other engines wrote.
    pub exact: bool,
}

/// A Parquet file that takes rows away from data files.
#[derive(Debug, Clone, PartialEq)]
pub struct DeleteFile {
    /// The path, relative to the lake's root.
    pub path: String,
    /// The size in bytes.
    pub size: u64,
    /// How many rows it lists.
    pub rows: u64,
    /// Which rows it takes away.
    pub takes: Takes,
    /// The location of the one data file that it names; none when it may name several, or deletes by value.
    pub of: Option<String>,
}

/// Which rows a delete file takes away.
#[derive(Debug, Clone, PartialEq)]
pub enum Takes {
    /// Those that it lists by the location of their file and their position in it, from 0.
    Positions,
    /// Those whose values of these columns equal the values of one of its own rows; null equals null.
    Equal(Vec<Column>),
}

impl DataFile {
    /// Rows that are left of it, as far as delete files tell which name no other file.
    pub fn rows_left(&self) -> u64 {
        let own = self.deletes.iter().filter(|delete| delete.of.is_some());
        self.rows.saturating_sub(own.map(|delete| delete.rows).sum())
    }
}

/// A bound of a column.
#[derive(Debug, Clone, PartialEq)]
pub enum Bound {
    /// A truth value.
    Bool(bool),
    /// A 32-bit integer.
    Int(i32),
    /// A 64-bit integer.
    Long(i64),
    /// A 32-bit float.
    Float(f32),
    /// A 64-bit float.
    Double(f64),
    /// Days since 1970-01-01.
    Date(i32),
    /// Microseconds since midnight.
    Time(i64),
    /// Microseconds since 1970-01-01T00:00:00, with or without zone.
    Timestamp(i64),
    /// The digits of a decimal without its point.
    Decimal(i128),
    /// Text, possibly cut.
    String(String),
    /// Bytes, possibly cut.
    Binary(Vec<u8>),
}

impl Bound {
    /// The bound that Iceberg stored; none for types whose bounds are not used.
    pub fn from_datum(datum: &Datum) -> Option<Self> {
        Self::from_literal(datum.data_type(), datum.literal())
    }

    /// A value of a type; none for types whose bounds are not used.
    pub fn from_literal(ty: &PrimitiveType, literal: &PrimitiveLiteral) -> Option<Self> {
        Some(match (ty, literal) {
            (_, PrimitiveLiteral::Boolean(value)) => Self::Bool(*value),
            (PrimitiveType::Date, PrimitiveLiteral::Int(value)) => Self::Date(*value),
            (_, PrimitiveLiteral::Int(value)) => Self::Int(*value),
            (PrimitiveType::Time, PrimitiveLiteral::Long(value)) => Self::Time(*value),
            (PrimitiveType::Timestamp | PrimitiveType::Timestamptz, PrimitiveLiteral::Long(value)) => {
                Self::Timestamp(*value)
            }
            (PrimitiveType::Long, PrimitiveLiteral::Long(value)) => Self::Long(*value),
            (PrimitiveType::Decimal { .. }, PrimitiveLiteral::Int128(value)) => Self::Decimal(*value),
            (_, PrimitiveLiteral::Float(value)) => Self::Float(value.0),
            (_, PrimitiveLiteral::Double(value)) => Self::Double(value.0),
            (_, PrimitiveLiteral::String(value)) => Self::String(value.clone()),
            (PrimitiveType::Binary, PrimitiveLiteral::Binary(value)) => Self::Binary(value.clone()),
            _ => return None,
        })
    }
}

/// The bounds of a file, by field id.
pub fn bounds<'a>(stored: impl IntoIterator<Item = (&'a i32, &'a Datum)>) -> BTreeMap<i32, Bound> {
    stored.into_iter().filter_map(|(id, datum)| Some((*id, Bound::from_datum(datum)?))).collect()
}
