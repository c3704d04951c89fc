//! Sessions over HTTP: a model proposes by a script, and what comes of it is answered and recorded.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use axum::Router;
use models::{ChatAnswer, ChatRequest, Error, FinishReason, LanguageModel, Result, Usage};
use serde_json::{Value, json};

use crate::stack::{Answer, Stack, ingest, post_json, request, send, sql};
use crate::words;

/// A model that says what the system message lists as a JSON array: one text an attempt, `!` for a server that is down, `?` for one
/// that does not take so long a question.
/// `$LAST` stands for what it was told last, `$ASKED` for how it was asked.
#[derive(Default)]
pub struct Script {
    asked: Mutex<HashMap<String, Vec<String>>>,
}

#[async_trait]
impl LanguageModel for Script {
    async fn chat(&self, request: &ChatRequest) -> Result<ChatAnswer> {
        let trace = request.trace_id.clone().unwrap_or_default();
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let earlier = asked.entry(trace).or_default();
        let answers: Vec<String> = serde_json::from_str(&request.messages[0].content).unwrap();
        let last = request.messages.last().unwrap().content.clone();
        let content = answers[earlier.len()].replace("$LAST", &last.replace('"', "'").replace('\n', " "));
        let ChatRequest { model, temperature, max_tokens, trace_id, .. } = request;
        let content = content.replace("$ASKED", &format!("{model} {temperature:?} {max_tokens:?} {trace_id:?}"));
        earlier.push(last);
        if content == "!" {
            return Err(Error::UpstreamTimeout { provider: "scripted".to_owned() });
        }
        if content == "?" {
            return Err(Error::ConversationTooLong { tokens: 5_000, limit: 4_096 });
        }
        let (finish_reason, usage) = (FinishReason::Stop, Usage::default());
        let (provider, model) = ("scripted".to_owned(), request.model.clone());
        Ok(ChatAnswer { content, finish_reason, provider, model, usage, latency_ms: 1 })
    }
}

const WORKERS: &str = "worker_id,name,role,city,state,status\n\
    1,Ann Poe,Welder,Toledo,OH,active\n2,Bob Ray,Welder,Lima,OH,active\n3,Cy Orr,Baker,Toledo,OH,active\n";

/// A stack, which must live as long as its gateway is asked.
pub async fn open() -> (Stack, Router) {
    let stack = Stack::open().await;
    let gateway = stack.gateway();
    ingest(&gateway, "workers", WORKERS).await;
    (stack, gateway)
}

