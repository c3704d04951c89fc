//! SUM over integers that errs instead of wrapping around: it adds in 128 bits and checks at the end.

use std::collections::HashSet;
use std::mem::size_of;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Decimal128Array, Int64Array, UInt64Array};
use arrow::datatypes::{DataType, Decimal128Type, Field, FieldRef, Int64Type, UInt64Type};
use datafusion::common::{DataFusionError, Result, ScalarValue};
use datafusion::functions_aggregate::sum::Sum;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::utils::format_state_name;
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, Documentation, EmitTo, GroupsAccumulator, ReversedUDAF, Signature,
};

use crate::error::{Error, external};

/// 2^127 holds the sum of 2^63 values of 64 bits each.
const STATE: DataType = DataType::Decimal128(38, 0);

/// The engine's SUM, with integer sums done here.
pub fn checked_sum() -> AggregateUDF {
    AggregateUDF::new_from_impl(CheckedSum { inner: Sum::new() })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct CheckedSum {
    inner: Sum,
}

fn is_ours(ty: &DataType) -> bool {
    matches!(ty, DataType::Int64 | DataType::UInt64)
}

impl AggregateUDFImpl for CheckedSum {
    fn name(&self) -> &str {
        "sum"
    }

    fn signature(&self) -> &Signature {
        self.inner.signature()
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        self.inner.return_type(arguments)
    }

    fn coerce_types(&self, arguments: &[DataType]) -> Result<Vec<DataType>> {
        self.inner.coerce_types(arguments)
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        let ty = args.return_field.data_type();
        match (is_ours(ty), args.is_distinct) {
            (false, _) => self.inner.accumulator(args),
            (true, false) => Ok(Box::new(RunningSum { ty: ty.clone(), sum: 0, count: 0 })),
            (true, true) => Ok(Box::new(DistinctSum { ty: ty.clone(), seen: HashSet::new() })),
        }
    }

    fn create_sliding_accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        if is_ours(args.return_field.data_type()) && !args.is_distinct {
            return self.accumulator(args);
        }
        self.inner.create_sliding_accumulator(args)
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        if !is_ours(args.return_field.data_type()) {
            return self.inner.state_fields(args);
        }
        let name = format_state_name(args.name, "sum");
        let item = Field::new_list_field(STATE, true);
        let field = if args.is_distinct { Field::new_list(name, item, true) } else { Field::new(name, STATE, true) };
        Ok(vec![Arc::new(field)])
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs) -> bool {
        !args.is_distinct
    }

    fn create_groups_accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn GroupsAccumulator>> {
        let ty = args.return_field.data_type();
        if !is_ours(ty) {
            return self.inner.create_groups_accumulator(args);
        }
        Ok(Box::new(GroupSums { ty: ty.clone(), sums: Vec::new(), seen: Vec::new() }))
    }

    fn reverse_expr(&self) -> ReversedUDAF {
        ReversedUDAF::Identical
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.inner.documentation()
    }
}

/// The values of an input or of a state, widened.
fn widened(array: &ArrayRef) -> Result<Box<dyn Iterator<Item = Option<i128>> + '_>> {
    Ok(match array.data_type() {
        DataType::Int64 => Box::new(array.as_primitive::<Int64Type>().iter().map(|value| value.map(i128::from))),
        DataType::UInt64 => Box::new(array.as_primitive::<UInt64Type>().iter().map(|value| value.map(i128::from))),
        DataType::Decimal128(_, _) => Box::new(array.as_primitive::<Decimal128Type>().iter()),
        other => return Err(DataFusionError::Internal(format!("SUM was given {other}"))),
    })
}

fn first(values: &[ArrayRef]) -> Result<&ArrayRef> {
    values.first().ok_or_else(|| DataFusionError::Internal("SUM takes one argument".to_owned()))
}

fn overflow() -> DataFusionError {
    external(Error::Overflow)
}

fn state_value(sum: Option<i128>) -> ScalarValue {
    ScalarValue::Decimal128(sum, 38, 0)
}

fn narrowed(ty: &DataType, sum: Option<i128>) -> Result<ScalarValue> {
    Ok(match (ty, sum) {
        (DataType::UInt64, None) => ScalarValue::UInt64(None),
        (_, None) => ScalarValue::Int64(None),
        (DataType::UInt64, Some(sum)) => ScalarValue::UInt64(Some(u64::try_from(sum).map_err(|_| overflow())?)),
        (_, Some(sum)) => ScalarValue::Int64(Some(i64::try_from(sum).map_err(|_| overflow())?)),
    })
}

