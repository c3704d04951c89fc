//! The routes of storaged.

use axum::body::Body;
use http::Method;

use crate::stack::{Stack, get, put, request, send};

const SHA256_OF_HELLO: &str = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";

#[tokio::test]
async fn an_object_goes_in_and_comes_back() {
    let stack = Stack::open().await;
    let gateway = stack.gateway();
    let first = put(&gateway, "a%20b/%C3%BC%22.txt", "hello").await;
    assert_eq!(first.status, 201, "{}", first.text());
    let stored = first.json();
    let members: Vec<&String> = stored.as_object().unwrap().keys().collect();
    assert_eq!(members, ["etag", "key", "sha256", "size"]);
    assert!(first.text().starts_with(r#"{"key":"a b/ü\".txt","size":5,"etag":""#), "{}", first.text());
    assert_eq!(stored["sha256"], SHA256_OF_HELLO);

    let read = get(&gateway, "/v1/storage/objects/a%20b/%C3%BC%22.txt").await;
    assert_eq!((read.status.as_u16(), read.text().as_str()), (200, "hello"));
    assert_eq!(read.header("content-length"), "5");
    assert_eq!(read.header("etag"), format!("{:?}", stored["etag"].as_str().unwrap()));
    assert_eq!(read.header("accept-ranges"), "bytes");
    assert_eq!(put(&gateway, "a%20b/%C3%BC%22.txt", "hello").await.status, 200, "replaced");
}

#[tokio::test]
async fn ranges_and_conditions_are_http() {
    let stack = Stack::open().await;
    let gateway = stack.gateway();
    let etag = format!("{:?}", put(&gateway, "k", "0123456789").await.json()["etag"].as_str().unwrap());
    let path = "/v1/storage/objects/k";
    for (range, status, place, body) in [
        ("bytes=2-4", 206, "bytes 2-4/10", "234"),
        ("bytes=7-", 206, "bytes 7-9/10", "789"),
        ("bytes=-2", 206, "bytes 8-9/10", "89"),
        ("bytes=0-0,5-6", 200, "", "0123456789"),
        ("nonsense", 200, "", "0123456789"),
    ] {
        let answer = send(&gateway, request(Method::GET, path, &[("range", range)], Body::empty())).await;
        assert_eq!((answer.status.as_u16(), answer.text().as_str()), (status, body), "{range}");
        assert_eq!(answer.header("content-range"), place);
        assert_eq!(answer.header("content-length"), body.len().to_string());
    }
    let beyond = send(&gateway, request(Method::GET, path, &[("range", "bytes=10-")], Body::empty())).await;
    assert_eq!((beyond.status.as_u16(), beyond.header("content-range")), (416, "bytes */10"));

    for method in [Method::GET, Method::HEAD] {
        let known = send(&gateway, request(method, path, &[("if-none-match", &etag)], Body::empty())).await;
        assert_eq!((known.status.as_u16(), known.header("etag"), known.body.len()), (304, etag.as_str(), 0));
    }
    let head = send(&gateway, request(Method::HEAD, path, &[], Body::empty())).await;
    assert_eq!((head.status.as_u16(), head.header("content-length"), head.body.len()), (200, "10", 0));

    let path_of = |key: &str| format!("/v1/storage/objects/{key}");
    for (key, headers, status) in [
        ("k", [("if-none-match", "*")], 412),
        ("new", [("if-none-match", "*")], 201),
        ("k", [("if-match", "\"other\"")], 412),
        ("absent", [("if-match", "\"other\"")], 412),
        ("k", [("if-match", etag.as_str())], 200),
    ] {
        let answer = send(&gateway, request(Method::PUT, &path_of(key), &headers, "x")).await;
        assert_eq!(answer.status, status, "{key} {headers:?}: {}", answer.text());
    }
}

#[tokio::test]
async fn delete_is_204_whether_or_not_there_was_something() {
    let stack = Stack::open().await;
    let gateway = stack.gateway();
    put(&gateway, "k", "x").await;
    for _ in 0..2 {
        let answer = send(&gateway, request(Method::DELETE, "/v1/storage/objects/k", &[], Body::empty())).await;
        assert_eq!((answer.status.as_u16(), answer.body.len()), (204, 0));
    }
    assert_eq!(get(&gateway, "/v1/storage/objects/k").await.status, 404);
}

#[tokio::test]
async fn an_entity_tag_guards_reads_and_deletes() {
    let stack = Stack::open().await;
    let gateway = stack.gateway();
    let etag = format!("{:?}", put(&gateway, "k", "hello").await.json()["etag"].as_str().unwrap());
    let ask = async |method, key: &str, headers: &[(&str, &str)]| {
        send(&gateway, request(method, &format!("/v1/storage/objects/{key}"), headers, Body::empty())).await
    };
    let several = format!("\"x\", {etag}");
    let weak = format!("W/{etag}");
    for method in [Method::GET, Method::HEAD] {
        for met in ["*", &etag, &several] {
            assert_eq!(ask(method.clone(), "k", &[("if-match", met)]).await.status, 200, "{method} {met}");
        }
        for unmet in ["\"no\"", "no", "", &weak, etag.trim_matches('"')] {
            assert_eq!(ask(method.clone(), "k", &[("if-match", unmet)]).await.status, 412, "{method} {unmet}");
        }
        let both = [("if-match", "\"no\""), ("if-none-match", etag.as_str())];
        assert_eq!(ask(method.clone(), "k", &both).await.status, 412, "If-Match comes first");
        assert_eq!(ask(method, "absent", &[("if-match", "*")]).await.status, 404);
    }
    let range = [("range", "bytes=99-"), ("if-match", "\"no\"")];
    assert_eq!(ask(Method::GET, "k", &range).await.code(), "storage.precondition_failed");

    for (headers, status, code) in [
        ([("if-match", "\"no\"")], 412, "storage.precondition_failed"),
        ([("if-match", "*")], 400, "api.bad_header"),
        ([("if-match", weak.as_str())], 400, "api.bad_header"),
        ([("if-none-match", "*")], 400, "api.bad_header"),
        ([("if-unmodified-since", "Sun, 22 Nov 2026 00:00:00 GMT")], 400, "api.bad_header"),
    ] {
        let refused = ask(Method::DELETE, "k", &headers).await;
        assert_eq!((refused.status.as_u16(), refused.code().as_str()), (status, code), "{headers:?}");
    }
    assert_eq!(get(&gateway, "/v1/storage/objects/k").await.text(), "hello");
    assert_eq!(ask(Method::DELETE, "absent", &[("if-match", &etag)]).await.status, 412);
    assert_eq!(ask(Method::DELETE, "k", &[("if-match", &etag)]).await.status, 204);
    assert_eq!(get(&gateway, "/v1/storage/objects/k").await.status, 404);
}

#[tokio::test]
async fn a_condition_that_cannot_be_read_is_not_passed_over() {
    let stack = Stack::open().await;
    let gateway = stack.gateway();
    put(&gateway, "k", "hello").await;
    for method in [Method::PUT, Method::DELETE] {
        let mut twice = request(method.clone(), "/v1/storage/objects/k", &[("if-match", "\"a\"")], "x");
        twice.headers_mut().append("if-match", "\"b\"".parse().unwrap());
        assert_eq!(send(&gateway, twice).await.code(), "api.bad_header");
        let mut odd = request(method, "/v1/storage/objects/k", &[], "x");
        odd.headers_mut().insert("if-match", http::HeaderValue::from_bytes("\"é\"".as_bytes()).unwrap());
        assert_eq!(send(&gateway, odd).await.code(), "api.bad_header");
    }
    assert_eq!(get(&gateway, "/v1/storage/objects/k").await.text(), "hello");
}

#[tokio::test]
async fn lists_come_in_pages_and_in_order() {
    let stack = Stack::open().await;
    let gateway = stack.gateway();
    for key in ["b", "a/2", "a/1", "c%20d", "a/3"] {
        assert_eq!(put(&gateway, key, "x").await.status, 201);
    }
    let mut keys = Vec::new();
    let mut after = String::new();
    loop {
        let page = get(&gateway, &format!("/v1/storage/list?limit=2{after}")).await.json();
        let objects = page["objects"].as_array().unwrap().clone();
        assert!(objects.len() <= 2);
        keys.extend(objects.iter().map(|object| object["key"].as_str().unwrap().to_owned()));
        let Some(next) = page["next"].as_str() else { break };
        after = format!("&after={}", next.replace(' ', "%20"));
    }
    assert_eq!(keys, ["a/1", "a/2", "a/3", "b", "c d"]);
    let some = get(&gateway, "/v1/storage/list?prefix=a/&after=a/1").await;
    let shown: Vec<String> = some.json()["objects"][0].as_object().unwrap().keys().cloned().collect();
    assert_eq!(shown, ["etag", "key", "modified", "size"]);
    assert_eq!(some.json()["objects"].as_array().unwrap().len(), 2);
    assert!(some.json().get("next").is_none());
}
