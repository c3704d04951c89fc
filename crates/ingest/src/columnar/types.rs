//! Which columns a Parquet file has, what they are in a table, and how their values get there without loss.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, PrimitiveArray, new_null_array};
use arrow::compute::kernels::cmp::distinct;
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Date32Type, Field, Schema, SchemaRef, Time64NanosecondType, TimeUnit,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
};
use catalog::ColumnType;

use crate::csv::{COLUMN_LIMIT, NAME_LIMIT};
use crate::error::{Error, Result};

/// The years 1 to 9999 in microseconds since 1970.
const MICROS: std::ops::RangeInclusive<i64> = -62_135_596_800_000_000..=253_402_300_799_999_999;
/// The same in days.
const DAYS: std::ops::RangeInclusive<i32> = -719_162..=2_932_896;

/// A column of a Parquet file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// The name.
    pub name: String,
    /// The Arrow type that it is read as.
    pub arrow: DataType,
    /// What it is in a table that is made for it.
    pub ty: ColumnType,
}

/// The columns of a file by its Parquet types alone, whatever hints its writer left for Arrow readers.
pub fn columns(schema: &Schema) -> Result<Vec<Given>> {
    if schema.fields().len() > COLUMN_LIMIT {
        return Err(super::guard::bad("it has more than 10000 columns"));
    }
    let mut seen = HashMap::new();
    schema.fields().iter().enumerate().map(|(place, field)| column(field, place + 1, &mut seen)).collect()
}

fn column(field: &Field, place: usize, seen: &mut HashMap<String, usize>) -> Result<Given> {
    let name = field.name().clone();
    let refuse = |reason: String| Error::Column { column: name.chars().take(200).collect(), reason };
    if name.trim().is_empty() || name.contains('\0') {
        return Err(refuse(format!("column {place} has no name that a table may use")));
    }
    if name.len() > NAME_LIMIT {
        return Err(refuse(format!("the name of column {place} is longer than {NAME_LIMIT} bytes")));
    }
    if let Some(earlier) = seen.insert(name.to_lowercase(), place) {
        return Err(refuse(format!("columns {earlier} and {place} have one name, but for case")));
    }
    let kept = kept(field.data_type()).and_then(|arrow| ColumnType::from_arrow(&arrow));
    let Some(ty) = kept else {
        return Err(refuse(format!("tables made by loads have no columns of type {}", type_name(field.data_type()))));
    };
    Ok(Given { name, arrow: read_as(field.data_type()), ty })
}

/// The Arrow type in which a table keeps a column of this type; none when it cannot be kept.
fn kept(ty: &DataType) -> Option<DataType> {
    Some(match ty {
        DataType::Int8 | DataType::Int16 | DataType::UInt8 | DataType::UInt16 => DataType::Int32,
        DataType::UInt32 => DataType::Int64,
        DataType::UInt64 => DataType::Decimal128(20, 0),
        DataType::Float16 => DataType::Float32,
        DataType::Decimal32(precision, scale) | DataType::Decimal64(precision, scale) => {
            DataType::Decimal128(*precision, *scale)
        }
        DataType::Decimal128(precision, scale) if *scale < 0 || *scale > (*precision).cast_signed() => return None,
        DataType::Null => DataType::Utf8,
        DataType::Time32(_) | DataType::Time64(_) => DataType::Time64(TimeUnit::Microsecond),
        DataType::Timestamp(_, None) => DataType::Timestamp(TimeUnit::Microsecond, None),
        DataType::Timestamp(_, Some(_)) => DataType::Timestamp(TimeUnit::Microsecond, Some("+00:00".into())),
        DataType::Boolean
        | DataType::Int32
        | DataType::Int64
        | DataType::Float32
        | DataType::Float64
        | DataType::Decimal128(..)
        | DataType::Utf8
        | DataType::Binary
        | DataType::FixedSizeBinary(_)
        | DataType::Date32 => ty.clone(),
        _ => return None,
    })
}

fn type_name(ty: &DataType) -> String {
    match ty {
        DataType::List(_) | DataType::LargeList(_) | DataType::FixedSizeList(..) => "list".into(),
        DataType::Struct(_) => "struct".into(),
        DataType::Map(..) => "map".into(),
        other => other.to_string().to_lowercase(),
    }
}

/// Text is read as views: a value that many rows share is in memory once.
fn read_as(ty: &DataType) -> DataType {
    match ty {
        DataType::Utf8 => DataType::Utf8View,
        DataType::Binary => DataType::BinaryView,
        other => other.clone(),
    }
}

