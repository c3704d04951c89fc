//! `FOR VERSION | TIMESTAMP | TAG AS OF …` behind the name of a table.
//!
//! The parser knows no such clause, and where it knows one the planner reads over it. So each is cut out of the tokens,
//! and the name stands for the table as it was then. Where it stands for the table at another version too, a name of its
//! own takes its place.

use std::ops::ControlFlow;

use base::{AsOf, Tag, Timestamp, Version};
use datafusion::common::TableReference;
use datafusion::sql::sqlparser::ast::{Ident, ObjectName, TableFactor, Visit, Visitor};
use datafusion::sql::sqlparser::tokenizer::{Location, Token, TokenWithSpan};
use serde_json::Value as Json;

use crate::error::{Error, Result};
use crate::scope::{DEFAULT_SCHEMA, PAST_SCHEMA, table_reference};
use crate::statement::{self, Parsed};

/// A clause that was cut out of a statement.
#[derive(Debug, Clone)]
pub(crate) struct Clause {
    /// Where the word before it begins: the last part of a table's name.
    behind: Location,
    kind: Kind,
    value: Token,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Version,
    Time,
    Tag,
}

/// A table that a statement reads at a version of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PastTable {
    /// The table as the statement names it.
    pub(crate) reference: TableReference,
    pub(crate) as_of: AsOf,
    /// What takes the place of its name; none when it keeps the name that it has.
    pub(crate) key: Option<String>,
}

impl PastTable {
    /// The schema and the name under which a statement finds it.
    pub(crate) fn place(&self) -> (&str, &str) {
        match &self.key {
            Some(key) => (PAST_SCHEMA, key),
            None => (self.reference.schema().unwrap_or(DEFAULT_SCHEMA), self.reference.table()),
        }
    }

    /// Whether this is what a name means in the statement as it is planned.
    pub(crate) fn is_found_by(&self, reference: &TableReference) -> bool {
        (reference.schema().unwrap_or(DEFAULT_SCHEMA), reference.table()) == self.place()
    }
}

/// The tokens without the clauses, and the clauses.
pub(crate) fn cut(tokens: Vec<TokenWithSpan>) -> Result<(Vec<TokenWithSpan>, Vec<Clause>)> {
    let written: Vec<usize> =
        (0..tokens.len()).filter(|at| !matches!(tokens[*at].token, Token::Whitespace(_))).collect();
    let (mut clauses, mut kept, mut from, mut at) = (Vec::new(), Vec::new(), 0, 0);
    while at < written.len() {
        let words: Vec<&Token> = written[at..].iter().take(LONGEST).map(|at| &tokens[*at].token).collect();
        let Some((kind, value, length)) = find(&words)? else {
            at += 1;
            continue;
        };
        let behind = at.checked_sub(1).ok_or_else(misplaced)?;
        clauses.push(Clause { behind: tokens[written[behind]].span.start, kind, value });
        kept.extend_from_slice(&tokens[from..written[at]]);
        at += length;
        from = written[at - 1] + 1;
    }
    kept.extend_from_slice(&tokens[from..]);
    Ok((kept, clauses))
}

/// The words of the longest clause: `FOR TIMESTAMP AS OF TIMESTAMP '…'`.
const LONGEST: usize = 6;

/// The clause that these words begin with: what it names, by which value, and how many words it is long.
fn find(words: &[&Token]) -> Result<Option<(Kind, Token, usize)>> {
    let [first, rest @ ..] = words else { return Ok(None) };
    let introduced = is(first, "FOR");
    let [kind, a, o, rest @ ..] = (if introduced { rest } else { words }) else { return Ok(None) };
    if !is(a, "AS") || !is(o, "OF") {
        return Ok(None);
    }
    let Some(kind) = kind_of(kind) else { return Ok(None) };
    let typed = rest.first().is_some_and(|word| kind == Kind::Time && is(word, "TIMESTAMP"));
    match rest.get(usize::from(typed)) {
        // Without FOR it may be a column called `version` under the alias `of`, behind which no value stands.
        Some(value) if is_value(value) && !introduced => Err(misplaced()),
        Some(value) if introduced && is_value(value) => Ok(Some((kind, (*value).clone(), 5 + usize::from(typed)))),
        _ if introduced => Err(Error::Invalid(kind.rule().to_owned())),
        _ => Ok(None),
    }
}

