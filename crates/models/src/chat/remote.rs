//! Conversations over the chat routes of another Lakehouse process.

use std::sync::Arc;

use futures::stream::BoxStream;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Piece;
use super::lines::{Lines, told};
use super::openai::heard;
use crate::error::Result;
use crate::http::{Asked, Server};
use crate::language::{ChatAnswer, ChatRequest, FinishReason, Format, Message, Usage};
use crate::remote::refusal;

#[derive(Serialize)]
struct Request<'a> {
    model: &'a str,
    messages: &'a [Message],
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    format: Option<&'a Format>,
}

#[derive(Deserialize)]
struct Answered {
    content: String,
    finish_reason: FinishReason,
    provider: String,
    model: String,
    usage: Usage,
}

/// What the model says, as a whole.
pub(super) async fn chat(server: &Arc<Server>, model: &str, request: &ChatRequest) -> Result<ChatAnswer> {
    let body = body(model, request);
    let answer = server.ask(Asked { route: "chat", body: &body, trace_id: request.trace_id.as_deref() }).await?;
    if !answer.status.is_success() {
        return Err(refusal(server, &answer));
    }
    let Answered { content, finish_reason, provider, model, usage } = server.read(&answer)?;
    Ok(ChatAnswer { content, finish_reason, provider, model, usage, latency_ms: 0 })
}

/// What the model says, as it says it.
pub(super) async fn stream(
    server: &Arc<Server>,
    model: &str,
    request: &ChatRequest,
) -> Result<BoxStream<'static, Result<Piece>>> {
    let mut body = json!(body(model, request));
    body["stream"] = Value::Bool(true);
    body["stream_options"] = json!({ "include_usage": true });
    let trace_id = request.trace_id.as_deref();
    let answer = server.open(Asked { route: "chat/completions", body: &body, trace_id }).await?;
    Ok(told(Lines::of(answer.spoken(refusal).await?), heard))
}

fn body<'a>(model: &'a str, request: &'a ChatRequest) -> Request<'a> {
    let ChatRequest { messages, temperature, max_tokens, format, .. } = request;
    Request { model, messages, temperature: *temperature, max_tokens: *max_tokens, format: format.as_ref() }
}