/// The schema to read a file with.
pub fn reading(schema: &Schema) -> SchemaRef {
    let fields = schema.fields().iter().map(|field| field.as_ref().clone().with_data_type(read_as(field.data_type())));
    Arc::new(Schema::new_with_metadata(fields.collect::<Vec<_>>(), schema.metadata().clone()))
}

/// Whether values of one type can be values of the other at all; whether each is, [`convert`] tells.
pub fn is_akin(from: &DataType, to: &DataType) -> bool {
    use DataType::{Binary, BinaryView, Date32, FixedSizeBinary, LargeBinary, Null, Time32, Time64, Timestamp};
    let is_number = |ty: &DataType| ty.is_numeric();
    match (from, to) {
        (Null, _) => true,
        (from, to) if is_number(from) && is_number(to) => true,
        (DataType::Utf8View, DataType::Utf8) | (DataType::Boolean, DataType::Boolean) | (Date32, Date32) => true,
        (BinaryView, Binary | LargeBinary) | (Time32(_) | Time64(_), Time64(_)) => true,
        (FixedSizeBinary(from), FixedSizeBinary(to)) => from == to,
        (Timestamp(_, from), Timestamp(_, to)) => from.is_some() == to.is_some(),
        _ => false,
    }
}

/// The values as another type, or the first row whose value it cannot hold without loss.
pub fn convert(array: &ArrayRef, to: &DataType) -> Result<std::result::Result<ArrayRef, usize>> {
    use DataType::{BinaryView, Date32, Null, Time64, Timestamp, Utf8View};
    let from = array.data_type();
    Ok(match (from, to) {
        (Null, _) => Ok(new_null_array(to, array.len())),
        (Utf8View | BinaryView, _) => Ok(Arc::clone(array)),
        (Date32, _) => {
            within(array.as_primitive::<Date32Type>(), |day| DAYS.contains(&day)).map(|()| Arc::clone(array))
        }
        (Timestamp(TimeUnit::Nanosecond, _), _) => {
            let values = array.as_primitive::<TimestampNanosecondType>();
            micros::<_, TimestampMicrosecondType>(values, to, |nanos| (nanos % 1000 == 0).then_some(nanos / 1000))
        }
        (Timestamp(TimeUnit::Millisecond, _), _) => {
            let values = array.as_primitive::<TimestampMillisecondType>();
            micros::<_, TimestampMicrosecondType>(values, to, |millis| {
                millis.checked_mul(1000).filter(|micros| MICROS.contains(micros))
            })
        }
        (Timestamp(TimeUnit::Microsecond, _), _) => {
            let values = array.as_primitive::<TimestampMicrosecondType>();
            micros::<_, TimestampMicrosecondType>(values, to, |micros| MICROS.contains(&micros).then_some(micros))
        }
        (Time64(TimeUnit::Nanosecond), _) => {
            let values = array.as_primitive::<Time64NanosecondType>();
            within(values, |nanos| nanos % 1000 == 0).and(Ok(cast(array, to)?))
        }
        (from, to) if from == to => Ok(Arc::clone(array)),
        _ => exactly(array, to)?,
    })
}

fn within<T: ArrowPrimitiveType>(
    array: &PrimitiveArray<T>,
    fits: impl Fn(T::Native) -> bool,
) -> std::result::Result<(), usize> {
    let misfit = array.iter().position(|value| value.is_some_and(|value| !fits(value)));
    misfit.map_or(Ok(()), Err)
}

fn micros<T, M>(
    array: &PrimitiveArray<T>,
    to: &DataType,
    read: impl Fn(T::Native) -> Option<M::Native>,
) -> std::result::Result<ArrayRef, usize>
where
    T: ArrowPrimitiveType,
    M: ArrowPrimitiveType,
{
    within(array, |value| read(value).is_some())?;
    let values = array.unary_opt::<_, M>(read);
    Ok(Arc::new(values.with_data_type(to.clone())))
}

fn cast(array: &ArrayRef, to: &DataType) -> Result<ArrayRef> {
    Ok(cast_with_options(array, to, &CastOptions { safe: true, ..CastOptions::default() })?)
}

/// A cast counts only where the way back leads to the same value.
fn exactly(array: &ArrayRef, to: &DataType) -> Result<std::result::Result<ArrayRef, usize>> {
    let there = cast(array, to)?;
    let back = cast(&there, array.data_type())?;
    let lost: BooleanArray = distinct(&array.as_ref(), &back.as_ref())?;
    Ok(lost.values().set_indices().next().map_or(Ok(there), Err))
}
