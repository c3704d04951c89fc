//! Bad requests, all through one gateway: each gets its documented refusal, none hurts the process.

use axum::body::Body;
use http::{Method, Request};

use crate::stack::{Stack, get, ingest, post_json, put, request, send};
use crate::vector_refusals;

const JSON: &str = "application/json";
const CSV: &str = "text/csv";

/// What is sent, the status, and the code that is answered.
pub type Case = (Method, String, Vec<(&'static str, String)>, Vec<u8>, u16, &'static str);

pub fn case(method: Method, path: &str, status: u16, code: &'static str) -> Case {
    (method, path.to_owned(), Vec::new(), Vec::new(), status, code)
}

pub fn json(path: &str, body: &str, status: u16, code: &'static str) -> Case {
    let headers = vec![("content-type", JSON.to_owned())];
    (Method::POST, path.to_owned(), headers, body.as_bytes().to_vec(), status, code)
}

fn csv(query: &str, body: &[u8], status: u16, code: &'static str) -> Case {
    let headers = vec![("content-type", CSV.to_owned())];
    (Method::POST, format!("/v1/ingest{query}"), headers, body.to_vec(), status, code)
}

pub fn with(mut case: Case, name: &'static str, value: &str) -> Case {
    case.2.retain(|(known, _)| *known != name);
    case.2.push((name, value.to_owned()));
    case
}

fn routes() -> Vec<Case> {
    let mut cases = Vec::new();
    for path in [
        "/",
        "/v1",
        "/v1/",
        "/v1/nothing",
        "/v1/catalog",
        "/v1/catalog/nothing",
        "/v1//catalog/list",
        "/v1/../health",
        "/v1/health",
        "/v2/catalog/list",
        "/catalog/list",
        "/v1/metrics",
        "/v1/catalog/manifest/a/b",
        "/v1/storage",
        "/etc/passwd",
    ] {
        cases.push(case(Method::GET, path, 404, "api.no_route"));
    }
    for (method, path) in [
        (Method::POST, "/health"),
        (Method::GET, "/v1/ingest"),
        (Method::GET, "/v1/sql"),
        (Method::GET, "/v1/sql/x"),
        (Method::PUT, "/v1/catalog/list"),
        (Method::DELETE, "/v1/catalog/register"),
        (Method::POST, "/v1/storage/objects/k"),
        (Method::PATCH, "/v1/storage/list"),
    ] {
        cases.push(case(method, path, 405, "api.method_not_allowed"));
    }
    for (method, path) in [
        (Method::PUT, "/v1/storage/objects/there?x=1"),
        (Method::GET, "/v1/storage/objects/there?versionId=3"),
        (Method::DELETE, "/v1/storage/objects/there?force"),
        (Method::GET, "/v1/catalog/versions/1?as_of=1"),
        (Method::POST, "/v1/catalog/register?dry_run=1"),
        (Method::POST, "/v1/sql?max_rows=3"),
        (Method::DELETE, "/v1/sql/x?x=1"),
        (Method::GET, "/health?x=1"),
        (Method::GET, "/readyz?verbose"),
        (Method::GET, "/metrics?name=x"),
    ] {
        cases.push(case(method, path, 400, "api.bad_parameter"));
    }
    cases.push(case(Method::GET, "/v1/catalog/versions/999/diff", 404, "catalog.unknown_version"));
    cases.push(case(Method::DELETE, "/v1/catalog/datasets/nobody", 404, "catalog.unknown_dataset"));
    cases.push(case(Method::POST, "/v1/catalog/rollback/people", 400, "api.bad_body"));
    cases
}

fn objects() -> Vec<Case> {
    let mut cases = Vec::new();
    let (long_key, long_component) = ("k/".repeat(512) + "kk", "c".repeat(256));
    for key in [
        "",
        "/a",
        "a//b",
        "a/",
        "a%00b",
        "a%0Ab",
        "a%0Db",
        "a%09b",
        "..",
        "a/../b",
        "a/%2e%2e/b",
        &long_key,
        &long_component,
    ] {
        cases.push(case(Method::PUT, &format!("/v1/storage/objects/{key}"), 400, "storage.invalid_key"));
    }
    for path in ["storage/objects/a%ffb", "catalog/manifest/%ff", "catalog/tags/%ff", "vectors/index/%ff"] {
        cases.push(case(Method::GET, &format!("/v1/{path}"), 400, "api.bad_parameter"));
    }
    for key in ["_lake/format.json", "_lake/log/1", "tables/x", "indexes/x", "runs/x"] {
        cases.push(case(Method::PUT, &format!("/v1/storage/objects/{key}"), 403, "storage.reserved"));
        cases.push(case(Method::DELETE, &format!("/v1/storage/objects/{key}"), 403, "storage.reserved"));
    }
    cases.push(case(Method::GET, "/v1/storage/objects/absent", 404, "storage.not_found"));
    cases.push(case(Method::GET, "/v1/storage/objects/tables/absent", 404, "storage.not_found"));
    cases.push(case(Method::PUT, "/v1/storage/objects/there/below", 409, "storage.key_is_prefix"));
    let there = |method, status, code| case(method, "/v1/storage/objects/there", status, code);
    cases.push(with(there(Method::PUT, 400, "api.bad_header"), "if-none-match", "\"x\""));
    cases.push(with(there(Method::PUT, 400, "api.bad_header"), "if-match", "x"));
    let both = with(there(Method::PUT, 400, "api.bad_header"), "if-match", "\"x\"");
    cases.push(with(both, "if-none-match", "*"));
    cases.push(with(there(Method::PUT, 400, "api.bad_header"), "content-range", "bytes 0-0/5"));
    cases.push(with(there(Method::PUT, 400, "api.bad_header"), "if-unmodified-since", "Sun, 22 Nov 2026 00:00:00 GMT"));
    cases.push(with(there(Method::PUT, 412, "storage.precondition_failed"), "if-none-match", "*"));
    cases.push(with(there(Method::PUT, 412, "storage.precondition_failed"), "if-match", "\"x\""));
    cases.push(with(there(Method::PUT, 413, "storage.too_large"), "content-length", "1048577"));
    cases.push(with(there(Method::GET, 416, "storage.range"), "range", "bytes=99-"));
    for query in
        ["limit=0", "limit=10001", "limit=abc", "limit=-1", "limit=1&limit=2", "colour=red", "prefix=a&Prefix=b"]
    {
        cases.push(case(Method::GET, &format!("/v1/storage/list?{query}"), 400, "api.bad_parameter"));
    }
    cases
}

fn registrations() -> Vec<Case> {
    let register = |body: &str, status, code| json("/v1/catalog/register", body, status, code);
    let mut cases = Vec::new();
    for body in [
        "",
        "{",
        "null",
        "[]",
        "\"x\"",
        "1",
        "{}",
        "nonsense",
        "{\"name\":\"a\"} trailing",
        r#"["a","f",[],1]"#,
        r#"{"name":1,"schema_fingerprint":"f","objects":[],"row_count":1}"#,
        r#"{"name":null,"schema_fingerprint":"f","objects":[],"row_count":1}"#,
        r#"{"name":"a","objects":[],"row_count":1}"#,
        r#"{"name":"a","schema_fingerprint":"f","row_count":1}"#,
        r#"{"name":"a","schema_fingerprint":"f","objects":[]}"#,
        r#"{"name":"a","schema_fingerprint":"f","objects":{},"row_count":1}"#,
        r#"{"name":"a","schema_fingerprint":"f","objects":["k"],"row_count":1}"#,
        r#"{"name":"a","schema_fingerprint":"f","objects":[{}],"row_count":1}"#,
        r#"{"name":"a","schema_fingerprint":"f","objects":[{"key":"k","colour":1}],"row_count":1}"#,
        r#"{"name":"a","schema_fingerprint":"f","objects":[],"row_count":-1}"#,
        r#"{"name":"a","schema_fingerprint":"f","objects":[],"row_count":1.5}"#,
        r#"{"name":"a","schema_fingerprint":"f","objects":[],"row_count":"1"}"#,
        r#"{"name":"a","name":"b","schema_fingerprint":"f","objects":[],"row_count":1}"#,
        r#"{"name":"a","schema_fingerprint":"f","objects":[],"row_count":1,"colour":"red"}"#,
    ] {
        cases.push(register(body, 400, "api.bad_body"));
    }
    cases.push(register(&format!("{{\"name\":{}", "[".repeat(10_000)), 400, "api.bad_body"));
    cases.push(register(&format!("{{\"name\":\"{}\"}}", "x".repeat(70_000)), 413, "api.body_too_large"));
    let named = |name: &str| {
        format!(r#"{{"name":"{name}","schema_fingerprint":"f","objects":[{{"key":"there"}}],"row_count":1}}"#)
    };
    for name in ["", "../x", "a/b", "a.b.c", "1x", "a b", ".a", "a.", "/etc/passwd", &"n".repeat(300)] {
        cases.push(register(&named(name), 400, "api.bad_name"));
    }
    cases.push(register(&named("a").replace("\"f\"", "\"\""), 400, "catalog.empty_fingerprint"));
    cases.push(register(&named("a").replace("{\"key\":\"there\"}", ""), 422, "catalog.no_objects"));
    cases.push(register(&named("a").replace("there", "absent"), 404, "catalog.object_missing"));
    cases.push(register(&named("a").replace("there", "../x"), 400, "catalog.bad_key"));
    cases.push(register(&named("a"), 422, "catalog.not_parquet"));
    for untrue in [r#""size":5000"#, r#""etag":"x""#, r#""modified":"2001-01-01T00:00:00Z""#] {
        let stated = named("a").replace("\"there\"", &format!("\"there\",{untrue}"));
        cases.push(register(&stated, 422, "catalog.contradiction"));
    }
    cases.push(with(register(&named("a"), 415, "api.media_type"), "content-type", "text/plain"));
    let form = "application/x-www-form-urlencoded";
    cases.push(with(register(&named("a"), 415, "api.media_type"), "content-type", form));
    cases
}

fn catalog() -> Vec<Case> {
    let mut cases = Vec::new();
    for (path, status, code) in [
        ("manifest/absent", 404, "catalog.unknown_dataset"),
        ("manifest/..%2F..%2Fetc%2Fpasswd", 400, "api.bad_name"),
        ("manifest/a%20b", 400, "api.bad_name"),
        ("manifest/people?as_of=", 400, "api.bad_as_of"),
        ("manifest/people?as_of=-1", 400, "api.bad_as_of"),
        ("manifest/people?as_of=yesterday%20noon", 400, "api.bad_as_of"),
        ("manifest/people?as_of=999999", 404, "catalog.unknown_version"),
        ("manifest/people?as_of=99999999999999999999999", 400, "api.bad_as_of"),
        ("manifest/people?asof=1", 400, "api.bad_parameter"),
        ("list?as_of=999999", 404, "catalog.unknown_version"),
        ("list?as_of=no-such-tag", 404, "catalog.unknown_tag"),
        ("list?limit=3", 400, "api.bad_parameter"),
        ("history/absent", 404, "catalog.unknown_dataset"),
        ("history/a%20b", 400, "api.bad_name"),
        ("history/people?limit=0", 400, "api.bad_parameter"),
        ("history/people?limit=1001", 400, "api.bad_parameter"),
        ("history/people?before=x", 400, "api.bad_parameter"),
        ("versions?limit=x", 400, "api.bad_parameter"),
        ("versions?before=-1", 400, "api.bad_parameter"),
        ("versions/x", 400, "api.bad_parameter"),
        ("versions/-1", 400, "api.bad_parameter"),
        ("versions/999999", 404, "catalog.unknown_version"),
    ] {
        cases.push(case(Method::GET, &format!("/v1/catalog/{path}"), status, code));
    }
    let list = case(Method::GET, "/v1/catalog/list", 400, "api.bad_header");
    cases.push(with(list, "x-lakehouse-min-version", "newest"));
    cases
}

fn uploads() -> Vec<Case> {
    let mut cases = Vec::new();
    let good = b"a,b\n1,2\n";
    cases.push(csv("", good, 400, "api.bad_parameter"));
    for (query, code) in [
        ("?name=", "api.bad_name"),
        ("?name=../x", "api.bad_name"),
        ("?name=a.b.c", "api.bad_name"),
        ("?name=a&mode=upsert", "api.bad_parameter"),
        ("?name=a&evolve=rename", "ingest.bad_option"),
        ("?name=a&colour=red", "api.bad_parameter"),
        ("?name=a&name=b", "api.bad_parameter"),
        ("?name=a&on_error=explode", "ingest.bad_option"),
        ("?name=a&encoding=klingon", "ingest.bad_option"),
        ("?name=a&delimiter=abc", "ingest.bad_option"),
    ] {
        cases.push(csv(query, good, 400, code));
    }
    cases.push(csv("?name=a&format=xml", good, 400, "ingest.bad_option"));
    cases.push(csv("?name=a&format=json", good, 422, "ingest.bad_format"));
    cases.push(with(csv("?name=a", good, 422, "ingest.bad_format"), "content-type", "application/json"));
    for media in ["application/x-www-form-urlencoded", "image/png", "application/zip"] {
        cases.push(with(csv("?name=a", good, 415, "api.media_type"), "content-type", media));
    }
    cases.push(with(csv("?name=a", good, 413, "api.body_too_large"), "content-length", "1048577"));
    for encoding in ["br", "deflate", "gzip, br", "klingon"] {
        cases.push(with(csv("?name=a", good, 415, "api.content_encoding"), "content-encoding", encoding));
    }
    for key in ["", "a b", "a\tb"] {
        cases.push(with(csv("?name=a", good, 400, "api.bad_header"), "idempotency-key", key));
    }
    cases.push(with(csv("?name=a", good, 400, "api.bad_header"), "idempotency-key", &"k".repeat(256)));
    cases.push(csv("?name=a", b"", 422, "ingest.empty_file"));
    cases.push(csv("?name=a", b"\n\n\n", 422, "ingest.empty_file"));
    cases.push(csv("?name=a", b"a,,c\n1,2,3\n", 422, "ingest.bad_header"));
    cases.push(csv("?name=a", b"a,b,a\n1,2,3\n", 422, "ingest.bad_header"));
    cases.push(csv("?name=a", b"id,ID\n1,2\n", 422, "ingest.bad_header"));
    cases.push(csv("?name=a", b"a,b\n1,2,3\n", 422, "ingest.bad_rows"));
    cases.push(csv("?name=a", b"a,b\n1,\xff\xfe\n", 422, "ingest.bad_rows"));
    cases.push(csv("?name=people", b"id,nickname\n1,x\n", 409, "catalog.schema_drift"));
    cases.push(csv("?name=people", b"id,name\nnot a number,x\n", 409, "catalog.schema_drift"));
    cases
}

fn questions() -> Vec<Case> {
    let ask = |body: &str, status, code| json("/v1/sql", body, status, code);
    let mut cases = Vec::new();
    for body in [
        "",
        "{}",
        "{\"sql\":",
        "\"SELECT 1\"",
        "[\"SELECT 1\"]",
        r#"{"sql":null}"#,
        r#"{"sql":1}"#,
        r#"{"sql":"SELECT 1","colour":"red"}"#,
        r#"{"sql":"SELECT 1","params":{}}"#,
        r#"{"sql":"SELECT 1","max_rows":-1}"#,
        r#"{"sql":"SELECT 1","max_rows":"10"}"#,
        r#"{"sql":"SELECT 1","as_of":"not a version"}"#,
        r#"{"sql":"SELECT 1","as_of":[1]}"#,
        r#"{"sql":"SELECT 1","sql":"SELECT 2"}"#,
    ] {
        cases.push(ask(body, 400, "api.bad_body"));
    }
    let stated = |sql: &str, status, code| ask(&serde_json::json!({ "sql": sql }).to_string(), status, code);
    for sql in [
        "",
        "   ",
        "-- nothing",
        "SELEC 1",
        "SELECT * FROM absent",
        "SELECT absent FROM people",
        "SELECT * FROM '/etc/passwd'",
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM \"s3://bucket/key.parquet\"",
        "SELECT 1; SELECT 2",
    ] {
        cases.push(stated(sql, 400, ""));
    }
    for sql in [
        "INSERT INTO people VALUES (1, 'x')",
        "DELETE FROM people",
        "UPDATE people SET id = 1",
        "DROP TABLE people",
        "CREATE TABLE t AS SELECT 1",
        "CREATE EXTERNAL TABLE t STORED AS CSV LOCATION '/etc/passwd'",
        "COPY people TO '/tmp/x.csv'",
    ] {
        cases.push(stated(sql, 403, "query.read_only"));
    }
    cases.push(stated(&format!("SELECT {}1", "1+".repeat(3000)), 400, "query.too_complex"));
    cases.push(ask(r#"{"sql":"SELECT 1","max_rows":0}"#, 400, "query.invalid_max_rows"));
    cases.push(ask(r#"{"sql":"SELECT 1","max_rows":100001}"#, 400, "query.invalid_max_rows"));
    cases.push(ask(r#"{"sql":"SELECT 1","as_of":999999}"#, 404, "catalog.unknown_version"));
    let one = |status, code| ask(r#"{"sql":"SELECT 1"}"#, status, code);
    cases.push(with(one(406, "api.not_acceptable"), "accept", "text/html"));
    cases.push(with(one(415, "api.media_type"), "content-type", "text/plain"));
    cases.push(with(one(400, "api.bad_header"), "x-lakehouse-min-version", "-1"));
    let limited = ask(r#"{"sql":"SELECT 1","max_rows":5}"#, 400, "api.bad_body");
    cases.push(with(limited, "accept", CSV));
    cases.push(case(Method::DELETE, "/v1/sql/nonsense", 400, "api.bad_query_id"));
    cases.push(case(Method::DELETE, "/v1/sql/01ARZ3NDEKTSV4RRFFQ69G5FAV", 404, "api.no_query"));
    cases
}

fn built((method, path, headers, body, ..): &Case) -> Request<Body> {
    let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    request(method.clone(), path, &headers, body.clone())
}

#[tokio::test]
async fn every_bad_request_is_refused_as_documented() {
    let stack = Stack::open().await;
    let gateway = stack.gateway();
    assert_eq!(put(&gateway, "there", "no parquet").await.status, 201);
    let loaded = ingest(&gateway, "people", "id,name\n1,Alice\n").await;
    assert_eq!(loaded.status, 200, "{}", loaded.text());
    let made = post_json(&gateway, "/v1/vectors/index", r#"{"name":"there","dimension":3}"#).await;
    assert_eq!(made.status, 201, "{}", made.text());
    let before = [get(&gateway, "/v1/catalog/list").await.body, get(&gateway, "/v1/vectors/index").await.body];

    let cases: Vec<Case> =
        [routes(), objects(), registrations(), catalog(), uploads(), questions(), vector_refusals::cases()].concat();
    assert!(cases.len() >= 330, "{} cases", cases.len());
    let lake = stack.lake.path().display().to_string();
    let mut wrong = Vec::new();
    for case in &cases {
        let answer = send(&gateway, built(case)).await;
        let (method, path, _, body, status, code) = case;
        let said = answer.text();
        let problem = answer.header("content-type") == "application/problem+json" && is_problem(&said);
        let leaks =
            [lake.as_str(), "/tmp", "/root", "/home", ".rs:", "panicked"].iter().any(|leak| said.contains(leak));
        let coded = code.is_empty() || (problem && answer.code() == *code);
        if answer.status != *status || !problem || !coded || leaks {
            let body = String::from_utf8_lossy(&body[..body.len().min(120)]).into_owned();
            wrong.push(format!("{method} {path} {body}\n  wanted {status} {code}\n  got {} {said}", answer.status));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
    let after = [get(&gateway, "/v1/catalog/list").await.body, get(&gateway, "/v1/vectors/index").await.body];
    assert_eq!(after, before, "no refusal changed anything");
    assert_eq!(get(&gateway, "/health").await.status, 200);
}

/// The members stand on the wire in one order.
fn is_problem(said: &str) -> bool {
    let mut rest = said;
    for member in [
        r#"{"type":"/docs/errors/"#,
        r#","title":""#,
        r#","status":"#,
        r#","detail":""#,
        r#","code":""#,
        r#","request_id":""#,
    ] {
        let Some(at) = rest.find(member) else { return false };
        rest = &rest[at + member.len()..];
    }
    true
}
