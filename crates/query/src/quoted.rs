//! Quoted names match exactly.
//!
//! The engine folds unquoted identifiers to lower case and takes quoted ones as they are. Tables expose their columns
//! in lower case, so quoted identifiers are rewritten to what is exposed before planning; after it, one that found its
//! column although it spells the name otherwise is refused.

use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;

use base::DatasetName;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, DataFusionError};
use datafusion::logical_expr::{Expr, LogicalPlan};
use datafusion::sql::sqlparser::ast::{Query, Select, SelectItem, Statement, TableAlias, TableFactor, Visit, Visitor};
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan};

use crate::clean::missing;
use crate::names::origin;
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
    let mut quoted: HashMap<_, _> = tokens.iter().filter_map(quoted).collect();
    if quoted.is_empty() {
        return Ok(());
    }
    let mut given = GivenNames::default();
    let _ = statement.visit(&mut given);
    quoted.retain(|_, name| !given.0.contains(*name));
    let check = |column: &Column, node: &LogicalPlan| {
        let written = column.spans().first().and_then(|span| quoted.get(&(span.end.line, span.end.column)));
        let stored = || node.inputs().into_iter().find_map(|input| stored_column(column, input));
        match written.and_then(|written| Some((written, stored().filter(|stored| stored != written)?))) {
            Some((written, stored)) => {
                Err(DataFusionError::Plan(missing("column", written, std::iter::once(stored.as_str()))))
            }
            None => Ok(TreeNodeRecursion::Continue),
        }
    };
    plan.apply_with_subqueries(|node| {
        node.apply_expressions(|expr| {
            expr.apply(|part| match part {
                Expr::Column(column) => check(column, node),
                _ => Ok(TreeNodeRecursion::Continue),
            })
        })
    })
    .map(|_| ())
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
            SelectItem::ExprWithAlias { alias, .. } => Some(alias.value.clone()),
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

/// Where a quoted name ends, by line and column, and what it says.
fn quoted(token: &TokenWithSpan) -> Option<((u64, u64), &str)> {
    match &token.token {
        Token::Word(word) if word.quote_style.is_some() => {
            Some(((token.span.end.line, token.span.end.column), word.value.as_str()))
        }
        _ => None,
    }
}

fn stored_column(column: &Column, input: &LogicalPlan) -> Option<String> {
    origin(input, input.schema().index_of_column(column).ok()?, &HashMap::new())
}
