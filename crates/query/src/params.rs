//! `$1`, `$2`, … as typed values.

use datafusion::common::{ParamValues, ScalarValue};
use serde_json::Value;

use crate::error::{Error, Result};

/// Binds a JSON array to `placeholders` values; their numbers must agree.
pub(crate) fn bind(params: &[Value], placeholders: usize) -> Result<Option<ParamValues>> {
    if params.len() != placeholders {
        let text = format!("the statement uses {placeholders} parameters and {} were given", params.len());
        return Err(Error::Params(text));
    }
    if params.is_empty() {
        return Ok(None);
    }
    let values: Vec<ScalarValue> =
        params.iter().enumerate().map(|(at, value)| typed(at, value)).collect::<Result<_>>()?;
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
        Value::Array(_) | Value::Object(_) => {
            Err(Error::Params(format!("parameter ${} must be null, a boolean, a number or a text", at + 1)))
        }
    }
}
