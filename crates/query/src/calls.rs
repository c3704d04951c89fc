//! `vector_search(…)` in a statement: each call is checked, and the name of a table takes its place.

use std::ops::ControlFlow;

use base::IndexName;
use datafusion::sql::sqlparser::ast::{
    Expr, FunctionArg, FunctionArgExpr, ObjectName, TableFactor, TableFunctionArgs, UnaryOperator, Value, Visit,
    Visitor,
};
use datafusion::sql::sqlparser::tokenizer::{Location, Token, TokenWithSpan};
use serde_json::Value as Json;

use crate::error::{Error, Result};
use crate::scope::FOUND_SCHEMA;
use crate::search::Near;
use crate::statement::{self, Parsed};

/// The table function, and what its rows are called when a statement gives them no alias.
const NAME: &str = "vector_search";
/// Most calls in one statement.
const MAX_CALLS: usize = 16;
/// Most neighbours that one call may ask for.
const MAX_K: usize = 10_000;

/// One search that a statement asks for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Call {
    pub(crate) index: IndexName,
    pub(crate) near: Near,
    pub(crate) k: usize,
}

/// Takes the calls out of a statement. In their place it names tables of the schema of found rows, by the number of
/// the call in the answer; calls that are alike are one.
pub(crate) fn take(parsed: &mut Parsed, params: &[Json]) -> Result<Vec<Call>> {
    let mut finder = Finder { params, calls: Vec::new(), places: Vec::new() };
    if let ControlFlow::Break(error) = parsed.statement.visit(&mut finder) {
        return Err(error);
    }
    if !finder.places.is_empty() {
        parsed.tokens = replaced(&parsed.tokens, &finder.places);
        parsed.statement = statement::parse_tokens(&parsed.tokens)?;
    }
    Ok(finder.calls)
}

/// Where a call begins, which of the distinct ones it is, and whether an alias follows.
struct Place {
    at: Location,
    number: usize,
    aliased: bool,
}

struct Finder<'a> {
    params: &'a [Json],
    calls: Vec<Call>,
    places: Vec<Place>,
}

impl Finder<'_> {
    fn see(&mut self, at: Location, args: &TableFunctionArgs, aliased: bool) -> Result<()> {
        let call = call(args, self.params)?;
        if self.places.len() == MAX_CALLS {
            return Err(invalid(format!("a statement may call it {MAX_CALLS} times at most")));
        }
        let number = self.calls.iter().position(|known| *known == call).unwrap_or_else(|| {
            self.calls.push(call);
            self.calls.len() - 1
        });
        self.places.push(Place { at, number, aliased });
        Ok(())
    }
}

impl Visitor for Finder<'_> {
    type Break = Error;

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<Error> {
        let seen = match factor {
            TableFactor::Table { name, args: Some(args), alias, .. } => match begin(name) {
                Some(at) => self.see(at, args, alias.is_some()),
                None => Ok(()),
            },
            TableFactor::Function { name, .. } if begin(name).is_some() => {
                Err(invalid("it cannot be LATERAL: its arguments do not depend on other tables".to_owned()))
            }
            _ => Ok(()),
        };
        seen.map_or_else(ControlFlow::Break, ControlFlow::Continue)
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<Error> {
        match expr {
            Expr::Function(function) if begin(&function.name).is_some() => {
                ControlFlow::Break(invalid("it answers rows, so it stands after FROM or JOIN only".to_owned()))
            }
            _ => ControlFlow::Continue(()),
        }
    }
}

