//! chatd: a model's name finds its provider, and what that says or refuses comes back as it is.

use anyhow::{Context, ensure};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use http::StatusCode;
use http::header::RETRY_AFTER;
use serde_json::{Value, json};

use crate::probe::Probe;
use crate::stack::{Ground, Site};

pub async fn prove(ground: Ground) -> anyhow::Result<()> {
    let url = talk().await?;
    let site = Site::new(&ground)?;
    let settings = [
        format!("embedd.provider_url={url}"),
        "models.providers.corp.kind=openai".to_owned(),
        format!("models.providers.corp.url={url}/v1"),
    ];
    let stack = site.start(&settings.each_ref().map(String::as_str)).await?;
    let probe = Probe::of(stack.gateway()?)?;
    everybody_is_listed(&probe).await?;
    the_default_provider_takes_bare_names(&probe).await?;
    a_prefix_finds_its_provider_and_is_taken_off(&probe).await?;
    nobody_is_asked_without_a_provider_or_its_key(&probe).await?;
    what_a_provider_refuses_comes_back(&probe).await?;
    a_stream_ends_as_it_should(&probe).await?;
    stack.stop().await
}

fn hello(model: &str) -> Value {
    json!({ "model": model, "messages": [{ "role": "user", "content": "Hello" }] })
}

async fn everybody_is_listed(probe: &Probe) -> anyhow::Result<()> {
    let listed = probe.get("/v1/chat/providers").await?.expect(200)?.json()?;
    let names: Vec<&Value> = listed["providers"].as_array().context("a list")?.iter().map(|one| &one["name"]).collect();
    ensure!(names == ["corp", "embedded", "ollama", "ollama_cloud"], "the providers are {listed}");
    Ok(())
}

async fn the_default_provider_takes_bare_names(probe: &Probe) -> anyhow::Result<()> {
    let answer = probe.post("/v1/chat", &hello("m:1b")).await?.expect(200)?.json()?;
    ensure!(answer["content"] == "ollama says m:1b" && answer["provider"] == "ollama", "it answers {answer}");
    ensure!(answer["finish_reason"] == "length", "an answer that was cut off says {answer}");
    Ok(())
}

async fn a_prefix_finds_its_provider_and_is_taken_off(probe: &Probe) -> anyhow::Result<()> {
    for (name, said) in [("ollama/org/m", "ollama says org/m"), ("corp/org/m", "corp says org/m")] {
        let answer = probe.post("/v1/chat", &hello(name)).await?.expect(200)?.json()?;
        ensure!(answer["content"] == said, "{name} answers {answer}");
    }
    Ok(())
}

async fn nobody_is_asked_without_a_provider_or_its_key(probe: &Probe) -> anyhow::Result<()> {
    for (name, status, code) in [("nobody/m", 404, "models.unknown_provider"), ("m:cloud", 503, "models.no_key")] {
        let problem = probe.post("/v1/chat", &hello(name)).await?.expect(status)?.json()?;
        ensure!(problem["code"] == code, "{name} is refused with {problem}");
    }
    Ok(())
}

async fn what_a_provider_refuses_comes_back(probe: &Probe) -> anyhow::Result<()> {
    let problem = probe.post("/v1/chat", &hello("corp/gone")).await?.expect(502)?.json()?;
    let detail = problem["detail"].as_str().unwrap_or_default();
    ensure!(detail.ends_with("there is no such model"), "it says {problem}");
    let busy = probe.post("/v1/chat", &hello("corp/busy")).await?.expect(429)?;
    ensure!(busy.header("retry-after") == Some("7"), "it is told to come again in {:?}", busy.header("retry-after"));
    Ok(())
}

async fn a_stream_ends_as_it_should(probe: &Probe) -> anyhow::Result<()> {
    let mut body = hello("corp/m");
    body["stream"] = json!(true);
    let reply = probe.post("/v1/chat/completions", &body).await?.expect(200)?;
    let text = String::from_utf8_lossy(&reply.body);
    ensure!(
        reply.header("content-type") == Some("text/event-stream"),
        "a stream of {:?}",
        reply.header("content-type")
    );
    ensure!(text.contains("corp says m") && text.ends_with("data: [DONE]\n\n"), "the stream is {text}");
    Ok(())
}

/// A server that speaks both ways and answers with the name it was asked for; its URL.
async fn talk() -> anyhow::Result<String> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    let routes = Router::new().route("/api/chat", post(ollama)).route("/v1/chat/completions", post(openai));
    let _serves = storage::task::spawn("talk", async { axum::serve(listener, routes).await });
    Ok(url)
}

async fn ollama(Json(body): Json<Value>) -> Response {
    let message = json!({ "role": "assistant", "content": format!("ollama says {}", name(&body)) });
    Json(json!({ "message": message, "done": true, "done_reason": "length" })).into_response()
}

async fn openai(Json(body): Json<Value>) -> Response {
    let said = format!("corp says {}", name(&body));
    match name(&body) {
        "gone" => {
            let error = json!({ "error": { "message": "there is no such model" } });
            (StatusCode::NOT_FOUND, Json(error)).into_response()
        }
        "busy" => (StatusCode::TOO_MANY_REQUESTS, [(RETRY_AFTER, "7")]).into_response(),
        _ if body["stream"] == true => {
            let event = json!({ "choices": [{ "delta": { "content": said }, "finish_reason": "stop" }] });
            format!("data: {event}\n\ndata: [DONE]\n\n").into_response()
        }
        _ => {
            let message = json!({ "role": "assistant", "content": said });
            Json(json!({ "choices": [{ "message": message, "finish_reason": "stop" }] })).into_response()
        }
    }
}

fn name(body: &Value) -> &str {
    body["model"].as_str().unwrap_or_default()
}
