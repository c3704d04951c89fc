//! Which columns a Parquet file has, what they are in a table, and how their values get there without loss.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, PrimitiveArray, RecordBatch, RecordBatchOptions, make_array, new_null_array,
};
use arrow::buffer::NullBuffer;
use arrow::compute::kernels::cmp::distinct;
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Date32Type, Field, FieldRef, Float32Type, Float64Type, Schema, SchemaRef,
    Time64NanosecondType, TimeUnit, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
};
use catalog::ColumnType;

use super::text::{becomes_text, can_be_written, texts};
use crate::csv::{COLUMN_LIMIT, NAME_LIMIT};
use crate::error::{Error, Result};
use crate::value::{DAYS, MOMENTS, written};

/// A column of a Parquet file, or a field of one that holds others: what is nested in a file lies side by side in a
/// table, under names that dots join, as with JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// The name.
    pub name: String,
    /// Where it is: the column's place, and those of the fields on the way to it.
    pub path: Vec<usize>,
    /// The Arrow type that it is read as.
    pub arrow: DataType,
    /// What it is in a table that is made for it.
    pub ty: ColumnType,
}

impl Given {
    /// Its values in rows that were read.
    fn of(&self, rows: &RecordBatch) -> Result<ArrayRef> {
        let mut values = Arc::clone(rows.column(self.path[0]));
        for &place in &self.path[1..] {
            let around = values.as_struct();
            let field = around.column(place);
            if field.data_type().is_null() {
                return Ok(Arc::clone(field));
            }
            let nulls = NullBuffer::union(around.nulls(), field.nulls());
            values = make_array(field.to_data().into_builder().nulls(nulls).build()?);
        }
        Ok(values)
    }
}

/// The columns side by side.
pub fn side_by_side(columns: &[Given], rows: &RecordBatch) -> Result<RecordBatch> {
    let values = columns.iter().map(|given| given.of(rows)).collect::<Result<Vec<_>>>()?;
    let named = columns.iter().zip(&values);
    let fields = named.map(|(given, values)| Field::new(&given.name, values.data_type().clone(), true));
    let schema = Schema::new(fields.collect::<Vec<_>>());
    let counted = RecordBatchOptions::new().with_row_count(Some(rows.num_rows()));
    Ok(RecordBatch::try_new_with_options(Arc::new(schema), values, &counted)?)
}

/// The columns of a file by its Parquet types alone, whatever hints its writer left for Arrow readers.
pub fn columns(schema: &Schema) -> Result<Vec<Given>> {
    let mut columns = Vec::new();
    for (place, field) in schema.fields().iter().enumerate() {
        collect("", field, vec![place], &mut columns)?;
    }
    let mut seen = HashMap::new();
    for (place, given) in (1..).zip(&columns) {
        if let Some(earlier) = seen.insert(given.name.to_lowercase(), place) {
            return Err(refuse(&given.name, format!("columns {earlier} and {place} have one name, but for case")));
        }
    }
    Ok(columns)
}

/// Adds a field, or those that it holds.
fn collect(around: &str, field: &Field, path: Vec<usize>, columns: &mut Vec<Given>) -> Result<()> {
    let place = columns.len() + 1;
    let name = if around.is_empty() { field.name().clone() } else { format!("{around}.{}", field.name()) };
    if field.name().trim().is_empty() || name.contains('\0') {
        return Err(refuse(&name, format!("column {place} has no name that a table may use")));
    }
    if name.len() > NAME_LIMIT {
        return Err(refuse(&name, format!("the name of column {place} is longer than {NAME_LIMIT} bytes")));
    }
    if let DataType::Struct(fields) = field.data_type() {
        for (place, field) in fields.iter().enumerate() {
            collect(&name, field, [&path[..], &[place]].concat(), columns)?;
        }
        return Ok(());
    }
    if columns.len() == COLUMN_LIMIT {
        return Err(super::guard::bad("it has more than 10000 columns"));
    }
    let kept = kept(field.data_type()).and_then(|arrow| ColumnType::from_arrow(&arrow));
    let Some(ty) = kept else {
        let ty = field.data_type().to_string().to_lowercase();
        return Err(refuse(&name, format!("tables made by loads have no columns of type {ty}")));
    };
    columns.push(Given { name, path, arrow: read_as(field.data_type()), ty });
    Ok(())
}

fn refuse(name: &str, reason: String) -> Error {
    Error::Column { column: name.chars().take(200).collect(), reason }
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
        ty if becomes_text(ty) => return can_be_written(ty).then_some(DataType::Utf8),
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

/// Text is read as views: a value that many rows share is in memory once.
fn read_as(ty: &DataType) -> DataType {
    let field = |field: &FieldRef| Arc::new(field.as_ref().clone().with_data_type(read_as(field.data_type())));
    match ty {
        DataType::Utf8 => DataType::Utf8View,
        DataType::Binary => DataType::BinaryView,
        DataType::List(item) => DataType::List(field(item)),
        DataType::LargeList(item) => DataType::LargeList(field(item)),
        DataType::FixedSizeList(item, length) => DataType::FixedSizeList(field(item), *length),
        DataType::Map(entries, sorted) => DataType::Map(field(entries), *sorted),
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(field).collect()),
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
        (from, DataType::Utf8) if becomes_text(from) => true,
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
        (from, _) if becomes_text(from) => texts(array),
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
                millis.checked_mul(1000).filter(|micros| MOMENTS.contains(micros))
            })
        }
        (Timestamp(TimeUnit::Microsecond, _), _) => {
            let values = array.as_primitive::<TimestampMicrosecondType>();
            micros::<_, TimestampMicrosecondType>(values, to, |micros| MOMENTS.contains(&micros).then_some(micros))
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
    let lost = lost.values().set_indices().find(|&row| !is_written_alike(array, &there, row));
    Ok(lost.map_or(Ok(there), Err))
}

/// Whether a double and the float that it became are written alike: 0.1 is 0.1 in both, as it is in a text file.
fn is_written_alike(from: &ArrayRef, to: &ArrayRef, row: usize) -> bool {
    let doubles = from.as_primitive_opt::<Float64Type>().filter(|doubles| doubles.is_valid(row));
    let singles = to.as_primitive_opt::<Float32Type>();
    let Some((double, single)) = doubles.zip(singles) else { return false };
    written::single(double.value(row).to_string().as_bytes()) == Some(single.value(row))
}
