//! Conversations over OpenAI's API, which many servers speak.

use std::sync::Arc;

use futures::stream::BoxStream;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::Piece;
use super::lines::{Heard, Lines, told};
use crate::error::Result;
use crate::http::{Asked, Server};
use crate::language::{ChatAnswer, ChatRequest, FinishReason, Format, Message, Usage};

const ROUTE: &str = "chat/completions";
/// What the last line of a stream says.
const DONE: &str = "[DONE]";

#[derive(Serialize)]
struct Request<'a> {
    model: &'a str,
    messages: &'a [Message],
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_format: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stream: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stream_options: Option<Value>,
}

#[derive(Deserialize)]
struct Answered {
    choices: Vec<Choice>,
    #[serde(default)]
    usage: Option<Usage>,
}

/// A choice of a whole answer has a message, one of a stream a delta.
#[derive(Default, Deserialize)]
struct Choice {
    #[serde(default, alias = "delta")]
    message: Option<Said>,
    #[serde(default)]
    finish_reason: Option<String>,
}

#[derive(Default, Deserialize)]
struct Said {
    #[serde(default)]
    content: Option<String>,
}

/// What the model says, as a whole.
pub(super) async fn chat(server: &Arc<Server>, model: &str, request: &ChatRequest) -> Result<ChatAnswer> {
    let body = body(model, request, false);
    let answer = server.ask(Asked { route: ROUTE, body: &body, trace_id: None }).await?;
    if !answer.status.is_success() {
        return Err(server.refusal_in_its_words(&answer));
    }
    let Answered { choices, usage } = server.read(&answer)?;
    let Choice { message, finish_reason } = choices.into_iter().next().unwrap_or_default();
    let said = message.ok_or_else(|| server.failed("it answered nothing"))?;
    Ok(ChatAnswer {
        content: said.content.unwrap_or_default(),
        finish_reason: finish_reason.as_deref().map(FinishReason::of).unwrap_or_default(),
        provider: server.name().to_owned(),
        model: model.to_owned(),
        usage: usage.unwrap_or_default(),
        latency_ms: 0,
    })
}

/// What the model says, as it says it.
pub(super) async fn stream(
    server: &Arc<Server>,
    model: &str,
    request: &ChatRequest,
) -> Result<BoxStream<'static, Result<Piece>>> {
    let body = body(model, request, true);
    let answer = server.open(Asked { route: ROUTE, body: &body, trace_id: None }).await?;
    let lines = Lines::of(answer.spoken(Server::refusal_in_its_words).await?);
    Ok(told(lines, heard))
}

fn body<'a>(model: &'a str, request: &'a ChatRequest, stream: bool) -> Request<'a> {
    Request {
        model,
        messages: &request.messages,
        temperature: request.temperature,
        max_tokens: request.max_tokens,
        response_format: request.format.as_ref().map(response_format),
        stream: stream.then_some(true),
        stream_options: stream.then(|| json!({ "include_usage": true })),
    }
}

fn response_format(format: &Format) -> Value {
    match format {
        Format::Json => json!({ "type": "json_object" }),
        Format::Schema(schema) => {
            json!({ "type": "json_schema", "json_schema": { "name": "answer", "strict": true, "schema": schema } })
        }
    }
}

/// What one line of a stream of events says.
pub(super) fn heard(line: &str) -> serde_json::Result<Heard> {
    let Some(data) = line.strip_prefix("data:").map(str::trim) else { return Ok(Heard::default()) };
    if data == DONE {
        return Ok(Heard { over: true, ..Heard::default() });
    }
    let object: Map<String, Value> = serde_json::from_str(data)?;
    if let Some(error) = object.get("error") {
        let said = error.get("message").or_else(|| object.get("detail")).unwrap_or(error);
        return Ok(Heard { failure: Some(said.as_str().unwrap_or("it failed").to_owned()), ..Heard::default() });
    }
    let Answered { choices, usage } = serde_json::from_value(Value::Object(object))?;
    let choice = choices.into_iter().next().unwrap_or_default();
    Ok(Heard {
        text: choice.message.and_then(|said| said.content).unwrap_or_default(),
        finish: choice.finish_reason.as_deref().map(FinishReason::of),
        usage,
        ..Heard::default()
    })
}
