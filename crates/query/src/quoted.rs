//! Quoted names match exactly.
//!
//! The engine folds unquoted identifiers to lower case and takes quoted ones as they are. Tables expose their columns
//! in lower case, so quoted identifiers are rewritten to what is exposed before planning; after it, one that found its
//! column although it spells the name otherwise is refused.

use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;

use base::DatasetName;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, DataFusionError, JoinConstraint};
use datafusion::logical_expr::{Expr, LogicalPlan, Subquery};
use datafusion::sql::sqlparser::ast::{
    Expr as SqlExpr, Ident, Query, Select, SelectItem, Statement, TableAlias, TableFactor, Visit, Visitor,
};
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan};

use crate::clean::missing;
use crate::names::{is_bare, origin};
use crate::scope::Scope;

/// Rewrites quoted identifiers that spell a stored name into the exposed one; false when there are none.
pub(crate) fn rewrite_quoted(tokens: &mut [TokenWithSpan], scope: &Scope) -> bool {
    let exposed = exposed_spellings(scope);
    let mut changed = false;
    for token in tokens {
        let Token::Word(word) = &mut token.token else { continue };
        if word.quote_style.is_none() {
            continue;
        }
        if let Some(spelling) = exposed.get(&word.value) {
            word.value.clone_from(spelling);
            changed = true;
        }
    }
    changed
}

/// Stored spellings that differ from the exposed ones.
fn exposed_spellings(scope: &Scope) -> HashMap<String, String> {
    let columns = scope.spellings().map(|(exposed, stored)| (stored.to_owned(), exposed.to_owned()));
    let names: HashSet<&str> = scope.names().map(DatasetName::table).collect();
    let alone = |name: &&str| names.iter().filter(|other| other.eq_ignore_ascii_case(name)).count() == 1;
    let tables = names.iter().copied().filter(alone).map(|name| (name.to_owned(), name.to_ascii_lowercase()));
    columns.chain(tables).filter(|(stored, exposed)| stored != exposed).collect()
}

/// Refuses a quoted name that spells its column only without regard to case, unless the statement itself calls
/// something so.
pub(crate) fn check_quoted(
    plan: &LogicalPlan,
    statement: &Statement,
    tokens: &[TokenWithSpan],
) -> Result<(), DataFusionError> {
    let written: HashMap<_, _> = tokens.iter().filter_map(quoted).collect();
    if written.is_empty() {
        return Ok(());
    }
    let mut given = GivenNames::default();
    // Nothing breaks the walk off.
    let _ = statement.visit(&mut given);
    let mut check = Check { written, given: given.0, placed: HashSet::new(), placeless: Vec::new() };
    plan.apply_with_subqueries(|node| check.node(node))?;
    check.placeless()
}

/// What is known of the quoted names of a statement while its plan is walked.
struct Check<'a> {
    /// Quoted names by where they end.
    written: HashMap<Place, &'a str>,
    given: HashSet<String>,
    /// The places of those that were seen in the plan.
    placed: HashSet<Place>,
    /// The stored names of columns of which the plan does not tell where they were written.
    placeless: Vec<String>,
}

/// A line and a column.
type Place = (u64, u64);