fn is(token: &Token, keyword: &str) -> bool {
    matches!(token, Token::Word(word) if word.quote_style.is_none() && word.value.eq_ignore_ascii_case(keyword))
}

fn kind_of(token: &Token) -> Option<Kind> {
    let kinds =
        [("VERSION", Kind::Version), ("TIMESTAMP", Kind::Time), ("SYSTEM_TIME", Kind::Time), ("TAG", Kind::Tag)];
    kinds.into_iter().find(|(keyword, _)| is(token, keyword)).map(|(_, kind)| kind)
}

fn is_value(token: &Token) -> bool {
    matches!(token, Token::Number(..) | Token::SingleQuotedString(_) | Token::Placeholder(_))
}

/// The highest `$n` among the values.
pub(crate) fn placeholders(clauses: &[Clause]) -> Result<usize> {
    let mut highest = 0;
    for clause in clauses {
        if let Token::Placeholder(name) = &clause.value {
            highest = highest.max(statement::placeholder(name)?);
        }
    }
    Ok(highest)
}

/// The version that a clause behind this name asks for, when it is the only clause of the statement.
pub(crate) fn of_name(clauses: &[Clause], name: &ObjectName, params: &[Json]) -> Result<Option<AsOf>> {
    match clauses {
        [] => Ok(None),
        [clause] if last(name).is_some_and(|last| last.span.start == clause.behind) => clause.as_of(params).map(Some),
        _ => Err(misplaced()),
    }
}

/// The tables behind which clauses stand; those that are alike are one. Unless it is clear what a name stands for, it is
/// replaced by a key in the schema of past tables.
pub(crate) fn take(parsed: &mut Parsed, params: &[Json]) -> Result<Vec<PastTable>> {
    if parsed.clauses.is_empty() {
        return Ok(Vec::new());
    }
    let mut finder = Finder { clauses: &parsed.clauses, params, places: Vec::new(), others: Vec::new() };
    if let ControlFlow::Break(error) = parsed.statement.visit(&mut finder) {
        return Err(error);
    }
    let mut places = std::mem::take(&mut finder.places);
    if places.len() != parsed.clauses.len() {
        return Err(misplaced());
    }
    keep_names(&mut places, &finder.others);
    parsed.tokens = replaced(&parsed.tokens, &places);
    parsed.statement = statement::parse_tokens(&parsed.tokens)?;
    let mut tables: Vec<PastTable> = Vec::new();
    for place in places {
        if !tables.contains(&place.table) {
            tables.push(place.table);
        }
    }
    Ok(tables)
}

/// Where a table's name stands, and what it is to be read as.
struct Place {
    first: Location,
    last: Location,
    aliased: bool,
    /// Whether the name states a schema, which an alias cannot.
    qualified: bool,
    table: PastTable,
}

struct Finder<'a> {
    clauses: &'a [Clause],
    params: &'a [Json],
    places: Vec<Place>,
    /// The tables behind which no clause stands.
    others: Vec<TableReference>,
}

impl Finder<'_> {
    fn see(&mut self, name: &ObjectName, aliased: bool) -> Result<()> {
        let first = name.0.first().and_then(|part| part.as_ident());
        let (Some(first), Some(last)) = (first, last(name)) else { return Ok(()) };
        let clause = self.clauses.iter().find(|clause| clause.behind == last.span.start);
        let reference = table_reference(name)?;
        let Some(clause) = clause else {
            self.others.push(reference);
            return Ok(());
        };
        let as_of = clause.as_of(self.params)?;
        let key = format!("{}@{as_of}", reference.to_string().trim_start_matches("default."));
        let (first, last, qualified) = (first.span.start, last.span.start, name.0.len() > 1);
        let table = PastTable { reference, as_of, key: Some(key) };
        self.places.push(Place { first, last, aliased, qualified, table });
        Ok(())
    }
}

impl Visitor for Finder<'_> {
    type Break = Error;

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<Error> {
        let seen = match factor {
            TableFactor::Table { name, args: None, alias, .. } => self.see(name, alias.is_some()),
            _ => Ok(()),
        };
        seen.map_or_else(ControlFlow::Break, ControlFlow::Continue)
    }
}

fn last(name: &ObjectName) -> Option<&Ident> {
    name.0.last().and_then(|part| part.as_ident())
}

