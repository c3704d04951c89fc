use axum::body::Body;
use http::Method;
use storage::Secret;

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
    let auth = Auth::settle(&AuthConfig::default()).unwrap();
    assert!(!auth.has_token());
    assert_eq!(read(&auth, None), Ok(()));
    assert_eq!(read(&auth, Some("any")), Ok(()));
}

#[test]
fn secondary_tokens_pass_and_named_ones_within_their_scopes() {
    let named = NamedToken { name: "loader".to_owned(), token: Secret::new("w"), scopes: vec![Scope::Write] };
    let reader = NamedToken { name: "reader".to_owned(), token: Secret::new("r"), scopes: vec![Scope::Read] };
    let secondary_tokens = vec![Secret::new("old"), Secret::new("older")];
    let config =
        AuthConfig { token: secret("new"), secondary_tokens, tokens: vec![named, reader], ..AuthConfig::default() };
    let auth = Auth::settle(&config).unwrap();
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
    let allowed_ips =
        ["10.0.0.0/8", "192.168.1.5", "2001:db8::/32", "::ffff:172.16.0.0/108"].map(str::to_owned).to_vec();
    let config = AuthConfig { token: secret("t"), allowed_ips, ..AuthConfig::default() };
    let auth = Auth::settle(&config).unwrap();
    for (peer, inside) in [
        ("10.9.9.9", true),
        ("[::ffff:10.9.9.9]", true),
        ("192.168.1.5", true),
        ("[2001:db8::7]", true),
        ("172.17.1.1", true),
        ("[::ffff:172.17.1.1]", true),
        ("172.33.1.1", false),
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
    let unnamed = vec![NamedToken { name: String::new(), token: Secret::new("x"), scopes: vec![Scope::Read] }];
    for (config, key) in [
        (AuthConfig { token: secret(""), ..open() }, "auth.token:"),
        (AuthConfig { token: secret("two words"), ..open() }, "auth.token:"),
        (AuthConfig { token: secret("schlüssel"), ..open() }, "auth.token:"),
        (AuthConfig { secondary_tokens: vec![Secret::new("")], ..open() }, "auth.secondary_tokens:"),
        (AuthConfig { secondary_tokens: vec![Secret::new("a"), Secret::new("a")], ..open() }, "auth.secondary_tokens:"),
        (AuthConfig { tokens: named("x", &[]), ..open() }, "auth.tokens (n):"),
        (AuthConfig { tokens: named("x", &[Scope::Legal]), ..open() }, "auth.tokens (n):"),
        (AuthConfig { token: secret("x"), tokens: named("x", &[Scope::Read]), ..open() }, "auth.tokens (n):"),
        (
            AuthConfig { allowed_ips: vec!["10.0.0.0/99".to_owned()], ..open() },
            r#"auth.allowed_ips (["10.0.0.0/99"]):"#,
        ),
        (
            AuthConfig { allowed_ips: ["a", "10.0.0.1", "b"].map(str::to_owned).to_vec(), ..open() },
            r#"auth.allowed_ips (["a", "b"]):"#,
        ),
        (
            AuthConfig { tokens: [named("x", &[Scope::Read]), named("y", &[Scope::Read])].concat(), ..open() },
            "auth.tokens (n):",
        ),
        (AuthConfig { tokens: unnamed, ..open() }, "auth.tokens ():"),
    ] {
        let refused = Auth::settle(&config).unwrap_err().to_string();
        assert!(refused.starts_with(key), "{refused}");
        for token in ["two words", "schlüssel"] {
            assert!(!refused.contains(token), "{refused}");
        }
    }
}

#[test]
fn an_authorization_that_is_no_single_bearer_token_is_wrong() {
    let auth = Auth::settle(&AuthConfig { token: secret("t"), ..AuthConfig::default() }).unwrap();
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
    let auth = Auth::settle(&config).unwrap();
    let shown = format!("{config:?} {auth:?} {}", serde_json::to_string(&config).unwrap());
    assert!(!shown.contains("hunter"), "{shown}");
}
