//! Unquoted names of tables that several fit.
//!
//! The engine folds unquoted names to lower case. Of several tables whose names differ only in case, it is the one that
//! is spelled as written that is meant, so such a name is put into quotes; when none is spelled so, nobody can tell.

use std::collections::HashSet;
use std::ops::ControlFlow;

use base::DatasetName;
use catalog::Pin;
use datafusion::sql::sqlparser::ast::{Ident, ObjectName, Query, TableFactor, Visit, Visitor};
use datafusion::sql::sqlparser::tokenizer::{Location, Span, Token, TokenWithSpan};

use crate::error::{Error, Result};
use crate::scope::DEFAULT_SCHEMA;
use crate::statement::{self, Parsed};

/// Puts the names into quotes that would otherwise fold to those of other tables.
pub(crate) fn settle(parsed: &mut Parsed, pin: &Pin) -> Result<()> {
    let mut finder = Finder { pin, given: Vec::new(), places: Vec::new() };
    if let ControlFlow::Break(error) = parsed.statement.visit(&mut finder) {
        return Err(error);
    }
    if !finder.places.is_empty() {
        parsed.tokens = quoted(&parsed.tokens, &finder.places);
        parsed.statement = statement::parse_tokens(&parsed.tokens)?;
    }
    Ok(())
}

/// The table that is spelled as written, when several fit a name; an error when none of them is.
pub(crate) fn among_several<'a>(pin: &'a Pin, name: &ObjectName) -> Result<Option<&'a DatasetName>> {
    let default = Ident::new(DEFAULT_SCHEMA);
    let (schema, table) = match parts(name).as_slice() {
        [table] => (&default, *table),
        [.., schema, table] => (*schema, *table),
        [] => return Ok(None),
    };
    let fits = |part: &Ident, name: &str| match part.quote_style {
        Some(_) => part.value == name,
        None => part.value.eq_ignore_ascii_case(name),
    };
    let fitting = pin.names().filter(|name| fits(schema, name.namespace()) && fits(table, name.table()));
    let fitting: Vec<&DatasetName> = fitting.collect();
    if fitting.len() < 2 {
        return Ok(None);
    }
    let spelled = fitting.iter().find(|name| name.namespace() == schema.value && name.table() == table.value);
    spelled.map(|name| Some(*name)).ok_or_else(|| several(name, &fitting))
}

fn several(name: &ObjectName, fitting: &[&DatasetName]) -> Error {
    let names: Vec<String> = fitting.iter().take(3).map(ToString::to_string).collect();
    Error::Invalid(format!("several tables fit {name}: {}; write the one you mean as it is spelled", names.join(", ")))
}

fn parts(name: &ObjectName) -> Vec<&Ident> {
    name.0.iter().filter_map(|part| part.as_ident()).collect()
}

/// A name that is to be quoted: where its parts begin, and whether an alias follows.
struct Place {
    parts: Vec<Location>,
    aliased: bool,
}

struct Finder<'a> {
    pin: &'a Pin,
    /// What WITH calls its queries, folded; one set for each query that is around.
    given: Vec<HashSet<String>>,
    places: Vec<Place>,
}

impl Finder<'_> {
    fn is_given(&self, name: &str) -> bool {
        self.given.iter().any(|names| names.contains(name))
    }

    fn see(&mut self, name: &ObjectName, aliased: bool) -> Result<()> {
        let parts = parts(name);
        let is_given = matches!(parts.as_slice(), [table] if self.is_given(&table.value.to_ascii_lowercase()));
        if !is_given && among_several(self.pin, name)?.is_some() {
            // The catalog before them has one name.
            let parts = parts.iter().rev().take(2).rev().map(|part| part.span.start).collect();
            self.places.push(Place { parts, aliased });
        }
        Ok(())
    }
}

impl Visitor for Finder<'_> {
    type Break = Error;

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<Error> {
        let given = query.with.iter().flat_map(|with| &with.cte_tables);
        self.given.push(given.map(|table| table.alias.name.value.to_ascii_lowercase()).collect());
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &Query) -> ControlFlow<Error> {
        self.given.pop();
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<Error> {
        let seen = match factor {
            TableFactor::Table { name, args: None, alias, .. } => self.see(name, alias.is_some()),
            _ => Ok(()),
        };
        seen.map_or_else(ControlFlow::Break, ControlFlow::Continue)
    }
}

/// The tokens with these names in quotes. One without an alias keeps its last part as one, so that columns are still
/// named by it.
fn quoted(tokens: &[TokenWithSpan], places: &[Place]) -> Vec<TokenWithSpan> {
    let mut quoted = Vec::with_capacity(tokens.len());
    for token in tokens {
        let place = places.iter().find(|place| place.parts.contains(&token.span.start));
        let (Some(place), Token::Word(word)) = (place, &token.token) else {
            quoted.push(token.clone());
            continue;
        };
        quoted.push(TokenWithSpan { token: Token::make_word(&word.value, Some('"')), span: token.span });
        if !place.aliased && place.parts.last() == Some(&token.span.start) {
            // What was not written stands nowhere.
            let alias = [Token::make_keyword("AS"), token.token.clone()];
            quoted.extend(alias.map(|token| TokenWithSpan { token, span: Span::empty() }));
        }
    }
    quoted
}
