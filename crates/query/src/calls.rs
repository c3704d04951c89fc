//! The house's own table functions in a statement: `vector_search(…)`, `keyword_search(…)`, `hybrid_search(…)`,
//! `versions()` and `snapshots('t')`. Each call is checked, and the name of a table takes its place.

use std::ops::ControlFlow;

use base::IndexName;
use datafusion::common::TableReference;
use datafusion::sql::sqlparser::ast::{
    Expr, FunctionArg, FunctionArgExpr, ObjectName, TableFactor, TableFunctionArgs, Visit, Visitor,
};
use datafusion::sql::sqlparser::tokenizer::{Location, Token, TokenWithSpan};
use serde_json::Value as Json;

use crate::arguments::{Argument, argument};
use crate::error::{Error, Result};
use crate::history::History;
use crate::scope::{DEFAULT_SCHEMA, FOUND_SCHEMA, HISTORY_SCHEMA};
use crate::search::{IndexSearch, Sought};
use crate::statement::{self, Parsed};

/// A table function. Its name is what its rows are called when a statement gives them no alias.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Function {
    VectorSearch,
    KeywordSearch,
    HybridSearch,
    Versions,
    Snapshots,
}

impl Function {
    const ALL: [Self; 5] =
        [Self::VectorSearch, Self::KeywordSearch, Self::HybridSearch, Self::Versions, Self::Snapshots];

    fn name(self) -> &'static str {
        match self {
            Self::VectorSearch => "vector_search",
            Self::KeywordSearch => "keyword_search",
            Self::HybridSearch => "hybrid_search",
            Self::Versions => "versions",
            Self::Snapshots => "snapshots",
        }
    }

    fn searches(self) -> bool {
        !matches!(self, Self::Versions | Self::Snapshots)
    }

    fn refuse(self, rule: &str) -> Error {
        let rule = format!("{}: {rule}", self.name());
        if self.searches() { Error::InvalidSearch(rule) } else { Error::Invalid(rule) }
    }
}

/// Most calls in one statement.
const MAX_CALLS: usize = 16;
/// Most neighbours that one call may ask for.
const MAX_K: usize = 10_000;

/// The calls of a statement; those that are alike are one.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Calls {
    pub(crate) searches: Vec<Call>,
    pub(crate) histories: Vec<History>,
}

/// One search that a statement asks for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Call {
    pub(crate) index: IndexName,
    pub(crate) search: IndexSearch,
}

/// Takes the calls out of a statement. In their place it names tables of the schemas of found rows and of histories, by
/// the number of the call in the answer.
pub(crate) fn take(parsed: &mut Parsed, params: &[Json]) -> Result<Calls> {
    let mut finder = Finder { params, calls: Calls::default(), places: Vec::new() };
    if let ControlFlow::Break(error) = parsed.statement.visit(&mut finder) {
        return Err(error);
    }
    if !finder.places.is_empty() {
        parsed.tokens = replaced(&parsed.tokens, &finder.places);
        parsed.statement = statement::parse_tokens(&parsed.tokens)?;
    }
    Ok(finder.calls)
}

/// Where a call begins, what it calls, which of the distinct ones it is, and whether an alias follows.
struct Place {
    at: Location,
    function: Function,
    number: usize,
    aliased: bool,
}

struct Finder<'a> {
    params: &'a [Json],
    calls: Calls,
    places: Vec<Place>,
}

impl Finder<'_> {
    fn see(&mut self, (function, at): (Function, Location), args: &TableFunctionArgs, aliased: bool) -> Result<()> {
        if self.places.len() == MAX_CALLS {
            return Err(function.refuse(&format!("a statement may call it {MAX_CALLS} times at most")));
        }
        let args = arguments(args, self.params)?;
        let number = match function {
            Function::Versions | Function::Snapshots => number_of(history(function, args)?, &mut self.calls.histories),
            _ => number_of(call(function, args)?, &mut self.calls.searches),
        };
        self.places.push(Place { at, function, number, aliased });
        Ok(())
    }
}

/// Which of the known calls one is.
fn number_of<T: PartialEq>(call: T, known: &mut Vec<T>) -> usize {
    known.iter().position(|other| *other == call).unwrap_or_else(|| {
        known.push(call);
        known.len() - 1
    })
}

impl Visitor for Finder<'_> {
    type Break = Error;

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<Error> {
        let seen = match factor {
            TableFactor::Table { name, args: Some(args), alias, .. } => match begin(name) {
                Some(begin) => self.see(begin, args, alias.is_some()),
                None => Ok(()),
            },
            TableFactor::Function { name, .. } => match begin(name) {
                Some((function, _)) => {
                    Err(function.refuse("it cannot be LATERAL: its arguments do not depend on other tables"))
                }
                None => Ok(()),
            },
            _ => Ok(()),
        };
        seen.map_or_else(ControlFlow::Break, ControlFlow::Continue)
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<Error> {
        let called = match expr {
            Expr::Function(function) => begin(&function.name),
            _ => None,
        };
        match called {
            Some((function, _)) => {
                ControlFlow::Break(function.refuse("it answers rows, so it stands after FROM or JOIN only"))
            }
            None => ControlFlow::Continue(()),
        }
    }
}

/// Which of the functions a name means, and where it begins; none for another name.
fn begin(name: &ObjectName) -> Option<(Function, Location)> {
    let [part] = name.0.as_slice() else { return None };
    let ident = part.as_ident()?;
    let quoted = ident.quote_style.is_some();
    let ours = |name: &str| if quoted { ident.value == name } else { ident.value.eq_ignore_ascii_case(name) };
    let function = Function::ALL.into_iter().find(|function| ours(function.name()))?;
    Some((function, ident.span.start))
}

