//! Functions whose result can be far larger than their arguments, held to a limit before they build it.

use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Int64Type};
use base::ByteSize;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{DataFusionError, Result};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::{
    ColumnarValue, Documentation, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    Volatility,
};

use crate::error::Error;

/// The limit on what one call may build for one batch of rows, and the constants of one plan together.
#[derive(Debug, Clone)]
pub(crate) struct Growth {
    limit: Limit,
    guard: Arc<ScalarUDF>,
}

impl Growth {
    /// For one plan: a quarter of the memory of all queries.
    pub(crate) fn new(memory_limit: ByteSize) -> Self {
        let limit = Limit::new(memory_limit);
        let signature = Signature::any(2, Volatility::Immutable);
        let guard = ScalarUDF::new_from_impl(ConcatGuard { kind: Kind::Guard, limit: limit.clone(), signature });
        Self { limit, guard: Arc::new(guard) }
    }

    /// `left`, after a check that `left || right` is not too large.
    pub(crate) fn guard_concat(&self, left: Expr, right: Expr) -> Expr {
        self.guard.call(vec![left, right])
    }

    /// The same call through a wrapper, when the function can grow its arguments.
    pub(crate) fn bound(&self, call: ScalarFunction) -> Transformed<Expr> {
        let Some(kind) = Kind::of(call.func.name()) else {
            return Transformed::no(Expr::ScalarFunction(call));
        };
        if call.func.inner().downcast_ref::<Bounded>().is_some() {
            return Transformed::no(Expr::ScalarFunction(call));
        }
        let wrapped = Bounded { inner: Arc::clone(&call.func), kind, limit: self.limit.clone() };
        Transformed::yes(Expr::ScalarFunction(ScalarFunction {
            func: Arc::new(ScalarUDF::new_from_impl(wrapped)),
            args: call.args,
        }))
    }
}

/// How large a result can be, given the arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    /// The guard of `||`.
    Guard,
    /// About all arguments together.
    Sum,
    /// The first argument, as often as the second says.
    Times,
    /// As many elements or characters as the second argument says.
    Length,
    /// The first argument with every piece replaced by the third.
    Replace,
    /// A series of 8-byte numbers from bounds and step.
    Series,
}

impl Kind {
    fn of(function: &str) -> Option<Self> {
        Some(match function {
            "repeat" => Self::Times,
            "lpad" | "rpad" | "space" | "array_resize" => Self::Length,
            "array_repeat" => Self::Times,
            "replace" | "regexp_replace" | "array_replace_all" | "array_replace_n" => Self::Replace,
            "range" | "generate_series" => Self::Series,
            "concat" | "concat_ws" | "make_array" | "array_concat" | "array_append" | "array_prepend" => Self::Sum,
            "upper" | "lower" | "initcap" | "reverse" | "encode" | "to_hex" | "translate" | "overlay" => Self::Sum,
            "string_to_array" | "array_to_string" | "flatten" | "array_union" | "array_replace" | "struct"
            | "named_struct" => Self::Sum,
            _ => return None,
        })
    }

    /// An upper bound, in bytes, of the result over `rows` rows.
    fn bytes(self, args: &[ColumnarValue], rows: usize) -> Result<u128> {
        let arrays = args.iter().map(|arg| Argument::new(arg, rows)).collect::<Result<Vec<_>>>()?;
        let total: u128 = match (self, arrays.as_slice()) {
            (Self::Times, [what, times, ..])
                if matches!(what.array.data_type(), DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View) =>
            {
                what.over_rows(rows, |row| what.length(row) * times.count(row))
            }
            // array_repeat(element, count)
            (Self::Times, [what, times, ..]) => what.over_rows(rows, |row| (what.length(row) + 8) * times.count(row)),
            (Self::Length, [what, length, rest @ ..]) => {
                let filler = |row: usize| rest.first().map_or(8, |fill| fill.length(row).max(4));
                what.over_rows(rows, |row| what.length(row) + length.count(row) * filler(row))
            }
            (Self::Length, [length]) => length.over_rows(rows, |row| length.count(row)),
            (Self::Replace, [what, from, to, ..]) => what.over_rows(rows, |row| {
                let pieces = what.length(row) / from.length(row).max(1) + 1;
                what.length(row) + pieces * to.length(row)
            }),
            (Self::Series, [stop]) => stop.over_rows(rows, |row| 8 * stop.count(row)),
            (Self::Series, [start, stop, rest @ ..]) => start.over_rows(rows, |row| {
                let step = rest.first().map_or(1, |step| step.number(row).unsigned_abs().max(1));
                8 * u128::from(stop.number(row).abs_diff(start.number(row)) / step)
            }),
            (_, all) => all.iter().map(|arg| arg.over_rows(rows, |row| arg.length(row))).sum(),
        };
        Ok(total)
    }
}

/// An argument: one value for all rows, or one for each.
struct Argument {
    array: ArrayRef,
    constant: bool,
}

impl Argument {
    fn new(value: &ColumnarValue, rows: usize) -> Result<Self> {
        match value {
            ColumnarValue::Array(array) => Ok(Self { array: Arc::clone(array), constant: false }),
            ColumnarValue::Scalar(scalar) => Ok(Self { array: scalar.to_array_of_size(1)?, constant: rows != 1 }),
        }
    }

