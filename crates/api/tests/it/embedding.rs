//! Texts become vectors, over HTTP.

use api::Limits;
use axum::body::Body;
use base::Span;
use base64::Engine;
use http::Method;
use serde_json::{Value, json};

use crate::stack::{Answer, Stack, get, limits, post_json, request, send};
use crate::words::{self, DIMENSION, FATAL, MODEL};

async fn embed(gateway: &axum::Router, texts: &[&str]) -> Answer {
    post_json(gateway, "/v1/embed", &json!({ "texts": texts }).to_string()).await
}

fn numbers(value: &Value) -> Vec<f32> {
    serde_json::from_value(value.clone()).unwrap()
}

#[tokio::test]
async fn vectors_come_in_the_order_of_the_texts() {
    let stack = Stack::open().await;
    let gateway = stack.gateway();
    let texts = ["bake bread", "a nurse", "bake bread", " ", "\u{1f35e} für dich"];
    let answer = embed(&gateway, &texts).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let body = answer.json();
    let members: Vec<&String> = body.as_object().unwrap().keys().collect();
    assert_eq!(members, ["dimension", "model", "vectors"]);
    assert!(
        answer.text().starts_with(&format!(r#"{{"model":"{MODEL}","dimension":4,"vectors":[["#)),
        "{}",
        answer.text()
    );
    for (vector, text) in body["vectors"].as_array().unwrap().iter().zip(texts) {
        assert_eq!(numbers(vector), words::vector(text), "{text}");
    }
    assert_eq!(answer.header("x-lakehouse-model-fingerprint").len(), 64);
    assert_eq!(answer.header("x-lakehouse-dimension"), "4");
}

#[tokio::test]
async fn bytes_are_the_same_numbers() {
    let stack = Stack::open().await;
    let headers = [("accept", "application/octet-stream")];
    let body = json!({ "texts": ["bake bread", "a nurse"] }).to_string();
    let answer = send(&stack.gateway(), request(Method::POST, "/v1/embed", &headers, body)).await;
    assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, "application/octet-stream"));
    let wanted: Vec<u8> =
        ["bake bread", "a nurse"].iter().flat_map(|text| words::vector(text)).flat_map(f32::to_le_bytes).collect();
    assert_eq!(answer.body, wanted);
    assert_eq!(answer.header("x-lakehouse-dimension"), DIMENSION.to_string());
}

#[tokio::test]
async fn the_cache_is_told_in_four_numbers() {
    let stack = Stack::open().await;
    let gateway = stack.gateway();
    assert_eq!(get(&gateway, "/v1/embed/stats").await.text(), r#"{"hits":0,"misses":0,"hit_rate":0.0,"size":0}"#);
    embed(&gateway, &["one", "two"]).await;
    embed(&gateway, &["two", "three"]).await;
    assert_eq!(get(&gateway, "/v1/embed/stats").await.text(), r#"{"hits":1,"misses":3,"hit_rate":0.25,"size":3}"#);
}

#[tokio::test]
async fn models_are_listed() {
    let stack = Stack::open().await;
    let gateway = stack.gateway();
    embed(&gateway, &["one"]).await;
    let listed = get(&gateway, "/v1/embed/models").await.json();
    let named = |name: &str| listed["models"].as_array().unwrap().iter().find(|model| model["name"] == name).cloned();
    assert_eq!(named(MODEL).expect("the model that was used")["dimension"], DIMENSION);
    assert_eq!(named("all-MiniLM-L6-v2").expect("the embedded model")["provider"], "embedded");
}

#[tokio::test]
async fn openai_clients_are_understood() {
    let stack = Stack::open().await;
    let gateway = stack.gateway();
    let ask = |body: Value| {
        let gateway = gateway.clone();
        async move { post_json(&gateway, "/v1/embeddings", &body.to_string()).await }
    };
    let one = ask(json!({ "input": "bake bread", "model": MODEL, "user": "u" })).await;
    assert_eq!(one.status, 200, "{}", one.text());
    assert!(one.text().starts_with(r#"{"object":"list","data":[{"object":"embedding","index":0,"embedding":["#));
    assert!(
        one.text().ends_with(r#"],"model":"words/topics","usage":{"prompt_tokens":0,"total_tokens":0}}"#),
        "{}",
        one.text()
    );
    assert_eq!(numbers(&one.json()["data"][0]["embedding"]), words::vector("bake bread"));
    let many = ask(json!({ "input": ["a", "a nurse"], "encoding_format": "base64", "dimensions": 4 })).await.json();
    assert_eq!(many["data"][1]["index"], 1);
    let bytes = base64::prelude::BASE64_STANDARD.decode(many["data"][1]["embedding"].as_str().unwrap()).unwrap();
    assert_eq!(bytes, words::vector("a nurse").iter().flat_map(|number| number.to_le_bytes()).collect::<Vec<u8>>());
}

#[tokio::test]
async fn a_model_that_fails_is_502_and_keeps_its_words_to_itself() {
    let stack = Stack::open().await;
    let gateway = stack.gateway();
    let failed = embed(&gateway, &["fine", FATAL]).await;
    assert_eq!((failed.status.as_u16(), failed.code().as_str()), (502, "models.upstream_failed"));
    for hidden in ["127.0.0.1", "http://"] {
        assert!(!failed.text().contains(hidden), "{}", failed.text());
    }
    assert_eq!(embed(&gateway, &["fine"]).await.status, 200);
}

#[tokio::test]
async fn without_weights_everything_but_text_works_and_says_how_to_get_them() {
    let stack = Stack::open().await;
    let gateway = stack.gateway();
    let answer = post_json(&gateway, "/v1/embed", r#"{"texts":["x"],"model":"all-MiniLM-L6-v2"}"#).await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (503, "models.no_weights"), "{}", answer.text());
    assert!(answer.headers.contains_key("retry-after"));
    assert_eq!(get(&gateway, "/v1/catalog/list").await.status, 200);
}

#[tokio::test]
async fn a_batch_over_the_cap_is_413_before_and_while_it_comes() {
    let stack = Stack::open().await;
    let gateway = stack.gateway();
    for path in ["/v1/embed", "/v1/embeddings", "/v1/vectors/index/x/add", "/v1/vectors/index/x/add_text"] {
        let declared = [("content-length", "2000000")];
        let early = send(&gateway, request(Method::POST, path, &declared, Body::empty())).await;
        assert_eq!((early.status.as_u16(), early.code().as_str()), (413, "api.body_too_large"), "{path}");
        let piece = bytes::Bytes::from(vec![b' '; 64 << 10]);
        let pieces = std::iter::repeat_n(piece, 32).map(Ok::<_, std::io::Error>);
        let late =
            send(&gateway, request(Method::POST, path, &[], Body::from_stream(futures::stream::iter(pieces)))).await;
        assert_eq!((late.status.as_u16(), late.code().as_str()), (413, "api.body_too_large"), "{path}");
    }
}

#[tokio::test]
async fn a_large_batch_that_does_not_come_gives_its_place_back() {
    let stack = Stack::with(Limits { deadline: Span::millis(20), ..limits() }).await;
    let begun = futures::stream::iter([Ok::<_, std::io::Error>(bytes::Bytes::from(vec![b' '; 100 << 10]))]);
    let body = Body::from_stream(futures::StreamExt::chain(begun, futures::stream::pending()));
    let answer = send(&stack.gateway(), request(Method::POST, "/v1/embed", &[], body)).await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (408, "storage.body_slow"));
}
