//! What the columns of an answer are called: the engine sees folded names, and the answer gets the stored or written
//! spelling back.

use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;

use datafusion::common::{Column, DFSchema};
use datafusion::datasource::source_as_provider;
use datafusion::logical_expr::{Distinct, Expr, LogicalPlan};
use datafusion::sql::sqlparser::ast::{
    Expr as SqlExpr, Ident, Query, SelectItem, SetExpr, Statement, VisitMut, VisitorMut,
};
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan};

use crate::scope::{Scope, stored_spelling};

/// Longest column name made from an expression, in characters.
const MAX_NAME: usize = 200;

/// Gives the items of the outermost SELECTs names of their own where they repeat one, or where a wildcard may hide
/// one: the engine wants names to differ. Answers the plain name behind each new one.
pub(crate) fn tell_apart(query: &mut Query) -> HashMap<String, String> {
    let mut plain = HashMap::new();
    let mut open = vec![query.body.as_mut()];
    while let Some(body) = open.pop() {
        match body {
            SetExpr::Select(select) => tell_items_apart(&mut select.projection, &mut plain),
            SetExpr::SetOperation { left, right, .. } => open.extend([left.as_mut(), right.as_mut()]),
            SetExpr::Query(inner) => open.push(inner.body.as_mut()),
            _ => {}
        }
    }
    plain
}

fn tell_items_apart(items: &mut [SelectItem], plain: &mut HashMap<String, String>) {
    let named = |item: &SelectItem| matches!(item, SelectItem::UnnamedExpr(_) | SelectItem::ExprWithAlias { .. });
    let starred = !items.iter().all(named);
    let mut seen = HashSet::new();
    for (at, item) in items.iter_mut().enumerate() {
        let (expr, name) = match item {
            SelectItem::UnnamedExpr(expr) => (expr, None),
            SelectItem::ExprWithAlias { expr, alias } => (expr, Some(alias.value.clone())),
            _ => continue,
        };
        let name = name.unwrap_or_else(|| plain_name(expr));
        if !seen.insert(name.to_lowercase()) || starred {
            let alias = Ident::with_quote('"', format!("{name}:{at}"));
            plain.insert(alias.value.clone(), name);
            *item = SelectItem::ExprWithAlias { expr: expr.clone(), alias };
        }
    }
}

/// Gives the columns of recursive queries the names in `WITH RECURSIVE t(names)`: the engine knows them by those of
/// the first SELECT only, while it plans the second.
pub(crate) fn name_recursive_columns(statement: &mut Statement) {
    // Nothing breaks the walk off.
    let _ = statement.visit(&mut RecursiveColumns);
}

struct RecursiveColumns;

impl VisitorMut for RecursiveColumns {
    type Break = ();

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        let tables = query.with.iter_mut().filter(|with| with.recursive).flat_map(|with| &mut with.cte_tables);
        for table in tables.filter(|table| !table.alias.columns.is_empty()) {
            let mut body = table.query.body.as_mut();
            while let SetExpr::SetOperation { left, .. } = body {
                body = left.as_mut();
            }
            let SetExpr::Select(select) = body else { continue };
            for (item, column) in select.projection.iter_mut().zip(&table.alias.columns) {
                if let SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } = item {
                    *item = SelectItem::ExprWithAlias { expr: expr.clone(), alias: column.name.clone() };
                }
            }
        }
        ControlFlow::Continue(())
    }
}

/// What an item without alias is called: a column by its own name alone, anything else as it is written.
fn plain_name(expr: &SqlExpr) -> String {
    match expr {
        SqlExpr::Identifier(name) => name.value.clone(),
        SqlExpr::CompoundIdentifier(parts) => parts.last().map(|name| name.value.clone()).unwrap_or_default(),
        other => other.to_string().chars().take(MAX_NAME).collect(),
    }
}

/// The names of the answer's columns: the alias or expression as written, or the stored spelling of a column.
pub(crate) fn result_names(
    plan: &LogicalPlan,
    statement: &Statement,
    tokens: &[TokenWithSpan],
    scope: &Scope,
    plain: &HashMap<String, String>,
) -> Vec<String> {
    let count = plan.schema().fields().len();
    let written = match statement {
        Statement::Query(query) => written_names(query).filter(|names| names.len() == count),
        _ => None,
    };
    let written = written.unwrap_or_else(|| vec![None; count]);
    let known = known_spellings(tokens, scope);
    let name = |(at, written): (usize, Option<String>)| {
        written.or_else(|| origin(plan, at, plain)).unwrap_or_else(|| {
            let name = plan.schema().field(at).name();
            let name = plain.get(name).unwrap_or(name);
            known.get(name).cloned().unwrap_or_else(|| name.clone())
        })
    };
    written.into_iter().enumerate().map(name).collect()
}

/// What each item of the first SELECT is called; nothing for plain columns, and nothing at all with a wildcard.
fn written_names(query: &Query) -> Option<Vec<Option<String>>> {
    let mut body = query.body.as_ref();
    let select = loop {
        match body {
            SetExpr::Select(select) => break select,
            SetExpr::SetOperation { left, .. } => body = left,
            SetExpr::Query(inner) => body = inner.body.as_ref(),
            _ => return None,
        }
    };
    select.projection.iter().map(written_name).collect()
}

