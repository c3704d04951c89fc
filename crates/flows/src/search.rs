//! A search as a caller words it: near a vector, near a text, by words, or by words and nearness.

use base::{AsOf, IndexName, Version};
use serde::Serialize;
use vectors::{Found, Near, Ranking, Wording};

use crate::error::Result;
use crate::texts::Texts;

/// What is searched for.
#[derive(Debug, Clone)]
pub enum Sought {
    /// What lies near a vector.
    Vector(Near),
    /// What means about the same as a text; the vector is still missing.
    Meaning(String, Near),
    /// What holds the words of a text.
    Words(String, Near),
    /// What holds the words, or lies near: near the text itself where the vector is missing.
    Both(String, Near),
}

/// What a search found.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Answer {
    /// The nearest.
    Near(Found),
    /// Those that answer best.
    Ranked(Ranking),
}

impl Sought {
    /// The text that is sought; empty where it is a vector alone.
    pub(crate) fn text(&self) -> &str {
        match self {
            Self::Vector(_) => "",
            Self::Meaning(text, _) | Self::Words(text, _) | Self::Both(text, _) => text,
        }
    }

    /// How many items are wanted.
    pub(crate) fn k(&self) -> usize {
        match self {
            Self::Vector(near) | Self::Meaning(_, near) | Self::Words(_, near) | Self::Both(_, near) => near.k,
        }
    }
}

impl Answer {
    /// The lake's version.
    pub fn version(&self) -> Version {
        match self {
            Self::Near(found) => found.version,
            Self::Ranked(ranking) => ranking.version,
        }
    }

    /// How many items were found.
    pub fn count(&self) -> usize {
        match self {
            Self::Near(found) => found.results.len(),
            Self::Ranked(ranking) => ranking.results.len(),
        }
    }
}

impl Texts {
    /// The items of an index that are sought, now or as a version has them; ranked anew where that is asked for.
    pub async fn search(
        &self,
        index: &IndexName,
        sought: Sought,
        rerank: bool,
        as_of: Option<&AsOf>,
    ) -> Result<Answer> {
        Ok(match sought {
            sought if rerank => Answer::Ranked(self.rerank(index, sought, as_of).await?),
            Sought::Vector(near) => Answer::Near(self.vectors.search(index, near, as_of).await?),
            Sought::Meaning(text, near) => Answer::Near(self.search_text(index, text, near, as_of).await?),
            words => {
                let wording = self.wording(index, words, as_of).await?;
                Answer::Ranked(self.vectors.rank(index, wording, as_of).await?)
            }
        })
    }

    /// A search as one by words, by nearness or by both; without words, places among the nearest are what counts.
    pub(crate) async fn wording(&self, index: &IndexName, sought: Sought, as_of: Option<&AsOf>) -> Result<Wording> {
        let (words, near) = match sought {
            Sought::Words(text, Near { k, filter, .. }) => {
                return Ok(Wording { text, k, filter, ..Wording::default() });
            }
            Sought::Vector(near) => (String::new(), near),
            Sought::Meaning(text, near) => (String::new(), self.near_text(index, text, near, as_of).await?),
            Sought::Both(text, near) if near.vector.is_empty() => {
                (text.clone(), self.near_text(index, text, near, as_of).await?)
            }
            Sought::Both(text, near) => (text, near),
        };
        Ok(Wording { text: words, k: near.k, filter: near.filter.clone(), near: Some(near), ..Wording::default() })
    }
}
