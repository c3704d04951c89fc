//! Integer arithmetic that errs instead of wrapping around.

use arrow::array::{Array, ArrayRef, AsArray, Datum, Decimal128Array};
use arrow::compute::kernels::numeric;
use arrow::compute::{CastOptions, cast, cast_with_options};
use arrow::datatypes::{DataType, Decimal128Type};
use arrow::error::ArrowError;
use base::ByteSize;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{DFSchema, DataFusionError, Result, ScalarValue};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{
    BinaryExpr, ColumnarValue, Expr, ExprSchemable, Like, LogicalPlan, Operator, ScalarFunctionArgs, ScalarUDF,
    ScalarUDFImpl, Signature, Volatility,
};
use datafusion::optimizer::AnalyzerRule;
use datafusion::physical_expr_common::datum::apply;

use crate::bounded::Growth;
use crate::effort;
use crate::windows::Windows;

/// Replaces what wraps around or grows without bound by functions that check. Runs after types are settled.
#[derive(Debug)]
pub struct CheckedExpressions {
    /// What all queries share.
    pub memory_limit: ByteSize,
}

/// What the rewriting of one plan shares.
struct Rewriting {
    growth: Growth,
    windows: Windows,
}

impl AnalyzerRule for CheckedExpressions {
    fn name(&self) -> &str {
        "checked_expressions"
    }

    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        let rewriting = Rewriting { growth: Growth::new(self.memory_limit), windows: Windows::new(self.memory_limit) };
        plan.transform_up_with_subqueries(|plan| rewriting.rewrite_plan(plan)).map(|done| done.data)
    }
}

impl Rewriting {
    fn rewrite_plan(&self, plan: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
        let mut schema = merge_schema(&plan.inputs());
        if let LogicalPlan::TableScan(scan) = &plan {
            schema.merge(&DFSchema::try_from_qualified_schema(scan.table_name.clone(), &scan.source.schema())?);
        }
        let names = NamePreserver::new(&plan);
        plan.map_expressions(|expr| {
            let name = names.save(&expr);
            let rewritten = expr.transform_up(|expr| self.rewrite(expr, &schema))?;
            Ok(rewritten.update_data(|expr| name.restore(expr)))
        })
    }

    fn rewrite(&self, expr: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
        match expr {
            Expr::BinaryExpr(BinaryExpr { left, op: Operator::StringConcat, right }) => {
                let left = self.growth.guard_concat(*left, (*right).clone());
                Ok(Transformed::yes(Expr::BinaryExpr(BinaryExpr::new(Box::new(left), Operator::StringConcat, right))))
            }
            Expr::BinaryExpr(BinaryExpr { left, op, right }) if effort::takes_pattern(op) => {
                let right = Box::new(effort::pattern(*right));
                Ok(Transformed::yes(Expr::BinaryExpr(BinaryExpr::new(left, op, right))))
            }
            Expr::Like(like) => Ok(Transformed::yes(Expr::Like(patterned(like)))),
            Expr::SimilarTo(like) => Ok(Transformed::yes(Expr::SimilarTo(patterned(like)))),
            Expr::BinaryExpr(BinaryExpr { left, op, right }) => match operation(op) {
                Some(operation) if is_integer(&right, schema) && is_integer(&left, schema) => {
                    Ok(Transformed::yes(extended(*left, operation, *right)))
                }
                _ => Ok(Transformed::no(Expr::BinaryExpr(BinaryExpr::new(left, op, right)))),
            },
            Expr::Negative(inner) if is_integer(&inner, schema) => {
                Ok(Transformed::yes(checked(vec![Operation::Negate]).call(vec![*inner])))
            }
            Expr::ScalarFunction(function) => Ok(self.growth.bound(effort::bound(function))),
            Expr::WindowFunction(call) => Ok(Transformed::yes(Expr::WindowFunction(self.windows.bound(call)))),
            other => Ok(Transformed::no(other)),
        }
    }
}

fn patterned(like: Like) -> Like {
    Like { pattern: Box::new(effort::pattern(*like.pattern)), ..like }
}

/// Asks no deeper than it must: the type of what was rewritten already is known.
fn is_integer(expr: &Expr, schema: &DFSchema) -> bool {
    steps_of(expr).is_some() || expr.get_type(schema).is_ok_and(|ty| ty.is_integer())
}

/// The steps of an expression that is itself checked arithmetic.
fn steps_of(expr: &Expr) -> Option<&[Operation]> {
    match expr {
        Expr::ScalarFunction(call) => {
            call.func.inner().downcast_ref::<Checked>().map(|checked| checked.steps.as_slice())
        }
        _ => None,
    }
}

/// `left op right`. A chain becomes one call with many operands, so that its length does not become depth.
fn extended(left: Expr, operation: Operation, right: Expr) -> Expr {
    match steps_of(&left).map(<[Operation]>::to_vec) {
        Some(mut steps) if steps.first() != Some(&Operation::Negate) => {
            steps.push(operation);
            let mut operands = match left {
                Expr::ScalarFunction(call) => call.args,
                other => vec![other],
            };
            operands.push(right);
            checked(steps).call(operands)
        }
        _ => checked(vec![operation]).call(vec![left, right]),
    }
}

