use super::*;

#[test]
fn a_gateway_address_needs_a_scheme_and_a_host() {
    for wrong in ["", "127.0.0.1:3110", "localhost:3110", "ftp://x", "http://", "/v1"] {
        assert!(matches!(Client::remote(wrong), Err(Error::Request(_))), "{wrong}");
    }
    assert!(Client::remote("http://127.0.0.1:3110").is_ok());
}

#[test]
fn a_key_is_one_escaped_segment() {
    assert_eq!(segment("a/b c.csv"), "a%2Fb%20c.csv");
    assert_eq!(segment(".."), "%2E%2E");
    assert_eq!(segment("ü"), "%C3%BC");
}

#[test]
fn only_given_pairs_make_a_query() {
    let some = with_query("/v1/x", &[("a", Some("1 2&3".to_owned())), ("b", None)]);
    assert_eq!(some, "/v1/x?a=1+2%263");
    assert_eq!(with_query("/v1/x", &[("a", None)]), "/v1/x");
}

#[test]
fn a_token_must_fit_into_a_header() {
    let client = || Client::remote("http://127.0.0.1:3110").unwrap();
    assert!(client().with_token("s3cret").is_ok());
    let refused = client().with_token("a\nb").err().expect("a refusal");
    assert!(!refused.to_string().contains("a\nb"), "{refused}");
}
