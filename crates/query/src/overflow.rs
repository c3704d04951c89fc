//! Integer arithmetic that errs instead of wrapping around.

use std::hash::Hash;
use std::sync::{Arc, LazyLock};

use arrow::array::{ArrayRef, Datum};
use arrow::compute::kernels::numeric;
use arrow::datatypes::DataType;
use arrow::error::ArrowError;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{DFSchema, DataFusionError, Result};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{
    BinaryExpr, ColumnarValue, Expr, ExprSchemable, LogicalPlan, Operator, ScalarFunctionArgs, ScalarUDF,
    ScalarUDFImpl, Signature, Volatility,
};
use datafusion::optimizer::AnalyzerRule;
use datafusion::physical_expr_common::datum::apply;

use crate::bounded;

/// Replaces what wraps around or grows without bound by functions that check. Runs after types are settled.
#[derive(Debug)]
pub(crate) struct CheckedExpressions {
    pub(crate) growth: bounded::Growth,
}

impl AnalyzerRule for CheckedExpressions {
    fn name(&self) -> &str {
        "checked_expressions"
    }

    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        plan.transform_up_with_subqueries(|plan| self.rewrite_plan(plan)).map(|done| done.data)
    }
}

impl CheckedExpressions {
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
            Expr::BinaryExpr(BinaryExpr { left, op, right }) => {
                let function = checked_operator(op);
                match function.filter(|_| both_integers(&left, &right, schema)) {
                    Some(function) => Ok(Transformed::yes(function.call(vec![*left, *right]))),
                    None => Ok(Transformed::no(Expr::BinaryExpr(BinaryExpr::new(left, op, right)))),
                }
            }
            Expr::Negative(inner) if is_integer(&inner, schema) => Ok(Transformed::yes(NEGATE.call(vec![*inner]))),
            Expr::ScalarFunction(function) => Ok(self.growth.bound(function)),
            other => Ok(Transformed::no(other)),
        }
    }
}

fn is_integer(expr: &Expr, schema: &DFSchema) -> bool {
    expr.get_type(schema).is_ok_and(|ty| ty.is_integer())
}

/// Literals are left to the other side: the types agree by now, so one look suffices for most.
fn both_integers(left: &Expr, right: &Expr, schema: &DFSchema) -> bool {
    is_integer(left, schema) && is_integer(right, schema)
}

static ADD: LazyLock<ScalarUDF> = LazyLock::new(|| checked(Operation::Add));
static SUBTRACT: LazyLock<ScalarUDF> = LazyLock::new(|| checked(Operation::Subtract));
static MULTIPLY: LazyLock<ScalarUDF> = LazyLock::new(|| checked(Operation::Multiply));
static NEGATE: LazyLock<ScalarUDF> = LazyLock::new(|| checked(Operation::Negate));

fn checked_operator(op: Operator) -> Option<&'static ScalarUDF> {
    match op {
        Operator::Plus => Some(&ADD),
        Operator::Minus => Some(&SUBTRACT),
        Operator::Multiply => Some(&MULTIPLY),
        _ => None,
    }
}

fn checked(operation: Operation) -> ScalarUDF {
    let arguments = if operation == Operation::Negate { 1 } else { 2 };
    ScalarUDF::new_from_impl(Checked { operation, signature: Signature::any(arguments, Volatility::Immutable) })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Operation {
    Add,
    Subtract,
    Multiply,
    Negate,
}

/// One checked operation on integers of one type.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Checked {
    operation: Operation,
    signature: Signature,
}

impl ScalarUDFImpl for Checked {
    fn name(&self) -> &str {
        match self.operation {
            Operation::Add => "checked_add",
            Operation::Subtract => "checked_subtract",
            Operation::Multiply => "checked_multiply",
            Operation::Negate => "checked_negate",
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
        let operation: fn(&dyn Datum, &dyn Datum) -> Result<ArrayRef, ArrowError> = match self.operation {
            Operation::Add => numeric::add,
            Operation::Subtract => numeric::sub,
            Operation::Multiply => numeric::mul,
            Operation::Negate => return negate(&args),
        };
        match args.args.as_slice() {
            [left, right] => apply(left, right, operation),
            _ => Err(DataFusionError::Internal("arithmetic takes two operands".to_owned())),
        }
    }
}

fn negate(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let arrays = ColumnarValue::values_to_arrays(&args.args)?;
    match arrays.first() {
        Some(array) => Ok(ColumnarValue::Array(Arc::clone(&numeric::neg(array)?))),
        None => Err(DataFusionError::Internal("negation takes one operand".to_owned())),
    }
}
