//! JSON Schema, as far as packs may use it: a keyword that is not understood is refused, never passed over.

use serde_json::{Map, Value};

use crate::invalid::ValidationError;

#[cfg(test)]
mod tests;

/// Keywords that say something about a value.
const KEYWORDS: [&str; 16] = [
    "type",
    "enum",
    "const",
    "properties",
    "required",
    "additionalProperties",
    "items",
    "minItems",
    "maxItems",
    "minLength",
    "maxLength",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
];
/// Keywords that only describe.
const REMARKS: [&str; 6] = ["$schema", "$id", "title", "description", "examples", "$comment"];

/// Why a schema cannot be used: the keyword, or what is wrong with it.
pub(crate) fn flaw(schema: &Value) -> Option<String> {
    let Value::Object(members) = schema else {
        return (!schema.is_boolean()).then(|| "a schema is an object, or true or false".to_owned());
    };
    let unknown = members.keys().find(|key| !KEYWORDS.contains(&key.as_str()) && !REMARKS.contains(&key.as_str()));
    if let Some(unknown) = unknown {
        return Some(format!("the keyword {unknown:?} is not understood; {} are", KEYWORDS.join(", ")));
    }
    let wrong = members.iter().find(|(key, value)| !has_form(key, value));
    if let Some((key, _)) = wrong {
        return Some(format!("the value of {key:?} has not the form that the keyword has"));
    }
    let properties = members.get("properties").and_then(Value::as_object).into_iter().flat_map(Map::values);
    let inner = ["additionalProperties", "items"].into_iter().filter_map(|key| members.get(key));
    properties.chain(inner).find_map(flaw)
}

fn has_form(key: &str, value: &Value) -> bool {
    let is_type = |value: &Value| {
        let types = ["object", "array", "string", "number", "integer", "boolean", "null"];
        value.as_str().is_some_and(|name| types.contains(&name))
    };
    match key {
        "type" => is_type(value) || value.as_array().is_some_and(|types| types.iter().all(is_type)),
        "enum" => value.is_array(),
        "properties" => value.is_object(),
        "required" => value.as_array().is_some_and(|names| names.iter().all(Value::is_string)),
        "minItems" | "maxItems" | "minLength" | "maxLength" => value.is_u64(),
        "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum" => value.is_number(),
        "multipleOf" => value.as_f64().is_some_and(|step| step > 0.0),
        _ => true,
    }
}

/// Whether a value fits a schema without flaws; the refusal names the member by its path.
pub(crate) fn check(schema: &Value, value: &Value, path: &str) -> Result<(), ValidationError> {
    let refused = |reason: String| {
        let field = if path.is_empty() { "artifact" } else { path };
        Err(ValidationError::schema(field, reason))
    };
    let Value::Object(members) = schema else {
        return if *schema == Value::Bool(false) { refused("is not allowed".to_owned()) } else { Ok(()) };
    };
    let broken = members.iter().find(|(key, wanted)| !holds(key, wanted, value));
    if let Some((key, wanted)) = broken {
        return refused(format!("breaks {key:?}: {wanted}"));
    }
    match value {
        Value::Object(object) => check_members(members, object, path),
        Value::Array(items) => match members.get("items") {
            Some(each) => (0..).zip(items).try_for_each(|(at, item)| check(each, item, &format!("{path}[{at}]"))),
            None => Ok(()),
        },
        _ => Ok(()),
    }
}

fn check_members(schema: &Map<String, Value>, object: &Map<String, Value>, path: &str) -> Result<(), ValidationError> {
    let inside = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    let names = schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    if let Some(missing) = names.into_iter().find(|name| !object.contains_key(*name)) {
        return Err(ValidationError::schema(inside(missing), "is missing"));
    }
    let properties = schema.get("properties").and_then(Value::as_object);
    for (name, value) in object {
        let own = properties.and_then(|properties| properties.get(name));
        if let Some(schema) = own.or_else(|| schema.get("additionalProperties")) {
            check(schema, value, &inside(name))?;
        }
    }
    Ok(())
}

/// Whether one keyword holds of a value. Keywords about another type hold of it.
fn holds(key: &str, wanted: &Value, value: &Value) -> bool {
    let number = || Some((value.as_f64()?, wanted.as_f64()?));
    let length = || Some((value.as_str()?.chars().count() as u64, wanted.as_u64()?));
    let count = || Some((value.as_array()?.len() as u64, wanted.as_u64()?));
    match key {
        "type" => match wanted {
            Value::Array(types) => types.iter().any(|ty| is_of(ty, value)),
            ty => is_of(ty, value),
        },
        "enum" => wanted.as_array().is_some_and(|values| values.contains(value)),
        "const" => wanted == value,
        "minItems" => count().is_none_or(|(has, least)| has >= least),
        "maxItems" => count().is_none_or(|(has, most)| has <= most),
        "minLength" => length().is_none_or(|(has, least)| has >= least),
        "maxLength" => length().is_none_or(|(has, most)| has <= most),
        "minimum" => number().is_none_or(|(has, least)| has >= least),
        "maximum" => number().is_none_or(|(has, most)| has <= most),
        "exclusiveMinimum" => number().is_none_or(|(has, bound)| has > bound),
        "exclusiveMaximum" => number().is_none_or(|(has, bound)| has < bound),
        "multipleOf" => number().is_none_or(|(has, step)| (has / step).fract() == 0.0),
        _ => true,
    }
}

fn is_of(ty: &Value, value: &Value) -> bool {
    match ty.as_str() {
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("number") => value.is_number(),
        Some("integer") => value.as_f64().is_some_and(|number| number.fract() == 0.0),
        Some("boolean") => value.is_boolean(),
        Some("null") => value.is_null(),
        _ => false,
    }
}
