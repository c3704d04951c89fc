use serde_json::{Value, json};

use super::{check, flaw};

#[test]
fn values_fit_or_the_member_is_named() {
    let schema = json!({
        "type": "object",
        "required": ["to"],
        "properties": {
            "to": { "type": "string", "minLength": 2, "maxLength": 3 },
            "n": { "type": ["integer", "null"], "minimum": 1, "exclusiveMaximum": 5, "multipleOf": 2 },
            "list": { "type": "array", "minItems": 1, "maxItems": 2, "items": { "enum": ["a", "b"] } },
            "is": { "const": true },
        },
        "additionalProperties": false,
    });
    assert_eq!(flaw(&schema), None);
    for (value, field) in [
        (json!({ "to": "ab" }), None),
        (json!({ "to": "東京都", "n": 4, "list": ["a"], "is": true }), None),
        (json!({ "to": "ab", "n": null }), None),
        (json!([]), Some("artifact")),
        (json!({}), Some("to")),
        (json!({ "to": "a" }), Some("to")),
        (json!({ "to": "abcd" }), Some("to")),
        (json!({ "to": "ab", "n": 3 }), Some("n")),
        (json!({ "to": "ab", "n": 0 }), Some("n")),
        (json!({ "to": "ab", "n": 6 }), Some("n")),
        (json!({ "to": "ab", "n": 2.5 }), Some("n")),
        (json!({ "to": "ab", "list": [] }), Some("list")),
        (json!({ "to": "ab", "list": ["a", "c"] }), Some("list[1]")),
        (json!({ "to": "ab", "is": false }), Some("is")),
        (json!({ "to": "ab", "more": 1 }), Some("more")),
    ] {
        let told = check(&schema, &value, "").err().map(|error| error.to_string());
        let named = told.as_deref().map(|told| told.split(": ").nth(1).unwrap_or_default());
        assert_eq!(named, field, "{value}: {told:?}");
    }
}

#[test]
fn what_is_not_understood_is_no_schema() {
    for schema in [
        json!([]),
        json!({ "pattern": "a" }),
        json!({ "type": "text" }),
        json!({ "required": "to" }),
        json!({ "minItems": -1 }),
        json!({ "multipleOf": 0 }),
        json!({ "properties": { "a": { "$ref": "#" } } }),
        json!({ "items": { "oneOf": [] } }),
    ] {
        assert!(flaw(&schema).is_some(), "{schema}");
    }
    assert_eq!(flaw(&json!({ "title": "x", "items": true })), None);
    assert!(check(&Value::Bool(false), &json!(1), "a").is_err());
}
