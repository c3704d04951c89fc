//! embedd: texts become vectors.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json as Wrapped, Router};
use base::Facts;
use embed::{Ask, Embed, Embedded, Overflow};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::accept;
use crate::batch::{Batch, Batches};
use crate::error::{Error, Result};
use crate::health::Readiness;
use crate::listed;
use crate::request::{Nothing, Params};
use crate::role::Role;
use crate::shared::{Shared, gated, no_route};

mod openai;

/// Says which weights, tokenizer and rules made the vectors of an answer.
pub const FINGERPRINT: HeaderName = HeaderName::from_static("x-lakehouse-model-fingerprint");
/// How many numbers each vector of an answer has.
pub const DIMENSION: HeaderName = HeaderName::from_static("x-lakehouse-dimension");
/// From this many numbers on an answer is written off the threads that answer requests.
const LONG_TO_WRITE: usize = 64 << 10;

/// The forms of an answer, the preferred one first.
const FORMS: [(&str, Form); 2] = [("application/json", Form::Json), ("application/octet-stream", Form::Bytes)];

#[derive(Clone, Copy)]
enum Form {
    Json,
    /// The vectors one after the other, each number four bytes, the lowest first.
    Bytes,
}

/// The door of embedd over a source of vectors. It is ready at once: a model that is still being fetched or loaded
/// makes the first texts wait.
pub fn embedd(embed: Embed, shared: Shared) -> Router {
    let (short, long) = shared.gates();
    let asks = Router::new()
        .route("/embed", post(embed_texts))
        .route("/embeddings", post(openai::embeddings))
        .layer(Batches::layer())
        .with_state(embed.clone());
    let looks = Router::new().route("/embed/stats", get(stats)).route("/embed/models", get(models)).with_state(embed);
    let routes = gated(asks, long).merge(gated(looks, short)).fallback(no_route);
    shared.door(Role::Embedd, routes, Readiness::new(async || Ok(Facts::new())))
}

async fn embed_texts(
    State(embed): State<Embed>,
    _: Params<Nothing>,
    headers: HeaderMap,
    Batch { call, place: _place }: Batch<Texts>,
) -> Result<Response> {
    let form = accept::best(&headers, &FORMS)?;
    let Texts { texts, model, overflow } = call;
    let embedded = embed.embed(Ask { texts, model, overflow: overflow.unwrap_or_default() }).await?;
    written(embedded, form).await
}

async fn stats(State(embed): State<Embed>, _: Params<Nothing>) -> Result<Response> {
    Ok(Wrapped(embed.stats()).into_response())
}

async fn models(State(embed): State<Embed>, _: Params<Nothing>) -> Result<Response> {
    Ok(Wrapped(json!({ "models": embed.models() })).into_response())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Texts {
    #[serde(deserialize_with = "listed::texts")]
    texts: Vec<String>,
    model: Option<String>,
    overflow: Option<Overflow>,
}

/// The members in the order in which they stand on the wire.
#[derive(Serialize)]
struct Vectors<'a> {
    model: &'a str,
    dimension: usize,
    vectors: &'a [Arc<[f32]>],
}

async fn written(embedded: Embedded, form: Form) -> Result<Response> {
    if embedded.vectors.len() * embedded.dimension < LONG_TO_WRITE {
        return Ok(write(&embedded, form));
    }
    let answer = storage::task::blocking("write vectors", move || write(&embedded, form)).await;
    Ok(answer.map_err(|_| Error::Panicked)?)
}

fn write(embedded: &Embedded, form: Form) -> Response {
    let Embedded { model, dimension, vectors, .. } = embedded;
    let answer = match form {
        Form::Json => Wrapped(Vectors { model, dimension: *dimension, vectors }).into_response(),
        Form::Bytes => {
            let bytes: Vec<u8> = vectors.iter().flat_map(|vector| bytes_of(vector)).collect();
            ([(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"))], bytes).into_response()
        }
    };
    stated(embedded, answer)
}

/// `answer`, stating in its headers what its vectors are.
fn stated(embedded: &Embedded, mut answer: Response) -> Response {
    if let Ok(fingerprint) = HeaderValue::from_str(&embedded.fingerprint) {
        answer.headers_mut().insert(FINGERPRINT, fingerprint);
    }
    answer.headers_mut().insert(DIMENSION, HeaderValue::from(embedded.dimension));
    answer
}

fn bytes_of(vector: &[f32]) -> impl Iterator<Item = u8> {
    vector.iter().flat_map(|number| number.to_le_bytes())
}
