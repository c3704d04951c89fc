use http::HeaderValue;

use super::*;

fn of(accept: &'static str) -> Option<Wanted> {
    let headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static(accept))]);
    wanted(&headers).ok()
}

#[test]
fn the_client_chooses() {
    assert_eq!(wanted(&HeaderMap::new()).ok(), Some(Wanted::Json));
    for (accept, form) in [
        ("*/*", Wanted::Json),
        ("", Wanted::Json),
        ("application/*", Wanted::Json),
        ("application/json", Wanted::Json),
        ("text/csv", Wanted::Stream(Format::Csv)),
        ("text/*", Wanted::Stream(Format::Csv)),
        ("TEXT/CSV; charset=utf-8", Wanted::Stream(Format::Csv)),
        ("application/vnd.apache.arrow.stream", Wanted::Stream(Format::Arrow)),
        ("application/x-ndjson", Wanted::Stream(Format::Ndjson)),
        ("text/html, application/x-ndjson;q=0.5", Wanted::Stream(Format::Ndjson)),
        ("application/json;q=0.2, text/csv;q=0.9", Wanted::Stream(Format::Csv)),
        ("*/*;q=0.1, application/json;q=0, text/csv", Wanted::Stream(Format::Csv)),
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