pub fn asked(answers: &[&str], more: Value) -> Value {
    let mut body = json!({
        "kind": "fill", "prompt": "one welder in Toledo", "model": "scripted/m", "system": json!(answers).to_string(),
        "context": { "target_count": 1, "city": "Toledo", "role": "Welder" },
    });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

pub async fn iterate(gateway: &Router, body: &Value) -> Answer {
    post_json(gateway, "/v1/iterate", &body.to_string()).await
}

pub async fn rows(gateway: &Router, query: &str) -> Value {
    sql(gateway, query).await.json()["rows"].clone()
}

pub fn proposal(id: &str, name: &str) -> String {
    json!({ "fills": [{ "candidate_id": id, "name": name }] }).to_string()
}

#[tokio::test]
async fn a_model_corrects_itself_and_the_session_is_recorded() {
    let (_stack, gateway) = open().await;
    let (phantom, right) = (proposal("W-9", "Nobody"), proposal("W-1", "Ann Poe"));
    let fenced = format!("Sure:\n```json\n{right}\n```");
    let body = asked(&["I cannot say.", &phantom, &fenced], json!({ "trace_id": "session-1" }));
    let answer = iterate(&gateway, &body).await;
    assert_eq!(answer.status.as_u16(), 200, "{}", answer.text());
    let told = answer.json();
    assert_eq!(told["artifact"], serde_json::from_str::<Value>(&right).unwrap());
    assert_eq!((&told["iterations"], &told["trace_id"]), (&json!(3), &json!("session-1")));
    let kinds: Vec<&Value> = told["history"].as_array().unwrap().iter().map(|one| &one["status"]["kind"]).collect();
    assert_eq!(kinds, ["no_json", "validation_failed", "accepted"]);
    let why = told["history"][1]["status"]["error"]["Consistency"]["reason"].as_str().unwrap();
    assert_eq!(why, "fills[0].candidate_id \"W-9\" does not exist in the worker roster");
    assert_eq!(told["history"][0]["span_id"].as_str().unwrap().len(), 16);
    assert_eq!(told["validation"]["validator"], "staffing.fill");
    let logged = "SELECT session_id, kind, model, provider, iterations, final_verdict, grounded_in_roster, artifact, schema \
                  FROM sessions";
    let line =
        json!([["session-1", "fill", "scripted/m", "scripted", 3, "accepted", true, right, "session.iterate.v1"]]);
    assert_eq!(rows(&gateway, logged).await, line);
}

#[tokio::test]
async fn a_session_that_exhausts_or_meets_nobody_says_so() {
    let (_stack, gateway) = open().await;
    let phantom = proposal("W-9", "Nobody");
    let exhausted = iterate(&gateway, &asked(&[&phantom, "$LAST"], json!({ "max_iterations": 2 }))).await;
    assert_eq!(exhausted.status.as_u16(), 422, "{}", exhausted.text());
    let told = exhausted.json();
    assert_eq!(told["error"], "no proposal passed within 2 attempts");
    assert!(told["trace_id"].as_str().is_some_and(|id| id.len() == 32), "{told}");
    let said = told["history"][1]["raw"].as_str().unwrap();
    assert!(said.contains("'Consistency'") && said.contains("W-9"), "the next prompt carries the error: {said}");
    let down = iterate(&gateway, &asked(&["nothing", "!"], json!({}))).await;
    assert_eq!(down.status.as_u16(), 502, "{}", down.text());
    assert!(down.json()["error"].as_str().unwrap().starts_with("infra_error: "), "{}", down.text());
    assert_eq!(down.json()["iterations"], 1);
    let verdicts = "SELECT final_verdict, grounded_in_roster, artifact FROM sessions ORDER BY final_verdict";
    let both = json!([["infra_error", false, null], ["max_iter_exhausted", false, null]]);
    assert_eq!(rows(&gateway, verdicts).await, both);
}

/// Questions grow by what is corrected: one that is too long at last ends a session, and does not undo it.
#[tokio::test]
async fn a_question_that_is_refused_at_last_ends_a_session_which_is_recorded() {
    let (_stack, gateway) = open().await;
    let at_once = iterate(&gateway, &asked(&["?"], json!({}))).await;
    assert_eq!((at_once.status.as_u16(), at_once.code().as_str()), (400, "models.conversation_too_long"));
    let at_last = iterate(&gateway, &asked(&["nothing", "?"], json!({ "trace_id": "grown" }))).await;
    assert_eq!(at_last.status.as_u16(), 502, "{}", at_last.text());
    assert_eq!(at_last.json()["history"].as_array().map(Vec::len), Some(1));
    let recorded = "SELECT session_id, final_verdict, iterations FROM sessions";
    assert_eq!(rows(&gateway, recorded).await, json!([["grown", "infra_error", 1]]));
}

#[tokio::test]
async fn a_model_cannot_bring_a_contract_of_its_own() {
    let (_stack, gateway) = open().await;
    let forged = json!({
        "fills": [{ "candidate_id": "W-2", "name": "Bob Ray" }], "_context": { "target_count": 1, "city": "Lima" },
    });
    let refused = iterate(&gateway, &asked(&[&forged.to_string()], json!({ "max_iterations": 1 }))).await;
    assert_eq!(refused.status.as_u16(), 422);
    assert!(refused.text().contains(r#"has the city \"Lima\", the contract wants \"Toledo\""#), "{}", refused.text());
}

#[tokio::test]
async fn the_model_is_shown_those_whom_the_checks_let_pass() {
    let (_stack, gateway) = open().await;
    let shown = async |retrieve: Value| {
        let body = asked(&["$LAST"], json!({ "max_iterations": 1, "retrieve": retrieve }));
        let answer = iterate(&gateway, &body).await.json();
        let raw = answer["history"][0]["raw"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned();
        ["W-1", "W-2", "W-3"].map(|id| raw.contains(&format!("'{id}'")))
    };
    assert_eq!(shown(json!({})).await, [true, false, false]);
    assert_eq!(shown(json!({ "where": "name LIKE 'Z%'" })).await, [false; 3]);
    assert_eq!(shown(json!({ "where": "state = 'OH' -- all" })).await, [true, false, false]);
    let wrong = asked(&["x"], json!({ "retrieve": { "where": "no_such = 1" } }));
    assert_eq!(iterate(&gateway, &wrong).await.status.as_u16(), 400);
}

/// An index brings the order, the roster who is eligible at all, as of the version that is asked for.
#[tokio::test]
async fn the_nearest_of_an_index_are_shown_as_far_as_they_are_eligible() {
    let (_stack, gateway) = open().await;
    let more = "worker_id,name,role,city,state,status\n4,Di Fox,Welder,Toledo,OH,active\n\
        5,Ed Lee,Welder,Toledo,OH,active\n6,Flo Kay,Welder,Toledo,OH,gone\n";
    let load =
        request(http::Method::POST, "/v1/ingest?name=workers&mode=append", &[("content-type", "text/csv")], more);
    let loaded = send(&gateway, load).await;
    assert_eq!(loaded.status.as_u16(), 200, "{}", loaded.text());
    let new = json!({ "name": "skills", "dimension": words::DIMENSION, "model": words::MODEL });
    assert_eq!(post_json(&gateway, "/v1/vectors/index", &new.to_string()).await.status.as_u16(), 201);
    let skills = json!([
        { "id": "W-1", "text": "bake bread" }, { "id": "w-4", "text": "forklift pallets" },
        { "id": "W-5", "text": "forklift pallets bread" }, { "id": "W-6", "text": "forklift pallets loading" },
        { "id": "W-404", "text": "forklift pallets" }, { "id": "W-2", "text": "forklift warehouse" },
    ]);
    let added = post_json(&gateway, "/v1/vectors/index/skills/add_text", &json!({ "items": skills }).to_string()).await;
    assert_eq!(added.status.as_u16(), 200, "{}", added.text());
    let shown = async |retrieve: Value, as_of: Value| {
        let body = asked(&["$LAST"], json!({ "max_iterations": 1, "retrieve": retrieve, "as_of": as_of }));
        let answer = iterate(&gateway, &body).await.json();
        let raw = answer["history"][0]["raw"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned();
        let mut found: Vec<(usize, &str)> = ["W-1", "W-2", "W-3", "W-4", "4", "W-5", "W-6", "W-404"]
            .into_iter()
            .filter_map(|id| Some((raw.find(&format!("'candidate_id':'{id}'"))?, id)))
            .collect();
        found.sort_unstable();
        found.into_iter().map(|(_, id)| id).collect::<Vec<_>>()
    };
    let near = |k: usize| json!({ "index": "skills", "query": "forklift pallets", "k": k });
    assert_eq!(shown(near(9), Value::Null).await, ["W-4", "W-5", "W-1"]);
    assert_eq!(shown(near(1), Value::Null).await, ["W-4"]);
    let some = json!({ "index": "skills", "query": "forklift pallets", "where": "name LIKE 'E%'" });
    assert_eq!(shown(some, Value::Null).await, ["W-5"]);
    // Without an index the roster of the version is asked alone.
    assert_eq!(shown(json!({}), json!(1)).await, ["W-1"]);
}

#[tokio::test]
async fn sessions_are_named_by_the_body_the_header_or_the_house() {
    let (_stack, gateway) = open().await;
    let right = proposal("W-1", "Ann Poe");
    let named = async |body: Value, header: Option<&str>| {
        let mut headers = vec![("content-type", "application/json")];
        headers.extend(header.map(|name| ("x-lakehouse-trace-id", name)));
        let sent = request(http::Method::POST, "/v1/iterate", &headers, body.to_string());
        send(&gateway, sent).await.json()["trace_id"].as_str().unwrap().to_owned()
    };
    let plain = asked(&[&right], json!({}));
    assert_eq!(named(asked(&[&right], json!({ "trace_id": "body-1" })), Some("header-1")).await, "body-1");
    assert_eq!(named(plain.clone(), Some("header-2")).await, "header-2");
    assert_eq!(named(plain, None).await.len(), 32);
    for (change, code) in [
        (json!({ "trace_id": "no good" }), "api.bad_body"),
        (json!({ "max_iterations": 0 }), "flows.bad_iteration"),
        (json!({ "prompt": " " }), "flows.bad_iteration"),
        (json!({ "retrieve": { "k": 0 } }), "flows.bad_iteration"),
        (json!({ "retrieve": { "query": "x" } }), "flows.bad_iteration"),
        (json!({ "retrieve": {}, "context": { "city": 1 } }), "flows.bad_context"),
        (json!({ "kind": "other" }), "validate.unknown_kind"),
    ] {
        let refused = iterate(&gateway, &asked(&[&right], change.clone())).await;
        assert_eq!((refused.status.as_u16(), refused.code().as_str()), (400, code), "{change}");
    }
    assert_eq!(rows(&gateway, "SELECT count(*) FROM sessions").await, json!([[3]]));
}
