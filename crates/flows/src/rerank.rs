//! Ranking anew: the best of a search are read beside what was sought, by a model that judges both together.

use std::sync::Arc;

use base::{AsOf, IndexName};
use vectors::{Ranked, Ranking, Wording};

use crate::error::Result;
use crate::search::Sought;
use crate::texts::Texts;

/// How many of the best are read: that takes some tens of milliseconds for each.
pub const RERANKED: usize = 50;

impl Texts {
    /// Of the best that a search finds, those whose texts answer it best; an item without a text is not among them.
    pub(crate) async fn rerank(&self, index: &IndexName, sought: Sought, as_of: Option<&AsOf>) -> Result<Ranking> {
        let (query, k) = (sought.text().to_owned(), sought.k());
        let wording = self.wording(index, sought, as_of).await?;
        // None at all stay none, which the index refuses.
        let wording = Wording { k: RERANKED * k.min(1), with_texts: true, ..wording };
        let Ranking { results, version, fragment } = self.vectors.rank(index, wording, as_of).await?;
        let (texts, ranked): (Vec<Arc<str>>, Vec<Ranked>) =
            results.into_iter().filter_map(|ranked| Some((ranked.text.clone()?, ranked))).unzip();
        let scores = self.embed.reranker().score(&query, &texts).await.map_err(embed::Error::from)?;
        let judged = ranked.into_iter().zip(scores).map(|(ranked, score)| Ranked { score: score.into(), ..ranked });
        let mut results: Vec<Ranked> = judged.collect();
        results.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| a.id.cmp(&b.id)));
        results.truncate(k);
        Ok(Ranking { results, version, fragment })
    }
}
