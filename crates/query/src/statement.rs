//! From text to one checked statement.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    DescribeAlias, Query, Select, SelectFlavor, Statement, TableFactor, Value, ValueWithSpan, Visit, Visitor,
};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::parser::Parser;
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer};

use crate::clauses::{self, Clause};
use crate::error::{Error, Result};
use crate::guard;
use crate::precedence::{as_comparisons, as_operators};
use crate::unread;

/// How deep the parser may recurse: several frames for each of the 500 levels that the guard lets through.
const PARSER_DEPTH: usize = 4_000;

/// One statement that only reads, and the tokens it was written with.
pub(crate) struct Parsed {
    pub(crate) statement: Statement,
    pub(crate) tokens: Vec<TokenWithSpan>,
    /// The version clauses that stood in it.
    pub(crate) clauses: Vec<Clause>,
    /// Every string literal, so that no message repeats one.
    pub(crate) literals: Vec<String>,
    /// The highest `$n` in the statement.
    pub(crate) placeholders: usize,
    /// Whether DESCRIBE stood before it: its columns are asked for, not its rows.
    pub(crate) describes: bool,
}

/// Reads one statement; refuses what is too large and what writes.
pub(crate) fn parse(sql: &str) -> Result<Parsed> {
    guard::check_length(sql)?;
    let tokens = tokenize(sql)?;
    guard::check_tokens(&tokens)?;
    let tokens = as_operators(tokens)?;
    let literals = string_literals(&tokens);
    let (mut tokens, clauses) = clauses::cut(tokens)?;
    let statement = parse_tokens(&tokens)?;
    let placeholders = check_kind(&statement)?.max(clauses::placeholders(&clauses)?);
    let (statement, describes) = match statement {
        Statement::Explain { describe_alias: DescribeAlias::Describe | DescribeAlias::Desc, statement, .. } => {
            let first = tokens.iter().position(|token| matches!(token.token, Token::Word(_)));
            tokens.drain(..=first.unwrap_or(0));
            (*statement, true)
        }
        other => (other, false),
    };
    Ok(Parsed { statement, tokens, clauses, literals, placeholders, describes })
}

/// Parses tokens that hold exactly one statement.
pub(crate) fn parse_tokens(tokens: &[TokenWithSpan]) -> Result<Statement> {
    let mut parser =
        Parser::new(&GenericDialect {}).with_recursion_limit(PARSER_DEPTH).with_tokens_with_locations(tokens.to_vec());
    let parsed = parser.parse_statements().map_err(|error| unparsable(&error.to_string(), tokens));
    let mut statements = parsed?.into_iter();
    match (statements.next(), statements.next()) {
        (Some(mut statement), None) => {
            guard::check_tree(&statement)?;
            as_comparisons(&mut statement);
            Ok(statement)
        }
        (None, _) => Err(Error::Invalid("sql holds no statement".to_owned())),
        (Some(_), Some(_)) => Err(Error::Invalid("sql holds several statements; send one at a time".to_owned())),
    }
}

fn tokenize(sql: &str) -> Result<Vec<TokenWithSpan>> {
    let tokens = Tokenizer::new(&GenericDialect {}, sql).tokenize_with_location();
    tokens.map_err(|error| Error::Invalid(format!("{} at {}", error.message, error.location).trim().to_owned()))
}

/// A statement that does not parse is malformed, unless its first word says that it writes.
fn unparsable(message: &str, tokens: &[TokenWithSpan]) -> Error {
    let first = words(tokens).next();
    if first.is_some_and(|keyword| WRITING.contains(&keyword)) {
        return Error::ReadOnly;
    }
    if message.contains("recursion limit") {
        return Error::TooComplex { limit: "the statement nests too deep".to_owned() };
    }
    let cleaned = message.trim_start_matches("sql parser error: ");
    Error::Invalid(crate::clean::scrub(cleaned, &string_literals(tokens)))
}

/// First words of statements that change something, or reach outside of the lake.
const WRITING: &[Keyword] = &[
    Keyword::ALTER,
    Keyword::ANALYZE,
    Keyword::ATTACH,
    Keyword::BEGIN,
    Keyword::CALL,
    Keyword::COMMIT,
    Keyword::COPY,
    Keyword::CREATE,
    Keyword::DEALLOCATE,
    Keyword::DELETE,
    Keyword::DETACH,
    Keyword::DROP,
    Keyword::EXECUTE,
    Keyword::EXPORT,
    Keyword::GRANT,
    Keyword::INSERT,
    Keyword::INSTALL,
    Keyword::KILL,
    Keyword::LOAD,
    Keyword::LOCK,
    Keyword::MERGE,
    Keyword::MSCK,
    Keyword::OPTIMIZE,
    Keyword::PRAGMA,
    Keyword::PREPARE,
    Keyword::RENAME,
    Keyword::REPLACE,
    Keyword::RESET,
    Keyword::REVOKE,
    Keyword::ROLLBACK,
    Keyword::SET,
    Keyword::START,
    Keyword::TRUNCATE,
    Keyword::UNLOAD,
    Keyword::UPDATE,
    Keyword::USE,
    Keyword::VACUUM,
];

