//! NOT IN over a subquery, in a form whose answers are right.
//!
//! The engine (54.1) answers it by a join that is told to mind NULLs, and then moves filters into it that drop them;
//! beside OR, and when the subquery is correlated, it minds none.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, DFSchema, DFSchemaRef, Result, Spans};
use datafusion::logical_expr::expr::{Exists, InSubquery};
use datafusion::logical_expr::{
    BinaryExpr, Expr, ExprSchemable, Filter, LogicalPlan, LogicalPlanBuilder, Operator, Subquery,
};
use datafusion::optimizer::AnalyzerRule;

use crate::error::Error;
use crate::provider::external;

/// Nodes of subqueries that may be planned again for NOT IN: those inside of each other multiply.
const MAX_REPEATED: usize = 10_000;

/// Rewrites filters with `x NOT IN (SELECT …)`. Runs after types are settled.
#[derive(Debug)]
pub(crate) struct ExactSubqueries;

impl AnalyzerRule for ExactSubqueries {
    fn name(&self) -> &str {
        "exact_subqueries"
    }

    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        let rewriting = Rewriting::default();
        let rewritten = plan.transform_up_with_subqueries(|plan| match plan {
            LogicalPlan::Filter(filter) => rewriting.filter(filter),
            other => Ok(Transformed::no(other)),
        });
        rewritten.map(|done| done.data)
    }
}

#[derive(Default)]
struct Rewriting {
    subqueries: AtomicUsize,
    repeated: AtomicUsize,
}

impl Rewriting {
    fn filter(&self, filter: Filter) -> Result<Transformed<LogicalPlan>> {
        if !holds_in_subquery(&filter.predicate)? {
            return Ok(Transformed::no(LogicalPlan::Filter(filter)));
        }
        let predicate = self.predicate(filter.predicate, false, filter.input.schema())?;
        Ok(Transformed::yes(LogicalPlan::Filter(Filter::try_new(predicate, filter.input)?)))
    }

    /// An expression that is true where `expr` is, or where it is false when `negated`; elsewhere it is false or null,
    /// which a filter does not tell apart.
    fn predicate(&self, expr: Expr, negated: bool, schema: &DFSchemaRef) -> Result<Expr> {
        match expr {
            Expr::Not(inner) => self.predicate(*inner, !negated, schema),
            Expr::BinaryExpr(BinaryExpr { left, op: op @ (Operator::And | Operator::Or), right }) => {
                let left = self.predicate(*left, negated, schema)?;
                let right = self.predicate(*right, negated, schema)?;
                Ok(if (op == Operator::And) == negated { left.or(right) } else { left.and(right) })
            }
            Expr::InSubquery(membership) if membership.negated == negated => {
                Ok(Expr::InSubquery(InSubquery { negated: false, ..membership }))
            }
            Expr::InSubquery(membership) => self.not_in(membership, schema),
            other if holds_in_subquery(&other)? => Err(external(Error::Unsupported(
                "IN over a subquery may stand in WHERE or HAVING, under AND, OR and NOT; write it as a join".to_owned(),
            ))),
            other => Ok(if negated { Expr::Not(Box::new(other)) } else { other }),
        }
    }

    /// No row is equal, none is NULL, and the value is not NULL unless there is no row at all.
    fn not_in(&self, membership: InSubquery, schema: &DFSchema) -> Result<Expr> {
        let number = self.subqueries.fetch_add(1, Ordering::Relaxed);
        let alone = membership.subquery.outer_ref_columns.is_empty();
        let rows = LogicalPlanBuilder::from(membership.subquery.subquery.as_ref().clone());
        // Under a name of its own it cannot be mistaken for a table outside; a correlated one stands under another one.
        let rows = if alone { rows.alias(format!("not_in:{number}"))?.build()? } else { rows.build()? };
        self.count_repeated(&rows)?;
        let value = *membership.expr;
        let (qualifier, field) = rows.schema().qualified_field(0);
        let member = Expr::Column(Column::from((qualifier, field)));
        let where_ = |condition: Expr| LogicalPlanBuilder::from(rows.clone()).filter(condition)?.build();
        let mut exact = none_exists(where_(as_outer(value.clone(), schema)?.eq(member.clone()))?);
        if field.is_nullable() {
            exact = exact.and(none_exists(where_(member.is_null())?));
        }
        if value.nullable(schema)? {
            let one = if alone { LogicalPlanBuilder::from(rows).limit(0, Some(1))?.build()? } else { rows };
            exact = exact.and(value.is_not_null().or(none_exists(one)));
        }
        Ok(exact)
    }

    fn count_repeated(&self, rows: &LogicalPlan) -> Result<()> {
        let mut nodes = 0;
        rows.apply_with_subqueries(|_| {
            nodes += 1;
            Ok(TreeNodeRecursion::Continue)
        })?;
        let limit = "NOT IN over subqueries nests too deep".to_owned();
        let before = self.repeated.fetch_add(nodes, Ordering::Relaxed);
        if before + nodes > MAX_REPEATED { Err(external(Error::TooComplex { limit })) } else { Ok(()) }
    }
}

fn holds_in_subquery(expr: &Expr) -> Result<bool> {
    expr.exists(|part| Ok(matches!(part, Expr::InSubquery(_))))
}

fn none_exists(rows: LogicalPlan) -> Expr {
    let outer_ref_columns = rows.all_out_ref_exprs();
    let subquery = Subquery { subquery: Arc::new(rows), outer_ref_columns, spans: Spans::new() };
    Expr::Exists(Exists { subquery, negated: true })
}

/// The expression as a subquery of the plan with this schema sees it.
fn as_outer(expr: Expr, schema: &DFSchema) -> Result<Expr> {
    let outer = expr.transform(|part| match part {
        Expr::Column(column) => {
            let field = schema.qualified_field_from_column(&column)?.1;
            Ok(Transformed::yes(Expr::OuterReferenceColumn(Arc::clone(field), column)))
        }
        other => Ok(Transformed::no(other)),
    });
    outer.map(|done| done.data)
}
