//! INTERSECT ALL and EXCEPT ALL count how often a row occurs.
//!
//! The engine plans them as joins that keep every row on the left which has, or has not, a partner on the right. Once
//! equal rows on either side are numbered, the number is part of the row, and the same joins answer right.

use std::sync::Arc;

use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{JoinType, NullEquality, Result};
use datafusion::functions_window::row_number::row_number_udwf;
use datafusion::logical_expr::expr::WindowFunction;
use datafusion::logical_expr::{
    Distinct, Expr, ExprFunctionExt, Join, LogicalPlan, LogicalPlanBuilder, Projection, ident,
};
use datafusion::optimizer::AnalyzerRule;

/// Numbers equal rows on both sides of every INTERSECT ALL and EXCEPT ALL.
#[derive(Debug)]
pub(crate) struct CountedRows;

impl AnalyzerRule for CountedRows {
    fn name(&self) -> &str {
        "counted_rows"
    }

    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        let counted = plan.transform_up_with_subqueries(|plan| match plan {
            LogicalPlan::Join(join) if keeps_all(&join) => count(join).map(Transformed::yes),
            other => Ok(Transformed::no(other)),
        });
        counted.map(|done| done.data)
    }
}

/// Whether a join stands for a set operation with ALL. Before the optimizer no other join is of these kinds and takes
/// nulls for equal; without ALL the rows on the left are distinct.
fn keeps_all(join: &Join) -> bool {
    let kind = matches!(join.join_type, JoinType::LeftSemi | JoinType::LeftAnti);
    let distinct = matches!(join.left.as_ref(), LogicalPlan::Distinct(Distinct::All(_)));
    kind && join.null_equality == NullEquality::NullEqualsNull && !distinct
}

fn count(join: Join) -> Result<LogicalPlan> {
    let columns = join.left.schema().columns().into_iter().map(Expr::Column).collect();
    let (left, right) = (":left", ":right");
    let mut on = join.on;
    on.push((ident(left), ident(right)));
    let counted = Join::try_new(
        Arc::new(numbered(&join.left, left)?),
        Arc::new(numbered(&join.right, right)?),
        on,
        join.filter,
        join.join_type,
        join.join_constraint,
        join.null_equality,
        join.null_aware,
    )?;
    Ok(LogicalPlan::Projection(Projection::try_new(columns, Arc::new(LogicalPlan::Join(counted)))?))
}

/// The rows of a plan, equal ones numbered from 1 in a last column of this name.
fn numbered(plan: &Arc<LogicalPlan>, name: &str) -> Result<LogicalPlan> {
    let equal = plan.schema().columns().into_iter().map(Expr::Column).collect();
    let number = Expr::from(WindowFunction::new(row_number_udwf(), Vec::new())).partition_by(equal).build()?;
    let plan = LogicalPlanBuilder::from(Arc::clone(plan)).window(vec![number])?;
    let mut columns: Vec<Expr> = plan.schema().columns().into_iter().map(Expr::Column).collect();
    if let Some(number) = columns.pop() {
        columns.push(number.alias(name));
    }
    plan.project(columns)?.build()
}
