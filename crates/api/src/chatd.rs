//! chatd: conversations with language models.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json as Wrapped, Router};
use base::{Facts, Seams};
use flows::{Chats, Step};
use models::ChatRequest;
use serde_json::json;

use crate::error::Result;
use crate::health::Readiness;
use crate::request::{Json, Nothing, Params};
use crate::role::Role;
use crate::run::InRun;
use crate::shared::{Shared, gated, no_route};

mod openai;

/// What the routes of this door share.
#[derive(Clone)]
struct Desk {
    chats: Chats,
    seams: Seams,
}

/// The door of chatd over the language models. It is ready at once: nobody is called before a model is asked for.
pub fn chatd(chats: Chats, shared: Shared) -> Router {
    let (short, long) = shared.gates();
    let desk = Desk { chats, seams: shared.seams.clone() };
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
    run: InRun,
    Json(request): Json<ChatRequest>,
) -> Result<Response> {
    let (request, step) = traced(request, run)?;
    let answer = desk.chats.chat(&request, step.as_ref()).await?;
    Ok(Wrapped(answer).into_response())
}

async fn providers(State(desk): State<Desk>, _: Params<Nothing>) -> Result<Response> {
    Ok(Wrapped(json!({ "providers": desk.chats.providers() })).into_response())
}

/// The request as a hop of the work that it or its headers name, and as a step of a run, if that is one.
fn traced(request: ChatRequest, run: InRun) -> Result<(ChatRequest, Option<Step>)> {
    let hop = request.trace_id.clone().or_else(|| run.trace_id.clone());
    let step = run.step(request.trace_id.as_deref(), Role::Chatd)?;
    Ok((ChatRequest { trace_id: hop, ..request }, step))
}
