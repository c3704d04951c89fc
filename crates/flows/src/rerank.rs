//! Ranking anew: the best of a search are read beside what was sought, by a model that judges both together.

use std::sync::Arc;

use base::{AsOf, IndexName};
use vectors::{Found, Hit, Ranks, Search};

use crate::error::Result;
use crate::texts::Texts;

/// How many of the best are read: that takes some tens of milliseconds for each.
pub const RERANKED: usize = 50;

impl Texts {
    /// Of the best that a search finds, those whose texts answer it best; an item without a text is not among them.
    pub(crate) async fn rerank(
        &self,
        index: &IndexName,
        search: Search,
        query: &str,
        as_of: Option<&AsOf>,
    ) -> Result<Found> {
        let k = search.k;
        // None at all stay none, which the index refuses.
        let search = Search { k: RERANKED * k.min(1), with_texts: true, ..search };
        let Found { results, version, fragment } = self.vectors.search(index, search, as_of).await?;
        let read = (1..).zip(results).filter_map(|(place, hit)| Some((hit.text.clone()?, placed(place, hit))));
        let (texts, hits): (Vec<Arc<str>>, Vec<Hit>) = read.unzip();
        let scores = self.embed.reranker().score(query, &texts).await.map_err(embed::Error::from)?;
        let mut judged: Vec<(f32, Hit)> = scores.into_iter().zip(hits).collect();
        judged.sort_by(|(a, one), (b, other)| b.total_cmp(a).then_with(|| one.id.cmp(&other.id)));
        let results = judged.into_iter().take(k).map(|(score, hit)| Hit { score: Some(score.into()), ..hit }).collect();
        Ok(Found { results, version, fragment })
    }
}

/// A hit that remembers where it stood among the nearest, if that alone was the order.
fn placed(place: usize, hit: Hit) -> Hit {
    let nearest = hit.distance.map(|_| Ranks { vector: Some(place), keyword: None });
    Hit { ranks: hit.ranks.or(nearest), ..hit }
}
