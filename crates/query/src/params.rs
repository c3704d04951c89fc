//! `$1`, `$2`, … as typed values.

use datafusion::common::{ParamValues, ScalarValue};
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan};
use serde_json::Value;

use crate::error::{Error, Result};

/// Refuses fewer or more values than a statement uses.
pub(crate) fn check_count(params: &[Value], placeholders: usize) -> Result<()> {
    if params.len() == placeholders {
        return Ok(());
    }
    let text = format!("the statement uses {placeholders} parameters and {} were given", params.len());
    Err(Error::Params(text))
}

/// Binds a JSON array to the placeholders among the tokens. A list is of no use to them: it may only be given for one
/// that stands nowhere any more, since a search has taken it.
pub(crate) fn bind(params: &[Value], tokens: &[TokenWithSpan]) -> Result<Option<ParamValues>> {
    if params.is_empty() {
        return Ok(None);
    }
    let stands = |at: usize| {
        let name = format!("${}", at + 1);
        tokens.iter().any(|token| matches!(&token.token, Token::Placeholder(known) if *known == name))
    };
    let value = |(at, value): (usize, &Value)| match value {
        Value::Array(_) if !stands(at) => Ok(ScalarValue::Null),
        value => typed(at, value),
    };
    let values = params.iter().enumerate().map(value).collect::<Result<Vec<ScalarValue>>>()?;
    Ok(Some(ParamValues::from(values)))
}

/// Integers are BIGINT, other numbers DOUBLE, texts VARCHAR; the engine casts them to what they are compared with.
fn typed(at: usize, value: &Value) -> Result<ScalarValue> {
    match value {
        Value::Null => Ok(ScalarValue::Null),
        Value::Bool(flag) => Ok(ScalarValue::Boolean(Some(*flag))),
        Value::String(text) => Ok(ScalarValue::Utf8(Some(text.clone()))),
        Value::Number(number) => match (number.as_i64(), number.as_u64(), number.as_f64()) {
            (Some(integer), _, _) => Ok(ScalarValue::Int64(Some(integer))),
            (None, Some(integer), _) => Ok(ScalarValue::UInt64(Some(integer))),
            (None, None, Some(float)) => Ok(ScalarValue::Float64(Some(float))),
            (None, None, None) => Err(Error::Params(format!("parameter ${} is no 64-bit number", at + 1))),
        },
        Value::Array(_) | Value::Object(_) => Err(Error::Params(format!(
            "parameter ${} must be null, a boolean, a number or a text; an array, only for vector_search",
            at + 1
        ))),
    }
}
