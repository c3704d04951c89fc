//! Values of a file as values of the table: lists, structs and maps by field id, identifiers as texts.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, FixedSizeBinaryArray, ListArray, MapArray, RecordBatch, StringViewArray, StructArray,
    new_null_array,
};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Field, FieldRef, Fields, Schema};
use datafusion::common::{DataFusionError, Result};
use datafusion::logical_expr::ColumnarValue;
use datafusion::physical_expr::PhysicalExpr;
use parquet::arrow::PARQUET_FIELD_ID_META_KEY;

/// Bytes of a UUID.
const UUID: i32 = 16;

/// Whether values of one type become those of the other in a way that is no plain cast.
pub(crate) fn differ(from: &DataType, to: &DataType) -> bool {
    to.is_nested() || is_uuid(from, to)
}

/// UUIDs are shown as texts, as nobody writes sixteen bytes.
fn is_uuid(from: &DataType, to: &DataType) -> bool {
    matches!((from, to), (DataType::FixedSizeBinary(UUID), DataType::Utf8View | DataType::Utf8))
}

/// A column of a file in the form of the table's column.
#[derive(Debug, Eq)]
pub(crate) struct Reshaped {
    input: Arc<dyn PhysicalExpr>,
    to: FieldRef,
}

impl Reshaped {
    pub(crate) fn new(input: Arc<dyn PhysicalExpr>, to: FieldRef) -> Self {
        Self { input, to }
    }
}

impl PartialEq for Reshaped {
    fn eq(&self, other: &Self) -> bool {
        self.input.eq(&other.input) && self.to == other.to
    }
}

impl Hash for Reshaped {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.input.hash(state);
        self.to.hash(state);
    }
}

impl fmt::Display for Reshaped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.input.fmt(f)
    }
}

impl PhysicalExpr for Reshaped {
    fn evaluate(&self, batch: &RecordBatch) -> Result<ColumnarValue> {
        let array = self.input.evaluate(batch)?.into_array(batch.num_rows())?;
        Ok(ColumnarValue::Array(reshaped(&array, self.to.data_type())?))
    }

    fn return_field(&self, _: &Schema) -> Result<FieldRef> {
        Ok(Arc::clone(&self.to))
    }

    fn children(&self) -> Vec<&Arc<dyn PhysicalExpr>> {
        vec![&self.input]
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn PhysicalExpr>>) -> Result<Arc<dyn PhysicalExpr>> {
        let input = children.into_iter().next();
        let input = input.ok_or_else(|| DataFusionError::Internal("a reshaped column has one input".to_owned()))?;
        Ok(Arc::new(Self { input, to: Arc::clone(&self.to) }))
    }

    fn fmt_sql(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.input.fmt_sql(f)
    }
}

/// An array as one of another type. Fields of structs are found by their ids, and by name where a file has none; a
/// field that the file lacks is null.
fn reshaped(array: &ArrayRef, to: &DataType) -> Result<ArrayRef> {
    if array.data_type() == to {
        return Ok(Arc::clone(array));
    }
    Ok(match (array.data_type(), to) {
        (DataType::Struct(_), DataType::Struct(fields)) => Arc::new(structs(array.as_struct(), fields)?),
        (DataType::List(_), DataType::List(item)) => {
            let list = array.as_list::<i32>();
            let items = reshaped(list.values(), item.data_type())?;
            Arc::new(ListArray::try_new(Arc::clone(item), list.offsets().clone(), items, list.nulls().cloned())?)
        }
        (DataType::LargeList(item) | DataType::FixedSizeList(item, _), DataType::List(_)) => {
            let plain = DataType::List(Arc::clone(item));
            reshaped(&cast_with_options(array, &plain, &LOSSLESS)?, to)?
        }
        (DataType::Map(_, _), DataType::Map(entries, sorted)) => {
            let map = array.as_map();
            let DataType::Struct(pair) = entries.data_type() else {
                return Ok(cast_with_options(array, to, &LOSSLESS)?);
            };
            let columns = map.entries().columns().iter().zip(pair);
            let columns =
                columns.map(|(column, field)| reshaped(column, field.data_type())).collect::<Result<Vec<_>>>()?;
            let entries_array = StructArray::try_new(pair.clone(), columns, None)?;
            let (offsets, nulls) = (map.offsets().clone(), map.nulls().cloned());
            Arc::new(MapArray::try_new(Arc::clone(entries), offsets, entries_array, nulls, *sorted)?)
        }
        (from, _) if is_uuid(from, to) => {
            let texts: StringViewArray = uuids(array.as_fixed_size_binary()).collect();
            cast_with_options(&texts, to, &LOSSLESS)?
        }
        _ => cast_with_options(array, to, &LOSSLESS)?,
    })
}

/// A value that does not fit fails, rather than to become null.
const LOSSLESS: CastOptions<'static> =
    CastOptions { safe: false, format_options: arrow::util::display::FormatOptions::new() };

fn structs(array: &StructArray, fields: &Fields) -> Result<StructArray> {
    let own = array.fields();
    let numbered = own.iter().any(|field| id(field).is_some());
    let find = |field: &Field| {
        own.iter().position(|own| if numbered { id(own) == id(field) } else { own.name() == field.name() })
    };
    let columns = fields.iter().map(|field| match find(field) {
        Some(at) => reshaped(array.column(at), field.data_type()),
        None => Ok(new_null_array(field.data_type(), array.len())),
    });
    let columns = columns.collect::<Result<Vec<_>>>()?;
    Ok(StructArray::try_new_with_length(fields.clone(), columns, array.nulls().cloned(), array.len())?)
}

fn id(field: &Field) -> Option<&str> {
    field.metadata().get(PARQUET_FIELD_ID_META_KEY).map(String::as_str)
}

fn uuids(array: &FixedSizeBinaryArray) -> impl Iterator<Item = Option<String>> {
    array.iter().map(|bytes| {
        let number = u128::from_be_bytes(bytes?.try_into().ok()?);
        let digits = format!("{number:032x}");
        let parts = [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]];
        Some(parts.join("-"))
    })
}
