//! Another process of this program embeds.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use base::{Fault, Kind as Fix};
use models::{Config, Embedder, Kind, Models, Routing};
use serde_json::json;
use testkit::{Asked, Reply, Scripted};

use crate::providers::{body, embed, failure, input, provider, routing, vector};

/// The model `name`, asked of the process at `url`.
fn at(url: &str, name: Option<&str>) -> Arc<dyn Embedder> {
    let routing = Routing { upstream: Some(provider(Kind::Lakehouse, url)), ..routing() };
    Models::new(&Config::default(), routing).unwrap().embedder(name).unwrap()
}

fn embedd(asked: &Asked, fingerprint: &str) -> Reply {
    let vectors: Vec<_> = input(asked).iter().map(|text| vector(text)).collect();
    let fingerprint = ("x-lakehouse-model-fingerprint", fingerprint.to_owned());
    if asked.header("accept") == Some("application/octet-stream") {
        let bytes = vectors.iter().flatten().flat_map(|number| number.to_le_bytes()).collect();
        return Reply::Answer(200, vec![fingerprint, ("content-type", "application/octet-stream".to_owned())], bytes);
    }
    let answer = json!({ "model": "all-MiniLM-L6-v2", "dimension": 2, "vectors": vectors });
    let json = ("content-type", "application/json; charset=utf-8".to_owned());
    Reply::Answer(200, vec![fingerprint, json], answer.to_string().into_bytes())
}

fn problem(status: u16, code: &str, detail: &str, facts: serde_json::Value) -> Reply {
    let mut problem = json!({
        "type": "about:blank", "title": "No", "status": status, "detail": detail, "code": code, "request_id": "0",
    });
    problem.as_object_mut().unwrap().extend(facts.as_object().unwrap().clone());
    Reply::json(status, &problem.to_string())
}

/// A process that knows its model and then answers `reply` once more than one text is asked.
fn then(reply: Reply) -> Scripted {
    Scripted::start(move |asked| match input(asked).len() {
        1 => embedd(asked, "f1"),
        _ => reply.clone(),
    })
}

#[tokio::test]
async fn every_name_goes_to_the_other_process_and_comes_back_as_it_says() {
    let server = Scripted::start(|asked| embedd(asked, "f1"));
    let model = at(&format!("{}/v1", server.url()), Some("ollama/some-model"));
    let card = model.card().await.unwrap();
    assert_eq!((card.name.as_str(), card.dimension, card.fingerprint.as_str()), ("all-MiniLM-L6-v2", 2, "f1"));
    let texts: Vec<String> = (0..300).map(|number| "x".repeat(number + 1)).collect();
    let expected: Vec<Vec<f32>> = texts.iter().map(|text| vector(text).to_vec()).collect();
    assert_eq!(embed(&model, &texts).await.unwrap(), expected);
    let asked = server.asked();
    assert!(asked.iter().all(|asked| asked.path == "/v1/embed"));
    assert!(asked.iter().all(|asked| body(asked)["model"] == "ollama/some-model"));
    assert_eq!(body(&asked[1])["overflow"], "error");
}

#[tokio::test]
async fn an_answer_in_json_is_as_good() {
    let server = Scripted::start(|asked| embedd(&Asked { headers: Vec::new(), ..asked.clone() }, "f1"));
    assert_eq!(embed(&at(&server.url(), None), &["a", "bb"]).await.unwrap(), ["a", "bb"].map(vector));
}

#[tokio::test]
async fn what_it_refuses_is_refused_in_its_words() {
    let too_long = json!({ "position": 3, "tokens": 300, "limit": 256 });
    let server = Scripted::start(move |asked| match body(asked)["texts"][0].as_str() {
        Some("second batch") => problem(400, "models.text_too_long", "text 3 has 300 tokens …", too_long.clone()),
        _ => embedd(asked, "f1"),
    });
    let mut texts = vec!["x"; 300];
    texts[256] = "second batch";
    let error = failure(embed(&at(&server.url(), None), &texts).await);
    assert_eq!((error.code(), error.kind()), ("models.text_too_long", Fix::Invalid));
    assert!(error.to_string().starts_with("text 259 has 300 tokens"), "{error}");
    assert_eq!(error.facts()["position"], 259);
}

#[tokio::test]
async fn what_it_cannot_do_is_said_in_its_words() {
    let cases = [
        (
            problem(503, "models.no_weights", "the model is not here", json!({})),
            "models.no_weights",
            "the model is not here",
        ),
        (
            problem(502, "models.unknown_model", "no model is called", json!({"near": ["m"]})),
            "models.unknown_model",
            "no model is called",
        ),
        (problem(429, "models.rate_limited", "slower", json!({"retry_after": 9})), "models.rate_limited", "slower"),
        (
            problem(504, "embed.timeout", "late", json!({})),
            "models.upstream_timeout",
            "the provider embedd did not answer in time",
        ),
        (
            problem(401, "api.unauthenticated", "who?", json!({})),
            "models.upstream_failed",
            "the provider embedd failed: it refuses the key it was given",
        ),
        (
            problem(500, "api.panicked", "sorry", json!({})),
            "models.upstream_failed",
            "the provider embedd failed: it answered 500",
        ),
    ];
    for (reply, code, says) in cases {
        let server = then(reply);
        let error = failure(embed(&at(&server.url(), None), &["a", "b"]).await);
        assert_eq!((error.code(), error.to_string().as_str()), (code, says));
    }
    let server = then(problem(429, "models.rate_limited", "slower", json!({"retry_after": 9})));
    let error = failure(embed(&at(&server.url(), None), &["a", "b"]).await);
    assert_eq!(error.facts().into_iter().collect::<Vec<_>>(), [("retry_after".to_owned(), json!(9))]);
}

#[tokio::test]
async fn vectors_of_another_model_than_before_are_not_taken() {
    let calls = AtomicUsize::new(0);
    let server = Scripted::start(move |asked| match calls.fetch_add(1, Ordering::SeqCst) {
        0 => embedd(asked, "f1"),
        _ => embedd(asked, "f2"),
    });
    let model = at(&server.url(), None);
    assert_eq!(model.card().await.unwrap().fingerprint, "f1");
    let error = failure(embed(&model, &["a"]).await);
    assert_eq!(error.to_string(), "the provider embedd failed: its model was exchanged: try again");
    assert_eq!(embed(&model, &["a"]).await.unwrap(), [vector("a")]);
    assert_eq!(model.card().await.unwrap().fingerprint, "f2");
}

#[tokio::test]
async fn vectors_that_are_cut_or_nameless_are_not_taken() {
    let stated = |bytes: usize| {
        let headers = vec![
            ("x-lakehouse-model-fingerprint", "f1".to_owned()),
            ("content-type", "application/octet-stream".to_owned()),
        ];
        Reply::Answer(200, headers, vec![0; bytes])
    };
    for (reply, says) in [
        (stated(15), "its vectors are cut off"),
        (stated(12), "its vectors are cut off"),
        (stated(0), "its vectors are cut off"),
        (stated(8), "it answered a vector of 1 numbers, not 2"),
        (Reply::json(200, "{}"), "it does not state what made its vectors"),
    ] {
        let error = failure(embed(&at(&then(reply).url(), None), &["a", "b"]).await);
        assert!(error.to_string().ends_with(says), "{error}");
    }
}
