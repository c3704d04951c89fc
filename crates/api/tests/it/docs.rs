//! The page about the API: whole, and readable without anything from elsewhere.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use crate::stack::{Stack, get};

/// What the page's policy must say besides the hash of its style.
const POLICY: [&str; 4] = ["default-src 'none'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"];

#[tokio::test]
async fn the_page_shows_every_route_and_every_schema() {
    let gateway = Stack::open().await.gateway();
    let page = get(&gateway, "/docs").await.text();
    let document = get(&gateway, "/openapi.json").await.json();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            assert!(page.contains(&format!("<code>{} {path}</code>", method.to_uppercase())), "{method} {path}");
            assert!(
                page.contains(&format!("id=\"{}\"", operation["operationId"].as_str().unwrap())),
                "{method} {path}"
            );
        }
    }
    for name in document["components"]["schemas"].as_object().unwrap().keys() {
        assert!(page.contains(&format!("id=\"schema-{name}\"")), "{name}");
    }
    let targets = page.split("href=\"#").skip(1).filter_map(|rest| rest.split('"').next());
    for target in targets {
        assert!(page.contains(&format!("id=\"{target}\"")), "a link leads nowhere: {target}");
    }
}

#[tokio::test]
async fn the_page_needs_nothing_from_elsewhere_and_runs_nothing() {
    let answer = get(&Stack::open().await.gateway(), "/docs").await;
    assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, "text/html; charset=utf-8"));
    let (page, policy) = (answer.text(), answer.header("content-security-policy"));
    assert!(POLICY.iter().all(|part| policy.contains(part)) && !policy.contains("unsafe"), "{policy}");
    let style = page.split_once("<style>").and_then(|(_, rest)| rest.split_once("</style>")).unwrap().0;
    assert!(policy.contains(&format!("style-src 'sha256-{}'", STANDARD.encode(Sha256::digest(style)))), "{policy}");
    for outside in
        ["<script", "<link", "<img", "<iframe", "@import", "url(", "style=", "http://", "https://", "onclick"]
    {
        assert!(!tags(&page).contains(outside) && !style.contains(outside), "{outside}");
    }
}

/// What stands between `<` and `>`.
fn tags(page: &str) -> String {
    page.split('<').skip(1).filter_map(|rest| Some(format!("<{}>", rest.split_once('>')?.0))).collect()
}
