use serde_json::Value;

use super::object;

#[test]
fn what_is_read_is_what_was_written() {
    for text in [
        "{}",
        r#"{"a":18446744073709551615,"b":-9223372036854775808,"c":1e30,"d":1.5}"#,
        r#"{"a":{"b":[1,{"c":null}],"a":true},"b":"123456789012345678901234567890"}"#,
        r#"{"\"99999999999999999999":"\\\" 99999999999999999999 \\"}"#,
    ] {
        let expected: Value = serde_json::from_str(text).unwrap();
        assert_eq!(Value::Object(object(text).unwrap()), expected, "{text}");
    }
}

#[test]
fn what_would_not_be_kept_is_refused() {
    for (text, part) in [
        (r#"{"a":123456789012345678901234567890}"#, "the number 123456789012345678901234567890 does not fit 64 bits"),
        (r#"{"a":[1,{"b":-9223372036854775809}]}"#, "the number -9223372036854775809 does not fit"),
        (r#"{"a":"x","b":18446744073709551616}"#, "the number 18446744073709551616 does not fit"),
        (r#"{"a":1,"a":2}"#, r#"the name "a" stands twice"#),
        (r#"{"x":[{"a":1,"b":2,"\u0061":1}]}"#, r#"the name "a" stands twice"#),
        ("[1]", "it is not an object"),
        ("7", "it is not an object"),
        ("{", "EOF"),
        ("{} {}", "trailing characters"),
    ] {
        let refused = object(text).unwrap_err();
        assert!(refused.contains(part), "{text}: {refused}");
    }
}
