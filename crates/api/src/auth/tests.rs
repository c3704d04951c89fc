use axum::body::Body;
use http::Method;

use super::*;

fn secret(text: &str) -> Option<Secret> {
    Some(Secret::new(text))
}

/// Whether a request with this token and from this address is let in, or the code of the refusal.
fn asked(auth: &Auth, method: Method, path: &str, token: Option<&str>, peer: &str) -> Result<(), &'static str> {
    let mut request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
    if let Some(token) = token {
        request.headers_mut().insert(AUTHORIZATION, format!("Bearer {token}").parse().unwrap());
    }
    let own = "127.0.0.1:3110".parse().unwrap();
    request.extensions_mut().insert(Arrived { own, peer: format!("{peer}:9").parse().unwrap() });
    auth.admit(&mut request).map_err(|why| base::Fault::code(&why))
}

fn read(auth: &Auth, token: Option<&str>) -> Result<(), &'static str> {
    asked(auth, Method::GET, "/v1/catalog/list", token, "127.0.0.1")
}

#[test]
fn without_tokens_and_addresses_everybody_is_let_in() {
    let auth = Auth::settle(&AuthConfig::default(), None, None).unwrap();
    assert!(!auth.has_token());
    assert_eq!(read(&auth, None), Ok(()));
    assert_eq!(read(&auth, Some("any")), Ok(()));
}

#[test]
fn the_first_of_setting_file_and_variable_is_the_token() {
    let config = AuthConfig { token: secret("stated"), ..AuthConfig::default() };
    for (config, file, env, holds) in [
        (&config, secret("file"), secret("env"), "stated"),
        (&AuthConfig::default(), secret("file"), secret("env"), "file"),
        (&AuthConfig::default(), None, secret("env"), "env"),
    ] {
        let auth = Auth::settle(config, file, env).unwrap();
        for token in ["stated", "file", "env"] {
            let expected = if token == holds { Ok(()) } else { Err("api.wrong_token") };
            assert_eq!(read(&auth, Some(token)), expected, "{token}");
        }
        assert_eq!(read(&auth, None), Err("api.no_token"));
    }
    assert!(!Auth::settle(&AuthConfig::default(), None, secret("")).unwrap().has_token(), "an empty variable is none");
}

#[test]
fn secondary_tokens_pass_and_named_ones_within_their_scopes() {
    let named = NamedToken { name: "loader".to_owned(), token: Secret::new("w"), scopes: vec![Scope::Write] };
    let reader = NamedToken { name: "reader".to_owned(), token: Secret::new("r"), scopes: vec![Scope::Read] };
    let secondary_tokens = vec![Secret::new("old"), Secret::new("older")];
    let config = AuthConfig { secondary_tokens, tokens: vec![named, reader], ..AuthConfig::default() };
    let auth = Auth::settle(&config, None, secret("new")).unwrap();
    for (token, reads, writes) in [
        ("new", Ok(()), Ok(())),
        ("old", Ok(()), Ok(())),
        ("older", Ok(()), Ok(())),
        ("r", Ok(()), Err("api.scope_missing")),
        ("w", Err("api.scope_missing"), Ok(())),
        ("ne", Err("api.wrong_token"), Err("api.wrong_token")),
        ("new2", Err("api.wrong_token"), Err("api.wrong_token")),
    ] {
        assert_eq!(read(&auth, Some(token)), reads, "{token}");
        assert_eq!(asked(&auth, Method::POST, "/ingest", Some(token), "127.0.0.1"), writes, "{token}");
    }
}

