use std::collections::BTreeMap;

use super::*;

/// The values of a record by column, strings in quotes.
fn read(names: &mut Names, text: &str) -> Result<BTreeMap<String, String>, Flaw> {
    let (mut out, mut entries) = (b"before".to_vec(), Vec::new());
    record(text.as_bytes(), names, &mut out, &mut entries)?;
    let columns = names.clone().settle().unwrap();
    let mut settled = names.clone();
    settled.settle();
    let value = |(key, cell): &Entry| {
        let text = String::from_utf8(cell.bytes(&out).to_vec()).unwrap();
        let text = if cell.is_quoted() { format!("{text:?}") } else { text };
        (columns[settled.column(*key).unwrap()].clone(), text)
    };
    Ok(entries.iter().map(value).collect())
}

fn check(text: &str, expected: &[(&str, &str)]) {
    let expected: BTreeMap<String, String> =
        expected.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    assert_eq!(read(&mut Names::new(Vec::new()), text), Ok(expected), "{text}");
}

fn refused(text: &str) -> String {
    match read(&mut Names::new(Vec::new()), text) {
        Err(Flaw::Syntax { at, reason }) => format!("{at}: {reason}"),
        Err(Flaw::Key { name, reason }) => format!("{name}: {reason}"),
        other => panic!("{text} is {other:?}"),
    }
}

#[test]
fn values_become_cells() {
    check("{}", &[]);
    check(
        r#" {"a" : 1 , "b":-0.5e+3,"c":true,"d":false,"e":null,"f":""} "#,
        &[("a", "1"), ("b", "-0.5e+3"), ("c", "true"), ("d", "false"), ("f", r#""""#)],
    );
    check(r#"{"a":{"b":{"c":1},"d":"x"},"e":{}}"#, &[("a.b.c", "1"), ("a.d", r#""x""#)]);
    check(r#"{"a":123456789012345678901234567890}"#, &[("a", "123456789012345678901234567890")]);
}

#[test]
fn arrays_become_their_text_without_white_space() {
    check(r#"{"a":[ 1 , {"b" : [ ] , "c":"x y\n"} , null ]}"#, &[("a", r#""[1,{\"b\":[],\"c\":\"x y\\n\"},null]""#)]);
    check("{\"a\":[]}", &[("a", "\"[]\"")]);
}

#[test]
fn escapes_are_resolved() {
    check(
        r#"{"a":"\"\\\/\b\f\n\r\t\u00e9\ud83e\udd80\u0000 é"}"#,
        &[("a", "\"\\\"\\\\/\\u{8}\\u{c}\\n\\r\\té🦀\\0 é\"")],
    );
    check(r#"{"\u0061":1,"b\"":2}"#, &[("a", "1"), ("b\"", "2")]);
}

#[test]
fn what_is_no_json_is_refused_at_its_place() {
    for (text, expected) in [
        ("1", "0: an object is expected, which begins with `{`"),
        ("", "0: an object is expected, which begins with `{`"),
        ("{", "1: a key in double quotes is expected"),
        ("{'a':1}", "1: a key in double quotes is expected"),
        ("{a:1}", "1: a key in double quotes is expected"),
        (r#"{"a"}"#, "4: a colon is expected after the key"),
        (r#"{"a":}"#, "5: a value is expected"),
        (r#"{"a":"#, "5: the text ends where a value is expected"),
        (r#"{"a":1,}"#, "7: a key in double quotes is expected"),
        (r#"{"a":1 "b":2}"#, "7: a comma or the end of the object is missing"),
        (r#"{"a":1} x"#, "8: something follows the object"),
        (r#"{"a":NaN}"#, "5: NaN and Infinity are no JSON values"),
        (r#"{"a":-Infinity}"#, "6: NaN and Infinity are no JSON values"),
        (r#"{"a":01}"#, "7: a number has digits, and no zero before them"),
        (r#"{"a":+1}"#, "5: a value is expected"),
        (r#"{"a":.5}"#, "5: a value is expected"),
        (r#"{"a":1.}"#, "7: digits are expected after the point"),
        (r#"{"a":1e}"#, "7: digits are expected in the exponent"),
        (r#"{"a":tru}"#, "5: a value is expected"),
        (r#"{"a":"x}"#, "8: a string is never closed"),
        ("{\"a\":\"x\ny\"}", "7: a control character stands in a string; it must be escaped"),
        (r#"{"a":"\x"}"#, "6: the escape after the backslash is none of JSON"),
        (r#"{"a":"\u12g4"}"#, "6: four hexadecimal digits are expected after \\u"),
        (r#"{"a":"\u+123"}"#, "6: four hexadecimal digits are expected after \\u"),
        (r#"{"a":"\ud800"}"#, "6: half of a surrogate pair is no character"),
        (r#"{"a":"\ud800\u0041"}"#, "6: half of a surrogate pair is no character"),
        (r#"{"a":"\udc00"}"#, "6: half of a surrogate pair is no character"),
        (r#"{"a":[1,]}"#, "8: a value is expected"),
        (r#"{"a":[1}"#, "7: a comma or a closing bracket is missing"),
    ] {
        assert_eq!(refused(text), expected, "{text}");
    }
}

#[test]
fn keys_that_make_no_column_of_their_own_are_refused() {
    for (text, expected) in [
        (r#"{"a":1,"a":2}"#, "a: the key stands twice in one object"),
        (r#"{"a":{"b":1},"a":{"c":1}}"#, "a: the key stands twice in one object"),
        (r#"{"a":null,"a":null}"#, "a: the key stands twice in one object"),
        (r#"{"a":1,"A":2}"#, "A: it is another key's name but for case"),
        (r#"{"a.b":1,"a":{"b":2}}"#, "a.b: another key makes the same column"),
        (r#"{"":1}"#, ": the key is blank"),
        (r#"{"a":{" ":1}}"#, "a. : the key is blank"),
        ("{\"a\\u0000\":1}", "a\0: the key holds a NUL"),
    ] {
        assert_eq!(refused(text), expected, "{text}");
    }
}

#[test]
fn nesting_has_a_limit() {
    let objects = |depth: usize| format!("{}1{}", "{\"a\":".repeat(depth), "}".repeat(depth));
    let arrays = |depth: usize| format!("{{\"a\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
    let mut names = Names::new(Vec::new());
    assert!(read(&mut names, &objects(128)).is_ok());
    assert!(read(&mut Names::new(Vec::new()), &arrays(127)).is_ok());
    for text in [objects(129), arrays(128), objects(1_000_000), arrays(1_000_000)] {
        assert!(refused(&text).contains("128 deep"));
    }
}

#[test]
fn a_refused_record_leaves_no_keys() {
    let mut names = Names::new(Vec::new());
    assert!(read(&mut names, r#"{"a":1,"b":null}"#).is_ok());
    assert!(read(&mut names, r#"{"b":2,"c":{"d":1},"e":3,"a":}"#).is_err());
    assert!(!names.has_grown() || names.len() == 3);
    assert_eq!(names.settle().unwrap(), ["a", "b"]);
    assert!(read(&mut names, r#"{"c":1}"#).is_ok(), "the key is new again");
    assert!(names.has_grown());
}
