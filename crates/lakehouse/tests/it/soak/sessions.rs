//! Sessions, conversations and checks under SIGKILL: whatever was answered is in its stream exactly once, with every step of
//! a session beside it, and nothing that counts is ungrounded.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, ensure};
use serde_json::{Value, json};
use smokes::probe::Probe;
use smokes::stack::Site;
use testkit::Talker;

use super::figure;
use super::lot::Lot;

use crate::command::BINARY;

/// The shortest and the longest life of a process, in milliseconds.
const SHORTEST: u64 = 20;
const LONGEST: u64 = 400;
const CLIENTS: usize = 6;
const WORKERS: &str = "worker_id,name,city,status\n1,Ann Poe,Toledo,active\n2,Bob Ray,Toledo,active\n";

/// Answered runs by their names, with their statuses: `session-…`, `chat-…` and `check-…`.
type Answered = Arc<Mutex<BTreeMap<String, u16>>>;

pub async fn run(kills: u64, seed: u64) -> anyhow::Result<()> {
    figure(&format!("sessions: seed {seed}, {kills} kills"))?;
    let directory = tempfile::tempdir()?;
    let lake = directory.path().join("lake");
    let site = Site::holding(BINARY, lake.display().to_string())?;
    let model = Talker::saying(|body| proposal(&body.to_string()));
    let settings =
        ["models.providers.scripted.kind=openai".to_owned(), format!("models.providers.scripted.url={}", model.url())];
    let settings = settings.each_ref().map(String::as_str);
    let (answered, next) = (Answered::default(), Arc::new(AtomicU64::new(0)));
    let mut lot = Lot::of(seed);
    for round in 0..kills {
        let stack = site.start(&settings).await.with_context(|| format!("start {round}"))?;
        let probe = Probe::of(stack.gateway()?)?;
        probe.ingest("name=workers", WORKERS).await?.expect(200)?;
        let clients: Vec<_> = (0..CLIENTS)
            .map(|_| {
                let (probe, answered, next) = (probe.clone(), Arc::clone(&answered), Arc::clone(&next));
                storage::task::spawn("a client", async move { work(&probe, &answered, &next).await })
            })
            .collect();
        tokio::time::sleep(Duration::from_millis(SHORTEST + lot.below(LONGEST - SHORTEST))).await;
        stack.kill().await?;
        for client in clients {
            client.await??;
        }
    }
    let stack = site.start(&settings).await?;
    check(&Probe::of(stack.gateway()?)?, &lake, &answered).await.with_context(|| format!("seed {seed}"))?;
    figure(&format!("sessions: {} rounds asked, {} calls answered", next.load(Ordering::Relaxed), count(&answered)))?;
    stack.stop().await
}

/// What the model says depends on what it is told: first somebody who does not exist, then, when that was refused, one
/// who does; of every third session nothing is ever right.
fn proposal(body: &str) -> String {
    let hopeless = body.contains("hopeless");
    let id = if body.contains("refused by the validator") && !hopeless { "W-1" } else { "W-404" };
    json!({ "fills": [{ "candidate_id": id, "name": "Ann Poe" }] }).to_string()
}

async fn work(probe: &Probe, answered: &Answered, next: &AtomicU64) -> anyhow::Result<()> {
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        let prompt = if number.is_multiple_of(3) { "hopeless" } else { "one worker" };
        let context = json!({ "target_count": 1, "city": "Toledo" });
        let fills =
            json!([{ "candidate_id": if number.is_multiple_of(3) { "W-404" } else { "W-1" }, "name": "Ann Poe" }]);
        let messages = json!([{ "role": "user", "content": prompt }]);
        let expected = if number.is_multiple_of(3) { 422 } else { 200 };
        for (name, path, status, asked) in [
            (
                "session",
                "/v1/iterate",
                expected,
                json!({
                    "kind": "fill", "prompt": prompt, "model": "scripted/m", "max_iterations": 2, "context": context,
                }),
            ),
            ("chat", "/v1/chat", 200, json!({ "model": "scripted/m", "messages": messages })),
            (
                "check",
                "/v1/validate",
                expected,
                json!({
                    "kind": "fill", "artifact": { "fills": fills }, "context": context,
                }),
            ),
        ] {
            let (name, mut asked) = (format!("{name}-{number}"), asked);
            asked["trace_id"] = json!(name);
            let Ok(reply) = probe.post(path, &asked).await else { return Ok(()) };
            ensure!(reply.status.as_u16() == status, "{name} is answered {reply:?}");
            answered.lock().unwrap_or_else(PoisonError::into_inner).insert(name, status);
        }
    }
}

