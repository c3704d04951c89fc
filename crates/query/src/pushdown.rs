//! Which filters may move into the scans of tables.
//!
//! A scan drops the rows that a filter does not pass. Two kinds of filter must stay out of it: what a join learns from
//! one side about the other where null meets null, since it passes no null (54.1), and what may fail, since a scan
//! reports the failure as damage, and evaluates filters in an order of its own, `1 / a > 0` before `a <> 0`.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, FieldRef, Schema};
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{DataFusionError, NullEquality, Result};
use datafusion::logical_expr::{ColumnarValue, Operator};
use datafusion::physical_expr::expressions::{
    BinaryExpr, CastExpr, Column, InListExpr, IsNotNullExpr, IsNullExpr, LikeExpr, Literal, NotExpr,
};
use datafusion::physical_expr::{PhysicalExpr, conjunction, split_conjunction};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_optimizer::filter_pushdown::FilterPushdown;
use datafusion::physical_optimizer::optimizer::PhysicalOptimizer;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::filter::{FilterExec, FilterExecBuilder};
use datafusion::physical_plan::joins::HashJoinExec;

/// The engine's rules, of which those that move filters are kept from moving too much.
pub(crate) fn physical_rules() -> Vec<Arc<dyn PhysicalOptimizerRule + Send + Sync>> {
    let written = FilterPushdown::new();
    let learnt = FilterPushdown::new_post_optimization();
    let careful = |rule: Arc<dyn PhysicalOptimizerRule + Send + Sync>| -> Arc<dyn PhysicalOptimizerRule + Send + Sync> {
        match rule.name() {
            name if name == written.name() => Arc::new(WrittenFilters(rule)),
            name if name == learnt.name() => Arc::new(LearntFilters(rule)),
            _ => rule,
        }
    };
    PhysicalOptimizer::new().rules.into_iter().map(careful).collect()
}

/// Moves the filters that a statement wrote, but none that may fail.
#[derive(Debug)]
struct WrittenFilters(Arc<dyn PhysicalOptimizerRule + Send + Sync>);

impl PhysicalOptimizerRule for WrittenFilters {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, config: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        let held = map_filters(plan, &hold)?;
        map_filters(self.0.optimize(held, config)?, &|part, _| Ok(release(part)))
    }

    fn name(&self) -> &str {
        self.0.name()
    }

    fn schema_check(&self) -> bool {
        self.0.schema_check()
    }
}

/// Moves the filters that joins and sorts learn while they run; none of joins when one of them takes null for a value.
///
/// A filter may pass through several joins, so one such join holds back those of all.
#[derive(Debug)]
struct LearntFilters(Arc<dyn PhysicalOptimizerRule + Send + Sync>);

impl PhysicalOptimizerRule for LearntFilters {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, config: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        if !plan.exists(|node| Ok(takes_null_for_a_value(node)))? {
            return self.0.optimize(plan, config);
        }
        let mut config = config.clone();
        config.optimizer.enable_join_dynamic_filter_pushdown = false;
        self.0.optimize(plan, &config)
    }

    fn name(&self) -> &str {
        self.0.name()
    }

    fn schema_check(&self) -> bool {
        self.0.schema_check()
    }
}

/// IS NOT DISTINCT FROM, INTERSECT and EXCEPT match null with null; NOT IN answers nothing when there is one.
fn takes_null_for_a_value(node: &Arc<dyn ExecutionPlan>) -> bool {
    let join = node.downcast_ref::<HashJoinExec>();
    join.is_some_and(|join| join.null_aware || join.null_equality() == NullEquality::NullEqualsNull)
}

type Part = Arc<dyn PhysicalExpr>;

/// The plan with every part of every filter replaced.
fn map_filters(
    plan: Arc<dyn ExecutionPlan>,
    map: &dyn Fn(&Part, &Schema) -> Result<Part>,
) -> Result<Arc<dyn ExecutionPlan>> {
    let mapped = plan.transform_up(|node| {
        let Some(filter) = node.downcast_ref::<FilterExec>() else { return Ok(Transformed::no(node)) };
        let schema = filter.input().schema();
        let parts = split_conjunction(filter.predicate());
        let mapped = parts.iter().map(|part| map(part, &schema)).collect::<Result<Vec<_>>>()?;
        if mapped.iter().zip(parts).all(|(after, before)| Arc::ptr_eq(after, before)) {
            return Ok(Transformed::no(node));
        }
        let filter = FilterExecBuilder::from(filter).with_predicate(conjunction(mapped)).build()?;
        Ok(Transformed::yes(Arc::new(filter) as _))
    });
    mapped.map(|done| done.data)
}

fn hold(part: &Part, schema: &Schema) -> Result<Part> {
    let mut fails = false;
    part.apply(|expr| {
        fails = !cannot_fail(expr, schema)?;
        Ok(if fails { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    })?;
    Ok(if fails { Arc::new(Held(Arc::clone(part))) } else { Arc::clone(part) })
}

fn release(part: &Part) -> Part {
    part.downcast_ref::<Held>().map_or_else(|| Arc::clone(part), |held| Arc::clone(&held.0))
}

/// Whether no value makes the expression itself an error: comparisons, logic, and casts that take every value.
fn cannot_fail(expr: &Part, schema: &Schema) -> Result<bool> {
    if let Some(binary) = expr.downcast_ref::<BinaryExpr>() {
        return Ok(is_comparison(*binary.op()));
    }
    if let Some(cast) = expr.downcast_ref::<CastExpr>() {
        let (from, to) = (cast.expr().data_type(schema)?, cast.cast_type());
        return Ok(from.is_numeric() && matches!(to, DataType::Float64 | DataType::Utf8 | DataType::Utf8View));
    }
    Ok(expr.is::<Column>()
        || expr.is::<Literal>()
        || expr.is::<NotExpr>()
        || expr.is::<IsNullExpr>()
        || expr.is::<IsNotNullExpr>()
        || expr.is::<InListExpr>()
        || expr.is::<LikeExpr>())
}

fn is_comparison(operator: Operator) -> bool {
    let logic = matches!(operator, Operator::And | Operator::Or);
    let distinct = matches!(operator, Operator::IsDistinctFrom | Operator::IsNotDistinctFrom);
    let ordered = matches!(operator, Operator::Lt | Operator::LtEq | Operator::Gt | Operator::GtEq);
    logic || distinct || ordered || matches!(operator, Operator::Eq | Operator::NotEq)
}

/// A filter that stays where it is: to the engine it looks as if it answered differently every time.
#[derive(Debug, Eq)]
struct Held(Part);

impl Hash for Held {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl PartialEq for Held {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq(&other.0)
    }
}

impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl PhysicalExpr for Held {
    fn evaluate(&self, batch: &RecordBatch) -> Result<ColumnarValue> {
        self.0.evaluate(batch)
    }

    fn return_field(&self, schema: &Schema) -> Result<FieldRef> {
        self.0.return_field(schema)
    }

    fn children(&self) -> Vec<&Part> {
        vec![&self.0]
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Part>) -> Result<Part> {
        let first = children.into_iter().next();
        let inner = first.ok_or_else(|| DataFusionError::Internal("a held filter has one part".to_owned()))?;
        Ok(Arc::new(Self(inner)))
    }

    fn fmt_sql(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt_sql(f)
    }

    fn is_volatile_node(&self) -> bool {
        true
    }
}
