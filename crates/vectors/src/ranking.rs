//! Search by words: the items whose texts say most of what is asked for, alone, or together with those that lie near.

use std::cmp::Ordering;
use std::collections::HashMap;

use filters::Filter;
use keywords::{Query, Statistics};
use tokio::sync::Semaphore;

use crate::answer::{Ranked, Ranking, Ranks};
use crate::block::Block;
use crate::check;
use crate::chosen::Chosen;
use crate::error::{Error, Result};
use crate::request::Wording;
use crate::search::{Neighbour, Target, Wanted};
use crate::snapshot::Snapshot;
use crate::view::{View, blocking, by, members};

#[cfg(test)]
mod tests;

/// How much less the first of a list counts than the second: the larger, the less, as in Cormack and others, 2009.
const EVEN: f64 = 60.0;
/// The two lists of a search by words and nearness go at least so deep.
const DEEP: usize = 100;

impl View {
    /// The items that answer a search by words best.
    pub async fn rank(self, wording: Wording, scans: &Semaphore) -> Result<Ranking> {
        if let Some(near) = &wording.near {
            self.snapshot.expect_model(near.fingerprint.as_deref())?;
        }
        let (version, fragment) = (self.version, self.snapshot.fragment);
        let _scan = scans.acquire().await.map_err(|_| Error::Broken)?;
        let results = blocking("search by words", move || ranked(&self, wording)).await??;
        Ok(Ranking { results, version, fragment })
    }
}

fn ranked(view: &View, wording: Wording) -> Result<Vec<Ranked>> {
    let Wording { text, k, filter, near, with_texts } = wording;
    let (snapshot, filter) = (&view.snapshot, filter.filter(|filter| !filter.is_empty()));
    let (query, k) = (check::words(&text)?, check::found(k, snapshot.length)?);
    let answers = match near {
        None => best(snapshot, &query, k, filter.as_ref())?,
        Some(near) => {
            let (settings, deep) = (&view.entry.settings, DEEP.max(2 * k));
            let held = best(snapshot, &query, deep, filter.as_ref())?;
            let wanted = Wanted { k: deep, filter, by: by(&near, settings) };
            fused(&Target::new(settings.distance, near.vector).nearest(snapshot, &wanted)?, &held, k)
        }
    };
    answers.into_iter().map(|answer| answer.ranked(with_texts)).collect()
}

/// A row that answers a search.
#[derive(Debug, Clone)]
struct Answer<'a> {
    id: &'a str,
    score: f64,
    distance: Option<f32>,
    ranks: Option<Ranks>,
    place: (&'a Block, usize),
}

impl<'a> Answer<'a> {
    fn new(id: &'a str, place: (&'a Block, usize)) -> Self {
        Self { id, score: 0.0, distance: None, ranks: None, place }
    }

    /// Counts its place in one of two lists.
    fn count(&mut self, place: usize, list: fn(&mut Ranks) -> &mut Option<usize>) {
        self.score += 1.0 / (EVEN + place as f64);
        *list(self.ranks.get_or_insert_default()) = Some(place);
    }

    fn ranked(self, with_text: bool) -> Result<Ranked> {
        let (block, row) = self.place;
        let (metadata, text) = (members(block.metadata(row)?)?, if with_text { block.text(row)? } else { None });
        let Self { id, score, distance, ranks, .. } = self;
        Ok(Ranked { id: id.to_owned(), score, distance, ranks, metadata, text: text.map(Into::into) })
    }
}

/// The `k` rows that say most, the best first, those of the same score by id.
fn best<'a>(snapshot: &'a Snapshot, query: &Query, k: usize, filter: Option<&Filter>) -> Result<Vec<Answer<'a>>> {
    if query.is_empty() {
        return Ok(Vec::new());
    }
    let is_seen = |block: &'a Block| move |row: u32| block.is_visible(row as usize, snapshot.fragment);
    let mut statistics = Statistics::new(query);
    for block in &snapshot.blocks {
        statistics.count(query, block.words()?, is_seen(block));
    }
    let mut all = Vec::new();
    for block in &snapshot.blocks {
        let chosen = filter.map_or(Ok(Chosen::ALL), |filter| block.chosen(filter))?;
        let is_seen = is_seen(block);
        let scores = query.scores(block.words()?, &statistics, |row| chosen.has(row as usize) && is_seen(row));
        all.extend(scores.into_iter().map(|(row, score)| (score, block.as_ref(), row as usize)));
    }
    first(all, k)
}

fn first(mut all: Vec<(f64, &Block, usize)>, k: usize) -> Result<Vec<Answer<'_>>> {
    all.sort_unstable_by(|(a, ..), (b, ..)| b.total_cmp(a));
    // Of those that are as good as the last, ids say which.
    if let Some((limit, ..)) = k.checked_sub(1).and_then(|last| all.get(last)).copied() {
        all.truncate(all.partition_point(|(score, ..)| *score >= limit));
    }
    let answer = |(score, block, row): (f64, _, _)| {
        let id = Block::id(block, row)?;
        Ok(Answer { score, ..Answer::new(id, (block, row)) })
    };
    let mut answers: Vec<Answer> = all.into_iter().map(answer).collect::<Result<_>>()?;
    answers.sort_by(in_order);
    answers.truncate(k);
    Ok(answers)
}

/// The best of two lists by the places that they give: one over the place counts, shifted so that the first few places
/// of one list do not outdo the other.
fn fused<'a>(near: &[Neighbour<'a>], held: &[Answer<'a>], k: usize) -> Vec<Answer<'a>> {
    let mut fused: HashMap<&str, Answer> = HashMap::new();
    for (place, neighbour) in (1..).zip(near) {
        let answer = fused.entry(neighbour.id).or_insert_with(|| Answer::new(neighbour.id, neighbour.place));
        answer.count(place, |ranks| &mut ranks.vector);
        answer.distance = Some(neighbour.distance());
    }
    for (place, held) in (1..).zip(held) {
        let answer = fused.entry(held.id).or_insert_with(|| Answer::new(held.id, held.place));
        answer.count(place, |ranks| &mut ranks.keyword);
    }
    let mut answers: Vec<Answer> = fused.into_values().collect();
    answers.sort_by(in_order);
    answers.truncate(k);
    answers
}

/// The better first, those of the same score by id.
fn in_order(a: &Answer, b: &Answer) -> Ordering {
    b.score.total_cmp(&a.score).then_with(|| a.id.cmp(b.id))
}
