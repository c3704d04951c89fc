use serde_json::{Value as Json, json};

use super::*;

fn of_schema(schema: Json) -> Form {
    Form::of_schema(schema.as_object().unwrap()).unwrap()
}

/// Whether a form takes a text as a whole; it takes every beginning of one then.
fn takes(form: &Form, text: &str) -> bool {
    let mut read = form.begin();
    let whole = text.bytes().all(|byte| read.say(&[byte])) && read.is_whole();
    assert!(!whole || (0..text.len()).all(|end| form.begin().takes(&text.as_bytes()[..end])), "{text}");
    whole
}

#[track_caller]
fn check(form: &Form, good: &[&str], bad: &[&str]) {
    for text in good {
        assert!(takes(form, text), "it refuses {text}");
        serde_json::from_str::<Json>(text).unwrap();
    }
    for text in bad {
        assert!(!takes(form, text), "it takes {text}");
    }
}

#[test]
fn json_is_an_object_with_anything_in_it() {
    let good = [
        "{}",
        "{ }",
        r#"{"a": 1, "a": [true, false, null, -0.5e+10, "ß\n\u00df\\", {}], "b":{"c":[]}}"#,
        "{\n  \"a\": [\n    1,\n    [ ]\n  ]\n}",
        r#"{"":"😀"}"#,
    ];
    let bad = [
        "",
        "[]",
        "1",
        " {}",
        "{",
        "{]",
        "{,}",
        r#"{"a"}"#,
        r#"{"a" :1}"#,
        r#"{"a":01}"#,
        r#"{"a":1.}"#,
        r#"{"a":-}"#,
        r#"{"a":1e999}"#,
        r#"{"a":.5}"#,
        r#"{"a":1,}"#,
        r#"{"a":[1,]}"#,
        r#"{"a":tru}"#,
        r#"{"a":"\x"}"#,
        "{\"a\":\"\n\"}",
        r#"{"a":"\ud83d"}"#,
        r#"{"a":"\u12g4"}"#,
        "{}}",
        "{} ",
        "{\t}",
        r#"{'a':1}"#,
        r#"{"a":nullx}"#,
    ];
    check(&Form::json(), &good, &bad);
}

#[test]
fn bytes_that_are_no_utf_8_are_refused() {
    let form = Form::json();
    for bytes in [&b"\xff"[..], b"\xc3\"", b"\xe0\x80\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\x80", b"\xc0\x80"]
    {
        let text = [b"{\"", bytes].concat();
        assert!(!form.begin().takes(&text), "{bytes:?}");
    }
    assert!(form.begin().takes("{\"€😀\u{d7ff}\u{10ffff}".as_bytes()));
}

#[test]
fn values_lie_so_deep_and_no_deeper() {
    let deep = |depth: usize| format!("{{\"a\":{}1{}}}", "[".repeat(depth), "]".repeat(depth));
    check(&Form::json(), &[&deep(62)], &[&deep(64)]);
}

