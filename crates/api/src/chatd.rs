//! chatd: conversations with language models.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json as Wrapped, Router};
use base::{Facts, Seams};
use http::HeaderMap;
use models::{Chat, ChatRequest, LanguageModel};
use serde_json::json;

use crate::error::Result;
use crate::health::Readiness;
use crate::request::{Json, Nothing, Params, text};
use crate::role::Role;
use crate::shared::{Shared, gated, no_route};
use crate::trace::TRACE_ID;

mod openai;

/// What the routes of this door share.
#[derive(Clone)]
struct Desk {
    chat: Chat,
    seams: Seams,
}

/// The door of chatd over the language models. It is ready at once: nobody is called before a model is asked for.
pub fn chatd(chat: Chat, shared: Shared) -> Router {
    let (short, long) = shared.gates();
    let desk = Desk { chat, seams: shared.seams.clone() };
    let asks = Router::new()
        .route("/chat", post(answer))
        .route("/chat/completions", post(openai::completions))
        .with_state(desk.clone());
    let looks = Router::new().route("/chat/providers", get(providers)).with_state(desk);
    let routes = gated(asks, long).merge(gated(looks, short)).fallback(no_route);
    shared.door(Role::Chatd, routes, Readiness::new(async || Ok(Facts::new())))
}

async fn answer(
    State(desk): State<Desk>,
    _: Params<Nothing>,
    headers: HeaderMap,
    Json(request): Json<ChatRequest>,
) -> Result<Response> {
    let answer = desk.chat.chat(&traced(request, &headers)).await?;
    Ok(Wrapped(answer).into_response())
}

async fn providers(State(desk): State<Desk>, _: Params<Nothing>) -> Result<Response> {
    Ok(Wrapped(json!({ "providers": desk.chat.providers() })).into_response())
}

/// The request, as a hop of the work that its headers name.
fn traced(request: ChatRequest, headers: &HeaderMap) -> ChatRequest {
    ChatRequest { trace_id: text(headers, &TRACE_ID).map(str::to_owned), ..request }
}
