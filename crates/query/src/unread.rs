//! Clauses that the parser knows and the planner reads over: answered, they would give other rows than were asked for.

use datafusion::sql::sqlparser::ast::{GroupByExpr, PipeOperator, Query, Select, SelectItem, TableFactor};

/// The clause of a query that would be read over, if it has one.
pub(crate) fn of_query(query: &Query) -> Option<&'static str> {
    let samples = query.pipe_operators.iter().any(|pipe| matches!(pipe, PipeOperator::TableSample { .. }));
    first(&[
        (query.for_clause.is_some(), "FOR"),
        (query.settings.is_some(), "SETTINGS"),
        (query.format_clause.is_some(), "FORMAT"),
        (samples, "TABLESAMPLE"),
    ])
}

/// The clause of a SELECT that would be read over, if it has one.
pub(crate) fn of_select(select: &Select) -> Option<&'static str> {
    let (GroupByExpr::All(modifiers) | GroupByExpr::Expressions(_, modifiers)) = &select.group_by;
    let ilike = |item: &SelectItem| match item {
        SelectItem::Wildcard(options) | SelectItem::QualifiedWildcard(_, options) => options.opt_ilike.is_some(),
        _ => false,
    };
    first(&[
        (select.prewhere.is_some(), "PREWHERE"),
        (!select.connect_by.is_empty(), "CONNECT BY"),
        (!modifiers.is_empty(), "WITH behind GROUP BY (write GROUP BY ROLLUP (…), CUBE (…) or GROUPING SETS (…))"),
        (select.projection.iter().any(ilike), "ILIKE behind *"),
        (select.value_table_mode.is_some(), "SELECT AS"),
    ])
}

/// The clause of a table that would be read over, if it has one.
pub(crate) fn of_table(factor: &TableFactor) -> Option<&'static str> {
    match factor {
        TableFactor::Table { with_ordinality, partitions, sample, json_path, version, .. } => first(&[
            (version.is_some(), "a version in this form"),
            (*with_ordinality, "WITH ORDINALITY"),
            (!partitions.is_empty(), "PARTITION"),
            (sample.is_some(), "TABLESAMPLE"),
            (json_path.is_some(), "a path behind a table"),
        ]),
        TableFactor::Function { with_ordinality, .. } => first(&[(*with_ordinality, "WITH ORDINALITY")]),
        TableFactor::Derived { sample, .. } => first(&[(sample.is_some(), "TABLESAMPLE")]),
        _ => None,
    }
}

fn first(clauses: &[(bool, &'static str)]) -> Option<&'static str> {
    clauses.iter().find(|(written, _)| *written).map(|(_, clause)| *clause)
}
