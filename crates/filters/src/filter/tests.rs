use serde_json::{Value, json};

use super::*;
use crate::key::Key;
use crate::metadata;

fn parse(filter: &Value) -> Result<Filter> {
    Filter::parse(filter.as_object().unwrap())
}

#[test]
fn what_is_no_filter_is_refused_by_name() {
    for (filter, told) in [
        (json!({"a": {"like": "x"}}), "unknown operator \"like\""),
        (json!({"a": {"b": 1}}), "such as \"a.b\""),
        (json!({"a": {}}), "has no operator"),
        (json!({"a": [[1]]}), "neither text, number, true nor false"),
        (json!({"a": [{"gt": 1}]}), "neither text, number, true nor false"),
        (json!({"a": {"gte": null}}), "gte"),
        (json!({"a": {"lt": true}}), "lt"),
        (json!({"a": {"gt": [1]}}), "gt"),
        (json!({"a": {"prefix": 1}}), "prefix that is no text"),
        (json!({"a": {"gt": 1, "gte": 1}}), "two lower bounds"),
        (json!({"a": {"lt": 1, "lte": 1}}), "two upper bounds"),
        (json!({"a": {"gt": 1, "lt": "x"}}), "numbers and with texts at once"),
        (json!({"a": {"gt": 1, "prefix": "x"}}), "numbers and with texts at once"),
    ] {
        let refused = parse(&filter).unwrap_err().to_string();
        assert!(refused.starts_with("filter: \"a\" "), "{refused}");
        assert!(refused.contains(told), "{filter}: {refused}");
    }
}

#[test]
fn numbers_are_ordered_by_what_they_are_not_by_how_they_are_written() {
    let ascending = [
        "-1e300",
        "-18446744073709551616.0",
        "-9223372036854775808",
        "-1.5",
        "-1",
        "-0.5",
        "0",
        "1e-300",
        "0.5",
        "1",
        "1.5",
        "9007199254740992",
        "9007199254740993",
        "9223372036854775807",
        "9223372036854775808",
        "18446744073709551615",
        "1e20",
        "1e300",
    ];
    let key = |text: &&str| Key::of(&serde_json::from_str(text).unwrap()).unwrap();
    let keys: Vec<Key> = ascending.iter().map(key).collect();
    for (at, key) in keys.iter().enumerate() {
        for (other, than) in keys.iter().enumerate() {
            assert_eq!(key.cmp(than), at.cmp(&other), "{} and {}", ascending[at], ascending[other]);
        }
    }
    for same in [["1", "1.0"], ["-0.0", "0"], ["1e3", "1000"], ["18446744073709551616.0", "18446744073709551616"]] {
        assert_eq!(key(&same[0]), key(&same[1]), "{same:?}");
    }
}

/// The shortest form of a number may read as its neighbour; whoever asks for it as it was given shall find it.
#[test]
fn a_number_is_asked_for_as_it_is_read_back() {
    for text in ["0.1", "1.7976931348623157e308", "5e-324", "2.2250738585072011e-308", "123456789.12345678"] {
        let given = metadata::object(&format!("{{\"x\":{text}}}")).unwrap();
        let stored: Value = serde_json::from_slice(&serde_json::to_vec(&given).unwrap()).unwrap();
        assert_eq!(Key::of_asked(&given["x"]), Key::of(&stored["x"]), "{text}");
    }
}
