//! Whether an answer is what the description says of it.

use serde_json::{Map, Value};

use super::document;
use crate::stack::Answer;

/// Fails unless `answer` to `path` has a described status, content type and body.
pub fn check(method: &str, path: &str, answer: &Answer) {
    let whole = document::made();
    let paths = whole["paths"].as_object().expect("paths");
    let fits = |pattern: &str| {
        let (pattern, path): (Vec<&str>, Vec<&str>) = (pattern.split('/').collect(), path.split('/').collect());
        let part = |(pattern, given): (&&str, &&str)| pattern == given || pattern.starts_with('{');
        pattern.len() == path.len() && pattern.iter().zip(&path).all(part)
    };
    let exact = paths.get(path);
    let described = exact.or_else(|| paths.iter().find(|(pattern, _)| fits(pattern)).map(|(_, described)| described));
    let described = described.unwrap_or_else(|| panic!("{path} is not described"));
    let response = resolved(&described[method]["responses"][answer.status.as_str()]);
    let schema = &response["content"][answer.header("content-type")]["schema"];
    assert!(!schema.is_null(), "{method} {path}: {} {} is not described", answer.status, answer.header("content-type"));
    if !answer.header("content-type").ends_with("json") {
        return;
    }
    let mut faults = Vec::new();
    conform(schema, &answer.json(), "$", &mut faults);
    assert!(faults.is_empty(), "{method} {path}: {faults:?}\n{}", answer.text());
}

/// What a reference points at; anything else as it is.
pub fn resolved(schema: &Value) -> Value {
    let Some(reference) = schema["$ref"].as_str() else { return schema.clone() };
    let whole = document::made();
    whole.pointer(reference.trim_start_matches('#')).unwrap_or_else(|| panic!("{reference} is missing")).clone()
}

fn conform(schema: &Value, value: &Value, at: &str, faults: &mut Vec<String>) {
    let schema = resolved(schema);
    if let Some(choices) = schema["anyOf"].as_array() {
        let fits = |choice: &Value| {
            let mut inner = Vec::new();
            conform(choice, value, at, &mut inner);
            inner.is_empty()
        };
        if !choices.iter().any(fits) {
            faults.push(format!("{at} is none of its kinds"));
        }
        return;
    }
    if !is_of_type(&schema["type"], value) {
        faults.push(format!("{at} is not {}", schema["type"]));
    }
    match value {
        Value::Object(members) => members_conform(&schema, members, at, faults),
        Value::Array(elements) if schema.get("items").is_some() => {
            for (index, element) in elements.iter().enumerate() {
                conform(&schema["items"], element, &format!("{at}[{index}]"), faults);
            }
        }
        _ => {}
    }
}

fn members_conform(schema: &Value, members: &Map<String, Value>, at: &str, faults: &mut Vec<String>) {
    let Some(described) = schema["properties"].as_object() else { return };
    for needed in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        if !members.contains_key(needed) {
            faults.push(format!("{at}.{needed} is missing"));
        }
    }
    let is_open = schema.get("additionalProperties").is_some_and(|more| *more != Value::Bool(false));
    for (name, member) in members {
        match described.get(name) {
            Some(schema) => conform(schema, member, &format!("{at}.{name}"), faults),
            None if is_open => {}
            None => faults.push(format!("{at}.{name} is not described")),
        }
    }
}

fn is_of_type(ty: &Value, value: &Value) -> bool {
    match ty {
        Value::Array(choices) => choices.iter().any(|choice| is_of_type(choice, value)),
        Value::String(name) => match name.as_str() {
            "object" => value.is_object(),
            "array" => value.is_array(),
            "string" => value.is_string(),
            "integer" => value.is_i64() || value.is_u64(),
            "number" => value.is_number(),
            "boolean" => value.is_boolean(),
            "null" => value.is_null(),
            other => panic!("unknown type {other}"),
        },
        _ => true,
    }
}