async fn check(probe: &Probe, lake: &Path, answered: &Answered) -> anyhow::Result<()> {
    check_steps(lake, "chats", "chat", answered)?;
    check_steps(lake, "validations", "check", answered)?;
    check_sessions(probe, lake, answered).await
}

/// Whoever was answered has his line, every session its attempts, and nobody one twice.
fn check_steps(lake: &Path, stream: &str, kind: &str, answered: &Answered) -> anyhow::Result<()> {
    let mut steps: BTreeMap<(String, u64), usize> = BTreeMap::new();
    for line in lines(lake, stream)? {
        let run = line["run_id"].as_str().context("a run's name")?.to_owned();
        *steps.entry((run, line["iteration"].as_u64().unwrap_or(0))).or_default() += 1;
    }
    for ((run, iteration), times) in &steps {
        ensure!(*times == 1, "{stream}: step {iteration} of {run} is recorded {times} times");
    }
    for run in answered.lock().unwrap_or_else(PoisonError::into_inner).keys() {
        let expected: &[u64] = match run.split_once('-') {
            Some(("session", _)) => &[1, 2],
            Some((named, _)) if named == kind => &[0],
            _ => continue,
        };
        for iteration in expected {
            ensure!(
                steps.contains_key(&(run.clone(), *iteration)),
                "{stream}: {run} was answered without its step {iteration}"
            );
        }
    }
    Ok(())
}

async fn check_sessions(probe: &Probe, lake: &Path, answered: &Answered) -> anyhow::Result<()> {
    let lines = lines(lake, "sessions")?;
    let mut logged: BTreeMap<String, Vec<&Value>> = BTreeMap::new();
    for line in &lines {
        let id = line["session_id"].as_str().context("a session's name")?;
        logged.entry(id.to_owned()).or_default().push(line);
    }
    for (id, times) in &logged {
        ensure!(times.len() == 1, "{id} is recorded {} times", times.len());
    }
    let answered = answered.lock().unwrap_or_else(PoisonError::into_inner).clone();
    for (id, status) in answered.iter().filter(|(id, _)| id.starts_with("session-")) {
        let line = logged.get(id).with_context(|| format!("{id} was answered {status} and is not recorded"))?[0];
        let verdict = if *status == 200 { "accepted" } else { "max_iter_exhausted" };
        ensure!(line["final_verdict"] == verdict, "{id} was answered {status} and is recorded as {line}");
    }
    let ungrounded = "SELECT count(*) FROM sessions WHERE final_verdict = 'accepted' \
                      AND grounded_in_roster IS DISTINCT FROM TRUE AND kind = 'fill'";
    let rows = probe.sql(ungrounded).await?.expect(200)?.json()?;
    ensure!(rows["rows"] == json!([[0]]), "accepted and ungrounded: {rows}");
    let all = probe.sql("SELECT count(*), count(DISTINCT session_id) FROM sessions").await?.expect(200)?.json()?;
    ensure!(all["rows"] == json!([[logged.len(), logged.len()]]), "SQL counts {all}, the stream {}", logged.len());
    Ok(())
}

/// Every line of a stream as it lies in the lake. The largest bundle that has a file's lines counts, and no smaller one and no
/// fragment that still lies there.
#[expect(clippy::disallowed_methods, reason = "what lies in the lake is looked at beside the program")]
fn lines(lake: &Path, stream: &str) -> anyhow::Result<Vec<Value>> {
    let folder = lake.join("streams").join(stream);
    let is_bundled = |last: u64, span: u64| {
        let larger = [256, 4_096, 65_536].into_iter().filter(|larger| *larger > span);
        let bundle = |larger: u64| folder.join(format!("{:020}-{larger}.jsonl", last.div_ceil(larger) * larger));
        larger.map(bundle).any(|path| path.exists())
    };
    let mut lines = Vec::new();
    for file in std::fs::read_dir(&folder)? {
        let path = file?.path();
        // Writes that were cut off leave temporary files of other names.
        if path.extension().is_none_or(|extension| extension != "jsonl") {
            continue;
        }
        let stem = path.file_stem().and_then(|stem| stem.to_str()).context("a file's name")?;
        let (last, span) = stem.split_once('-').unwrap_or((stem, "1"));
        if !is_bundled(last.parse()?, span.parse()?) {
            for line in std::fs::read_to_string(path)?.lines().skip(1) {
                lines.push(serde_json::from_str(line)?);
            }
        }
    }
    Ok(lines)
}

fn count(answered: &Answered) -> usize {
    answered.lock().unwrap_or_else(PoisonError::into_inner).len()
}