/// Lets qualified names without an alias stand, so that columns can be named by all of it: each for the first version that
/// it is read at, unless it is read without a clause too.
fn keep_names(places: &mut [Place], others: &[TableReference]) {
    let mut kept: Vec<PastTable> = Vec::new();
    for place in places.iter_mut().filter(|place| place.qualified && !place.aliased) {
        let PastTable { reference, as_of, key } = &mut place.table;
        let is_other = others.iter().any(|other| is_same(other, reference));
        let earlier = kept.iter().find(|kept| is_same(&kept.reference, reference));
        if !is_other && earlier.is_none_or(|kept| kept.as_of == *as_of && kept.reference == *reference) {
            *key = None;
            kept.push(place.table.clone());
        }
    }
}

/// Whether two names may mean one table.
fn is_same(one: &TableReference, other: &TableReference) -> bool {
    let schema = |reference: &TableReference| reference.schema().unwrap_or(DEFAULT_SCHEMA).to_ascii_lowercase();
    schema(one) == schema(other) && one.table().eq_ignore_ascii_case(other.table())
}

/// The tokens with a key in place of each name that has one. A table without an alias keeps its name as one.
fn replaced(tokens: &[TokenWithSpan], places: &[Place]) -> Vec<TokenWithSpan> {
    let mut replaced = Vec::with_capacity(tokens.len());
    let mut rest = tokens.iter();
    while let Some(token) = rest.next() {
        let place = places.iter().find(|place| place.first == token.span.start);
        let Some((place, key)) = place.and_then(|place| Some((place, place.table.key.as_ref()?))) else {
            replaced.push(token.clone());
            continue;
        };
        let mut name = token;
        while name.span.start != place.last {
            let Some(next) = rest.next() else { break };
            name = next;
        }
        let key = [PAST_SCHEMA, key].map(|part| Token::make_word(part, Some('"')));
        let [schema, key] = key;
        let alias = [Token::make_keyword("AS"), name.token.clone()].into_iter().filter(|_| !place.aliased);
        let written = [schema, Token::Period, key].into_iter().chain(alias);
        replaced.extend(written.map(|written| TokenWithSpan { token: written, span: name.span }));
    }
    replaced
}

impl Clause {
    fn as_of(&self, params: &[Json]) -> Result<AsOf> {
        let given = match &self.value {
            Token::Number(digits, _) => Given::Number(digits.parse().ok()),
            Token::SingleQuotedString(text) => Given::Text(text.clone()),
            Token::Placeholder(name) => match params.get(statement::placeholder(name)? - 1) {
                Some(Json::Number(number)) => Given::Number(number.as_u64()),
                Some(Json::String(text)) => Given::Text(text.clone()),
                _ => Given::Other,
            },
            _ => Given::Other,
        };
        let as_of = match (self.kind, given) {
            (Kind::Version, Given::Number(number)) => number.map(|number| AsOf::Version(Version(number))),
            (Kind::Time, Given::Text(text)) => time(&text).map(AsOf::Time),
            (Kind::Tag, Given::Text(text)) => text.parse::<Tag>().ok().map(AsOf::Tag),
            _ => None,
        };
        as_of.ok_or_else(|| Error::Invalid(self.kind.rule().to_owned()))
    }
}

enum Given {
    /// None when it is no natural number.
    Number(Option<u64>),
    Text(String),
    Other,
}

/// A moment by RFC 3339; one without a zone is in UTC, and a day means its beginning.
fn time(text: &str) -> Option<Timestamp> {
    [text.to_owned(), format!("{text}Z"), format!("{text}T00:00:00Z")].iter().find_map(|text| text.parse().ok())
}

impl Kind {
    fn rule(self) -> &'static str {
        match self {
            Self::Version => {
                "FOR VERSION AS OF takes the number of a version, such as 42; a tag stands behind FOR TAG AS OF"
            }
            Self::Time => {
                "FOR TIMESTAMP AS OF takes a time in quotes, such as '2026-01-31T12:00:00Z' or '2026-01-31'; \
                 without a zone it is in UTC"
            }
            Self::Tag => "FOR TAG AS OF takes the name of a tag in quotes",
        }
    }
}

fn misplaced() -> Error {
    let text = "a version stands right behind the name of a table, before its alias: FOR VERSION AS OF 42, \
                FOR TIMESTAMP AS OF '2026-01-31T12:00:00Z' or FOR TAG AS OF 'name'";
    Error::Invalid(text.to_owned())
}