fn words(tokens: &[TokenWithSpan]) -> impl Iterator<Item = Keyword> {
    tokens.iter().filter_map(|token| match &token.token {
        Token::Word(word) if word.quote_style.is_none() => Some(word.keyword),
        _ => None,
    })
}

fn string_literals(tokens: &[TokenWithSpan]) -> Vec<String> {
    let literal = |token: &TokenWithSpan| match &token.token {
        Token::SingleQuotedString(text)
        | Token::TripleSingleQuotedString(text)
        | Token::NationalStringLiteral(text)
        | Token::EscapedStringLiteral(text)
        | Token::UnicodeStringLiteral(text)
        | Token::HexStringLiteral(text)
        | Token::SingleQuotedByteStringLiteral(text)
        | Token::SingleQuotedRawStringLiteral(text) => Some(text.clone()),
        Token::DollarQuotedString(text) => Some(text.value.clone()),
        _ => None,
    };
    tokens.iter().filter_map(literal).filter(|text| !text.is_empty()).collect()
}

/// The number in `$n`.
pub(crate) fn placeholder(name: &str) -> Result<usize> {
    match name.strip_prefix('$').and_then(|digits| digits.parse::<usize>().ok()) {
        Some(number @ 1..=1000) => Ok(number),
        _ => Err(Error::Params("placeholders are written $1 to $1000".to_owned())),
    }
}

/// Only statements that read pass; what they hold inside is checked too. Answers the highest placeholder.
fn check_kind(statement: &Statement) -> Result<usize> {
    match statement {
        Statement::Query(_) => {}
        Statement::Explain { statement, .. } if matches!(**statement, Statement::Query(_)) => {}
        Statement::ExplainTable { .. } | Statement::ShowTables { .. } | Statement::ShowColumns { .. } => {}
        Statement::ShowVariable { .. }
        | Statement::ShowVariables { .. }
        | Statement::ShowFunctions { .. }
        | Statement::ShowDatabases { .. }
        | Statement::ShowSchemas { .. }
        | Statement::ShowViews { .. }
        | Statement::ShowCreate { .. }
        | Statement::ShowStatus { .. } => {
            return Err(Error::Unsupported(
                "SHOW TABLES and SHOW COLUMNS FROM a table are understood, and information_schema".to_owned(),
            ));
        }
        _ => return Err(Error::ReadOnly),
    }
    let mut inside = Inside { statements: 0, placeholders: 0 };
    match statement.visit(&mut inside) {
        ControlFlow::Break(error) => Err(error),
        ControlFlow::Continue(()) => Ok(inside.placeholders),
    }
}

/// Refuses a clause that would be read over.
fn answered(unread: Option<&str>) -> ControlFlow<Error> {
    match unread {
        Some(clause) => ControlFlow::Break(Error::Unsupported(format!("{clause} is not supported"))),
        None => ControlFlow::Continue(()),
    }
}

/// Looks for what may hide inside a query: `SELECT … INTO`, `WITH x AS (DELETE …)`, locks.
struct Inside {
    statements: usize,
    placeholders: usize,
}

impl Visitor for Inside {
    type Break = Error;

    fn pre_visit_statement(&mut self, statement: &Statement) -> ControlFlow<Error> {
        self.statements += 1;
        let reads = matches!(statement, Statement::Query(_)) || self.statements == 1;
        if reads { ControlFlow::Continue(()) } else { ControlFlow::Break(Error::ReadOnly) }
    }

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<Error> {
        if !query.locks.is_empty() {
            return ControlFlow::Break(Error::ReadOnly);
        }
        answered(unread::of_query(query))
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<Error> {
        if select.into.is_some() {
            return ControlFlow::Break(Error::ReadOnly);
        }
        if select.flavor == SelectFlavor::FromFirstNoSelect {
            return ControlFlow::Break(Error::Invalid("FROM needs a SELECT: write SELECT * FROM …".to_owned()));
        }
        answered(unread::of_select(select))
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<Error> {
        answered(unread::of_table(factor))
    }

    fn pre_visit_value(&mut self, value: &ValueWithSpan) -> ControlFlow<Error> {
        let Value::Placeholder(name) = &value.value else { return ControlFlow::Continue(()) };
        match placeholder(name) {
            Ok(number) => {
                self.placeholders = self.placeholders.max(number);
                ControlFlow::Continue(())
            }
            Err(error) => ControlFlow::Break(error),
        }
    }
}
