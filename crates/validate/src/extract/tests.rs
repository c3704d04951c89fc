use super::extract_json;

fn check(text: &str, expected: Option<&str>) {
    let found = extract_json(text).map(|object| serde_json::to_string(&object).unwrap());
    assert_eq!(found.as_deref(), expected, "{text}");
}

#[test]
fn the_twelve_cases_have_these_bytes() {
    check("Here it is:\n```json\n{\"a\": 1}\n```\nDone.", Some(r#"{"a":1}"#));
    check("```\n{\"a\": 1}\n```", Some(r#"{"a":1}"#));
    check("I would use {placeholders} here: {\"a\": 1}.", Some(r#"{"a":1}"#));
    check("{\"a\": 1} and then {\"b\": 2}", Some(r#"{"a":1}"#));
    check("[{\"a\": 1}, {\"b\": 2}]", Some(r#"{"a":1}"#));
    check("{\"a\": {\"b\": {\"c\": [1, {\"d\": 2}]}}}", Some(r#"{"a":{"b":{"c":[1,{"d":2}]}}}"#));
    check("{\"name\": \"Zoë Ångström 東京 🚜\"}", Some("{\"name\":\"Zoë Ångström 東京 🚜\"}"));
    check(r#"{"said": "a \"quoted\" } brace { and \\"}"#, Some(r#"{"said":"a \"quoted\" } brace { and \\"}"#));
    check("nothing to do: {}", Some("{}"));
    check("there is no object here, only 3 > 2 and [1, 2]", None);
    check("{not: json} {\"a\": 1,}", None);
    check("{\"a\": 1}}}] trailing { garbage", Some(r#"{"a":1}"#));
}

#[test]
fn what_is_no_json_is_passed_over_as_a_whole() {
    check("{fills: [{\"candidate_id\": \"W-1\"}]}", None);
    check("{bad} {\"a\": 1}", Some(r#"{"a":1}"#));
    check("an open { brace, then {\"a\": 1}", Some(r#"{"a":1}"#));
    check("a 5\" pipe {\"a\": 1}", Some(r#"{"a":1}"#));
    check("", None);
    check("{", None);
    check("}", None);
    check("{\"a\": 1", None);
}

#[test]
fn a_text_of_braces_takes_no_time_to_speak_of() {
    check(&"{".repeat(1 << 20), None);
    check(&"{\"a\":".repeat(1 << 18), None);
}