fn written_name(item: &SelectItem) -> Option<Option<String>> {
    match item {
        SelectItem::ExprWithAlias { alias, .. } => Some(Some(alias.value.clone())),
        SelectItem::UnnamedExpr(SqlExpr::Identifier(_) | SqlExpr::CompoundIdentifier(_)) => Some(None),
        SelectItem::UnnamedExpr(expr) => Some(Some(plain_name(expr))),
        _ => None,
    }
}

/// Spellings by what they fold to: those of columns that all tables spell alike, and aliases over them.
fn known_spellings(tokens: &[TokenWithSpan], scope: &Scope) -> HashMap<String, String> {
    let mut known: HashMap<String, String> = HashMap::new();
    let mut disputed = HashSet::new();
    for (exposed, stored) in scope.spellings() {
        if known.insert(exposed.to_owned(), stored.to_owned()).is_some_and(|other| other != stored) {
            disputed.insert(exposed);
        }
    }
    known.retain(|exposed, _| !disputed.contains(exposed.as_str()));
    known.extend(aliases(tokens));
    known
}

/// Aliases written after AS, by what they fold to.
fn aliases(tokens: &[TokenWithSpan]) -> HashMap<String, String> {
    let written: Vec<&Token> =
        tokens.iter().map(|token| &token.token).filter(|token| !matches!(token, Token::Whitespace(_))).collect();
    let alias = |pair: &[&Token]| match pair {
        [Token::Word(before), Token::Word(name)] if before.keyword == Keyword::AS => {
            let quoted = name.quote_style.is_some();
            let folded = if quoted { name.value.clone() } else { name.value.to_ascii_lowercase() };
            Some((folded, name.value.clone()))
        }
        _ => None,
    };
    written.windows(2).filter_map(alias).collect()
}

/// The stored spelling of the table column that an output column passes on unchanged.
pub(crate) fn origin(plan: &LogicalPlan, at: usize, plain: &HashMap<String, String>) -> Option<String> {
    match plan {
        LogicalPlan::TableScan(scan) => {
            let provider = source_as_provider(&scan.source).ok()?;
            stored_spelling(provider.as_ref(), scan.projected_schema.field(at).name(), at)
        }
        LogicalPlan::Projection(projection) => origin_of(projection.expr.get(at)?, at, &projection.input, plain),
        LogicalPlan::Aggregate(aggregate) => origin_of(aggregate.group_expr.get(at)?, at, &aggregate.input, plain),
        LogicalPlan::Distinct(Distinct::On(on)) => origin_of(on.select_expr.get(at)?, at, &on.input, plain),
        other => below(other, at).and_then(|(input, at)| origin(input, at, plain)),
    }
}

/// Whether an output column comes from a table with no SELECT between that could have named it anew.
pub(crate) fn is_bare(plan: &LogicalPlan, at: usize) -> bool {
    let mut next = Some((plan, at));
    while let Some((plan, at)) = next {
        if matches!(plan, LogicalPlan::TableScan(_)) {
            return true;
        }
        next = below(plan, at);
    }
    false
}

/// The input that an output column passes through unchanged, and its position there.
fn below(plan: &LogicalPlan, at: usize) -> Option<(&LogicalPlan, usize)> {
    match plan {
        LogicalPlan::Join(join) => {
            let left = join.left.schema().fields().len();
            Some(if at < left { (&join.left, at) } else { (&join.right, at - left) })
        }
        LogicalPlan::SubqueryAlias(_)
        | LogicalPlan::Filter(_)
        | LogicalPlan::Sort(_)
        | LogicalPlan::Limit(_)
        | LogicalPlan::Distinct(Distinct::All(_))
        | LogicalPlan::Union(_)
        | LogicalPlan::Window(_) => {
            let input = plan.inputs().into_iter().next()?;
            (at < input.schema().fields().len()).then_some((input, at))
        }
        _ => None,
    }
}

/// The stored spelling of the table column that an expression over `input` passes on unchanged. A column of it likely has
/// the place `at` there as well.
fn origin_of(expr: &Expr, at: usize, input: &LogicalPlan, plain: &HashMap<String, String>) -> Option<String> {
    let told_apart = |alias: &str, name: &str| plain.get(alias).is_some_and(|plain| plain.eq_ignore_ascii_case(name));
    match expr {
        Expr::Column(column) if stands_at(column, input.schema(), at) => origin(input, at, plain),
        Expr::Column(column) => origin(input, input.schema().index_of_column(column).ok()?, plain),
        Expr::Alias(alias) => match alias.expr.as_ref() {
            Expr::Column(column) if told_apart(&alias.name, &column.name) => origin_of(&alias.expr, at, input, plain),
            _ => None,
        },
        _ => None,
    }
}

/// Whether a schema has a column at this place.
pub(crate) fn stands_at(column: &Column, schema: &DFSchema, at: usize) -> bool {
    at < schema.fields().len() && {
        let (qualifier, field) = schema.qualified_field(at);
        *field.name() == column.name && qualifier == column.relation.as_ref()
    }
}
