use super::ValidationError;

fn every() -> [(ValidationError, &'static str); 4] {
    [
        (ValidationError::schema("x", "y"), r#"{"Schema":{"field":"x","reason":"y"}}"#),
        (ValidationError::completeness("y"), r#"{"Completeness":{"reason":"y"}}"#),
        (ValidationError::consistency("y"), r#"{"Consistency":{"reason":"y"}}"#),
        (ValidationError::policy("y"), r#"{"Policy":{"reason":"y"}}"#),
    ]
}

fn read(text: &str) -> Option<ValidationError> {
    serde_json::from_str(text).ok()
}

#[test]
fn the_bytes_on_the_wire_are_these() {
    for (error, bytes) in every() {
        assert_eq!(serde_json::to_string(&error).unwrap(), bytes);
        assert_eq!(read(bytes), Some(error));
    }
}

#[test]
fn the_flat_form_reads_as_the_same() {
    for (flat, (error, _)) in [
        r#"{"Kind":"schema","Field":"x","Reason":"y"}"#,
        r#"{"Kind":"completeness","Field":"","Reason":"y"}"#,
        r#"{"Kind":"consistency","Reason":"y"}"#,
        r#"{"Kind":"policy","Reason":"y"}"#,
    ]
    .into_iter()
    .zip(every())
    {
        assert_eq!(read(flat), Some(error), "{flat}");
    }
}

#[test]
fn what_is_unknown_is_an_error() {
    for text in [
        "{}",
        "null",
        r#""Schema""#,
        r#"{"Other":{"reason":"y"}}"#,
        r#"{"Schema":{"reason":"y"}}"#,
        r#"{"Policy":{"reason":"y","field":"x"}}"#,
        r#"{"Policy":{"reason":"y"},"Schema":{"field":"x","reason":"y"}}"#,
        r#"{"Kind":"other","Reason":"y"}"#,
        r#"{"Kind":"schema","Reason":"y"}"#,
        r#"{"Kind":"policy","Field":"x","Reason":"y"}"#,
        r#"{"Kind":"policy"}"#,
        r#"{"Kind":"policy","Reason":"y","More":1}"#,
    ] {
        assert_eq!(read(text), None, "{text}");
    }
}
