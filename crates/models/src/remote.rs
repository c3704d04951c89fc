//! Models behind the embedding routes of another Lakehouse process.

use std::sync::Arc;

use async_trait::async_trait;
use base::{Facts, Kind};
use reqwest::header::HeaderMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::batch::{self, Asks, Limits, Told};
use crate::embedder::{Card, Embedder, Overflow};
use crate::error::{Error, Relayed, Result};
use crate::http::{Answer, Server};

/// States which model made the vectors of an answer.
const FINGERPRINT: &str = "x-lakehouse-model-fingerprint";
/// Vectors as f32, little-endian, one after another.
const BINARY: &str = "application/octet-stream";
const JSON: &str = "application/json";

/// What the other process says of a model or a provider, in codes of this room; it is handed on as it came.
const RELAYED: [(&str, Kind); 9] = [
    ("models.unknown_model", Kind::Invalid),
    ("models.no_overflow", Kind::Invalid),
    ("models.bad_chat", Kind::Invalid),
    ("models.unknown_provider", Kind::NotFound),
    ("models.no_key", Kind::Unavailable),
    ("models.no_weights", Kind::Unavailable),
    ("models.upstream_failed", Kind::Unavailable),
    ("models.upstream_timeout", Kind::Unavailable),
    ("models.rate_limited", Kind::TooMuch),
];
/// Members of every problem; the others are facts.
const PROBLEM: [&str; 6] = ["type", "title", "status", "detail", "code", "request_id"];

/// One model of another process.
pub(crate) struct Remote {
    server: Arc<Server>,
    model: String,
    told: Told,
}

#[derive(Serialize)]
struct Request<'a> {
    model: &'a str,
    texts: &'a [Arc<str>],
    overflow: Overflow,
}

#[derive(Deserialize)]
struct Answered {
    model: String,
    dimension: usize,
    vectors: Vec<Vec<f32>>,
}

impl Remote {
    /// The model that the other process calls `model`.
    pub(crate) fn new(server: Arc<Server>, model: &str) -> Self {
        Self { server, model: model.to_owned(), told: Told::default() }
    }

    async fn post(&self, texts: &[Arc<str>], overflow: Overflow, accept: &'static str) -> Result<Answer> {
        let answer = self.server.post("embed", accept, &Request { model: &self.model, texts, overflow }).await?;
        if answer.status.is_success() { Ok(answer) } else { Err(refusal(&self.server, &answer)) }
    }

    /// The other process may have been given another model since its card was read.
    fn same_model(&self, headers: &HeaderMap) -> Result<()> {
        let made_by = self.fingerprint(headers)?;
        match self.told.ever() {
            Some(card) if card.fingerprint != made_by => {
                self.told.forget();
                Err(Error::exchanged(self.server.name()))
            }
            _ => Ok(()),
        }
    }

    fn fingerprint(&self, headers: &HeaderMap) -> Result<String> {
        let stated = headers.get(FINGERPRINT).and_then(|value| value.to_str().ok());
        stated.map(str::to_owned).ok_or_else(|| self.server.failed("it does not state what made its vectors"))
    }
}

#[async_trait]
impl Embedder for Remote {
    async fn card(&self) -> Result<Arc<Card>> {
        if let Some(card) = self.known() {
            return Ok(card);
        }
        let answer = self.post(&[Arc::from("dimension")], Overflow::Error, JSON).await?;
        let fingerprint = self.fingerprint(&answer.headers)?;
        let Answered { model, dimension, .. } = self.server.read(&answer)?;
        let provider = self.server.name().to_owned();
        Ok(self.told.tell(Card { name: model, provider, dimension, fingerprint, max_tokens: None }))
    }

    fn known(&self) -> Option<Arc<Card>> {
        self.told.ever()
    }

    async fn embed(&self, texts: &[Arc<str>], overflow: Overflow) -> Result<Vec<Vec<f32>>> {
        batch::embed(self, &*self.card().await?, texts, overflow).await
    }
}

#[async_trait]
impl Asks for Remote {
    /// The other process makes batches of its own.
    const LIMITS: Limits = Limits { texts: 256, bytes: 1 << 20 };

    async fn ask(&self, texts: &[Arc<str>], overflow: Overflow) -> Result<Vec<Vec<f32>>> {
        let answer = self.post(texts, overflow, BINARY).await?;
        self.same_model(&answer.headers)?;
        if answer.media() == BINARY {
            return rows(&answer.body, texts.len()).ok_or_else(|| self.server.failed("its vectors are cut off"));
        }
        Ok(self.server.read::<Answered>(&answer)?.vectors)
    }

    fn server(&self) -> &Server {
        &self.server
    }
}

/// `bytes` as so many vectors of one length.
fn rows(bytes: &[u8], count: usize) -> Option<Vec<Vec<f32>>> {
    let (numbers, rest) = bytes.as_chunks::<4>();
    let dimension = numbers.len().checked_div(count)?;
    if dimension == 0 || dimension * count != numbers.len() || !rest.is_empty() {
        return None;
    }
    let row = |row: &[[u8; 4]]| row.iter().map(|number| f32::from_le_bytes(*number)).collect();
    Some(numbers.chunks_exact(dimension).map(row).collect())
}

/// An error of the other process: in its own words when it is one of this room's, as of any server otherwise.
pub(crate) fn refusal(server: &Server, answer: &Answer) -> Error {
    relayed(&answer.body).unwrap_or_else(|| server.refusal(answer))
}

fn relayed(body: &[u8]) -> Option<Error> {
    let mut problem: Facts = serde_json::from_slice(body).ok()?;
    let code = problem.get("code")?.as_str()?.to_owned();
    let number = |name: &str| usize::try_from(problem.get(name)?.as_u64()?).ok();
    let text = |name: &str| Some(problem.get(name)?.as_str()?.to_owned());
    match &*code {
        "models.text_too_long" => {
            let (position, tokens, limit) = (number("position")?, number("tokens")?, number("limit")?);
            Some(Error::TooLong { position, tokens, limit })
        }
        "models.text_refused" => {
            let (provider, reason) = (text("provider")?, text("reason")?);
            Some(Error::TextRefused { provider, position: number("position")?, reason })
        }
        _ => {
            let (code, kind) = RELAYED.into_iter().find(|(known, _)| *known == code)?;
            let detail = text("detail")?;
            problem.retain(|name: &String, _: &mut Value| !PROBLEM.contains(&name.as_str()));
            Some(Error::Relayed(Box::new(Relayed { code, kind, detail, facts: problem })))
        }
    }
}
