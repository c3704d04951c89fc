//! Search by words: the items whose texts say most of what is asked for, alone, or together with those that lie near.

use std::collections::HashMap;

use keywords::{Query, Statistics};
use tokio::sync::Semaphore;

use crate::answer::{Ranked, Ranking, Ranks};
use crate::block::Block;
use crate::check;
use crate::chosen::Chosen;
use crate::error::{Error, Result};
use crate::filter::Filter;
use crate::request::Wording;
use crate::search::{Neighbour, Target, Wanted};
use crate::snapshot::Snapshot;
use crate::view::{View, blocking, depth, members};

/// How much less the first of a list counts than the second: the larger, the less, as in Cormack and others, 2009.
const EVEN: f64 = 60.0;
/// The two lists of a search by words and nearness go at least so deep.
const DEEP: usize = 100;

impl View {
    /// The items that answer a search by words best.
    pub async fn rank(self, wording: Wording, scans: &Semaphore) -> Result<Ranking> {
        if let Some(near) = &wording.near {
            self.expect_model(near)?;
        }
        let (version, fragment) = (self.version, self.snapshot.fragment);
        let _scan = scans.acquire().await.map_err(|_| Error::Broken)?;
        let results = blocking("search by words", move || ranked(&self, wording)).await??;
        Ok(Ranking { results, version, fragment })
    }
}

fn ranked(view: &View, wording: Wording) -> Result<Vec<Ranked>> {
    let Wording { text, k, filter, near } = wording;
    let (snapshot, filter) = (&view.snapshot, filter.filter(|filter| !filter.is_empty()));
    let (query, k) = (Query::new(&text), check::found(k, snapshot.length)?);
    let Some(near) = near else {
        return best(snapshot, &query, k, filter.as_ref())?.iter().map(Scored::ranked).collect();
    };
    let (settings, deep) = (&view.entry.settings, DEEP.max(2 * k));
    let scored = best(snapshot, &query, deep, filter.as_ref())?;
    let wanted = Wanted { k: deep, filter, depth: depth(&near, settings) };
    let near = Target::new(settings.distance, near.vector).nearest(snapshot, &wanted)?;
    fused(&near, &scored, k)
}

/// A row whose text holds words that are looked for.
struct Scored<'a> {
    score: f64,
    block: &'a Block,
    row: usize,
}

impl<'a> Scored<'a> {
    fn id(&self) -> Result<&'a str> {
        self.block.id(self.row)
    }

    fn ranked(&self) -> Result<Ranked> {
        let metadata = members(self.block.metadata(self.row)?)?;
        Ok(Ranked { id: self.id()?.to_owned(), score: self.score, distance: None, ranks: None, metadata })
    }
}

/// The `k` rows that say most, the best first, those of the same score by id.
fn best<'a>(snapshot: &'a Snapshot, query: &Query, k: usize, filter: Option<&Filter>) -> Result<Vec<Scored<'a>>> {
    let is_seen = |block: &'a Block| move |row: u32| block.is_visible(row as usize, snapshot.fragment);
    let mut statistics = Statistics::new(query);
    for block in &snapshot.blocks {
        statistics.count(query, block.words()?, is_seen(block));
    }
    let mut all = Vec::new();
    for block in &snapshot.blocks {
        let chosen = filter.map_or(Ok(Chosen::ALL), |filter| block.chosen(filter))?;
        let (is_seen, is_chosen) = (is_seen(block), |row: u32| chosen.has(row as usize));
        let scores = query.scores(block.words()?, &statistics, |row| is_chosen(row) && is_seen(row));
        all.extend(scores.into_iter().map(|(row, score)| Scored { score, block, row: row as usize }));
    }
    first(all, k)
}

fn first(mut all: Vec<Scored<'_>>, k: usize) -> Result<Vec<Scored<'_>>> {
    all.sort_unstable_by(|a, b| b.score.total_cmp(&a.score));
    // Of those that are as good as the last, ids say which.
    if let Some(last) = k.checked_sub(1).and_then(|last| all.get(last)) {
        let limit = last.score;
        all.truncate(all.partition_point(|scored| scored.score >= limit));
    }
    let named = all.into_iter().map(|scored| Ok((scored.id()?, scored)));
    let mut named: Vec<(&str, Scored)> = named.collect::<Result<_>>()?;
    named.sort_by(|(a, better), (b, worse)| worse.score.total_cmp(&better.score).then_with(|| a.cmp(b)));
    named.truncate(k);
    Ok(named.into_iter().map(|(_, scored)| scored).collect())
}

/// The best of two lists by the places that they give: one over the place counts, shifted so that the first few places
/// of one list do not outdo the other.
fn fused(near: &[Neighbour], scored: &[Scored], k: usize) -> Result<Vec<Ranked>> {
    let mut fused: HashMap<&str, Ranked> = HashMap::new();
    for (place, neighbour) in (1..).zip(near) {
        let ranked = fused.entry(neighbour.id).or_insert_with(|| Ranked::unplaced(neighbour.id));
        ranked.place(place, |ranks| &mut ranks.vector);
        ranked.distance = Some(neighbour.distance());
        ranked.metadata = members(neighbour.metadata)?;
    }
    for (place, scored) in (1..).zip(scored) {
        let id = scored.id()?;
        let ranked = fused.entry(id).or_insert_with(|| Ranked::unplaced(id));
        ranked.place(place, |ranks| &mut ranks.keyword);
        ranked.metadata = members(scored.block.metadata(scored.row)?)?;
    }
    let mut ranked: Vec<Ranked> = fused.into_values().collect();
    ranked.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| a.id.cmp(&b.id)));
    ranked.truncate(k);
    Ok(ranked)
}

impl Ranked {
    fn unplaced(id: &str) -> Self {
        Self {
            id: id.to_owned(),
            score: 0.0,
            distance: None,
            ranks: Some(Ranks::default()),
            metadata: Default::default(),
        }
    }

    /// Counts a place in one of the lists.
    fn place(&mut self, place: usize, list: fn(&mut Ranks) -> &mut Option<usize>) {
        self.score += 1.0 / (EVEN + place as f64);
        *list(self.ranks.get_or_insert_default()) = Some(place);
    }
}
