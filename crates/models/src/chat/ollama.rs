//! Conversations over Ollama's own API.

use std::sync::Arc;

use futures::stream::BoxStream;
use serde::{Deserialize, Serialize};

use super::Piece;
use super::lines::{Heard, Lines, told};
use crate::error::Result;
use crate::http::{Asked, Server};
use crate::language::{ChatAnswer, ChatRequest, FinishReason, Format, Message, Usage};

const ROUTE: &str = "api/chat";

#[derive(Serialize)]
struct Request<'a> {
    model: &'a str,
    messages: &'a [Message],
    stream: bool,
    /// Off: a model that thinks first may use up a short budget before it says a word.
    think: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    format: Option<&'a Format>,
    options: Options,
}

#[derive(Serialize)]
struct Options {
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    num_predict: Option<u32>,
}

/// A whole answer, or a line of one.
#[derive(Deserialize)]
struct Answered {
    #[serde(default)]
    message: Said,
    #[serde(default)]
    done: bool,
    #[serde(default)]
    done_reason: Option<String>,
    #[serde(default)]
    prompt_eval_count: Option<u64>,
    #[serde(default)]
    eval_count: Option<u64>,
    #[serde(default)]
    error: Option<String>,
}

#[derive(Default, Deserialize)]
struct Said {
    #[serde(default)]
    content: Option<String>,
}

impl Answered {
    fn finish_reason(&self) -> FinishReason {
        self.done_reason.as_deref().map(FinishReason::of).unwrap_or_default()
    }

    fn usage(&self) -> Usage {
        Usage { prompt_tokens: self.prompt_eval_count, completion_tokens: self.eval_count }
    }
}

/// What the model says, as a whole.
pub(super) async fn chat(server: &Arc<Server>, model: &str, request: &ChatRequest) -> Result<ChatAnswer> {
    let body = body(model, request, false);
    let answer = server.ask(Asked { route: ROUTE, body: &body, trace_id: None }).await?;
    if !answer.status.is_success() {
        return Err(server.refusal_in_its_words(&answer));
    }
    let answered: Answered = server.read(&answer)?;
    if let Some(said) = &answered.error {
        return Err(server.complains(said));
    }
    if !answered.done {
        return Err(server.failed("it answered a part and no end"));
    }
    Ok(ChatAnswer {
        finish_reason: answered.finish_reason(),
        provider: server.name().to_owned(),
        model: model.to_owned(),
        usage: answered.usage(),
        content: answered.message.content.unwrap_or_default(),
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
    let options = Options { temperature: request.temperature, num_predict: request.max_tokens };
    Request { model, messages: &request.messages, stream, think: false, format: request.format.as_ref(), options }
}

/// What one line of a stream says.
fn heard(line: &str) -> serde_json::Result<Heard> {
    if line.trim().is_empty() {
        return Ok(Heard::default());
    }
    let answered: Answered = serde_json::from_str(line)?;
    Ok(Heard {
        finish: answered.done.then(|| answered.finish_reason()),
        usage: answered.done.then(|| answered.usage()),
        over: answered.done,
        text: answered.message.content.unwrap_or_default(),
        failure: answered.error,
    })
}
