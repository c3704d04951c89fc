//! Vector indexes, over HTTP.

use axum::Router;
use axum::body::Body;
use http::Method;
use serde_json::{Value, json};

use crate::stack::{Answer, Stack, get, ingest, post_json, request, send, sql};
use crate::words::MODEL;

async fn post(gateway: &Router, path: &str, body: Value) -> Answer {
    post_json(gateway, &format!("/v1/vectors/index{path}"), &body.to_string()).await
}

async fn delete(gateway: &Router, path: &str) -> Answer {
    send(gateway, request(Method::DELETE, &format!("/v1/vectors/index{path}"), &[], Body::empty())).await
}

async fn made(gateway: &Router, name: &str) {
    let answer = post(gateway, "", json!({ "name": name, "dimension": 3 })).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
}

fn ids(found: &Answer) -> Vec<String> {
    let results = found.json()["results"].as_array().unwrap_or_else(|| panic!("{}", found.text())).clone();
    results.iter().map(|hit| hit["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn an_index_is_made_once_told_and_deleted() {
    let stack = Stack::open().await;
    let gateway = stack.gateway();
    assert_eq!(get(&gateway, "/v1/vectors/index").await.text(), r#"{"indexes":[]}"#);
    let first = post(&gateway, "", json!({ "name": "a", "dimension": 3 })).await;
    assert_eq!(first.status, 201, "{}", first.text());
    let version = first.json()["version"].clone();
    assert_eq!(first.header("x-lakehouse-version"), version.to_string());
    let again = post(&gateway, "", json!({ "name": "a", "dimension": 5 })).await;
    assert_eq!((again.status.as_u16(), again.code().as_str()), (409, "catalog.index_exists"));

    let told = get(&gateway, "/v1/vectors/index/a").await;
    assert_eq!(told.status, 200);
    let told = told.json();
    for (member, value) in [
        ("name", json!("a")),
        ("dimension", json!(3)),
        ("distance", json!("cosine")),
        ("m", json!(16)),
        ("length", json!(0)),
    ] {
        assert_eq!(told[member], value, "{member}");
    }
    assert_eq!(get(&gateway, "/v1/vectors/index").await.json()["indexes"], json!([told]));

    let gone = delete(&gateway, "/a").await;
    assert_eq!((gone.status.as_u16(), gone.text().as_str()), (204, ""));
    for refused in [get(&gateway, "/v1/vectors/index/a").await, delete(&gateway, "/a").await] {
        assert_eq!((refused.status.as_u16(), refused.code().as_str()), (404, "catalog.index_not_found"));
    }
    made(&gateway, "a").await;
    assert_eq!(get(&gateway, "/v1/vectors/index/a").await.json()["length"], 0);
}

#[tokio::test]
async fn items_are_added_replaced_found_and_deleted() {
    let stack = Stack::open().await;
    let gateway = stack.gateway();
    made(&gateway, "a").await;
    let items = json!([
        { "id": "x", "vector": [1, 0, 0], "metadata": { "city": "Toledo", "rate": 1 } },
        { "id": "y/ü z", "vector": [0, 1.5, 0] },
    ]);
    let added = post(&gateway, "/a/add", json!({ "items": items })).await;
    assert_eq!(added.status, 200, "{}", added.text());
    let counts = |answer: &Answer| ["added", "updated", "length"].map(|member| answer.json()[member].as_u64().unwrap());
    assert_eq!(counts(&added), [2, 0, 2]);
    assert!(added.json()["version"].is_u64() && added.json()["fragment"].is_u64());

    let found = post(&gateway, "/a/search", json!({ "vector": [0.9, 0.1, 0], "exact": true, "ef_search": 7 })).await;
    assert_eq!((found.status.as_u16(), ids(&found)), (200, vec!["x".to_owned(), "y/ü z".to_owned()]));
    assert_eq!(found.json()["results"][0]["metadata"], json!({ "city": "Toledo", "rate": 1 }));
    let found = post(&gateway, "/a/search", json!({ "vector": [0, 2, 0], "k": 1 })).await;
    assert_eq!(ids(&found), ["y/ü z"]);
    assert!(found.json()["results"][0]["distance"].as_f64().unwrap() <= 1e-6, "{}", found.text());

    let item = get(&gateway, "/v1/vectors/index/a/items/y%2F%C3%BC%20z").await;
    assert_eq!(item.status, 200, "{}", item.text());
    assert_eq!((item.json()["vector"].clone(), item.json()["metadata"].clone()), (json!([0.0, 1.5, 0.0]), json!({})));

    let kept = post(&gateway, "/a/add", json!({ "items": [{ "id": "x", "vector": [0, 0, 1] }] })).await;
    assert_eq!(counts(&kept), [0, 1, 2]);
    assert_eq!(get(&gateway, "/v1/vectors/index/a/items/x").await.json()["metadata"]["city"], "Toledo");
    post(&gateway, "/a/add", json!({ "items": [{ "id": "x", "vector": [0, 0, 1], "metadata": {} }] })).await;
    assert_eq!(get(&gateway, "/v1/vectors/index/a/items/x").await.json()["metadata"], json!({}));

    assert_eq!(delete(&gateway, "/a/items/x").await.status, 204);
    let missing = delete(&gateway, "/a/items/x").await;
    assert_eq!((missing.status.as_u16(), missing.code().as_str()), (404, "vectors.item_not_found"));
    let removed = post(&gateway, "/a/delete", json!({ "ids": ["x", "y/ü z"] })).await;
    assert_eq!(["deleted", "missing", "length"].map(|member| removed.json()[member].as_u64().unwrap()), [1, 1, 0]);
    assert_eq!(ids(&post(&gateway, "/a/search", json!({ "vector": [1, 0, 0] })).await), Vec::<String>::new());
}

#[tokio::test]
async fn a_refused_batch_names_its_item_and_leaves_nothing() {
    let stack = Stack::open().await;
    let gateway = stack.gateway();
    made(&gateway, "a").await;
    let good = r#"{"id":"good","vector":[1,2,3]}"#;
    for bad in [
        r#"{"id":"b","vector":[1,2]}"#,
        r#"{"id":"b","vector":[1,2,NaN]}"#,
        r#"{"id":"b","vector":[1,2,Infinity]}"#,
        r#"{"id":"b","vector":[1,2,1e39]}"#,
        r#"{"id":"b","vector":[1,2,null]}"#,
        r#"{"id":"b","vector":[0,0,0]}"#,
        r#"{"id":"","vector":[1,2,3]}"#,
        r#"{"id":"good","vector":[1,2,3]}"#,
        r#"{"id":"b"}"#,
        r#"{"id":"b","vector":[1,2,3],"colour":"red"}"#,
    ] {
        let body = format!(r#"{{"items":[{good},{bad}]}}"#);
        let refused = post_json(&gateway, "/v1/vectors/index/a/add", &body).await;
        assert_eq!(refused.status, 400, "{bad}: {}", refused.text());
        assert!(refused.json()["detail"].as_str().unwrap().contains("items[1]: "), "{bad}: {}", refused.text());
        assert_eq!(get(&gateway, "/v1/vectors/index/a").await.json()["length"], 0, "{bad}");
    }
}

#[tokio::test]
async fn texts_are_found_by_meaning_and_joined_in_sql() {
    let stack = Stack::open().await;
    let gateway = stack.gateway();
    let new = post(&gateway, "", json!({ "name": "jobs", "dimension": 4, "model": MODEL })).await;
    assert_eq!((new.status.as_u16(), new.json()["model"].as_str()), (201, Some(MODEL)), "{}", new.text());
    let items = json!([
        { "id": "1", "text": "forklift operator", "metadata": { "job": "mover" } },
        { "id": "2", "text": "nurse", "metadata": { "job": "carer" } },
        { "id": "3", "text": "bake at night", "metadata": { "job": "baker" } },
    ]);
    let added = post(&gateway, "/jobs/add_text", json!({ "items": items })).await;
    assert_eq!((added.status.as_u16(), added.json()["added"].as_u64()), (200, Some(3)), "{}", added.text());
    let found = post(&gateway, "/jobs/search", json!({ "text": "someone who moves pallets", "k": 1 })).await;
    assert_eq!(ids(&found), ["1"], "{}", found.text());

    assert_eq!(ingest(&gateway, "pay", "job,wage\nmover,18\ncarer,25\nbaker,16\n").await.status, 200);
    let joined = "SELECT s.id, p.wage FROM vector_search('jobs', 'flour and an oven', 3) s JOIN pay p ON p.job = s.job \
                  WHERE p.wage < 20 ORDER BY s.distance";
    let rows = sql(&gateway, joined).await;
    assert_eq!(rows.status, 200, "{}", rows.text());
    assert_eq!(rows.json()["rows"], json!([["3", 16], ["1", 18]]));
    let missing = sql(&gateway, "SELECT * FROM vector_search('absent', 'x', 3)").await;
    assert_eq!((missing.status.as_u16(), missing.code().as_str()), (404, "catalog.index_not_found"));
}

#[tokio::test]
async fn texts_are_found_by_their_words_by_both_and_in_sql_and_may_be_let_go() {
    let stack = Stack::open().await;
    let gateway = stack.gateway();
    post(&gateway, "", json!({ "name": "jobs", "dimension": 4, "model": MODEL })).await;
    let items = json!([
        { "id": "1", "text": "Forklift operators, MIG welding", "metadata": { "shift": "day" } },
        { "id": "2", "text": "nurse", "metadata": { "shift": "night" } },
        { "id": "3", "text": "bake at night, forklift", "metadata": { "shift": "night" } },
    ]);
    assert_eq!(post(&gateway, "/jobs/add_text", json!({ "items": items })).await.status, 200);
    let words = |text: &str| json!({ "text": text, "mode": "keyword" });
    let found = post(&gateway, "/jobs/search", words("FORKLIFTS mig")).await;
    assert_eq!(ids(&found), ["1", "3"], "{}", found.text());
    let first = &found.json()["results"][0];
    assert!(first["score"].is_number() && first.get("distance").is_none() && first["metadata"]["shift"] == "day");
    assert_eq!(ids(&post(&gateway, "/jobs/search", words("!?")).await), Vec::<String>::new());
    let night = json!({ "text": "forklift", "mode": "hybrid", "filter": { "shift": "night" } });
    let found = post(&gateway, "/jobs/search", night).await;
    assert_eq!(ids(&found), ["3", "2"], "{}", found.text());
    assert_eq!(found.json()["results"][0]["ranks"]["keyword"], 1);
    assert_eq!(found.json()["results"][1]["ranks"]["keyword"], Value::Null);

    assert_eq!(ingest(&gateway, "pay", "shift,wage\nday,18\nnight,25\n").await.status, 200);
    let joined = "SELECT s.id, p.wage FROM keyword_search('jobs', 'forklift', 9, '{\"shift\":\"night\"}') s \
                  JOIN pay p ON p.shift = s.shift JOIN hybrid_search('jobs', 'forklift', 9) h ON h.id = s.id";
    let rows = sql(&gateway, joined).await;
    assert_eq!(rows.json()["rows"], json!([["3", 25]]), "{}", rows.text());
    let refused = sql(&gateway, "SELECT * FROM vector_search('jobs', 'x', 9, '{\"shift\":{\"is\":1}}')").await;
    assert_eq!((refused.status.as_u16(), refused.code().as_str()), (400, "vectors.bad_filter"));

    let stored = get(&gateway, "/v1/vectors/index/jobs/items/2").await.json();
    assert_eq!(stored["text"], "nurse");
    let forgotten = json!({ "items": [{ "id": "2", "text": "nurse" }], "keep_text": false });
    assert_eq!(post(&gateway, "/jobs/add_text", forgotten).await.status, 200);
    assert_eq!(ids(&post(&gateway, "/jobs/search", words("nurse")).await), Vec::<String>::new());
    assert_eq!(get(&gateway, "/v1/vectors/index/jobs/items/2").await.json().get("text"), None);
}

#[tokio::test]
async fn the_best_are_ranked_anew_by_what_they_say() {
    let Some(directory) = testkit::cross_encoder("indexes::the_best_are_ranked_anew_by_what_they_say") else { return };
    let stack = Stack::reranking(directory).await;
    let gateway = stack.gateway();
    post(&gateway, "", json!({ "name": "jobs", "dimension": 4, "model": MODEL })).await;
    let items = json!([
        { "id": "capital", "text": "The capital of France is Paris." },
        { "id": "bread", "text": "A baguette is a loaf of bread." },
        { "id": "rome", "text": "The capital of France is not what this is about: Rome has ruins." },
    ]);
    assert_eq!(post(&gateway, "/jobs/add_text", json!({ "items": items })).await.status, 200);
    let mute = json!({ "items": [{ "id": "mute", "vector": [1, 0, 0, 0] }] });
    assert_eq!(post(&gateway, "/jobs/add", mute).await.status, 200);
    for mode in ["vector", "keyword", "hybrid"] {
        let asked = json!({ "text": "What is the capital of France?", "mode": mode, "rerank": true, "k": 2 });
        let found = post(&gateway, "/jobs/search", asked).await;
        assert_eq!(ids(&found), ["capital", "rome"], "{mode}: {}", found.text());
        let scores = [0, 1].map(|at| found.json()["results"][at]["score"].as_f64().unwrap());
        assert!(scores[0] > scores[1], "{mode}: {scores:?}");
        let places = &found.json()["results"][0]["ranks"];
        assert_eq!(places["vector"].is_u64(), mode != "keyword", "{mode}: {places}");
        assert_eq!(places["keyword"].is_u64(), mode == "hybrid", "{mode}: {places}");
    }
}

#[tokio::test]
async fn without_its_model_nothing_is_ranked_anew() {
    let stack = Stack::open().await;
    let gateway = stack.gateway();
    post(&gateway, "", json!({ "name": "jobs", "dimension": 4, "model": MODEL })).await;
    post(&gateway, "/jobs/add_text", json!({ "items": [{ "id": "x", "text": "bread" }] })).await;
    let asked = |text: &str| json!({ "text": text, "mode": "keyword", "rerank": true });
    let refused = post(&gateway, "/jobs/search", asked("bread")).await;
    assert_eq!((refused.status.as_u16(), refused.code().as_str()), (503, "models.no_reranker"));
}

#[tokio::test]
async fn vectors_of_another_model_are_refused() {
    let stack = Stack::open().await;
    let gateway = stack.gateway();
    post(&gateway, "", json!({ "name": "jobs", "dimension": 4, "model": MODEL })).await;
    let item = json!({ "id": "x", "vector": [1, 2, 3, 4] });
    let known = get(&gateway, "/v1/vectors/index/jobs").await.json()["fingerprint"].clone();
    for (path, body) in [
        ("/jobs/add", json!({ "items": [item], "fingerprint": "f".repeat(64) })),
        ("/jobs/search", json!({ "vector": [1, 2, 3, 4], "fingerprint": "f".repeat(64) })),
    ] {
        let refused = post(&gateway, path, body).await;
        assert_eq!((refused.status.as_u16(), refused.code().as_str()), (400, "vectors.other_model"), "{path}");
    }
    let added = post(&gateway, "/jobs/add", json!({ "items": [item], "fingerprint": known })).await;
    assert_eq!(added.status, 200, "{}", added.text());
}

#[tokio::test]
async fn an_index_without_a_model_takes_text_when_the_default_model_fits() {
    let stack = Stack::open().await;
    let gateway = stack.gateway();
    post(&gateway, "", json!({ "name": "fits", "dimension": 4 })).await;
    made(&gateway, "narrow").await;
    let items = json!({ "items": [{ "id": "x", "text": "bread" }] });
    assert_eq!(post(&gateway, "/fits/add_text", items.clone()).await.status, 200);
    assert_eq!(ids(&post(&gateway, "/fits/search", json!({ "text": "oven" })).await), ["x"]);
    for (path, body) in [("/narrow/add_text", items), ("/narrow/search", json!({ "text": "oven" }))] {
        let refused = post(&gateway, path, body).await;
        assert_eq!((refused.status.as_u16(), refused.code().as_str()), (400, "flows.no_model"));
        assert!(refused.text().contains("model"), "{}", refused.text());
    }
    let wide = post(&gateway, "", json!({ "name": "wide", "dimension": 5, "model": MODEL })).await;
    assert_eq!((wide.status.as_u16(), wide.code().as_str()), (400, "flows.model_dimension"));
}

#[tokio::test]
async fn large_batches_wait_for_each_other_and_all_arrive() {
    let stack = Stack::open().await;
    let gateway = stack.gateway();
    made(&gateway, "a").await;
    let filler = "x".repeat(80 << 10);
    let adds = (0..12).map(|number| {
        let (gateway, metadata) = (gateway.clone(), json!({ "parts": [&filler[..40 << 10]] }));
        let item = |part: usize| json!({ "id": format!("{number}-{part}"), "vector": [1, number, part], "metadata": metadata });
        let body = json!({ "items": [item(0), item(1)] });
        async move { post(&gateway, "/a/add", body).await }
    });
    for added in futures::future::join_all(adds).await {
        assert_eq!(added.status, 200, "{}", added.text());
    }
    assert_eq!(get(&gateway, "/v1/vectors/index/a").await.json()["length"], 24);
}