impl Check<'_> {
    fn node(&mut self, node: &LogicalPlan) -> Result<TreeNodeRecursion, DataFusionError> {
        self.placeless.extend(joined_by_name(node));
        node.apply_expressions(|expr| {
            expr.apply(|part| {
                match part {
                    Expr::Column(column) => self.column(column, node)?,
                    Expr::ScalarSubquery(subquery) => self.placeless.extend(outer(subquery, node)),
                    Expr::Exists(exists) => self.placeless.extend(outer(&exists.subquery, node)),
                    Expr::InSubquery(within) => self.placeless.extend(outer(&within.subquery, node)),
                    _ => {}
                }
                Ok(TreeNodeRecursion::Continue)
            })
        })
    }

    fn column(&mut self, column: &Column, node: &LogicalPlan) -> Result<(), DataFusionError> {
        let place = column.spans().first().map(|span| (span.end.line, span.end.column));
        let Some((place, written)) = place.and_then(|place| Some((place, *self.written.get(&place)?))) else {
            return Ok(());
        };
        self.placed.insert(place);
        let input = node.inputs().into_iter().find_map(|input| Some((input, position(column, input)?)));
        let Some((input, at)) = input else { return Ok(()) };
        // GROUP BY may mean an alias of the SELECT above it.
        let bare = is_bare(input, at) && !matches!(node, LogicalPlan::Aggregate(_));
        match origin(input, at, &HashMap::new()) {
            Some(stored) if stored != written && (bare || !self.given.contains(written)) => {
                Err(DataFusionError::Plan(missing("column", written, std::iter::once(stored.as_str()))))
            }
            _ => Ok(()),
        }
    }

    /// A column without a place may be any of the quoted names that have not been seen. One that spells it otherwise
    /// is refused: it may be another table's name that would have read this column.
    fn placeless(&self) -> Result<(), DataFusionError> {
        let unseen =
            self.written.iter().filter(|(place, _)| !self.placed.contains(*place)).map(|(_, written)| *written);
        let mut unseen = unseen.filter(|written| !self.given.contains(*written));
        let misspelt = |written: &str| {
            let stored =
                self.placeless.iter().find(|stored| stored.eq_ignore_ascii_case(written) && *stored != written);
            stored.map(|stored| missing("column", written, std::iter::once(stored.as_str())))
        };
        unseen.find_map(misspelt).map_or(Ok(()), |text| Err(DataFusionError::Plan(text)))
    }
}

/// The stored names of the columns that USING joins.
fn joined_by_name(node: &LogicalPlan) -> Vec<String> {
    let LogicalPlan::Join(join) = node else { return Vec::new() };
    if join.join_constraint != JoinConstraint::Using {
        return Vec::new();
    }
    let stored = |expr: &Expr, input: &LogicalPlan| stored_column(expr.try_as_col()?, input);
    let left = join.on.iter().filter_map(|(left, _)| stored(left, &join.left));
    left.chain(join.on.iter().filter_map(|(_, right)| stored(right, &join.right))).collect()
}

/// The stored names of the columns of a node's inputs that a subquery reads.
fn outer(subquery: &Subquery, node: &LogicalPlan) -> Vec<String> {
    let stored = |expr: &Expr| match expr {
        Expr::OuterReferenceColumn(_, column) => {
            node.inputs().into_iter().find_map(|input| stored_column(column, input))
        }
        _ => None,
    };
    subquery.outer_ref_columns.iter().filter_map(stored).collect()
}

/// The names that a statement gives to columns.
#[derive(Default)]
struct GivenNames(HashSet<String>);

impl GivenNames {
    fn columns_of(&mut self, alias: &TableAlias) {
        self.0.extend(alias.columns.iter().map(|column| column.name.value.clone()));
    }
}

impl Visitor for GivenNames {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        query.with.iter().flat_map(|with| &with.cte_tables).for_each(|table| self.columns_of(&table.alias));
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<()> {
        let alias = |item: &SelectItem| match item {
            SelectItem::ExprWithAlias { expr, alias } if !repeats(alias, expr) => Some(alias.value.clone()),
            _ => None,
        };
        self.0.extend(select.projection.iter().filter_map(alias));
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
        if let TableFactor::Table { alias: Some(alias), .. } | TableFactor::Derived { alias: Some(alias), .. } = factor
        {
            self.columns_of(alias);
        }
        ControlFlow::Continue(())
    }
}

/// Whether an alias is the quoted name of the very column that it stands for, and so gives no new name.
fn repeats(alias: &Ident, expr: &SqlExpr) -> bool {
    let name = match expr {
        SqlExpr::Identifier(name) => Some(name),
        SqlExpr::CompoundIdentifier(parts) => parts.last(),
        _ => None,
    };
    name.is_some_and(|name| name.quote_style.is_some() && name.value == alias.value)
}

/// Where a quoted name ends, and what it says.
fn quoted(token: &TokenWithSpan) -> Option<(Place, &str)> {
    match &token.token {
        Token::Word(word) if word.quote_style.is_some() => {
            Some(((token.span.end.line, token.span.end.column), word.value.as_str()))
        }
        _ => None,
    }
}

fn position(column: &Column, input: &LogicalPlan) -> Option<usize> {
    input.schema().index_of_column(column).ok()
}

fn stored_column(column: &Column, input: &LogicalPlan) -> Option<String> {
    origin(input, position(column, input)?, &HashMap::new())
}