    fn over_rows(&self, rows: usize, bytes: impl Fn(usize) -> u128) -> u128 {
        (0..rows).map(bytes).fold(0, u128::saturating_add)
    }

    fn at(&self, row: usize) -> Option<usize> {
        let row = if self.constant || self.array.len() == 1 { 0 } else { row };
        (row < self.array.len() && self.array.is_valid(row)).then_some(row)
    }

    /// Bytes of the value in a row.
    fn length(&self, row: usize) -> u128 {
        let Some(row) = self.at(row) else { return 0 };
        let bytes = match self.array.data_type() {
            DataType::Utf8 => self.array.as_string::<i32>().value_length(row).unsigned_abs() as usize,
            DataType::LargeUtf8 => usize::try_from(self.array.as_string::<i64>().value_length(row)).unwrap_or(0),
            DataType::Utf8View => self.array.as_string_view().value(row).len(),
            DataType::List(_) => self.array.as_list::<i32>().value(row).get_array_memory_size(),
            DataType::LargeList(_) => self.array.as_list::<i64>().value(row).get_array_memory_size(),
            _ => 16,
        };
        bytes as u128
    }

    fn number(&self, row: usize) -> i64 {
        let Some(row) = self.at(row) else { return 0 };
        match self.array.data_type() {
            DataType::Int64 => self.array.as_primitive::<Int64Type>().value(row),
            // Other integers, dates and timestamps: as many as their text says, or nothing when it is no number.
            _ => arrow::compute::cast(&self.array.slice(row, 1), &DataType::Int64)
                .ok()
                .and_then(|cast| cast.as_primitive_opt::<Int64Type>().map(|array| array.value(0)))
                .unwrap_or(0),
        }
    }

    fn count(&self, row: usize) -> u128 {
        u128::try_from(self.number(row)).unwrap_or(0)
    }
}

/// What one call may build, and what all calls of a plan may build that the optimizer computes: their results are
/// held together.
#[derive(Debug, Clone)]
struct Limit {
    memory: ByteSize,
    constants: Arc<AtomicU64>,
}

impl Limit {
    fn new(memory: ByteSize) -> Self {
        Self { memory, constants: Arc::new(AtomicU64::new(0)) }
    }

    fn check(&self, function: &str, kind: Kind, args: &ScalarFunctionArgs) -> Result<()> {
        let mut bytes = kind.bytes(&args.args, args.number_rows)?;
        if args.number_rows == 1 && args.args.iter().all(|arg| matches!(arg, ColumnarValue::Scalar(_))) {
            let added = u64::try_from(bytes).unwrap_or(self.memory.0).min(self.memory.0);
            bytes = bytes.max(u128::from(self.constants.fetch_add(added, Ordering::Relaxed)) + u128::from(added));
        }
        if bytes <= u128::from(self.memory.0 / 4) {
            return Ok(());
        }
        tracing::debug!(function, "a function was asked to build more than its share of memory");
        let advice = "a function such as repeat, lpad, concat or range builds too large a value";
        Err(DataFusionError::External(Box::new(Error::MemoryLimit { limit: self.memory, advice })))
    }
}

/// All limits of a plan are alike: which one a function carries does not make it another function.
impl PartialEq for Limit {
    fn eq(&self, other: &Self) -> bool {
        self.memory == other.memory
    }
}

impl Eq for Limit {}

impl Hash for Limit {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.memory.0.hash(state);
    }
}

/// A function of the engine behind a check of what it would build.
///
/// It does not pass on `simplify`: the engine would put the bare function back.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Bounded {
    inner: Arc<ScalarUDF>,
    kind: Kind,
    limit: Limit,
}

impl ScalarUDFImpl for Bounded {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn signature(&self) -> &Signature {
        self.inner.signature()
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        self.inner.return_type(arguments)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs) -> Result<arrow::datatypes::FieldRef> {
        self.inner.return_field_from_args(args)
    }

    fn coerce_types(&self, arguments: &[DataType]) -> Result<Vec<DataType>> {
        self.inner.coerce_types(arguments)
    }

    fn schema_name(&self, args: &[Expr]) -> Result<String> {
        self.inner.schema_name(args)
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.inner.documentation()
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        self.limit.check(self.name(), self.kind, &args)?;
        self.inner.invoke_with_args(args)
    }
}

/// Answers its first argument, after a check that both together are not too large.
#[derive(Debug, PartialEq, Eq, Hash)]
struct ConcatGuard {
    kind: Kind,
    limit: Limit,
    signature: Signature,
}

impl ScalarUDFImpl for ConcatGuard {
    fn name(&self) -> &str {
        "bounded"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        let first = arguments.first().cloned();
        first.ok_or_else(|| DataFusionError::Plan("|| needs an operand".to_owned()))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        self.limit.check("||", self.kind, &args)?;
        let first = args.args.into_iter().next();
        first.ok_or_else(|| DataFusionError::Internal("|| takes two operands".to_owned()))
    }
}
