//! What is asked of Ollama, and what is made of its answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use base::Fault;
use models::{Kind, Overflow};
use serde_json::{Value, json};
use testkit::{Asked, Reply, Scripted};

use crate::providers::{body, embed, failure, input, model, models, named, provider, texts, vector};

fn ollama(asked: &Asked, digest: &str) -> Reply {
    match asked.path.as_str() {
        "/api/tags" => Reply::json(
            200,
            &json!({ "models": [
                { "name": "other:latest", "digest": "no" },
                { "name": "m:latest", "digest": digest },
            ]})
            .to_string(),
        ),
        "/api/show" => Reply::json(200, r#"{"model_info":{"bert.context_length":512,"bert.embedding_length":2}}"#),
        "/api/embed" => {
            let embeddings: Vec<_> = input(asked).iter().map(|text| vector(text)).collect();
            Reply::json(200, &json!({ "model": "m", "embeddings": embeddings }).to_string())
        }
        _ => Reply::json(404, "{}"),
    }
}

#[tokio::test]
async fn a_model_is_what_the_server_states_of_it() {
    let server = Scripted::start(|asked| ollama(asked, "sha256:one"));
    let exchanged = Scripted::start(|asked| ollama(asked, "sha256:two"));
    let card = model(provider(Kind::Ollama, &server.url())).card().await.unwrap();
    assert_eq!((card.name.as_str(), card.provider.as_str()), ("far/m", "far"));
    assert_eq!((card.dimension, card.max_tokens), (2, Some(512)));
    let same = named(provider(Kind::Ollama, &format!("{}/", server.url())), "far/m:latest").card().await.unwrap();
    assert_eq!(card.fingerprint, same.fingerprint);
    let other = model(provider(Kind::Ollama, &exchanged.url())).card().await.unwrap();
    assert_ne!(card.fingerprint, other.fingerprint);
    let mut prefixed = provider(Kind::Ollama, &server.url());
    prefixed.prefix = "query: ".to_owned();
    assert_ne!(card.fingerprint, model(prefixed).card().await.unwrap().fingerprint);
}

#[tokio::test]
async fn nothing_is_cut_unless_it_is_asked_for() {
    let server = Scripted::start(|asked| ollama(asked, "sha256:one"));
    let mut settings = provider(Kind::Ollama, &server.url());
    settings.prefix = "query: ".to_owned();
    let model = model(settings);
    assert_eq!(embed(&model, &["a", "b"]).await.unwrap().len(), 2);
    model.embed(&texts(&["c"]), Overflow::Truncate).await.unwrap();
    let embeds = server.asked().iter().filter(|asked| asked.path == "/api/embed").map(body).collect::<Vec<Value>>();
    let asked = |input: Value, truncate: bool| json!({ "model": "m", "input": input, "truncate": truncate });
    assert_eq!(embeds[1], asked(json!(["query: a", "query: b"]), false));
    assert_eq!(embeds[2], asked(json!(["query: c"]), true));
}

#[tokio::test]
async fn a_model_that_the_server_lacks_is_a_failure_that_says_so() {
    let server = Scripted::start(|_| Reply::json(404, r#"{"error":"model \"m\" not found, try pulling it first"}"#));
    let error = failure(model(provider(Kind::Ollama, &server.url())).card().await);
    assert_eq!(error.code(), "models.upstream_failed");
    assert_eq!(error.to_string(), "the provider far failed: it answered 404: it may not have this model");
}

#[tokio::test]
async fn a_failed_card_is_asked_for_again() {
    let down = Arc::new(AtomicBool::new(true));
    let state = Arc::clone(&down);
    let server = Scripted::start(move |asked| match state.load(Ordering::SeqCst) {
        true => Reply::HangUp,
        false => ollama(asked, "sha256:one"),
    });
    let model = model(provider(Kind::Ollama, &server.url()));
    failure(model.card().await);
    down.store(false, Ordering::SeqCst);
    assert_eq!(model.card().await.unwrap().dimension, 2);
}

#[tokio::test]
async fn vectors_of_a_model_that_was_replaced_do_not_pass_for_the_old_one() {
    let replaced = Arc::new(AtomicBool::new(false));
    let state = Arc::clone(&replaced);
    let server = Scripted::start(move |asked| {
        ollama(asked, if state.load(Ordering::SeqCst) { "sha256:two" } else { "sha256:one" })
    });
    let model = model(provider(Kind::Ollama, &server.url()));
    let old = model.card().await.unwrap();
    assert_eq!(embed(&model, &["a"]).await.unwrap().len(), 1);
    replaced.store(true, Ordering::SeqCst);
    assert_eq!(failure(embed(&model, &["b"]).await).code(), "models.upstream_failed");
    assert_ne!(model.card().await.unwrap().fingerprint, old.fingerprint, "the old card is not kept");
    assert_eq!(embed(&model, &["b"]).await.unwrap().len(), 1);
}

#[tokio::test]
async fn the_list_has_what_a_server_confirmed_and_asks_none() {
    let server = Scripted::start(|asked| match body(asked)["model"] == json!("gone") {
        true => Reply::json(404, "{}"),
        false => ollama(asked, "sha256:one"),
    });
    let models = models(provider(Kind::Ollama, &server.url())).unwrap();
    let known = models.embedder(Some("far/m")).unwrap();
    failure(models.embedder(Some("far/gone")).unwrap().card().await);
    let names = || models.list().into_iter().map(|listed| listed.name).collect::<Vec<_>>();
    assert_eq!(names(), ["all-MiniLM-L6-v2", "all-MiniLM-L6-v2-f32"]);
    known.card().await.unwrap();
    let asked = server.asked().len();
    assert_eq!(names(), ["all-MiniLM-L6-v2", "all-MiniLM-L6-v2-f32", "far/m"]);
    assert_eq!(server.asked().len(), asked);
}
