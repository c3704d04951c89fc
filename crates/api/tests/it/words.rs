//! A model for tests, served as OpenAI's clients expect one: it knows a few words, and what they are about.

use axum::routing::post;
use axum::{Json, Router};
use http::StatusCode;
use serde_json::{Value, json};

/// The model's name.
pub const MODEL: &str = "words/topics";
/// Length of its vectors: moving goods, care, bread, and how long the text is.
pub const DIMENSION: usize = 4;
/// A text that breaks the model.
pub const FATAL: &str = "the server falls over";

const TOPICS: [&[&str]; 3] = [
    &["forklift", "pallets", "warehouse", "loading"],
    &["nurse", "patients", "hospital", "care"],
    &["bake", "bread", "oven", "flour"],
];

/// Serves the model on a free port, as long as this test's runtime runs; its base URL.
pub async fn serve() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let routes = Router::new().route("/v1/embeddings", post(embeddings)).route("/embeddings", post(embeddings));
    ::storage::task::spawn("words", async move { axum::serve(listener, routes).await.unwrap() });
    format!("http://{address}")
}

/// What the model makes of a text.
pub fn vector(text: &str) -> [f32; DIMENSION] {
    let mut vector = [0.0, 0.0, 0.0, 0.1 + (text.len() as f32) / 1000.0];
    for word in text.split_whitespace() {
        for (topic, words) in TOPICS.iter().enumerate() {
            vector[topic] += if words.contains(&word) { 1.0 } else { 0.0 };
        }
    }
    vector
}

async fn embeddings(Json(asked): Json<Value>) -> (StatusCode, Json<Value>) {
    let texts: Vec<String> = match &asked["input"] {
        Value::String(text) => vec![text.clone()],
        texts => serde_json::from_value(texts.clone()).unwrap(),
    };
    if texts.iter().any(|text| text == FATAL) {
        return (StatusCode::INTERNAL_SERVER_ERROR, Json(json!({ "error": { "message": "a secret" } })));
    }
    let line =
        |(index, text): (usize, &String)| json!({ "object": "embedding", "index": index, "embedding": vector(text) });
    let data: Vec<Value> = texts.iter().enumerate().map(line).collect();
    (StatusCode::OK, Json(json!({ "object": "list", "model": "topics", "data": data, "usage": {} })))
}
