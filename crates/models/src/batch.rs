//! Many texts through a server that takes few at a time.

use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use futures::stream::{self, StreamExt, TryStreamExt};
use sha2::{Digest, Sha256};
use tokio::time::Instant;

use crate::embedder::{Card, Overflow};
use crate::error::{Error, Result};
use crate::http::{Answer, CALLS, Server};

#[cfg(test)]
mod tests;

/// What one call holds at most.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Texts.
    pub(crate) texts: usize,
    /// Bytes of them; one text may be longer.
    pub(crate) bytes: usize,
}

/// How a server is asked for the vectors of one batch.
#[async_trait]
pub(crate) trait Asks: Send + Sync {
    /// What one call holds at most.
    const LIMITS: Limits;

    /// One vector for each text of a batch, in their order. Nobody has looked at them yet.
    async fn ask(&self, texts: &[Arc<str>], overflow: Overflow) -> Result<Vec<Vec<f32>>>;

    /// The server that is asked.
    fn server(&self) -> &Server;
}

/// The vectors of all `texts`, a few calls at a time. The first failure ends the other calls.
pub(crate) async fn embed<A: Asks>(
    model: &A,
    card: &Card,
    texts: &[Arc<str>],
    overflow: Overflow,
) -> Result<Vec<Vec<f32>>> {
    let mut calls = Vec::new();
    for range in batches(texts, A::LIMITS) {
        calls.push(one(model, card, texts, range, overflow));
    }
    let answered: Vec<Vec<Vec<f32>>> = stream::iter(calls).buffered(CALLS).try_collect().await?;
    Ok(answered.into_iter().flatten().collect())
}

async fn one<A: Asks>(
    model: &A,
    card: &Card,
    texts: &[Arc<str>],
    range: Range<usize>,
    overflow: Overflow,
) -> Result<Vec<Vec<f32>>> {
    let first = range.start;
    let batch = &texts[range];
    let answered = match model.ask(batch, overflow).await {
        Err(Error::TextRefused { .. }) if batch.len() > 1 => alone(model, batch, overflow).await,
        answered => answered,
    };
    let vectors = answered.map_err(|error| error.at(|position| Some(first + position)))?;
    checked(model.server(), vectors, batch.len(), Some(card.dimension))
}

/// A server that refuses a batch does not say which text it means, so each is sent by itself.
async fn alone<A: Asks>(model: &A, batch: &[Arc<str>], overflow: Overflow) -> Result<Vec<Vec<f32>>> {
    let mut vectors = Vec::with_capacity(batch.len());
    for (position, text) in batch.iter().enumerate() {
        let answered = model.ask(std::slice::from_ref(text), overflow).await;
        vectors.extend(answered.map_err(|error| error.at(|_| Some(position)))?);
    }
    Ok(vectors)
}

/// The dimension of the vectors of a model, from those of one short text.
pub(crate) async fn dimension<A: Asks>(model: &A) -> Result<usize> {
    let answered = model.ask(&[Arc::from("dimension")], Overflow::Error).await;
    // The text is good: when it is refused, it is the model that the server does not know.
    let vectors = answered.map_err(|error| match error {
        Error::TextRefused { reason, .. } => model.server().failed(format!("{reason}: it may not have this model")),
        error => error,
    })?;
    let vectors = checked(model.server(), vectors, 1, None)?;
    Ok(vectors.first().map_or(0, Vec::len))
}

/// `vectors`, if they are as many as asked for, of one dimension and made of numbers.
fn checked(server: &Server, vectors: Vec<Vec<f32>>, asked: usize, dimension: Option<usize>) -> Result<Vec<Vec<f32>>> {
    if vectors.len() != asked {
        return Err(server.failed(format!("it answered {} vectors for {asked} texts", vectors.len())));
    }
    let dimension = dimension.unwrap_or_else(|| vectors.first().map_or(0, Vec::len));
    if let Some(odd) = vectors.iter().find(|vector| vector.is_empty() || vector.len() != dimension) {
        return Err(server.failed(format!("it answered a vector of {} numbers, not {dimension}", odd.len())));
    }
    if vectors.iter().flatten().any(|number| !number.is_finite()) {
        return Err(server.failed("it answered a vector with something that is no number"));
    }
    Ok(vectors)
}

/// Consecutive ranges of `texts`, each within the limits or a single text.
fn batches(texts: &[Arc<str>], limits: Limits) -> Vec<Range<usize>> {
    let mut ranges = Vec::new();
    let (mut start, mut bytes) = (0, 0);
    for (position, text) in texts.iter().enumerate() {
        let full = position - start == limits.texts || bytes + text.len() > limits.bytes;
        if full && position > start {
            ranges.push(start..position);
            (start, bytes) = (position, 0);
        }
        bytes += text.len();
    }
    if start < texts.len() {
        ranges.push(start..texts.len());
    }
    ranges
}

/// What it means when a server finds fault with the texts of a call.
pub(crate) fn refused(server: &Server, answer: &Answer) -> Error {
    let reason = format!("it answered {}", answer.status.as_u16());
    Error::TextRefused { provider: server.name().to_owned(), position: 0, reason }
}

/// The fingerprint of a model behind a server: what the server tells about it, and what is put before its texts.
pub(crate) fn fingerprint(kind: &str, model: &str, dimension: usize, digest: Option<&str>, prefix: &str) -> String {
    // A model without a tag is the one tagged latest.
    let model = model.strip_suffix(":latest").unwrap_or(model);
    let facts = serde_json::json!([kind, model, dimension, digest, prefix]);
    hex::encode(Sha256::digest(facts.to_string()))
}

/// The card of a model, once its server has told it.
#[derive(Default)]
pub(crate) struct Told(Mutex<Option<(Instant, Arc<Card>)>>);

impl Told {
    /// The card, if it was told within `age`.
    pub(crate) fn within(&self, age: Duration) -> Option<Arc<Card>> {
        self.lock().as_ref().filter(|(at, _)| at.elapsed() < age).map(|(_, card)| Arc::clone(card))
    }

    /// The card, however old.
    pub(crate) fn ever(&self) -> Option<Arc<Card>> {
        self.within(Duration::MAX)
    }

    /// The next use asks again.
    pub(crate) fn forget(&self) {
        *self.lock() = None;
    }

    pub(crate) fn tell(&self, card: Card) -> Arc<Card> {
        let card = Arc::new(card);
        *self.lock() = Some((Instant::now(), Arc::clone(&card)));
        card
    }

    fn lock(&self) -> MutexGuard<'_, Option<(Instant, Arc<Card>)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
