//! Nested projections that look alike are told apart.
//!
//! The engine drops the outer of two consecutive projections with equal expressions, although `a + 1 AS a` over
//! `a + 1 AS a` adds two (apache/datafusion#24686, mended after 54.1). Marking a repetition makes it unequal.

use std::collections::{BTreeMap, HashSet};

use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::metadata::FieldMetadata;
use datafusion::common::tree_node::Transformed;
use datafusion::logical_expr::expr::Alias;
use datafusion::logical_expr::{Expr, LogicalPlan, Projection};
use datafusion::optimizer::AnalyzerRule;

/// The mark's name. It never leaves the house: answers carry no metadata.
const MARK: &str = "layer";

/// Marks every projection whose expressions occurred before in the same plan.
#[derive(Debug)]
pub(crate) struct DistinctLayers;

impl AnalyzerRule for DistinctLayers {
    fn name(&self) -> &str {
        "distinct_layers"
    }

    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        let mut seen: HashSet<Vec<Expr>> = HashSet::new();
        let mut repetitions = 0_usize;
        let marked = plan.transform_up_with_subqueries(|plan| {
            let plan = plan.recompute_schema()?;
            let LogicalPlan::Projection(projection) = plan else { return Ok(Transformed::yes(plan)) };
            let computed = projection.expr.iter().position(|expr| !matches!(expr, Expr::Column(_)));
            let Some(at) = computed.filter(|_| !seen.insert(projection.expr.clone())) else {
                return Ok(Transformed::yes(LogicalPlan::Projection(projection)));
            };
            repetitions += 1;
            let mut expr = projection.expr;
            expr[at] = mark(&expr[at], repetitions);
            Ok(Transformed::yes(LogicalPlan::Projection(Projection::try_new(expr, projection.input)?)))
        });
        marked.map(|done| done.data)
    }
}

/// The same expression under the same name, with a number beside it.
fn mark(expr: &Expr, number: usize) -> Expr {
    let (relation, name) = expr.qualified_name();
    let metadata = FieldMetadata::new(BTreeMap::from([(MARK.to_owned(), number.to_string())]));
    let bare = match expr {
        Expr::Alias(alias) => alias.expr.as_ref().clone(),
        other => other.clone(),
    };
    Expr::Alias(Alias::new(bare, relation, name).with_metadata(Some(metadata)))
}
