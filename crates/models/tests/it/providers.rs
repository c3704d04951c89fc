//! What the tests of providers share.

use std::sync::Arc;

use base::{Fault, Span};
use models::{Config, Embedder, Error, Kind, Models, Overflow, Provider, Routing};
use serde_json::{Value, json};
use storage::Secret;
use testkit::{Asked, Reply, Scripted};

/// The key of the provider; it must never be seen anywhere.
pub const KEY: &str = "sk-very-secret-key";

/// A provider of this kind at `url` that is given [`KEY`].
pub fn provider(kind: Kind, url: &str) -> Provider {
    Provider { api_key: Secret::new(KEY), timeout: Span::secs(20), ..Provider::at(kind, url) }
}

/// The model `m` of `provider`, which is called `far`.
pub fn model(provider: Provider) -> Arc<dyn Embedder> {
    named(provider, "far/m")
}

/// The model of this full name, with `provider` called `far`.
pub fn named(provider: Provider, name: &str) -> Arc<dyn Embedder> {
    models(provider).unwrap().embedder(Some(name)).unwrap()
}

/// All models, with `provider` called `far`.
pub fn models(provider: Provider) -> models::Result<Models> {
    let config = Config { providers: [("far".to_owned(), provider)].into(), ..Config::default() };
    Models::new(&config, routing())
}

/// Routing without another process.
pub fn routing() -> Routing {
    Routing { default_model: "far/m".to_owned(), ollama_url: "http://127.0.0.1:1".to_owned(), upstream: None }
}

/// Texts as models take them.
pub fn texts<T: AsRef<str>>(texts: &[T]) -> Vec<Arc<str>> {
    texts.iter().map(|text| Arc::from(text.as_ref())).collect()
}

/// The vectors of `given` with the default overflow.
pub async fn embed<T: AsRef<str>>(model: &Arc<dyn Embedder>, given: &[T]) -> models::Result<Vec<Vec<f32>>> {
    model.embed(&texts(given), Overflow::Error).await
}

/// The body of a request as JSON.
pub fn body(asked: &Asked) -> Value {
    serde_json::from_str(&asked.body).unwrap_or_default()
}

/// The texts of a request.
pub fn input(asked: &Asked) -> Vec<String> {
    let body = body(asked);
    let texts = ["input", "texts"].into_iter().find_map(|name| body.get(name)?.as_array().cloned());
    texts.unwrap_or_default().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
}

/// A vector of two numbers that tells the text's length.
pub fn vector(text: &str) -> [f32; 2] {
    [text.len() as f32, 1.0]
}

/// An answer of OpenAI's API, its vectors in backward order.
pub fn answer(texts: &[String]) -> Reply {
    let data = texts.iter().enumerate().rev();
    let data: Vec<Value> =
        data.map(|(index, text)| json!({ "object": "embedding", "index": index, "embedding": vector(text) })).collect();
    Reply::json(200, &json!({ "object": "list", "data": data }).to_string())
}

/// A server that learns its dimension well and then answers `reply`.
pub fn then(reply: Reply) -> Scripted {
    Scripted::start(move |asked| match input(asked) {
        probe if probe == ["dimension"] => answer(&probe),
        _ => reply.clone(),
    })
}

/// The failure, with everything that could be printed of it free of the key.
pub fn failure<T: std::fmt::Debug>(result: models::Result<T>) -> Error {
    let error = result.unwrap_err();
    let mut printed = format!("{error} {error:?} {:?}", error.facts());
    let mut cause = std::error::Error::source(&error);
    while let Some(inner) = cause {
        printed.push_str(&inner.to_string());
        cause = inner.source();
    }
    assert!(!printed.contains(KEY), "{printed}");
    error
}
