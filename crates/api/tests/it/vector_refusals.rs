//! Bad requests about texts and vectors; `refusals` sends them.

use http::Method;
use serde_json::json;

use crate::refusals::{Case, case, json, with};

const INDEX: &str = "/v1/vectors/index";

/// Every case. `there` is an index of three dimensions without a model that fits it, and it is empty.
pub fn cases() -> Vec<Case> {
    [routes(), texts(), openai(), new_indexes(), paths(), items(), text_items(), searches(), deletions()].concat()
}

fn routes() -> Vec<Case> {
    let mut cases = Vec::new();
    for path in [
        "/v1/vectors",
        "/v1/vectors/nothing",
        "/v1/embed/nothing",
        "/v1/embeddings/x",
        "/v1/vectors/index/there/nothing",
        "/v1/vectors/index/there/items/",
    ] {
        cases.push(case(Method::GET, path, 404, "api.no_route"));
    }
    cases.push(json("/v1/vectors/index/there/merge", r#"{"dest":"x"}"#, 404, "catalog.index_not_found"));
    cases.push(case(Method::GET, "/v1/vectors/index/there?as_of=999999", 404, "catalog.unknown_version"));
    for (method, path) in [
        (Method::GET, "/v1/embed"),
        (Method::GET, "/v1/embeddings"),
        (Method::POST, "/v1/embed/stats"),
        (Method::DELETE, "/v1/embed/models"),
        (Method::PUT, "/v1/vectors/index"),
        (Method::POST, "/v1/vectors/index/there"),
        (Method::GET, "/v1/vectors/index/there/add"),
        (Method::GET, "/v1/vectors/index/there/add_text"),
        (Method::GET, "/v1/vectors/index/there/search"),
        (Method::GET, "/v1/vectors/index/there/delete"),
        (Method::PUT, "/v1/vectors/index/there/items/x"),
        (Method::POST, "/openapi.json"),
    ] {
        cases.push(case(method, path, 405, "api.method_not_allowed"));
    }
    for (method, path) in [
        (Method::GET, "/v1/embed/stats?x=1"),
        (Method::GET, "/v1/embed/models?x=1"),
        (Method::POST, "/v1/embed?model=x"),
        (Method::POST, "/v1/embeddings?model=x"),
        (Method::GET, "/v1/vectors/index?limit=0"),
        (Method::GET, "/v1/vectors/index?limit=1001"),
        (Method::GET, "/v1/vectors/index?before=x"),
        (Method::POST, "/v1/vectors/index?name=x"),
        (Method::DELETE, "/v1/vectors/index/there?force"),
        (Method::POST, "/v1/vectors/index/there/add?x"),
        (Method::POST, "/v1/vectors/index/there/search?k=1"),
        (Method::GET, "/v1/vectors/index/there/items/x?x=1"),
        (Method::GET, "/openapi.json?x=1"),
    ] {
        cases.push(case(method, path, 400, "api.bad_parameter"));
    }
    cases
}

fn texts() -> Vec<Case> {
    let embed = |body: &str, status, code| json("/v1/embed", body, status, code);
    let mut cases = Vec::new();
    for body in [
        "",
        "{",
        "[]",
        "null",
        r#"["x"]"#,
        "{}",
        r#"{"texts":"x"}"#,
        r#"{"texts":null}"#,
        r#"{"texts":{}}"#,
        r#"{"texts":[1]}"#,
        r#"{"texts":["x",null]}"#,
        r#"{"texts":["x"],"model":1}"#,
        r#"{"texts":["x"],"colour":"red"}"#,
        r#"{"texts":["x"],"overflow":"cut"}"#,
        r#"{"texts":["x"],"texts":["y"]}"#,
        r#"{"texts":["\ud800"]}"#,
    ] {
        cases.push(embed(body, 400, "api.bad_body"));
    }
    cases.push(embed(r#"{"texts":[]}"#, 400, "embed.no_texts"));
    cases.push(embed(r#"{"texts":["x",""]}"#, 400, "embed.empty_text"));
    let many = json!({ "texts": vec!["x"; 10_001] }).to_string();
    cases.push(embed(&many, 413, "embed.too_many_texts"));
    for model in ["", "nothing", "nothing/model", "words/", "../x", "http://127.0.0.1/x"] {
        cases.push(embed(&json!({ "texts": ["x"], "model": model }).to_string(), 502, "models.unknown_model"));
    }
    cases.push(embed(r#"{"texts":["x"],"model":"ollama/x"}"#, 502, "models.upstream_failed"));
    cases.push(with(embed(r#"{"texts":["x"]}"#, 406, "api.not_acceptable"), "accept", "text/csv"));
    cases.push(with(embed(r#"{"texts":["x"]}"#, 415, "api.media_type"), "content-type", "text/plain"));
    cases
}

fn openai() -> Vec<Case> {
    let ask = |body: &str, status, code| json("/v1/embeddings", body, status, code);
    let mut cases = Vec::new();
    for body in [
        "{}",
        r#"{"input":null}"#,
        r#"{"input":1}"#,
        r#"{"input":[1,2,3]}"#,
        r#"{"input":[[1,2,3]]}"#,
        r#"{"input":{"text":"x"}}"#,
        r#"{"input":"x","encoding_format":"hex"}"#,
        r#"{"input":"x","dimensions":-1}"#,
        r#"{"input":"x","dimensions":3}"#,
        r#"{"input":"x","texts":["x"]}"#,
    ] {
        cases.push(ask(body, 400, "api.bad_body"));
    }
    cases.push(ask(r#"{"input":[]}"#, 400, "embed.no_texts"));
    cases.push(ask(r#"{"input":""}"#, 400, "embed.empty_text"));
    cases.push(ask(r#"{"input":["x",""]}"#, 400, "embed.empty_text"));
    cases.push(ask(r#"{"input":"x","model":"text-embedding-3-small"}"#, 502, "models.unknown_model"));
    cases
}

fn new_indexes() -> Vec<Case> {
    let create = |body: &str, status, code| json(INDEX, body, status, code);
    let mut cases = Vec::new();
    for body in [
        "{}",
        r#"{"name":"x"}"#,
        r#"{"dimension":3}"#,
        r#"{"name":1,"dimension":3}"#,
        r#"{"name":"x","dimension":"3"}"#,
        r#"{"name":"x","dimension":-1}"#,
        r#"{"name":"x","dimension":1.5}"#,
        r#"{"name":"x","dimension":3,"distance":"manhattan"}"#,
        r#"{"name":"x","dimension":3,"m":-1}"#,
        r#"{"name":"x","dimension":3,"colour":"red"}"#,
    ] {
        cases.push(create(body, 400, "api.bad_body"));
    }
    for body in [
        r#"{"name":"x","dimension":0}"#,
        r#"{"name":"x","dimension":4097}"#,
        r#"{"name":"x","dimension":3,"m":0}"#,
        r#"{"name":"x","dimension":3,"ef_search":0}"#,
        r#"{"name":"x","dimension":3,"m":4294967295}"#,
    ] {
        cases.push(create(body, 400, "vectors.bad_settings"));
    }
    for name in ["", "a.b", "a/b", "../x", "1x", "a b", &"n".repeat(129)] {
        cases.push(create(&json!({ "name": name, "dimension": 3 }).to_string(), 400, "api.bad_name"));
    }
    cases.push(create(r#"{"name":"there","dimension":3}"#, 409, "catalog.index_exists"));
    cases.push(create(r#"{"name":"x","dimension":3,"model":"nothing"}"#, 502, "models.unknown_model"));
    cases.push(create(r#"{"name":"x","dimension":3,"model":"words/topics"}"#, 400, "flows.model_dimension"));
    cases
}

fn paths() -> Vec<Case> {
    let mut cases = Vec::new();
    for (method, path, status, code) in [
        (Method::GET, "/absent", 404, "catalog.index_not_found"),
        (Method::DELETE, "/absent", 404, "catalog.index_not_found"),
        (Method::GET, "/absent/items/x", 404, "catalog.index_not_found"),
        (Method::DELETE, "/absent/items/x", 404, "catalog.index_not_found"),
        (Method::GET, "/there/items/absent", 404, "vectors.item_not_found"),
        (Method::DELETE, "/there/items/absent", 404, "vectors.item_not_found"),
        (Method::GET, "/..%2F..%2Fetc", 400, "api.bad_name"),
        (Method::GET, "/a%20b", 400, "api.bad_name"),
        (Method::DELETE, "/1x", 400, "api.bad_name"),
        (Method::GET, "/a%ffb", 400, "api.bad_parameter"),
        (Method::GET, "/there/items/a%ffb", 400, "api.bad_parameter"),
    ] {
        cases.push(case(method, &format!("{INDEX}{path}"), status, code));
    }
    cases.push(with(case(Method::GET, INDEX, 400, "api.bad_header"), "x-lakehouse-min-version", "x"));
    cases
}

fn items() -> Vec<Case> {
    let add = |body: &str, status, code| json(&format!("{INDEX}/there/add"), body, status, code);
    let mut cases = Vec::new();
    for body in [
        "{}",
        "[]",
        r#"{"items":{}}"#,
        r#"{"items":[[]]}"#,
        r#"{"items":[{"vector":[1,2,3]}]}"#,
        r#"{"items":[{"id":1,"vector":[1,2,3]}]}"#,
        r#"{"items":[{"id":"a","vector":"x"}]}"#,
        r#"{"items":[{"id":"a","vector":[1,2,3],"metadata":[]}]}"#,
        r#"{"items":[{"id":"a","vector":[1,2,3],"metadata":{"n":123456789012345678901}}]}"#,
        r#"{"items":[{"id":"a","vector":[1,2,3],"metadata":{"n":1,"n":2}}]}"#,
        r#"{"items":[{"id":"a","vector":[1,2,3],"text":"x"}]}"#,
        r#"{"items":[],"filter":{}}"#,
    ] {
        cases.push(add(body, 400, "api.bad_body"));
    }
    cases.push(with(add("{}", 415, "api.content_encoding"), "content-encoding", "gzip"));
    cases.push(with(add("{}", 400, "api.bad_body"), "content-encoding", "identity"));
    cases.push(add(r#"{"items":[]}"#, 400, "vectors.empty_batch"));
    let long = json!({ "items": [{ "id": "i".repeat(1025), "vector": [1, 2, 3] }] }).to_string();
    for body in [
        r#"{"items":[{"id":"a","vector":[]}]}"#,
        r#"{"items":[{"id":"a","vector":[1,2,3,4]}]}"#,
        r#"{"items":[{"id":"","vector":[1,2,3]}]}"#,
        r#"{"items":[{"id":"a","vector":[0,0,0]}]}"#,
        r#"{"items":[{"id":"a","vector":[1,2,-1e39]}]}"#,
        &long,
    ] {
        cases.push(add(body, 400, "vectors.bad_item"));
    }
    let absent =
        json(&format!("{INDEX}/absent/add"), r#"{"items":[{"id":"a","vector":[1]}]}"#, 404, "catalog.index_not_found");
    cases.push(absent);
    cases.push(with(add(r#"{"items":[]}"#, 415, "api.media_type"), "content-type", "application/octet-stream"));
    cases
}

fn text_items() -> Vec<Case> {
    let add = |body: &str, status, code| json(&format!("{INDEX}/there/add_text"), body, status, code);
    let mut cases = Vec::new();
    for body in [
        "{}",
        r#"{"items":[{"id":"a"}]}"#,
        r#"{"items":[{"id":"a","text":1}]}"#,
        r#"{"items":[{"id":"a","text":"x","vector":[1,2,3]}]}"#,
        r#"{"items":[],"overflow":"cut"}"#,
    ] {
        cases.push(add(body, 400, "api.bad_body"));
    }
    cases.push(add(r#"{"items":[{"id":"a","text":"x"}]}"#, 400, "flows.no_model"));
    let absent = format!("{INDEX}/absent/add_text");
    cases.push(json(&absent, r#"{"items":[{"id":"a","text":"x"}]}"#, 404, "catalog.index_not_found"));
    cases
}

fn searches() -> Vec<Case> {
    let search = |body: &str, status, code| json(&format!("{INDEX}/there/search"), body, status, code);
    let mut cases = Vec::new();
    for body in [
        "{}",
        r#"{"k":3}"#,
        r#"{"vector":[1,2,3],"text":"x"}"#,
        r#"{"vector":[1,2,"3"]}"#,
        r#"{"vector":[1,2,3],"k":-1}"#,
        r#"{"vector":[1,2,3],"k":"3"}"#,
        r#"{"vector":[1,2,3],"filter":"Toledo"}"#,
        r#"{"vector":[1,2,3],"filter":[]}"#,
        r#"{"vector":[1,2,3],"filter":{"city":"Toledo","city":"Gary"}}"#,
        r#"{"vector":[1,2,3],"filter":{"rate":123456789012345678901234567890}}"#,
        r#"{"vector":[1,2,3],"as_of":[3]}"#,
        r#"{"vector":[1,2,3],"exact":1}"#,
        r#"{"vector":[1,2,3],"limit":3}"#,
        r#"{"text":"x","fingerprint":"f"}"#,
        r#"{"text":"x","mode":"words"}"#,
        r#"{"text":"x","rerank":true,"k":51}"#,
        r#"{"vector":[1,2,3],"rerank":true}"#,
        r#"{"vector":[1,2,3],"mode":"keyword"}"#,
        r#"{"vector":[1,2,3],"text":"x","mode":"keyword"}"#,
        r#"{"text":"x","mode":"keyword","exact":true}"#,
        r#"{"text":"x","mode":"keyword","ef_search":9}"#,
        r#"{"vector":[1,2,3],"mode":"hybrid"}"#,
        r#"{"vector":[],"text":"x","mode":"hybrid"}"#,
    ] {
        cases.push(search(body, 400, "api.bad_body"));
    }
    for body in [
        r#"{"vector":[]}"#,
        r#"{"vector":[1,2]}"#,
        r#"{"vector":[0,0,0]}"#,
        r#"{"vector":[1,2,1e39]}"#,
        r#"{"vector":[1,2,3],"k":0}"#,
        r#"{"text":"x","k":0,"mode":"keyword"}"#,
        r#"{"text":"x","k":0,"mode":"keyword","rerank":true}"#,
        r#"{"vector":[1,2,3],"text":"x","mode":"hybrid","ef_search":0}"#,
        r#"{"vector":[1,2],"text":"x","mode":"hybrid"}"#,
    ] {
        cases.push(search(body, 400, "vectors.bad_query"));
    }
    for filter in [r#"{"rate":{"above":1}}"#, r#"{"rate":{}}"#, r#"{"rate":{"gt":true}}"#, r#"{"name":{"prefix":1}}"#] {
        let body = format!(r#"{{"vector":[1,2,3],"filter":{filter}}}"#);
        cases.push(search(&body, 400, "vectors.bad_filter"));
    }
    cases.push(search(r#"{"text":"x"}"#, 400, "flows.no_model"));
    cases.push(json(&format!("{INDEX}/absent/search"), r#"{"vector":[1]}"#, 404, "catalog.index_not_found"));
    cases.push(json(&format!("{INDEX}/absent/search"), r#"{"text":"x"}"#, 404, "catalog.index_not_found"));
    cases
}

fn deletions() -> Vec<Case> {
    let delete = |body: &str, status, code| json(&format!("{INDEX}/there/delete"), body, status, code);
    let mut cases = Vec::new();
    let both = r#"{"ids":["x"],"filter":{"city":"Toledo"}}"#;
    for body in [r#"{"ids":"x"}"#, r#"{"ids":[1]}"#, r#"{"ids":null}"#, r#"{"filter":1}"#, both, r#"{"id":"x"}"#] {
        cases.push(delete(body, 400, "api.bad_body"));
    }
    for body in [r#"{"filter":{}}"#, r#"{"filter":{"city":{"is":"Toledo"}}}"#] {
        cases.push(delete(body, 400, "vectors.bad_filter"));
    }
    cases.push(delete("{}", 400, "vectors.empty_batch"));
    cases.push(delete(r#"{"ids":[]}"#, 400, "vectors.empty_batch"));
    cases.push(json(&format!("{INDEX}/absent/delete"), r#"{"ids":["x"]}"#, 404, "catalog.index_not_found"));
    cases
}
