use serde_json::json;

use super::*;

#[track_caller]
fn refused(schema: Json, expected: &str) {
    let error = Form::of_schema(schema.as_object().unwrap()).unwrap_err();
    assert_eq!(error.to_string(), expected);
}

#[test]
fn what_cannot_be_forced_is_refused_by_its_name_and_place() {
    let known = KEYWORDS.join(", ");
    let inner = json!({ "properties": { "a": { "items": { "type": "string", "pattern": "^a" } } } });
    let expected =
        format!("`format` is refused at /properties/a/items: the keyword \"pattern\" cannot be forced; {known} can");
    refused(inner, &expected);
    refused(
        json!({ "type": "float" }),
        &format!("`format` is refused at /: no type is called \"float\"; {} are", TYPES.join(", ")),
    );
    let cases = [
        (json!({ "type": "number", "minimum": 1 }), "\"minimum\" can be forced of integers only"),
        (json!({ "type": "integer", "minimum": 2, "maximum": 1 }), "no integer of at most 15 digits is in its bounds"),
        (json!({ "type": "integer", "minimum": 1.5 }), "\"minimum\" is an integer"),
        (json!({ "type": "string", "minLength": 3, "maxLength": 2 }), "nothing is as long as it asks for"),
        (json!({ "type": "string", "maxLength": -1 }), "\"maxLength\" is a whole number"),
        (json!({ "enum": [] }), "\"enum\" is a list that is not empty"),
        (json!({ "type": 1 }), "`type` is a name or a list of names"),
        (json!({ "properties": [] }), "`properties` is an object"),
        (json!({ "anyOf": [{}], "properties": {} }), "\"properties\" cannot be forced beside \"anyOf\""),
        (json!({ "enum": ["a"], "maxLength": 1 }), "\"maxLength\" cannot be forced beside \"enum\""),
        (json!({ "enum": ["a"], "type": "integer" }), "nothing of what it lists has its type"),
        (json!({ "maxLength": 1 }), "\"maxLength\" can be forced only where `type` says of what"),
        (json!({ "required": [1] }), "`required` is a list of names"),
        (json!({ "required": ["a", "a"] }), "`required` names \"a\" twice"),
        (json!({ "required": ["a"], "additionalProperties": false }), "\"a\" is required and may not be there"),
        (json!({ "type": "integer", "minimum": 1e15 }), "no integer of at most 15 digits is in its bounds"),
    ];
    for (schema, rule) in cases {
        refused(schema, &format!("`format` is refused at /: {rule}"));
    }
    refused(
        json!({ "anyOf": [{}, false] }),
        "`format` is refused at /anyOf/1: it is no schema that anything could fit",
    );
}

#[test]
fn what_only_describes_is_passed_over() {
    let schema =
        json!({ "$schema": "x", "title": "x", "description": "x", "default": 1, "examples": [], "type": "null" });
    assert!(Form::of_schema(schema.as_object().unwrap()).is_ok());
}

#[test]
fn a_schema_that_is_too_deep_is_refused() {
    let deep = (0..64).fold(json!({ "type": "null" }), |inner, _| json!({ "type": "array", "items": inner }));
    let error = Form::of_schema(deep.as_object().unwrap()).unwrap_err();
    assert!(error.to_string().ends_with(": it is too large"), "{error}");
}

#[test]
fn more_alternatives_than_can_be_followed_are_refused() {
    let many =
        |count: usize| -> Vec<Json> { (0..count).map(|at| json!({ "type": "string", "minLength": at })).collect() };
    refused(json!({ "anyOf": many(300) }), "`format` is refused at /: it has 300 alternatives, 256 can be forced");
    let nested = json!({ "anyOf": [{ "anyOf": many(256) }, { "type": "null" }] });
    refused(nested, "`format` is refused at /: it has 257 alternatives, 256 can be forced");
    let members: Members = (0..300).map(|at| (at.to_string(), json!({}))).collect();
    refused(
        json!({ "properties": members }),
        "`format` is refused at /: 300 members may be left out, less than 256 can",
    );
}
