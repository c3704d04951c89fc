//! `Embed`: a request for vectors, and what it answers.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use models::{Card, Embedder, Listed, Models, Overflow, Reranker};

use crate::cache::{Cache, Claim, Flight, Key, Patience, Place, Stats, Vector};
use crate::config::Config;
use crate::error::{Error, Result};

#[cfg(test)]
mod tests;

/// Texts that are given to a model in one piece. What is finished is remembered also when the rest is too late.
const PIECE: usize = 512;

/// Turns texts into vectors. Clones share the cache.
#[derive(Clone)]
pub struct Embed {
    models: Models,
    cache: Cache,
    config: Arc<Config>,
}

/// Texts to be embedded.
#[derive(Debug, Clone, Default)]
pub struct Ask {
    /// The texts, none of them empty.
    pub texts: Vec<String>,
    /// The model; the default one when not given.
    pub model: Option<String>,
    /// What happens to a text that is longer than the model reads.
    pub overflow: Overflow,
}

/// One vector for each text, in the order of the texts.
#[derive(Debug, Clone, PartialEq)]
pub struct Embedded {
    /// The model's full name.
    pub model: String,
    /// How many numbers each vector has.
    pub dimension: usize,
    /// What made the vectors; vectors of another fingerprint cannot be compared with them.
    pub fingerprint: String,
    /// The vectors.
    pub vectors: Vec<Vector>,
}

/// A text that nobody has the vector of, and its place in the request.
struct Missing {
    claim: Claim,
    position: usize,
}

impl Embed {
    /// Nothing is loaded or called before the first request.
    pub fn new(models: Models, config: &Config) -> Self {
        Self { models, cache: Cache::new(config.cache_size), config: Arc::new(config.clone()) }
    }

    /// The vectors of texts: all of them before the deadline, or none.
    pub async fn embed(&self, ask: Ask) -> Result<Embedded> {
        self.check(&ask.texts)?;
        let (limit, asked, ready) = (self.config.timeout, ask.texts.len(), AtomicUsize::new(0));
        let answered = tokio::time::timeout(limit.0, self.answer(ask, &ready)).await;
        answered.unwrap_or_else(|_| Err(Error::Timeout { limit, ready: ready.into_inner(), asked }))
    }

    /// How the cache fares.
    pub fn stats(&self) -> Stats {
        self.cache.stats()
    }

    /// What a model is; the default one when no name is given.
    pub async fn card(&self, model: Option<&str>) -> Result<Arc<Card>> {
        let limit = self.config.timeout;
        let card = async { Ok(self.models.embedder(model)?.card().await?) };
        tokio::time::timeout(limit.0, card).await.unwrap_or(Err(Error::Silent { limit }))
    }

    /// The model that made vectors of this fingerprint under this name; the model of the name, when that is not known.
    pub async fn card_of(&self, model: Option<&str>, fingerprint: Option<&str>) -> Result<Arc<Card>> {
        self.card(Some(self.models.name_of(model, fingerprint))).await
    }

    /// The model that ranks texts anew.
    pub fn reranker(&self) -> &Reranker {
        self.models.reranker()
    }

    /// The models that can be asked for.
    pub fn models(&self) -> Vec<Listed> {
        self.models.list()
    }

    /// Fetches what the embedded model needs in the background.
    pub fn prepare(&self) {
        self.models.prepare();
    }

    fn check(&self, texts: &[String]) -> Result<()> {
        let Config { max_texts, max_text_bytes, .. } = &*self.config;
        if texts.is_empty() {
            return Err(Error::NoTexts);
        }
        if texts.len() > *max_texts {
            return Err(Error::TooManyTexts { given: texts.len(), limit: *max_texts });
        }
        if texts.iter().map(String::len).sum::<usize>() > max_text_bytes.as_usize() {
            return Err(Error::TooLarge { limit: *max_text_bytes });
        }
        match texts.iter().position(String::is_empty) {
            Some(position) => Err(Error::EmptyText { position }),
            None => Ok(()),
        }
    }

