//! What a file's manifest states of it, against what is read from it.

use std::collections::BTreeMap;

use arrow::array::{Array, AsArray};
use arrow::compute::{cast, max, min};
use arrow::datatypes::{DataType, Int64Type};
use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;
use catalog::{Bound, DataFile};

use crate::rows::id;

#[cfg(test)]
mod tests;

/// Whether the whole numbers, days and times of rows lie within the bounds that the manifest states of their file, if it
/// states any. Other engines may cut the bounds of texts, never these.
pub(crate) fn holds(file: &DataFile, rows: &RecordBatch) -> Result<bool, ArrowError> {
    for (field, column) in rows.schema().fields().iter().zip(rows.columns()) {
        let bound = |bounds: &BTreeMap<i32, Bound>| whole(bounds.get(&id(field)?)?);
        let Some((lower, upper)) = bound(&file.lower).zip(bound(&file.upper)) else { continue };
        let found = extremes(column)?;
        if found.is_some_and(|(least, most)| least < lower || most > upper) {
            return Ok(false);
        }
    }
    Ok(true)
}

fn whole(bound: &Bound) -> Option<i64> {
    match bound {
        Bound::Int(value) | Bound::Date(value) => Some(i64::from(*value)),
        Bound::Long(value) | Bound::Time(value) | Bound::Timestamp(value) => Some(*value),
        _ => None,
    }
}

/// The smallest and the largest value of a column; none without any.
fn extremes(column: &dyn Array) -> Result<Option<(i64, i64)>, ArrowError> {
    let whole = cast(column, &DataType::Int64)?;
    let whole = whole.as_primitive::<Int64Type>();
    Ok(min(whole).zip(max(whole)))
}
