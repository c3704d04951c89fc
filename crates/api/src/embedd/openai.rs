//! The same, in the shape in which OpenAI's clients ask and are answered.

use std::sync::Arc;

use axum::Json as Wrapped;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use embed::{Ask, Embed, Embedded, Overflow};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use super::{bytes_of, stated};
use crate::batch::Batch;
use crate::error::{Error, Result};
use crate::listed;
use crate::request::{Nothing, Params};

/// How a vector is written.
#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Encoding {
    #[default]
    Float,
    /// The numbers as bytes, each four of them, the lowest first, in base64.
    Base64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Call {
    #[serde(deserialize_with = "listed::input")]
    input: Vec<String>,
    model: Option<String>,
    encoding_format: Option<Encoding>,
    dimensions: Option<usize>,
    user: Option<IgnoredAny>,
}

pub(super) async fn embeddings(
    State(embed): State<Embed>,
    _: Params<Nothing>,
    Batch { call, place: _place }: Batch<Call>,
) -> Result<Response> {
    let Call { input: texts, model, encoding_format, dimensions, user: _user } = call;
    if let Some(wanted) = dimensions {
        require(&embed, model.as_deref(), wanted).await?;
    }
    let embedded = embed.embed(Ask { texts, model, overflow: Overflow::Error }).await?;
    let answer =
        storage::task::blocking("write vectors", move || write(&embedded, encoding_format.unwrap_or_default())).await;
    Ok(answer.map_err(|_| Error::Panicked)?)
}

/// No model here cuts its vectors short.
async fn require(embed: &Embed, model: Option<&str>, wanted: usize) -> Result<()> {
    let known = embed.card(model).await?.dimension;
    if known == wanted {
        return Ok(());
    }
    Err(Error::Body(format!("`dimensions` is {wanted}, and the model makes vectors of {known}")).into())
}

/// The members in the order in which they stand on the wire.
#[derive(Serialize)]
struct Answer<'a> {
    object: &'static str,
    data: Vec<Line>,
    model: &'a str,
    usage: Usage,
}

#[derive(Serialize)]
struct Line {
    object: &'static str,
    index: usize,
    embedding: Numbers,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Numbers {
    Float(Arc<[f32]>),
    Base64(String),
}

/// What a client is charged elsewhere. Tokens are not counted here, and clients want a number.
#[derive(Default, Serialize)]
struct Usage {
    prompt_tokens: u64,
    total_tokens: u64,
}

fn write(embedded: &Embedded, encoding: Encoding) -> Response {
    let line = |(index, vector): (usize, &Arc<[f32]>)| {
        let embedding = match encoding {
            Encoding::Float => Numbers::Float(Arc::clone(vector)),
            Encoding::Base64 => Numbers::Base64(BASE64_STANDARD.encode(bytes_of(vector).collect::<Vec<u8>>())),
        };
        Line { object: "embedding", index, embedding }
    };
    let data = embedded.vectors.iter().enumerate().map(line).collect();
    let answer = Answer { object: "list", data, model: &embedded.model, usage: Usage::default() };
    stated(embedded, Wrapped(answer).into_response())
}
