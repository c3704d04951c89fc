//! What is known about files before they are opened: to skip them, and to plan.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, UInt64Array};
use arrow::datatypes::{DataType, SchemaRef, TimeUnit};
use catalog::{Bound, DataFile};
use datafusion::common::pruning::PruningStatistics;
use datafusion::common::stats::Precision;
use datafusion::common::{Column, ColumnStatistics, ScalarValue, Statistics};

/// The bounds of a table's files, column by column, for a pruning predicate.
pub(crate) struct FileBounds<'a> {
    pub(crate) files: &'a [DataFile],
    pub(crate) schema: &'a SchemaRef,
    pub(crate) ids: &'a [i32],
}

impl FileBounds<'_> {
    fn column(&self, column: &Column) -> Option<(i32, &DataType)> {
        let at = self.schema.index_of(&column.name).ok()?;
        Some((*self.ids.get(at)?, self.schema.field(at).data_type()))
    }

    fn collect(&self, id: i32, ty: &DataType, side: Side) -> Option<ArrayRef> {
        let missing = ScalarValue::try_from(ty).ok()?;
        let bound = |file: &DataFile| side.of(file).get(&id).and_then(|bound| scalar(bound, ty));
        ScalarValue::iter_to_array(self.files.iter().map(|file| bound(file).unwrap_or_else(|| missing.clone()))).ok()
    }
}

#[derive(Clone, Copy)]
enum Side {
    Lower,
    Upper,
}

impl Side {
    fn of(self, file: &DataFile) -> &BTreeMap<i32, Bound> {
        match self {
            Self::Lower => &file.lower,
            Self::Upper => &file.upper,
        }
    }
}

impl PruningStatistics for FileBounds<'_> {
    fn min_values(&self, column: &Column) -> Option<ArrayRef> {
        let (id, ty) = self.column(column)?;
        self.collect(id, ty, Side::Lower)
    }

    /// None for floats: stored bounds leave NaN out, which SQL orders above every number.
    fn max_values(&self, column: &Column) -> Option<ArrayRef> {
        let (id, ty) = self.column(column)?;
        if ty.is_floating() { None } else { self.collect(id, ty, Side::Upper) }
    }

    fn num_containers(&self) -> usize {
        self.files.len()
    }

    fn null_counts(&self, column: &Column) -> Option<ArrayRef> {
        let (id, _) = self.column(column)?;
        let counts: UInt64Array = self.files.iter().map(|file| file.nulls.get(&id).copied()).collect();
        Some(Arc::new(counts))
    }

    fn row_counts(&self) -> Option<ArrayRef> {
        let counts: UInt64Array = self.files.iter().map(|file| Some(file.rows)).collect();
        Some(Arc::new(counts))
    }

    fn contained(&self, _: &Column, _: &HashSet<ScalarValue>) -> Option<BooleanArray> {
        None
    }
}

/// The statistics of one file, in the order of the table's columns.
pub(crate) fn statistics(file: &DataFile, schema: &SchemaRef, ids: &[i32]) -> Statistics {
    let columns = schema.fields().iter().zip(ids).map(|(field, id)| column_statistics(file, *id, field.data_type()));
    Statistics {
        num_rows: Precision::Exact(usize::try_from(file.rows).unwrap_or(usize::MAX)),
        total_byte_size: Precision::Inexact(usize::try_from(file.size).unwrap_or(usize::MAX)),
        column_statistics: columns.collect(),
    }
}

/// Bounds of text may be cut and those of floats leave NaN out; only exact ones may answer a query by themselves. The
/// engine takes the value of a constant column from here, whether the file holds the column or not.
fn column_statistics(file: &DataFile, id: i32, ty: &DataType) -> ColumnStatistics {
    if let Some(constant) = file.constants.get(&id) {
        return constant_statistics(file, constant.as_ref(), ty);
    }
    let exact = file.exact && (ty.is_integer() || ty.is_temporal() || *ty == DataType::Boolean);
    let known = |bounds: &BTreeMap<i32, Bound>| match bounds.get(&id).and_then(|bound| scalar(bound, ty)) {
        Some(value) if exact => Precision::Exact(value),
        Some(value) => Precision::Inexact(value),
        None => Precision::Absent,
    };
    let counted = |count: &u64| usize::try_from(*count).unwrap_or(usize::MAX);
    let nulls = file.nulls.get(&id).map(counted);
    let nulls = nulls.map_or(Precision::Absent, Precision::Exact);
    ColumnStatistics::new_unknown()
        .with_null_count(if file.exact { nulls } else { nulls.to_inexact() })
        .with_min_value(known(&file.lower))
        .with_max_value(known(&file.upper))
}

fn constant_statistics(file: &DataFile, constant: Option<&Bound>, ty: &DataType) -> ColumnStatistics {
    let unknown = ColumnStatistics::new_unknown();
    match constant.map(|bound| scalar(bound, ty)) {
        None => unknown.with_null_count(Precision::Exact(usize::try_from(file.rows).unwrap_or(usize::MAX))),
        Some(Some(value)) => unknown
            .with_null_count(Precision::Exact(0))
            .with_min_value(Precision::Exact(value.clone()))
            .with_max_value(Precision::Exact(value)),
        Some(None) => unknown,
    }
}

/// A bound as a value of the column's type; none when the type was widened in a way that bounds do not survive.
fn scalar(bound: &Bound, ty: &DataType) -> Option<ScalarValue> {
    let value = match bound {
        Bound::Bool(value) => ScalarValue::Boolean(Some(*value)),
        Bound::Int(value) => ScalarValue::Int32(Some(*value)),
        Bound::Long(value) => ScalarValue::Int64(Some(*value)),
        Bound::Float(value) => ScalarValue::Float32(Some(*value)),
        Bound::Double(value) => ScalarValue::Float64(Some(*value)),
        Bound::Date(value) => ScalarValue::Date32(Some(*value)),
        Bound::Time(value) => ScalarValue::Time64Microsecond(Some(*value)),
        Bound::Timestamp(value) => match ty {
            DataType::Timestamp(TimeUnit::Microsecond, zone) => {
                ScalarValue::TimestampMicrosecond(Some(*value), zone.clone())
            }
            _ => return None,
        },
        Bound::Decimal(value) => match ty {
            DataType::Decimal128(precision, scale) => ScalarValue::Decimal128(Some(*value), *precision, *scale),
            _ => return None,
        },
        Bound::String(value) => ScalarValue::Utf8View(Some(value.clone())),
        Bound::Binary(value) => ScalarValue::BinaryView(Some(value.clone())),
    };
    if value.data_type() == *ty {
        return Some(value);
    }
    let widened = matches!((bound, ty), (Bound::Int(_), DataType::Int64) | (Bound::Float(_), DataType::Float64))
        || matches!((bound, ty), (Bound::String(_), DataType::Utf8) | (Bound::Binary(_), DataType::Binary));
    if widened { value.cast_to(ty).ok() } else { None }
}
