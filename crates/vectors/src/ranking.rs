//! Search by words: the items whose texts say most of what is asked for, alone, or together with those that lie near.

use std::cmp::Ordering;
use std::collections::HashMap;

use filters::Filter;
use keywords::{Query, Statistics};

use crate::answer::{Hit, Ranks};
use crate::block::Block;
use crate::check;
use crate::chosen::Chosen;
use crate::error::Result;
use crate::request::Nearness;
use crate::search::Neighbour;
use crate::snapshot::Snapshot;
use crate::view::{View, members, text};

#[cfg(test)]
mod tests;

/// How much less the first of a list counts than the second: the larger, the less, as in Cormack and others, 2009.
const EVEN: f64 = 60.0;
/// The two lists of a search by words and nearness go at least so deep.
const DEEP: usize = 100;

impl View {
    /// The `k` rows whose texts say most of what the words are.
    pub fn saying(&self, words: &str, k: usize, filter: Option<&Filter>) -> Result<Vec<Answer<'_>>> {
        best(&self.snapshot, &check::words(words)?, k, filter)
    }

    /// The best `k` of the rows that say most and of those that lie nearest.
    pub fn near_or_saying(
        &self,
        words: &str,
        near: Nearness,
        k: usize,
        filter: Option<Filter>,
    ) -> Result<Vec<Answer<'_>>> {
        let deep = DEEP.max(2 * k);
        let said = self.saying(words, deep, filter.as_ref())?;
        Ok(fused(&self.nearest(near, deep, filter)?, &said, k))
    }
}

/// A row that answers a search.
#[derive(Debug, Clone)]
pub(crate) struct Answer<'a> {
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

    /// The item, as it is answered.
    pub fn hit(self, with_text: bool) -> Result<Hit> {
        let (block, row) = self.place;
        let (metadata, text) = (members(block.metadata(row)?)?, text(self.place, with_text)?);
        let Self { id, score, distance, ranks, .. } = self;
        Ok(Hit { id: id.to_owned(), score: Some(score), distance, ranks, metadata, text })
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
fn fused<'a>(near: &[Neighbour<'a>], said: &[Answer<'a>], k: usize) -> Vec<Answer<'a>> {
    let mut fused: HashMap<&str, Answer> = HashMap::new();
    for (place, neighbour) in (1..).zip(near) {
        let answer = fused.entry(neighbour.id).or_insert_with(|| Answer::new(neighbour.id, neighbour.place));
        answer.count(place, |ranks| &mut ranks.vector);
        answer.distance = Some(neighbour.distance());
    }
    for (place, one) in (1..).zip(said) {
        let answer = fused.entry(one.id).or_insert_with(|| Answer::new(one.id, one.place));
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
