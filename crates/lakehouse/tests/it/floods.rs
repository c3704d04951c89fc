//! Models whose answers never end, or are a gigabyte: each conversation ends in the documented error, and the server's
//! memory stays.

use std::sync::Arc;

use anyhow::ensure;
use futures::future::try_join_all;
use serde_json::{Value, json};
use smokes::probe::Probe;
use smokes::stack::{Ground, Site};
use testkit::{Reply, Scripted};

use crate::bombs::{peak, peak_from_now};
use crate::command::BINARY;

/// Conversations at the same time.
const CROWD: usize = 12;
/// What the server's memory may grow by, in KiB: the longest answer that is read, for each conversation, and as much
/// again for what is made of it.
const GROWTH: u64 = (CROWD as u64) * (16 << 10);

/// A model that does what its name says.
fn model() -> Scripted {
    let word = "data: {\"choices\":[{\"delta\":{\"content\":\"more \"}}]}\n\n".repeat(2_000).into_bytes();
    Scripted::start(move |asked| {
        let body: Value = serde_json::from_str(&asked.body).unwrap_or_default();
        match body["model"].as_str().unwrap_or_default() {
            "gigabyte" => Reply::Flood(Some(1 << 30), word.clone()),
            "words" => Reply::Flood(None, word.clone()),
            _ => Reply::Flood(None, vec![b'x'; 1 << 16]),
        }
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn endless_answers_end_and_take_no_memory() -> anyhow::Result<()> {
    let model = model();
    let site = Site::new(&Ground::directory(BINARY))?;
    let settings =
        ["models.providers.flood.kind=openai".to_owned(), format!("models.providers.flood.url={}", model.url())];
    let stack = site.start(&settings.each_ref().map(String::as_str)).await?;
    let probe = Arc::new(Probe::of(stack.gateway()?)?);
    probe.ingest("name=workers", "worker_id,name\n1,Ann Poe\n").await?.expect(200)?;
    for name in ["gigabyte", "words", "line"] {
        let before = peak_from_now(stack.id()?).await?;
        try_join_all((0..CROWD).map(|at| ask(Arc::clone(&probe), name, at))).await?;
        let grown = peak(stack.id()?).await?.saturating_sub(before);
        ensure!(grown < GROWTH, "{name}: the memory grew by {grown} KiB");
    }
    let verdicts = "SELECT DISTINCT final_verdict FROM sessions";
    let rows = probe.sql(verdicts).await?.expect(200)?.json()?["rows"].clone();
    ensure!(rows == json!([["infra_error"]]), "the sessions ended with {rows}");
    stack.stop().await
}

/// Asks for a whole answer, a stream or a session, and expects the error of each.
async fn ask(probe: Arc<Probe>, name: &str, at: usize) -> anyhow::Result<()> {
    let asked = json!({ "model": format!("flood/{name}"), "messages": [{ "role": "user", "content": "Hello" }] });
    match at % 3 {
        0 => {
            let problem = probe.post("/v1/chat", &asked).await?.expect(502)?.json()?;
            ensure!(problem["code"] == "models.upstream_failed", "it is refused with {problem}");
        }
        1 => {
            let mut asked = asked;
            asked["stream"] = json!(true);
            let reply = probe.post("/v1/chat/completions", &asked).await?;
            let text = String::from_utf8_lossy(&reply.body);
            let last = text.trim_end().rsplit("\n\n").next().unwrap_or_default();
            ensure!(last.contains("models.upstream_failed"), "it ends with {last}");
        }
        _ => {
            let session = json!({ "kind": "fill", "prompt": "one", "model": format!("flood/{name}"), "context": { "target_count": 1 } });
            let told = probe.post("/v1/iterate", &session).await?.expect(502)?.json()?;
            ensure!(told["error"].as_str().is_some_and(|error| error.starts_with("infra_error: ")), "it says {told}");
        }
    }
    Ok(())
}
