//! The arguments of a table function: written out, or given as parameters.

use datafusion::sql::sqlparser::ast::{Expr, UnaryOperator, Value};
use serde_json::Value as Json;

use crate::error::{Error, Result};

/// An argument, whether it is written out or given as a parameter.
pub(crate) enum Argument {
    Text(String),
    /// A name in double quotes.
    Name(String),
    Integer(u64),
    /// None stands for an element that is no number.
    Numbers(Vec<Option<f64>>),
    Other,
}

pub(crate) fn argument(expr: &Expr, params: &[Json]) -> Result<Argument> {
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
