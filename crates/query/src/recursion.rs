//! Recursive queries keep all of their columns.
//!
//! The engine (54.1) drops those that nobody reads from the first term and leaves the second one reading them by their
//! places, which fails, or reads others. It spares terms that hold another subquery, so the first one is made to.

use std::sync::Arc;

use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{Column, Result};
use datafusion::logical_expr::{Expr, LogicalPlan, Projection, RecursiveQuery, SubqueryAlias};
use datafusion::optimizer::AnalyzerRule;

/// The subquery's name, which no table has.
const WHOLE: &str = "whole rows()";

/// Makes a subquery of the first term of every recursive query.
#[derive(Debug)]
pub(crate) struct WholeRecursions;

impl AnalyzerRule for WholeRecursions {
    fn name(&self) -> &str {
        "whole_recursions"
    }

    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        let kept = plan.transform_up_with_subqueries(|plan| match plan {
            LogicalPlan::RecursiveQuery(query) => {
                let static_term = Arc::new(whole(query.static_term)?);
                Ok(Transformed::yes(LogicalPlan::RecursiveQuery(RecursiveQuery { static_term, ..query })))
            }
            other => Ok(Transformed::no(other)),
        });
        kept.map(|done| done.data)
    }
}

/// The same columns under the same names, through a subquery that calls them by their places.
fn whole(term: Arc<LogicalPlan>) -> Result<LogicalPlan> {
    let columns = term.schema().columns();
    let places =
        columns.iter().enumerate().map(|(place, column)| Expr::Column(column.clone()).alias(place.to_string()));
    let numbered = LogicalPlan::Projection(Projection::try_new(places.collect(), term)?);
    let subquery = LogicalPlan::SubqueryAlias(SubqueryAlias::try_new(Arc::new(numbered), WHOLE)?);
    let named = |(place, column): (usize, Column)| {
        let numbered = Expr::Column(Column::new(Some(WHOLE), place.to_string()));
        numbered.alias_qualified(column.relation, column.name)
    };
    let named = columns.into_iter().enumerate().map(named).collect();
    Ok(LogicalPlan::Projection(Projection::try_new(named, Arc::new(subquery))?))
}