/// Where the name of the table function begins; none for another name.
fn begin(name: &ObjectName) -> Option<Location> {
    let [part] = name.0.as_slice() else { return None };
    let ident = part.as_ident()?;
    let ours = if ident.quote_style.is_some() { ident.value == NAME } else { ident.value.eq_ignore_ascii_case(NAME) };
    ours.then_some(ident.span.start)
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
        let table = [Token::make_word(FOUND_SCHEMA, Some('"')), Token::Period];
        let number = [Token::make_word(&place.number.to_string(), Some('"'))];
        let alias = [Token::make_keyword("AS"), Token::make_word(NAME, None)];
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

fn call(args: &TableFunctionArgs, params: &[Json]) -> Result<Call> {
    let plain = |arg: &FunctionArg| match arg {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => argument(expr, params),
        _ => Ok(Argument::Other),
    };
    let given = args.args.iter().map(plain).collect::<Result<Vec<_>>>()?;
    match <[Argument; 3]>::try_from(given) {
        Ok([index, near, k]) if args.settings.is_none() => {
            Ok(Call { index: index_of(index)?, near: near_of(near)?, k: k_of(&k)? })
        }
        _ => Err(invalid("it takes an index, a text or an array of numbers, and how many to find".to_owned())),
    }
}

/// An argument, whether it is written out or given as a parameter.
enum Argument {
    Text(String),
    /// A name in double quotes.
    Name(String),
    Integer(u64),
    /// None stands for an element that is no number.
    Numbers(Vec<Option<f64>>),
    Other,
}

fn argument(expr: &Expr, params: &[Json]) -> Result<Argument> {
    Ok(match expr {
        Expr::Value(literal) => match &literal.value {
            Value::Placeholder(name) => return parameter(name, params),
            Value::Number(text, _) => text.parse().map_or(Argument::Other, Argument::Integer),
            Value::HexStringLiteral(_) | Value::SingleQuotedByteStringLiteral(_) => Argument::Other,
            other => other.clone().into_string().map_or(Argument::Other, Argument::Text),
        },
        Expr::Identifier(name) if name.quote_style.is_some() => Argument::Name(name.value.clone()),
        Expr::Array(array) => Argument::Numbers(array.elem.iter().map(number).collect()),
        _ => Argument::Other,
    })
}

fn parameter(name: &str, params: &[Json]) -> Result<Argument> {
    let number: Option<usize> = name.strip_prefix('$').and_then(|digits| digits.parse().ok());
    let given = number.and_then(|number| params.get(number.checked_sub(1)?));
    let given = given.ok_or_else(|| Error::Params(format!("no value was given for the parameter {name}")))?;
    Ok(match given {
        Json::String(text) => Argument::Text(text.clone()),
        Json::Number(number) => number.as_u64().map_or(Argument::Other, Argument::Integer),
        Json::Array(elements) => Argument::Numbers(elements.iter().map(Json::as_f64).collect()),
        _ => Argument::Other,
    })
}

/// A number as it is written, with or without a sign.
fn number(expr: &Expr) -> Option<f64> {
    match expr {
        Expr::UnaryOp { op: UnaryOperator::Minus, expr } => unsigned(expr).map(|number| -number),
        Expr::UnaryOp { op: UnaryOperator::Plus, expr } => unsigned(expr),
        other => unsigned(other),
    }
}

fn unsigned(expr: &Expr) -> Option<f64> {
    match expr {
        Expr::Value(literal) => match &literal.value {
            Value::Number(text, _) => text.parse().ok(),
            _ => None,
        },
        _ => None,
    }
}

/// The message does not repeat the name: a literal may hold anything.
fn index_of(argument: Argument) -> Result<IndexName> {
    let rule = "the first argument names an index in quotes: a letter or _ followed by at most 127 letters, digits, \
                _ or -";
    match argument {
        Argument::Text(name) | Argument::Name(name) => name.parse().map_err(|_| invalid(rule.to_owned())),
        _ => Err(invalid(rule.to_owned())),
    }
}

fn near_of(argument: Argument) -> Result<Near> {
    match argument {
        Argument::Text(text) => Ok(Near::Text(text)),
        Argument::Numbers(numbers) => {
            let elements = numbers.into_iter().enumerate().map(|(at, number)| element(at, number));
            elements.collect::<Result<_>>().map(Near::Vector)
        }
        _ => Err(invalid(
            "the second argument is a text in single quotes, an array of numbers such as ARRAY[0.5, -1], or a \
             parameter that holds one of them"
                .to_owned(),
        )),
    }
}

/// Vectors are of 32-bit numbers. Narrowing may make a large one infinite.
fn element(at: usize, number: Option<f64>) -> Result<f32> {
    let narrow = number.map(|number| number as f32).filter(|narrow| narrow.is_finite());
    narrow.ok_or_else(|| invalid(format!("element {} of the array is not a finite 32-bit number", at + 1)))
}

fn k_of(argument: &Argument) -> Result<usize> {
    let asked = match argument {
        Argument::Integer(asked) => usize::try_from(*asked).ok(),
        _ => None,
    };
    asked
        .filter(|asked| (1..=MAX_K).contains(asked))
        .ok_or_else(|| invalid(format!("the third argument is how many to find, an integer from 1 to {MAX_K}")))
}

fn invalid(rule: String) -> Error {
    Error::InvalidSearch(rule)
}