/// The tokens with the name of a table in place of each call, from the function's name to its closing bracket.
fn replaced(tokens: &[TokenWithSpan], places: &[Place]) -> Vec<TokenWithSpan> {
    let mut replaced = Vec::with_capacity(tokens.len());
    let mut rest = tokens.iter();
    while let Some(token) = rest.next() {
        let Some(place) = places.iter().find(|place| place.at == token.span.start) else {
            replaced.push(token.clone());
            continue;
        };
        let schema = if place.function.searches() { FOUND_SCHEMA } else { HISTORY_SCHEMA };
        let table = [Token::make_word(schema, Some('"')), Token::Period];
        let number = [Token::make_word(&place.number.to_string(), Some('"'))];
        let alias = [Token::make_keyword("AS"), Token::make_word(place.function.name(), None)];
        let alias = alias.into_iter().filter(|_| !place.aliased);
        let written = table.into_iter().chain(number).chain(alias);
        replaced.extend(written.map(|written| TokenWithSpan { token: written, span: token.span }));
        skip_brackets(&mut rest);
    }
    replaced
}

/// Goes on to behind the bracket that closes the first one.
fn skip_brackets<'a>(tokens: &mut impl Iterator<Item = &'a TokenWithSpan>) {
    let mut depth = 0_usize;
    for token in tokens {
        match token.token {
            Token::LParen => depth += 1,
            Token::RParen if depth == 1 => return,
            Token::RParen => depth -= 1,
            _ => {}
        }
    }
}

/// The arguments, where no settings stand beside them.
fn arguments(args: &TableFunctionArgs, params: &[Json]) -> Result<Vec<Argument>> {
    let plain = |arg: &FunctionArg| match arg {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => argument(expr, params),
        _ => Ok(Argument::Other),
    };
    let settings = args.settings.iter().map(|_| Ok(Argument::Other));
    args.args.iter().map(plain).chain(settings).collect()
}

fn call(function: Function, args: Vec<Argument>) -> Result<Call> {
    let rule = match function {
        Function::VectorSearch => "it takes an index, a text or an array of numbers, and how many to find",
        _ => "it takes an index, a text, and how many to find",
    };
    let mut args = args.into_iter();
    let (Some(index), Some(sought), Some(k), filter, None) =
        (args.next(), args.next(), args.next(), args.next(), args.next())
    else {
        return Err(function.refuse(&format!("{rule}; and a filter, if one is wanted")));
    };
    let filter = filter.map(|filter| filter_of(function, filter)).transpose()?;
    let search = IndexSearch { sought: sought_of(function, sought)?, k: k_of(function, &k)?, filter };
    Ok(Call { index: index_of(function, index)?, search })
}

fn history(function: Function, args: Vec<Argument>) -> Result<History> {
    match (function, args.as_slice()) {
        (Function::Versions, []) => Ok(History::Versions),
        (Function::Versions, _) => Err(function.refuse("it takes no argument")),
        (_, [Argument::Text(table) | Argument::Name(table)]) => {
            let (schema, table) = table.split_once('.').unwrap_or((DEFAULT_SCHEMA, table));
            Ok(History::Snapshots(TableReference::partial(schema, table)))
        }
        _ => Err(function.refuse("it takes the name of a table in quotes")),
    }
}

/// The message does not repeat the name: a literal may hold anything.
fn index_of(function: Function, argument: Argument) -> Result<IndexName> {
    let rule = "the first argument names an index in quotes: a letter or _ followed by at most 127 letters, digits, \
                _ or -";
    match argument {
        Argument::Text(name) | Argument::Name(name) => name.parse().map_err(|_| function.refuse(rule)),
        _ => Err(function.refuse(rule)),
    }
}

fn sought_of(function: Function, argument: Argument) -> Result<Sought> {
    match (function, argument) {
        (Function::KeywordSearch, Argument::Text(text)) => Ok(Sought::Words(text)),
        (Function::HybridSearch, Argument::Text(text)) => Ok(Sought::Both(text)),
        (Function::KeywordSearch | Function::HybridSearch, _) => {
            Err(function.refuse("the second argument is a text in single quotes, or a parameter that holds one"))
        }
        (_, Argument::Text(text)) => Ok(Sought::Meaning(text)),
        (_, Argument::Numbers(numbers)) => {
            let elements = numbers.into_iter().enumerate().map(|(at, number)| element(function, at, number));
            elements.collect::<Result<_>>().map(Sought::Vector)
        }
        _ => Err(function.refuse(
            "the second argument is a text in single quotes, an array of numbers such as ARRAY[0.5, -1], or a \
             parameter that holds one of them",
        )),
    }
}

/// Vectors are of 32-bit numbers. Narrowing may make a large one infinite.
fn element(function: Function, at: usize, number: Option<f64>) -> Result<f32> {
    let narrow = number.map(|number| number as f32).filter(|narrow| narrow.is_finite());
    narrow.ok_or_else(|| function.refuse(&format!("element {} of the array is not a finite 32-bit number", at + 1)))
}

fn k_of(function: Function, argument: &Argument) -> Result<usize> {
    let asked = match argument {
        Argument::Integer(asked) => usize::try_from(*asked).ok(),
        _ => None,
    };
    let rule = || function.refuse(&format!("the third argument is how many to find, an integer from 1 to {MAX_K}"));
    asked.filter(|asked| (1..=MAX_K).contains(asked)).ok_or_else(rule)
}

/// Whoever searches reads it.
fn filter_of(function: Function, argument: Argument) -> Result<String> {
    match argument {
        Argument::Text(filter) => Ok(filter),
        _ => Err(function.refuse("the fourth argument is a filter: a text that holds a JSON object")),
    }
}
