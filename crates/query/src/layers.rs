//! Nested projections that look alike are told apart.
//!
//! The engine drops the outer of two consecutive projections with equal expressions, although `a + 1 AS a` over
//! `a + 1 AS a` adds two (apache/datafusion#24686, mended after 54.1). Marking a repetition makes it unequal.

use std::collections::{BTreeMap, HashMap};

use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::metadata::FieldMetadata;
use datafusion::common::tree_node::{Transformed, TreeNodeRewriter};
use datafusion::logical_expr::expr::Alias;
use datafusion::logical_expr::{Expr, LogicalPlan, Projection};
use datafusion::optimizer::AnalyzerRule;

/// The mark's name. It never leaves the house: answers carry no metadata.
const MARK: &str = "layer";

/// Marks every projection whose expressions occur in a projection below it.
#[derive(Debug)]
pub(crate) struct DistinctLayers;

impl AnalyzerRule for DistinctLayers {
    fn name(&self) -> &str {
        "distinct_layers"
    }

    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        plan.rewrite_with_subqueries(&mut Layers::default()).map(|done| done.data)
    }
}

/// The projections that were passed, from below. Those beside each other stay alike: the terms of a recursive query, for
/// one, must.
#[derive(Default)]
struct Layers {
    passed: usize,
    /// Which one had these expressions last.
    last: HashMap<Vec<Expr>, usize>,
    /// How many were passed before each of the nodes that the walk is in.
    before: Vec<usize>,
    repetitions: usize,
}

impl TreeNodeRewriter for Layers {
    type Node = LogicalPlan;

    fn f_down(&mut self, plan: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
        self.before.push(self.passed);
        Ok(Transformed::no(plan))
    }

    fn f_up(&mut self, plan: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
        let before = self.before.pop().unwrap_or_default();
        let plan = plan.recompute_schema()?;
        let LogicalPlan::Projection(projection) = plan else { return Ok(Transformed::yes(plan)) };
        let computed = projection.expr.iter().position(|expr| !matches!(expr, Expr::Column(_)));
        self.passed += 1;
        let last = self.last.insert(projection.expr.clone(), self.passed);
        let Some(at) = computed.filter(|_| last.is_some_and(|last| last > before)) else {
            return Ok(Transformed::yes(LogicalPlan::Projection(projection)));
        };
        self.repetitions += 1;
        let mut expr = projection.expr;
        expr[at] = mark(&expr[at], self.repetitions);
        Ok(Transformed::yes(LogicalPlan::Projection(Projection::try_new(expr, projection.input)?)))
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
