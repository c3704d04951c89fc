use http::HeaderValue;

use super::*;

const FORMS: [(&str, char); 4] = [
    ("application/json", 'j'),
    ("application/vnd.apache.arrow.stream", 'a'),
    ("text/csv", 'c'),
    ("application/x-ndjson", 'n'),
];

fn of(accept: &'static str) -> Option<char> {
    let headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static(accept))]);
    best(&headers, &FORMS).ok()
}

#[test]
fn the_client_chooses() {
    assert_eq!(best(&HeaderMap::new(), &FORMS).ok(), Some('j'));
    for (accept, form) in [
        ("*/*", 'j'),
        ("", 'j'),
        ("application/*", 'j'),
        ("application/json", 'j'),
        ("text/csv", 'c'),
        ("text/*", 'c'),
        ("TEXT/CSV; charset=utf-8", 'c'),
        ("application/vnd.apache.arrow.stream", 'a'),
        ("application/x-ndjson", 'n'),
        ("text/html, application/x-ndjson;q=0.5", 'n'),
        ("application/json;q=0.2, text/csv;q=0.9", 'c'),
        ("*/*;q=0.1, application/json;q=0, text/csv", 'c'),
    ] {
        assert_eq!(of(accept), Some(form), "{accept}");
    }
}

#[test]
fn a_client_that_accepts_none_of_the_forms_is_told() {
    for accept in ["text/html", "image/*", "application/json;q=0", "application/json;q=x", "application/xml, text/html"]
    {
        assert_eq!(of(accept), None, "{accept}");
    }
}

#[test]
fn what_there_is_is_told() {
    let headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static("text/html"))]);
    let refused = |forms: &[(&'static str, char)]| best(&headers, forms).unwrap_err().to_string();
    assert_eq!(refused(&FORMS[..1]), "this route answers application/json");
    assert_eq!(refused(&FORMS[..2]), "this route answers application/json or application/vnd.apache.arrow.stream");
}