    /// The vectors; `ready` says meanwhile how many texts have theirs.
    async fn answer(&self, ask: Ask, ready: &AtomicUsize) -> Result<Embedded> {
        let embedder = self.models.embedder(ask.model.as_deref())?;
        let card = embedder.card().await?;
        let texts: Vec<Arc<str>> = ask.texts.into_iter().map(Arc::from).collect();
        let batch = Batch { cache: &self.cache, embedder: &*embedder, texts: &texts, overflow: ask.overflow, ready };
        let vectors = batch.vectors(&card.fingerprint).await?;
        let (model, fingerprint) = (card.name.clone(), card.fingerprint.clone());
        Ok(Embedded { model, dimension: card.dimension, fingerprint, vectors })
    }
}

/// The texts of one request on their way to vectors.
struct Batch<'a> {
    cache: &'a Cache,
    embedder: &'a dyn Embedder,
    texts: &'a [Arc<str>],
    overflow: Overflow,
    /// How many texts have their vectors.
    ready: &'a AtomicUsize,
}

impl Batch<'_> {
    /// The vectors in the order of the texts. A text that another request computes is waited for once; when that
    /// request fails or goes away, it is computed here.
    async fn vectors(&self, fingerprint: &str) -> Result<Vec<Vector>> {
        let keys: Vec<Key> = self.texts.iter().map(|text| Key::new(fingerprint, self.overflow, text)).collect();
        let mut known = HashMap::new();
        let mut computed = 0;
        for patience in [Patience::Waits, Patience::Computes] {
            let (missing, flights) = self.sort(&keys, &mut known, patience);
            computed += missing.len();
            self.ready.store(keys.iter().filter(|key| known.contains_key(key)).count(), Ordering::Relaxed);
            self.compute(missing, &mut known, fingerprint).await?;
            for (key, flight) in flights {
                if let Ok(vector) = flight.await {
                    known.insert(key, vector);
                }
            }
        }
        self.cache.count(keys.len(), computed);
        let vectors: Vec<Vector> = keys.iter().filter_map(|key| known.get(key).cloned()).collect();
        complete(vectors, keys.len())
    }

    /// Which texts are to be computed here, and which are being computed elsewhere. Each text appears once.
    fn sort(
        &self,
        keys: &[Key],
        known: &mut HashMap<Key, Vector>,
        patience: Patience,
    ) -> (Vec<Missing>, HashMap<Key, Flight>) {
        let (mut missing, mut flights, mut ours) = (Vec::new(), HashMap::new(), HashSet::new());
        for (position, key) in keys.iter().enumerate() {
            if known.contains_key(key) || flights.contains_key(key) || ours.contains(key) {
                continue;
            }
            match self.cache.place(*key, patience) {
                Place::Known(vector) => drop(known.insert(*key, vector)),
                Place::InFlight(flight) => drop(flights.insert(*key, flight)),
                Place::Missing(claim) => {
                    ours.insert(*key);
                    missing.push(Missing { claim, position });
                }
            }
        }
        (missing, flights)
    }

    async fn compute(&self, missing: Vec<Missing>, known: &mut HashMap<Key, Vector>, fingerprint: &str) -> Result<()> {
        let mut missing = missing.into_iter();
        loop {
            let piece: Vec<Missing> = missing.by_ref().take(PIECE).collect();
            if piece.is_empty() {
                return Ok(());
            }
            let texts: Vec<Arc<str>> = piece.iter().map(|text| Arc::clone(&self.texts[text.position])).collect();
            let answered = self.embedder.embed(&texts, self.overflow).await;
            let vectors =
                answered.map_err(|error| error.at(|position| piece.get(position).map(|text| text.position)))?;
            self.same_model(fingerprint)?;
            for (text, vector) in piece.into_iter().zip(complete(vectors, texts.len())?) {
                let vector = Vector::from(vector);
                known.insert(text.claim.key(), Arc::clone(&vector));
                text.claim.fill(vector);
            }
            self.ready.fetch_add(texts.len(), Ordering::Relaxed);
        }
    }

    /// A model may be replaced while the pieces of a request are computed: no vector is kept under another's name.
    fn same_model(&self, fingerprint: &str) -> Result<()> {
        match self.embedder.known() {
            Some(card) if card.fingerprint != fingerprint => Err(models::Error::exchanged(&card.provider).into()),
            _ => Ok(()),
        }
    }
}

fn complete<T>(vectors: Vec<T>, asked: usize) -> Result<Vec<T>> {
    if vectors.len() == asked { Ok(vectors) } else { Err(Error::Incomplete { answered: vectors.len(), asked }) }
}