#[test]
fn members_come_as_they_are_required_and_others_may_be_left_out() {
    let form = of_schema(json!({
        "type": "object", "required": ["z", "a"], "additionalProperties": false,
        "properties": { "a": { "type": "integer" }, "m": { "type": "boolean" }, "n": { "type": "null" }, "z": {} },
    }));
    let good = [r#"{"z":[1],"a":2}"#, r#"{"z": {}, "a": -2, "m": true}"#, r#"{"z":"","a":0,"n":null}"#];
    let more = [r#"{"z":1,"a":2,"m":false,"n":null}"#];
    let bad = ["{}", r#"{"a":2,"z":1}"#, r#"{"z":1}"#, r#"{"z":1,"a":2,"n":null,"m":true}"#, r#"{"z":1,"a":2.0}"#];
    let other = [r#"{"z":1,"a":2,"x":3}"#, r#"{"z":1,"a":-0}"#, r#"{"z":1,"a":2,"m":1}"#, r#"{"z":1,"a":2,}"#];
    check(&form, &[&good[..], &more].concat(), &[&bad[..], &other].concat());
    check(
        &of_schema(json!({ "properties": { "a": {}, "b": {} } })),
        &["{}", r#"{"b":1}"#, r#"{"a":1,"b":1}"#],
        &["[]"],
    );
    check(&of_schema(json!({ "required": ["a"] })), &[r#"{"a":{"b":[]}}"#], &["{}", r#"{"b":1}"#]);
}

#[test]
fn lengths_counts_and_bounds_hold() {
    check(
        &of_schema(json!({ "type": "string", "minLength": 2, "maxLength": 3 })),
        &[r#""ßß""#, r#""\n\u00df\"""#],
        &[r#""a""#, r#""abcd""#, "ab"],
    );
    let items = json!({ "type": "array", "items": { "type": "integer", "minimum": 1 }, "minItems": 1, "maxItems": 2 });
    check(&of_schema(items), &["[1]", "[10, 2]"], &["[]", "[0]", "[1,2,3]", "[-1]", "[01]"]);
    let bounds = json!({ "type": "integer", "minimum": -20, "exclusiveMaximum": 106 });
    check(&of_schema(bounds), &["-20", "-1", "0", "9", "105", "99"], &["-21", "106", "-0", "1050", "1.0", "1e1"]);
    check(&of_schema(json!({ "type": "integer" })), &["999999999999999"], &["1000000000000000"]);
    check(&of_schema(json!({ "type": "number" })), &["-0.5e-10", "0", "12"], &["1e", "1e400", "+1", "--1"]);
    let wide = json!({ "type": "array", "maxItems": 0 });
    check(&of_schema(wide), &["[]", "[ ]"], &["[1]"]);
}

#[test]
fn literals_and_alternatives_are_read_in_every_way() {
    let form = of_schema(json!({ "enum": ["a", "ab", "a\"b", 1, 12, 123, null, { "a": [1] }] }));
    let good = ["\"a\"", "\"ab\"", "\"a\\\"b\"", "1", "12", "123", "null", r#"{"a":[1]}"#];
    check(&form, &good, &["\"b\"", "2", "1234", "nul", "\"abc\"", r#"{"a":[2]}"#]);
    check(&of_schema(json!({ "enum": ["a", 1, 1.5], "type": ["integer"] })), &["1"], &["\"a\"", "1.5"]);
    check(&of_schema(json!({ "const": "x" })), &["\"x\""], &["\"y\""]);
    check(&of_schema(json!({ "type": ["string", "null"], "maxLength": 1 })), &["\"a\"", "null"], &["\"ab\"", "1"]);
    let either =
        json!({ "anyOf": [{ "type": "integer" }, { "type": "number" }, { "type": "array", "items": { "const": 1 } }] });
    check(&of_schema(either), &["1", "1.5", "[1, 1]"], &["[2]", "true"]);
}

#[test]
fn what_is_whole_and_cannot_go_on_is_over() {
    let (form, number) = (Form::json(), of_schema(json!({ "type": "integer" })));
    let mut read = form.begin();
    assert!(read.say(b"{}") && read.is_whole() && read.is_over());
    let mut read = number.begin();
    assert!(read.say(b"12") && read.is_whole() && !read.is_over());
}

#[test]
fn blanks_do_not_go_on_for_ever() {
    assert!(!Form::json().begin().takes(format!("{{{}", " ".repeat(1 + usize::from(MOST_BLANKS))).as_bytes()));
}

#[test]
fn other_members_have_the_value_that_is_asked_for() {
    let open = of_schema(json!({ "type": "object", "additionalProperties": { "type": "integer" } }));
    check(&open, &["{}", r#"{"a": 1, "b": 2}"#], &[r#"{"a":"x"}"#, r#"{"a":{}}"#, r#"{"a":1.5}"#]);
    check(&of_schema(json!({ "type": "object", "additionalProperties": false })), &["{}"], &[r#"{"a":1}"#]);
    let required = of_schema(json!({ "required": ["a"], "additionalProperties": { "type": "null" } }));
    check(&required, &[r#"{"a":null}"#], &[r#"{"a":1}"#, "{}"]);
}

#[test]
fn alternatives_that_are_read_alike_are_one_way() {
    let item = json!({ "type": ["integer", "number"] });
    let form = of_schema(json!({ "type": "array", "items": item, "minItems": 40 }));
    let text = format!("[{}1]", "1, ".repeat(999));
    let mut read = form.begin();
    assert!(read.say(text.as_bytes()) && read.is_whole());
    let same = vec![json!({ "type": "object", "properties": { "a": { "type": "string" } } }); 9_000];
    let form = of_schema(json!({ "type": "array", "items": { "anyOf": same } }));
    let mut read = form.begin();
    assert!(read.say(br#"[{"a":"x"#) && read.ways.len() == 1, "{}", read.ways.len());
}

#[test]
fn ways_stay_few_however_alternatives_lie_in_one_another() {
    let deeper = |inner: Json| {
        let array = |least: u64| json!({ "type": "array", "items": inner, "minItems": least });
        json!({ "anyOf": [array(0), array(1), array(2)] })
    };
    let form = of_schema((0..7).fold(json!({ "type": "null" }), |inner, _| deeper(inner)));
    let mut read = form.begin();
    assert!(read.say(b"[[[[[[[null") && read.ways.len() <= MOST_WAYS, "{}", read.ways.len());
    assert!(read.say(b"]]]]]]]") && read.is_over());
}

#[test]
fn whole_numbers_may_be_written_with_a_point_in_a_schema() {
    let form = of_schema(json!({ "type": "integer", "minimum": 1.0, "maximum": 1e18 }));
    check(&form, &["1", "999999999999999"], &["0", "-1"]);
}
