//! The same, in the shape in which OpenAI's clients ask and are answered, as a whole or piece by piece.

use std::convert::Infallible;
use std::time::Duration;

use axum::Json as Wrapped;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use base::{RequestId, Seams};
use bytes::Bytes;
use flows::Pieces;
use futures::StreamExt;
use futures::stream::unfold;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue};
use models::{ChatAnswer, ChatRequest, FinishReason, Format, Message, Piece, Usage};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Map, Value, json};
use tokio::time::timeout;

use super::{Desk, traced};
use crate::error::{Error, Refusal, Result};
use crate::events::MEDIA_TYPE;
use crate::request::{Json, Nothing, Params, text};
use crate::run::InRun;
use crate::trace::REQUEST_ID;

/// After so long without a piece a comment is sent: it keeps the connection alive, and finds out that nobody listens.
const QUIET: Duration = Duration::from_secs(1);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Call {
    model: String,
    messages: Vec<Message>,
    temperature: Option<f64>,
    max_tokens: Option<u32>,
    max_completion_tokens: Option<u32>,
    response_format: Option<ResponseFormat>,
    /// As `/chat` takes it; `response_format` goes before it.
    format: Option<Format>,
    stream: Option<bool>,
    stream_options: Option<StreamOptions>,
    n: Option<u32>,
    /// As `/chat` takes it.
    trace_id: Option<String>,
    /// Clients send it, and nothing here is about it.
    #[serde(rename = "user")]
    _user: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum ResponseFormat {
    Text,
    JsonObject,
    JsonSchema { json_schema: Named },
}

#[derive(Deserialize)]
struct Named {
    schema: Map<String, Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StreamOptions {
    include_usage: Option<bool>,
}

impl Call {
    fn check(&self) -> Result<()> {
        match self.n {
            None | Some(1) => Ok(()),
            Some(_) => Err(Error::Body("`n` is 1: there is one answer to a request".to_owned()).into()),
        }
    }

    fn request(self) -> ChatRequest {
        let format = match self.response_format {
            Some(ResponseFormat::Text) => None,
            Some(ResponseFormat::JsonObject) => Some(Format::Json),
            Some(ResponseFormat::JsonSchema { json_schema }) => Some(Format::Schema(json_schema.schema)),
            None => self.format,
        };
        ChatRequest {
            model: self.model,
            messages: self.messages,
            temperature: self.temperature,
            max_tokens: self.max_completion_tokens.or(self.max_tokens),
            format,
            trace_id: self.trace_id,
        }
    }
}

/// What every line of one answer states.
struct Line {
    id: String,
    created: i64,
    model: String,
    /// Whether the last line but one states what the answer took.
    usage: bool,
    request: Option<RequestId>,
}

pub(super) async fn completions(
    State(desk): State<Desk>,
    _: Params<Nothing>,
    headers: HeaderMap,
    run: InRun,
    Json(call): Json<Call>,
) -> Result<Response> {
    call.check()?;
    let streams = call.stream.unwrap_or_default();
    let line = Line::new(&desk.seams, &call, &headers);
    let (request, step) = traced(call.request(), run)?;
    if streams {
        return Ok(line.told(desk.chats.stream(&request, step.as_ref()).await?));
    }
    Ok(line.whole(desk.chats.chat(&request, step.as_ref()).await?))
}

impl Line {
    fn new(seams: &Seams, call: &Call, headers: &HeaderMap) -> Self {
        let usage = call.stream_options.as_ref().and_then(|options| options.include_usage).unwrap_or_default();
        let request = text(headers, &REQUEST_ID).and_then(RequestId::accept);
        let id = request.as_ref().map_or("", RequestId::as_str);
        let (id, created) = (format!("chatcmpl-{id}"), seams.now().micros() / 1_000_000);
        Self { id, created, model: call.model.clone(), usage, request }
    }

    /// The answer as one document.
    fn whole(self, answer: ChatAnswer) -> Response {
        let message = json!({ "role": "assistant", "content": answer.content });
        let choice = json!({ "index": 0, "message": message, "finish_reason": word(answer.finish_reason) });
        let Self { id, created, model, .. } = self;
        Wrapped(json!({ "id": id, "object": "chat.completion", "created": created, "model": model,
            "choices": [choice], "usage": taken(answer.usage) }))
        .into_response()
    }

    /// The answer as server-sent events. Once its head is out, a failure is told in its last event.
    fn told(self, answer: Pieces) -> Response {
        let first = Some(self.event(json!({ "role": "assistant", "content": "" }), None));
        let events = unfold((first, Some(answer), self), async |(first, mut answer, line)| {
            if let Some(first) = first {
                return Some((first, (None, answer, line)));
            }
            let (event, over) = match timeout(QUIET, answer.as_mut()?.next()).await {
                Err(_) => (": still at work\n\n".to_owned(), false),
                Ok(piece) => line.piece(piece?),
            };
            Some((event, (None, answer.filter(|_| !over), line)))
        });
        let events = events.map(|event| Ok::<_, Infallible>(Bytes::from(event)));
        let mut answer = Response::new(Body::from_stream(events));
        answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        answer
    }

    /// What is told of a piece, and whether it is the last.
    fn piece(&self, piece: flows::Result<Piece>) -> (String, bool) {
        match piece {
            Ok(Piece::Text(text)) => (self.event(json!({ "content": text }), None), false),
            Ok(Piece::End(reason, usage)) => (self.end(reason, usage), true),
            Err(error) => (self.failure(&Refusal::from(error)), true),
        }
    }

    fn end(&self, reason: FinishReason, usage: Usage) -> String {
        let mut end = self.event(json!({}), Some(reason));
        if self.usage {
            let mut chunk = self.chunk(json!([]));
            chunk["usage"] = taken(usage);
            end.push_str(&format!("data: {chunk}\n\n"));
        }
        end.push_str("data: [DONE]\n\n");
        end
    }

    /// Clients read the message out of `error`; the problem says the rest.
    fn failure(&self, refusal: &Refusal) -> String {
        let problem: Value = serde_json::from_str(&refusal.told(self.request.as_ref())).unwrap_or_default();
        let error = json!({ "message": problem["detail"], "type": problem["code"], "code": problem["status"] });
        format!("data: {}\n\n", json!({ "error": error }))
    }

    fn event(&self, delta: Value, reason: Option<FinishReason>) -> String {
        let choice = json!({ "index": 0, "delta": delta, "finish_reason": reason.map(word) });
        format!("data: {}\n\n", self.chunk(json!([choice])))
    }

    fn chunk(&self, choices: Value) -> Value {
        json!({ "id": self.id, "object": "chat.completion.chunk", "created": self.created, "model": self.model,
            "choices": choices })
    }
}

/// OpenAI's clients know no word for an end that nobody explained; no word at all would mean that there is more to come.
fn word(reason: FinishReason) -> &'static str {
    match reason {
        FinishReason::Unknown => "stop",
        known => known.as_str(),
    }
}

fn taken(Usage { prompt_tokens, completion_tokens }: Usage) -> Value {
    let total = prompt_tokens.unwrap_or(0) + completion_tokens.unwrap_or(0);
    json!({ "prompt_tokens": prompt_tokens.unwrap_or(0), "completion_tokens": completion_tokens.unwrap_or(0),
        "total_tokens": total })
}
