//! Cached embeds, then searches, over kept connections: every answer compared, and the server's memory flat.

use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, ensure};
use rustix::process::Pid;
use serde_json::{Value, json};
use smokes::probe::{Probe, Reply};
use smokes::stack::{Ground, Site, Stack};

use super::figure;
use super::line::Line;
use super::lot::Lot;
use crate::command::{BINARY, Desk};

/// Connections that ask at once.
const LINES: usize = 8;
/// Parts of a load after each of which the memory is read.
const PARTS: u64 = 10;
/// What the memory may be more after the last part than it was in the first half of them, in KiB. The first half warms
/// up: until the allocator has an arena for each thread and each arena has met its busiest moment, memory grows by some
/// tens of MiB and then stays. What leaks with every request goes on growing: 8 MiB over half a million requests are
/// 17 bytes each.
const GROWTH: u64 = 8 << 10;
const VECTORS: usize = 5_000;
const DIMENSION: usize = 384;
/// Vectors of one add.
const BATCH: usize = 500;
/// Every so many of the vectors one is searched.
const STRIDE: usize = 10;
const NEAREST: usize = 10;
/// What a stored vector may be away from itself.
const ITSELF: f64 = 1e-6;
/// Texts that are asked in turn; all of them stay in the cache.
const TEXTS: usize = 100;

pub async fn run(requests: u64, seed: u64) -> anyhow::Result<()> {
    figure(&format!("million: seed {seed}, {requests} embeds and {requests} searches"))?;
    let with_model = Desk::with_model("soak::million, its embeds")?.is_some();
    let site = Site::new(&Ground::directory(BINARY))?;
    let stack = site.start(&[]).await?;
    let server = Server::of(&stack)?;
    if with_model {
        server.bear(&server.embeds().await?, requests).await.context("embeds")?;
    }
    server.bear(&server.searches(seed).await?, requests).await.context("searches")?;
    stack.stop().await
}

/// A request, and the one right answer to it.
struct Question {
    request: Vec<u8>,
    answer: Vec<u8>,
}

/// Questions that are asked in turn.
struct Load {
    what: &'static str,
    questions: Vec<Question>,
}

impl Load {
    /// Asks so many times, beginning with the question at `first`.
    async fn ask(self: Arc<Self>, mut line: Line, first: usize, times: u64) -> anyhow::Result<Line> {
        let questions = self.questions.iter().cycle().skip(first);
        for (question, _) in questions.zip(0..times) {
            let answer = line.ask(&question.request).await?;
            let text = || (String::from_utf8_lossy(answer), String::from_utf8_lossy(&question.answer));
            ensure!(answer == question.answer, "another answer than the first time: {:?}", text());
        }
        Ok(line)
    }
}

/// The process that is asked.
struct Server {
    authority: String,
    probe: Probe,
    id: Pid,
}

impl Server {
    fn of(stack: &Stack) -> anyhow::Result<Self> {
        let gateway = stack.gateway()?;
        let authority = gateway.strip_prefix("http://").context("a URL")?.trim_end_matches('/').to_owned();
        Ok(Self { authority, probe: Probe::of(gateway)?, id: stack.id()? })
    }

    /// Bears a load in parts, and compares its memory after the last with the most of the first half.
    async fn bear(&self, load: &Arc<Load>, requests: u64) -> anyhow::Result<()> {
        let times = requests.div_ceil(PARTS * LINES as u64);
        let mut lines = Vec::new();
        for _ in 0..LINES {
            lines.push(Line::to(&self.authority).await?);
        }
        let (began, mut memory) = (Instant::now(), Vec::new());
        for _ in 0..PARTS {
            let stride = load.questions.len() / LINES;
            let ask = |(place, line): (usize, Line)| {
                storage::task::spawn("a client", load.clone().ask(line, place * stride, times))
            };
            let clients: Vec<_> = lines.drain(..).enumerate().map(ask).collect();
            for client in clients {
                lines.push(client.await??);
            }
            memory.push(self.memory().await?);
        }
        let all = times * PARTS * LINES as u64;
        let rate = all as f64 / began.elapsed().as_secs_f64();
        figure(&format!("million: {all} {} without an error, {rate:.0}/s; resident KiB: {memory:?}", load.what))?;
        // The most of the first half: between two readings the allocator may have just given some back.
        let warm = memory[..memory.len() / 2].iter().max().context("no first half")?;
        let last = memory[memory.len() - 1];
        ensure!(last <= warm + GROWTH, "the memory grew from {warm} to {last} KiB in the second half");
        Ok(())
    }