/// One sum, from which values can also be taken away, as sliding windows do.
#[derive(Debug)]
struct RunningSum {
    ty: DataType,
    sum: i128,
    count: u64,
}

impl RunningSum {
    fn current(&self) -> Option<i128> {
        (self.count > 0).then_some(self.sum)
    }
}

impl Accumulator for RunningSum {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        for value in widened(first(values)?)?.flatten() {
            self.sum += value;
            self.count += 1;
        }
        Ok(())
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        for value in widened(first(values)?)?.flatten() {
            self.sum -= value;
            self.count = self.count.saturating_sub(1);
        }
        Ok(())
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.update_batch(states)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![state_value(self.current())])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        narrowed(&self.ty, self.current())
    }

    fn size(&self) -> usize {
        size_of::<Self>()
    }
}

/// The sum of distinct values.
#[derive(Debug)]
struct DistinctSum {
    ty: DataType,
    seen: HashSet<i128>,
}

impl Accumulator for DistinctSum {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.seen.extend(widened(first(values)?)?.flatten());
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        for values in first(states)?.as_list::<i32>().iter().flatten() {
            self.seen.extend(widened(&values)?.flatten());
        }
        Ok(())
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let values: Vec<ScalarValue> = self.seen.iter().map(|value| state_value(Some(*value))).collect();
        Ok(vec![ScalarValue::List(ScalarValue::new_list_nullable(&values, &STATE))])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        narrowed(&self.ty, (!self.seen.is_empty()).then(|| self.seen.iter().sum()))
    }

    fn size(&self) -> usize {
        size_of::<Self>() + self.seen.capacity() * size_of::<i128>()
    }
}

/// One sum for each group.
struct GroupSums {
    ty: DataType,
    sums: Vec<i128>,
    seen: Vec<bool>,
}

impl GroupSums {
    fn take(&mut self, emit_to: EmitTo) -> Vec<Option<i128>> {
        let sums = emit_to.take_needed(&mut self.sums);
        let seen = emit_to.take_needed(&mut self.seen);
        sums.into_iter().zip(seen).map(|(sum, seen)| seen.then_some(sum)).collect()
    }
}

fn states(values: impl Iterator<Item = Option<i128>>) -> Result<Vec<ArrayRef>> {
    let array: Decimal128Array = values.collect();
    Ok(vec![Arc::new(array.with_precision_and_scale(38, 0)?)])
}

impl GroupsAccumulator for GroupSums {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        groups: &[usize],
        filter: Option<&BooleanArray>,
        total: usize,
    ) -> Result<()> {
        self.sums.resize(total, 0);
        self.seen.resize(total, false);
        let passes = |row: usize| filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row));
        for (row, (value, group)) in widened(first(values)?)?.zip(groups).enumerate() {
            if let Some(value) = value.filter(|_| passes(row)) {
                self.sums[*group] += value;
                self.seen[*group] = true;
            }
        }
        Ok(())
    }

    fn merge_batch(
        &mut self,
        values: &[ArrayRef],
        groups: &[usize],
        filter: Option<&BooleanArray>,
        total: usize,
    ) -> Result<()> {
        self.update_batch(values, groups, filter, total)
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let sums = self.take(emit_to);
        if self.ty == DataType::UInt64 {
            let narrow = |sum: Option<i128>| sum.map(u64::try_from).transpose().map_err(|_| overflow());
            return Ok(Arc::new(sums.into_iter().map(narrow).collect::<Result<UInt64Array>>()?));
        }
        let narrow = |sum: Option<i128>| sum.map(i64::try_from).transpose().map_err(|_| overflow());
        Ok(Arc::new(sums.into_iter().map(narrow).collect::<Result<Int64Array>>()?))
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        states(self.take(emit_to).into_iter())
    }

    fn convert_to_state(&self, values: &[ArrayRef], filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        let passes = |row: usize| filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row));
        let kept = widened(first(values)?)?.enumerate().map(|(row, value)| value.filter(|_| passes(row)));
        states(kept)
    }

    fn supports_convert_to_state(&self) -> bool {
        true
    }

    fn size(&self) -> usize {
        self.sums.capacity() * size_of::<i128>() + self.seen.capacity()
    }
}