fn operation(op: Operator) -> Option<Operation> {
    match op {
        Operator::Plus => Some(Operation::Add),
        Operator::Minus => Some(Operation::Subtract),
        Operator::Multiply => Some(Operation::Multiply),
        Operator::BitwiseShiftLeft => Some(Operation::ShiftLeft),
        Operator::BitwiseShiftRight => Some(Operation::ShiftRight),
        _ => None,
    }
}

fn checked(steps: Vec<Operation>) -> ScalarUDF {
    let operands = if steps.first() == Some(&Operation::Negate) { 1 } else { steps.len() + 1 };
    ScalarUDF::new_from_impl(Checked { steps, signature: Signature::any(operands, Volatility::Immutable) })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Operation {
    Add,
    Subtract,
    Multiply,
    ShiftLeft,
    ShiftRight,
    Negate,
}

/// Integers of one type, combined from left to right; a negation stands alone.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Checked {
    steps: Vec<Operation>,
    signature: Signature,
}

impl Checked {
    fn step(operation: Operation, left: &ColumnarValue, right: &ColumnarValue) -> Result<ColumnarValue> {
        let kernel: fn(&dyn Datum, &dyn Datum) -> Result<ArrayRef, ArrowError> = match operation {
            Operation::Add => numeric::add,
            Operation::Subtract | Operation::Negate => numeric::sub,
            Operation::Multiply => numeric::mul,
            Operation::ShiftLeft => shift_left,
            Operation::ShiftRight => shift_right,
        };
        apply(left, right, kernel)
    }
}

impl ScalarUDFImpl for Checked {
    fn name(&self) -> &str {
        match self.steps.as_slice() {
            [Operation::Add] => "checked_add",
            [Operation::Subtract] => "checked_subtract",
            [Operation::Multiply] => "checked_multiply",
            [Operation::ShiftLeft] => "checked_shift_left",
            [Operation::ShiftRight] => "checked_shift_right",
            [Operation::Negate] => "checked_negate",
            _ => "checked_chain",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        let first = arguments.first().cloned();
        first.ok_or_else(|| DataFusionError::Plan("arithmetic needs an operand".to_owned()))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        match args.args.split_first() {
            Some((only, [])) => negate(only),
            Some((first, others)) => {
                let mut steps = self.steps.iter().zip(others);
                steps.try_fold(first.clone(), |left, (step, right)| Self::step(*step, &left, right))
            }
            None => Err(DataFusionError::Internal("arithmetic needs an operand".to_owned())),
        }
    }
}

/// `left << right`: an error where a bit, or the sign, would be lost.
fn shift_left(left: &dyn Datum, right: &dyn Datum) -> Result<ArrayRef, ArrowError> {
    shift(left, right, |value, count| {
        let shifted = value << count;
        (shifted >> count == value).then_some(shifted)
    })
}

/// `left >> right`, which keeps the sign.
fn shift_right(left: &dyn Datum, right: &dyn Datum) -> Result<ArrayRef, ArrowError> {
    shift(left, right, |value, count| Some(value >> count))
}

/// Shifts in 128 bits by 0 to 63, and casts back to the type of the operands: what does not fit is an error.
fn shift(left: &dyn Datum, right: &dyn Datum, by: impl Fn(i128, u32) -> Option<i128>) -> Result<ArrayRef, ArrowError> {
    let wide = DataType::Decimal128(38, 0);
    let ((values, one_value), (counts, one_count)) = (left.get(), right.get());
    let ty = values.data_type().clone();
    let (values, counts) = (cast(values, &wide)?, cast(counts, &wide)?);
    let (values, counts) = (values.as_primitive::<Decimal128Type>(), counts.as_primitive::<Decimal128Type>());
    let rows = if one_value { counts.len() } else { values.len() };
    let lost = || ArrowError::ArithmeticOverflow("a shift loses bits".to_owned());
    let at = |array: &Decimal128Array, one: bool, row: usize| {
        let row = if one { 0 } else { row };
        array.is_valid(row).then(|| array.value(row))
    };
    let shifted = (0..rows).map(|row| {
        let (Some(value), Some(count)) = (at(values, one_value, row), at(counts, one_count, row)) else {
            return Ok(None);
        };
        let count = u32::try_from(count).ok().filter(|count| *count < 64).ok_or_else(lost)?;
        by(value, count).map(Some).ok_or_else(lost)
    });
    let shifted: Decimal128Array = shifted.collect::<Result<_, ArrowError>>()?;
    let strict = CastOptions { safe: false, ..CastOptions::default() };
    cast_with_options(&shifted.with_precision_and_scale(38, 0)?, &ty, &strict).map_err(|_| lost())
}

fn negate(value: &ColumnarValue) -> Result<ColumnarValue> {
    match value {
        ColumnarValue::Array(array) => Ok(ColumnarValue::Array(numeric::neg(array)?)),
        ColumnarValue::Scalar(scalar) => {
            let array = numeric::neg(&scalar.to_array()?)?;
            Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&array, 0)?))
        }
    }
}