    /// Its resident memory, in KiB.
    async fn memory(&self) -> anyhow::Result<u64> {
        let status = tokio::fs::read_to_string(format!("/proc/{}/status", self.id.as_raw_nonzero())).await?;
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("VmRSS")?;
        Ok(resident.trim().trim_end_matches(" kB").parse()?)
    }

    /// One text each, embedded once so that the cache holds it.
    async fn embeds(&self) -> anyhow::Result<Arc<Load>> {
        let mut questions = Vec::new();
        for number in 0..TEXTS {
            let body = json!({ "texts": [format!("Moves pallets between the racks {number} and {}", number + 1)] });
            let (question, answer) = self.question("/v1/embed", &body).await?;
            ensure!(answer["vectors"][0].as_array().is_some_and(|vector| vector.len() == DIMENSION), "{answer}");
            questions.push(question);
        }
        Ok(Arc::new(Load { what: "cached embeds", questions }))
    }

    /// Searches for stored vectors, each of which finds itself first.
    async fn searches(&self, seed: u64) -> anyhow::Result<Arc<Load>> {
        let index = json!({ "name": "soak", "dimension": DIMENSION });
        self.probe.post("/v1/vectors/index", &index).await?.expect(201)?;
        let mut lot = Lot::of(seed);
        let vectors: Vec<Value> = (0..VECTORS).map(|_| vector(&mut lot)).collect();
        for (number, batch) in vectors.chunks(BATCH).enumerate() {
            let item = |(place, vector): (usize, &Value)| json!({ "id": (number * BATCH + place).to_string(), "vector": vector });
            let items: Vec<Value> = batch.iter().enumerate().map(item).collect();
            self.probe.post("/v1/vectors/index/soak/add", &json!({ "items": items })).await?.expect(200)?;
        }
        let mut questions = Vec::new();
        for (number, vector) in vectors.iter().enumerate().step_by(STRIDE) {
            // Codes are made meanwhile; exact answers stay the same.
            let body = json!({ "vector": vector, "k": NEAREST, "exact": true });
            let (question, answer) = self.question("/v1/vectors/index/soak/search", &body).await?;
            let (first, id) = (&answer["results"][0], number.to_string());
            let near = first["distance"].as_f64().is_some_and(|distance| distance <= ITSELF);
            ensure!(near && first["id"] == id, "{id} does not find itself: {answer}");
            questions.push(question);
        }
        Ok(Arc::new(Load { what: "searches", questions }))
    }

    /// Asks for the first time: the bytes to repeat, and the answer to look at.
    async fn question(&self, path: &str, body: &Value) -> anyhow::Result<(Question, Value)> {
        let reply: Reply = self.probe.post(path, body).await?.expect(200)?;
        let (host, body) = (&self.authority, body.to_string());
        let head = format!("POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n");
        let request = format!("{head}Content-Length: {}\r\n\r\n{body}", body.len()).into_bytes();
        let answer = reply.json()?;
        Ok((Question { request, answer: reply.body.to_vec() }, answer))
    }
}

/// Numbers between -1 and 1 with as many digits as an embedding has.
fn vector(lot: &mut Lot) -> Value {
    (0..DIMENSION).map(|_| json!(lot.below(2_000_001) as f64 / 1e6 - 1.0)).collect()
}
