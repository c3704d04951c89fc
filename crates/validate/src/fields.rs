//! How members of an artifact are read: each refusal names the member.

use serde_json::{Map, Value};

use crate::artifact::CONTEXT;
use crate::invalid::ValidationError;

type Members = Map<String, Value>;

/// What the caller knows; empty when nothing was given.
pub(crate) fn context(members: &Members) -> Result<Option<&Members>, ValidationError> {
    match members.get(CONTEXT) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(context)) => Ok(Some(context)),
        Some(_) => Err(ValidationError::schema(CONTEXT, "must be an object")),
    }
}

/// A text that must be there.
pub(crate) fn text<'a>(
    members: &'a Members,
    name: &str,
    field: impl FnOnce() -> String,
) -> Result<&'a str, ValidationError> {
    match members.get(name) {
        None | Some(Value::Null) => Err(ValidationError::schema(field(), "is missing")),
        Some(Value::String(text)) if text.trim().is_empty() => {
            Err(ValidationError::schema(field(), "must not be empty"))
        }
        Some(Value::String(text)) => Ok(text),
        Some(_) => Err(ValidationError::schema(field(), "must be a text")),
    }
}

/// A text that may be absent, but not empty.
pub(crate) fn optional<'a>(
    members: Option<&'a Members>,
    name: &str,
    field: impl FnOnce() -> String,
) -> Result<Option<&'a str>, ValidationError> {
    let Some(members) = members else { return Ok(None) };
    match members.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(_) => text(members, name, field).map(Some),
    }
}

/// A whole number from 0 that must be there.
pub(crate) fn count(members: Option<&Members>, name: &str, field: &str) -> Result<u64, ValidationError> {
    match members.and_then(|members| members.get(name)) {
        None | Some(Value::Null) => Err(ValidationError::schema(field, "is missing")),
        Some(value) => value.as_u64().ok_or_else(|| ValidationError::schema(field, "must be a whole number from 0")),
    }
}

/// A list that must be there.
pub(crate) fn list<'a>(members: &'a Members, name: &str) -> Result<&'a [Value], ValidationError> {
    match members.get(name) {
        None | Some(Value::Null) => Err(ValidationError::schema(name, "is missing")),
        Some(Value::Array(items)) => Ok(items),
        Some(_) => Err(ValidationError::schema(name, "must be an array")),
    }
}
