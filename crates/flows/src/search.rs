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
    /// The items of an index that are sought, now or as a version has them.
    pub async fn search(&self, index: &IndexName, sought: Sought, as_of: Option<&AsOf>) -> Result<Answer> {
        let wording = |text, near: &Near| Wording { text, k: near.k, filter: near.filter.clone(), near: None };
        let wording = match sought {
            Sought::Vector(near) => return Ok(Answer::Near(self.vectors.search(index, near, as_of).await?)),
            Sought::Meaning(text, near) => {
                return Ok(Answer::Near(self.search_text(index, text, near, as_of).await?));
            }
            Sought::Words(text, near) => wording(text, &near),
            Sought::Both(text, near) if near.vector.is_empty() => {
                let near = self.near_text(index, text.clone(), near, as_of).await?;
                Wording { near: Some(near.clone()), ..wording(text, &near) }
            }
            Sought::Both(text, near) => Wording { near: Some(near.clone()), ..wording(text, &near) },
        };
        Ok(Answer::Ranked(self.vectors.rank(index, wording, as_of).await?))
    }
}
