//! A search as a caller words it: near a vector, near a text, by words, or by words and nearness.

use base::{AsOf, IndexName};
use embed::Ask;
use models::Overflow;
use vectors::{By, Effort, Filter, Found, Nearness};

use crate::error::Result;
use crate::record::{Failure, Hunt, Recorded, Step};
use crate::texts::Texts;

/// A search in an index.
#[derive(Debug, Clone)]
pub struct Search {
    /// The index.
    pub index: IndexName,
    /// What is searched for.
    pub sought: Sought,
    /// How many items are wanted.
    pub k: usize,
    /// What must hold of them.
    pub filter: Option<Filter>,
    /// How much is done to find the nearest; a search by words alone does without.
    pub effort: Effort,
    /// Whether the best are ranked anew, by the text that is sought: those of a vector alone stay as they are.
    pub rerank: bool,
    /// The version that is searched; the newest when absent.
    pub as_of: Option<AsOf>,
}

/// What is searched for.
#[derive(Debug, Clone)]
pub enum Sought {
    /// What lies near a vector.
    Vector(Given),
    /// What means about the same as a text.
    Meaning(String),
    /// What holds the words of a text.
    Words(String),
    /// What holds the words, or lies near: near the text itself where no vector is given.
    Both(String, Option<Given>),
}

/// A vector, as a caller gives it.
#[derive(Debug, Clone)]
pub struct Given {
    /// The vector.
    pub vector: Vec<f32>,
    /// The model that it comes from, where that is known.
    pub fingerprint: Option<String>,
}

impl Sought {
    /// The text that is sought; none where it is a vector alone.
    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Self::Vector(_) => None,
            Self::Meaning(text) | Self::Words(text) | Self::Both(text, _) => Some(text),
        }
    }
}

impl Given {
    fn nearness(self, effort: Effort) -> Nearness {
        Nearness { vector: self.vector, fingerprint: self.fingerprint, effort }
    }
}

impl Texts {
    /// The items of an index that are sought, now or as a version has them; ranked anew where that is asked for. Written
    /// down where it is a step of a run.
    pub async fn search(&self, search: Search, step: Option<&Step>) -> Result<Found> {
        let Some(entry) = self.recorder.begin(Recorded::Searches, step) else { return self.find(search).await };
        let mut hunt = Hunt::asked(&search);
        let found = self.find(search).await;
        if let Ok(found) = &found {
            hunt.finds(found);
        }
        entry.write(&hunt, found.as_ref().err().map(Failure::of)).await?;
        found
    }

    async fn find(&self, search: Search) -> Result<Found> {
        let Search { index, sought, k, filter, effort, rerank, as_of } = search;
        let (as_of, query) = (as_of.as_ref(), sought.text().filter(|_| rerank).map(str::to_owned));
        let by = self.settled(&index, sought, effort, as_of).await?;
        let search = vectors::Search { by, k, filter, with_texts: false };
        match query {
            Some(query) => self.rerank(&index, search, &query, as_of).await,
            None => Ok(self.vectors.search(&index, search, as_of).await?),
        }
    }

    /// By what the index finds it: a text that is meant has its vector then.
    async fn settled(&self, index: &IndexName, sought: Sought, effort: Effort, as_of: Option<&AsOf>) -> Result<By> {
        Ok(match sought {
            Sought::Vector(given) => By::Near(given.nearness(effort)),
            Sought::Meaning(text) => By::Near(self.embedded(index, text, as_of).await?.nearness(effort)),
            Sought::Words(text) => By::Words(text),
            Sought::Both(text, Some(given)) => By::Both(text, given.nearness(effort)),
            Sought::Both(text, None) => {
                let given = self.embedded(index, text.clone(), as_of).await?;
                By::Both(text, given.nearness(effort))
            }
        })
    }

    /// The vector of a text by the model of the index, now or as a version has it.
    async fn embedded(&self, index: &IndexName, text: String, as_of: Option<&AsOf>) -> Result<Given> {
        let model = Some(self.model_of(index, as_of).await?.name.clone());
        let ask = Ask { texts: vec![text], model, overflow: Overflow::Error };
        let embedded = self.embed.embed(ask).await?;
        let vector = embedded.vectors.first().map(|vector| vector.to_vec()).unwrap_or_default();
        Ok(Given { vector, fingerprint: Some(embedded.fingerprint) })
    }
}
