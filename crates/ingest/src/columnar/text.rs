//! Lists and maps as text: the JSON that a file of JSON would have in their place, without white space.
//!
//! JSON has no bytes, decimals, times, and no numbers that are none: they are strings there, bytes in base64.

use std::io::Write;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringBuilder};
use arrow::datatypes::{DataType, Float32Type, Float64Type, Int64Type};
use arrow::util::display::array_value_to_string;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::Serialize;

use crate::csv::CELL_LIMIT;

/// Whether a column of this type becomes text.
pub fn becomes_text(ty: &DataType) -> bool {
    matches!(ty, DataType::List(_) | DataType::LargeList(_) | DataType::FixedSizeList(..) | DataType::Map(..))
}

/// Whether values of this type can stand in the text.
pub fn can_be_written(ty: &DataType) -> bool {
    use DataType::{FixedSizeList, Float16, Interval, LargeList, List, Map, Struct};
    match ty {
        List(item) | LargeList(item) | FixedSizeList(item, _) | Map(item, _) => can_be_written(item.data_type()),
        Struct(fields) => fields.iter().all(|field| can_be_written(field.data_type())),
        Interval(_) | Float16 => false,
        _ => true,
    }
}

/// The texts of a column's values, or the first row whose value has none: it is too long, or holds a time outside the
/// years 0 to 9999.
pub fn texts(column: &ArrayRef) -> Result<ArrayRef, usize> {
    let mut texts = StringBuilder::new();
    let mut text = Vec::new();
    for row in 0..column.len() {
        text.clear();
        if column.is_null(row) {
            texts.append_null();
            continue;
        }
        write(column, row, &mut text).ok_or(row)?;
        texts.append_value(std::str::from_utf8(&text).map_err(|_| row)?);
    }
    Ok(Arc::new(texts.finish()))
}

/// Writes one value; answers none when it has no text.
fn write(array: &ArrayRef, row: usize, out: &mut Vec<u8>) -> Option<()> {
    if out.len() > CELL_LIMIT {
        return None;
    }
    if array.is_null(row) || *array.data_type() == DataType::Null {
        out.extend_from_slice(b"null");
        return Some(());
    }
    match array.data_type() {
        DataType::List(_) => {
            let list = array.as_list::<i32>();
            items(list.values(), span(list.value_offsets(), row)?, out)
        }
        DataType::LargeList(_) => {
            let list = array.as_list::<i64>();
            items(list.values(), span(list.value_offsets(), row)?, out)
        }
        DataType::FixedSizeList(_, length) => {
            let (list, length) = (array.as_fixed_size_list(), usize::try_from(*length).ok()?);
            let begin = usize::try_from(list.value_offset(row)).ok()?;
            items(list.values(), begin..begin + length, out)
        }
        DataType::Struct(fields) => {
            let columns = array.as_struct().columns();
            members(
                fields.iter().zip(columns).map(|(field, column)| (serde_json::to_vec(field.name()).ok(), column, row)),
                out,
            )
        }
        DataType::Map(..) => {
            let map = array.as_map();
            let entries = span(map.value_offsets(), row)?;
            members(entries.map(|at| (key(map.keys(), at), map.values(), at)), out)
        }
        _ => scalar(array, row, out),
    }
}

fn scalar(array: &ArrayRef, row: usize, out: &mut Vec<u8>) -> Option<()> {
    match array.data_type() {
        DataType::Float32 => float(array.as_primitive::<Float32Type>().value(row), out),
        DataType::Float64 => float(array.as_primitive::<Float64Type>().value(row), out),
        DataType::Utf8View => quoted(array.as_string_view().value(row), out),
        DataType::BinaryView => quoted(&BASE64_STANDARD.encode(array.as_binary_view().value(row)), out),
        DataType::FixedSizeBinary(_) => quoted(&BASE64_STANDARD.encode(array.as_fixed_size_binary().value(row)), out),
        DataType::Int64 => write!(out, "{}", array.as_primitive::<Int64Type>().value(row)).ok(),
        DataType::Boolean => write!(out, "{}", array.as_boolean().value(row)).ok(),
        ty if ty.is_integer() => write!(out, "{}", shown(array, row)?).ok(),
        ty if ty.is_decimal() => quoted(&shown(array, row)?, out),
        // Days and times: years of more than four digits have a sign before them.
        _ => quoted(&shown(array, row).filter(|text| text.starts_with(|first: char| first.is_ascii_digit()))?, out),
    }
}

fn shown(array: &ArrayRef, row: usize) -> Option<String> {
    array_value_to_string(array, row).ok()
}

fn span<O: Copy + TryInto<usize>>(offsets: &[O], row: usize) -> Option<Range<usize>> {
    Some(offsets[row].try_into().ok()?..offsets[row + 1].try_into().ok()?)
}

fn items(values: &ArrayRef, span: Range<usize>, out: &mut Vec<u8>) -> Option<()> {
    out.push(b'[');
    for at in span.clone() {
        if at > span.start {
            out.push(b',');
        }
        write(values, at, out)?;
    }
    out.push(b']');
    Some(())
}

type Member<'a> = (Option<Vec<u8>>, &'a ArrayRef, usize);

fn members<'a>(members: impl Iterator<Item = Member<'a>>, out: &mut Vec<u8>) -> Option<()> {
    out.push(b'{');
    for (number, (key, values, at)) in members.enumerate() {
        if number > 0 {
            out.push(b',');
        }
        out.extend_from_slice(&key?);
        out.push(b':');
        write(values, at, out)?;
    }
    out.push(b'}');
    Some(())
}

/// Keys are strings in JSON, whatever they are in the file.
fn key(keys: &ArrayRef, at: usize) -> Option<Vec<u8>> {
    let mut key = Vec::new();
    write(keys, at, &mut key)?;
    if key.first() == Some(&b'"') { Some(key) } else { serde_json::to_vec(std::str::from_utf8(&key).ok()?).ok() }
}

fn quoted(text: &str, out: &mut Vec<u8>) -> Option<()> {
    serde_json::to_writer(out, text).ok()
}

fn float(value: impl Serialize + Copy + Into<f64>, out: &mut Vec<u8>) -> Option<()> {
    match value.into() {
        wide if wide.is_finite() => serde_json::to_writer(out, &value).ok(),
        wide if wide.is_nan() => quoted("NaN", out),
        wide => quoted(if wide > 0.0 { "Infinity" } else { "-Infinity" }, out),
    }
}