#[test]
fn the_address_is_asked_as_well_as_the_token() {
    let allowed_ips = ["10.0.0.0/8", "192.168.1.5", "2001:db8::/32"].map(str::to_owned).to_vec();
    let config = AuthConfig { token: secret("t"), allowed_ips, ..AuthConfig::default() };
    let auth = Auth::settle(&config, None, None).unwrap();
    for (peer, inside) in [
        ("10.9.9.9", true),
        ("[::ffff:10.9.9.9]", true),
        ("192.168.1.5", true),
        ("[2001:db8::7]", true),
        ("192.168.1.6", false),
        ("[::ffff:11.0.0.1]", false),
        ("127.0.0.1", false),
    ] {
        let ask = |token, path| asked(&auth, Method::GET, path, token, peer);
        assert_eq!(ask(Some("t"), "/x"), if inside { Ok(()) } else { Err("api.address_refused") }, "{peer}");
        assert_eq!(ask(None, "/x"), Err(if inside { "api.no_token" } else { "api.address_refused" }), "{peer}");
        assert_eq!(ask(None, "/health"), Ok(()), "health answers everybody");
    }
}

#[test]
fn settings_that_cannot_be_meant_are_refused_by_name() {
    let named = |token: &str, scopes: &[Scope]| {
        vec![NamedToken { name: "n".to_owned(), token: Secret::new(token), scopes: scopes.to_vec() }]
    };
    let open = AuthConfig::default;
    for (config, key) in [
        (AuthConfig { token: secret(""), ..open() }, "auth.token:"),
        (AuthConfig { token: secret("two words"), ..open() }, "auth.token:"),
        (AuthConfig { token: secret("schlüssel"), ..open() }, "auth.token:"),
        (AuthConfig { secondary_tokens: vec![Secret::new("")], ..open() }, "auth.secondary_tokens:"),
        (AuthConfig { secondary_tokens: vec![Secret::new("a"), Secret::new("a")], ..open() }, "auth.secondary_tokens:"),
        (AuthConfig { tokens: named("x", &[]), ..open() }, "auth.tokens (n):"),
        (AuthConfig { token: secret("x"), tokens: named("x", &[Scope::Read]), ..open() }, "auth.tokens (n):"),
        (AuthConfig { allowed_ips: vec!["10.0.0.0/99".to_owned()], ..open() }, "auth.allowed_ips (\"10.0.0.0/99\"):"),
        (AuthConfig { allowed_ips: vec!["example.com".to_owned()], ..open() }, "auth.allowed_ips (\"example.com\"):"),
    ] {
        let refused = Auth::settle(&config, None, None).unwrap_err().to_string();
        assert!(refused.starts_with(key), "{refused}");
        for token in ["two words", "schlüssel"] {
            assert!(!refused.contains(token), "{refused}");
        }
    }
    assert!(Auth::settle(&open(), secret(""), None).unwrap_err().to_string().starts_with("auth.token_file:"));
}

#[test]
fn an_authorization_that_is_no_single_bearer_token_is_wrong() {
    let auth = Auth::settle(&AuthConfig::default(), None, secret("t")).unwrap();
    let ask = |stated: &[&str]| {
        let mut headers = HeaderMap::new();
        for stated in stated {
            headers.append(AUTHORIZATION, stated.parse().unwrap());
        }
        bearer(&headers).map(|token| auth.scopes_of(token).is_some()).map_err(|why| base::Fault::code(&why))
    };
    assert_eq!(ask(&["Bearer t"]), Ok(true));
    assert_eq!(ask(&["bearer  t"]), Ok(true));
    assert_eq!(ask(&["Bearer T"]), Ok(false));
    for wrong in [vec!["Bearer"], vec!["Basic t"], vec!["t"], vec!["Bearer t", "Bearer t"]] {
        assert_eq!(ask(&wrong), Err("api.wrong_token"), "{wrong:?}");
    }
    assert_eq!(ask(&[]), Err("api.no_token"));
}

#[test]
fn nothing_that_is_shown_holds_a_token() {
    let reader = NamedToken { name: "r".to_owned(), token: Secret::new("hunter2"), scopes: vec![Scope::Read] };
    let config = AuthConfig { token: secret("hunter3"), tokens: vec![reader], ..AuthConfig::default() };
    let auth = Auth::settle(&config, None, None).unwrap();
    let shown = format!("{config:?} {auth:?} {}", serde_json::to_string(&config).unwrap());
    assert!(!shown.contains("hunter"), "{shown}");
}
