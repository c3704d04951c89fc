//! What an index refuses, before anything is written.

use std::collections::HashSet;

use base::Distance;
use catalog::IndexSettings;
use keywords::{MAX_WORDS, Query};

use crate::change::Item;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::request::{By, Nearness, NewIndex, Search, Survey};

/// The longest id, in bytes.
const MAX_ID: usize = 1024;
/// The largest metadata of an item, in bytes of its JSON.
const MAX_METADATA: usize = 64 << 10;
/// The longest text that is kept beside a vector, in bytes.
const MAX_TEXT: usize = 1 << 20;
/// The longest text whose words are searched for, in bytes: more would take longer to read than to find.
const MAX_QUERY: usize = 64 << 10;
/// The most items that go from one index into another at a time.
pub(crate) const GOES_OVER: usize = 4096;
/// The most items that a search answers.
pub(crate) const MAX_FOUND: usize = 100_000;
/// The most items that stand for queries when recall is measured, and the most of the nearest asked for.
const MAX_SAMPLE: usize = 1000;
const MAX_SURVEYED: usize = 100;
/// The largest value of the settings of graphs.
const MAX_GRAPH: u32 = 10_000;

/// An index that could hold vectors.
pub(crate) fn settings(index: &NewIndex, config: &Config) -> Result<()> {
    let max = config.max_dimension;
    let graph = 1..=MAX_GRAPH;
    if !(1..=max).contains(&index.dimension) {
        return Err(Error::BadSettings(format!("dimension is {}: use 1 to {max}", index.dimension)));
    }
    if !graph.contains(&index.m) {
        return Err(Error::BadSettings(format!("m is {}: use 1 to {MAX_GRAPH}", index.m)));
    }
    match index.ef_search {
        Some(ef) if !graph.contains(&ef) => Err(Error::BadSettings(format!("ef_search is {ef}: use 1 to {MAX_GRAPH}"))),
        _ => Ok(()),
    }
}

/// A batch of items, all of which could be stored.
pub(crate) fn items(items: &[Item], settings: &IndexSettings, config: &Config) -> Result<()> {
    batch("items", items.len(), config)?;
    let mut seen = HashSet::with_capacity(items.len());
    for (position, item) in items.iter().enumerate() {
        let repeated = !seen.insert(item.id.as_str());
        if let Some(reason) = fault(item, repeated, settings) {
            return Err(Error::BadItem { position, reason });
        }
    }
    Ok(())
}

/// Items that another index stores, all of which could be compared.
pub(crate) fn stored(items: &[Item], settings: &IndexSettings, _: &Config) -> Result<()> {
    let fault = |(position, item): (usize, &Item)| Some((position, vector(&item.vector, settings)?));
    match items.iter().enumerate().find_map(fault) {
        Some((position, reason)) => Err(Error::BadItem { position, reason }),
        None => Ok(()),
    }
}

/// As many as one call may have, and not none.
pub(crate) fn batch(what: &'static str, count: usize, config: &Config) -> Result<()> {
    match count {
        0 => Err(Error::EmptyBatch { what }),
        _ if count > config.max_batch_items => Err(Error::BatchTooLarge { what, limit: config.max_batch_items }),
        _ => Ok(()),
    }
}

/// A search that could find something, and ends in good time.
pub(crate) fn search(search: &Search, settings: &IndexSettings) -> Result<()> {
    if search.k == 0 {
        return Err(Error::BadQuery("k is 0: use 1 or more".into()));
    }
    match &search.by {
        By::Near(near) => nearness(near, settings),
        By::Words(text) => wording(text),
        By::Both(text, near) => wording(text).and_then(|()| nearness(near, settings)),
    }
}

fn nearness(near: &Nearness, settings: &IndexSettings) -> Result<()> {
    effort(near.effort.ef_search)?;
    match vector(&near.vector, settings) {
        Some(reason) => Err(Error::BadQuery(reason)),
        None => Ok(()),
    }
}

fn wording(text: &str) -> Result<()> {
    if text.len() <= MAX_QUERY {
        return Ok(());
    }
    let most = MAX_QUERY >> 10;
    Err(Error::BadQuery(format!("the text is longer than {most} KiB: search for a part of it, or by nearness")))
}

/// A survey that ends in good time.
pub(crate) fn survey(survey: &Survey) -> Result<()> {
    for (what, given, most) in [("sample", survey.sample, MAX_SAMPLE), ("k", survey.k, MAX_SURVEYED)] {
        if !(1..=most).contains(&given) {
            return Err(Error::BadQuery(format!("{what} is {given}: use 1 to {most}")));
        }
    }
    effort(survey.ef_search)
}

fn effort(ef_search: Option<u32>) -> Result<()> {
    match ef_search.filter(|ef| !(1..=MAX_GRAPH).contains(ef)) {
        Some(ef) => Err(Error::BadQuery(format!("ef_search is {ef}: use 1 to {MAX_GRAPH}"))),
        None => Ok(()),
    }
}

/// The words of a text, if they are few enough to be looked for.
pub(crate) fn words(text: &str) -> Result<Query> {
    let why = || format!("the text has more than {MAX_WORDS} different words: search for a part of it, or by nearness");
    Query::new(text).ok_or_else(|| Error::BadQuery(why()))
}

/// How many items a search for `k` of so many finds, if one answer may hold them.
pub(crate) fn found(k: usize, length: usize) -> Result<usize> {
    let count = k.min(length);
    if count > MAX_FOUND { Err(Error::TooManyFound { count, limit: MAX_FOUND }) } else { Ok(count) }
}

fn fault(item: &Item, repeated: bool, settings: &IndexSettings) -> Option<String> {
    if item.id.is_empty() {
        return Some("the id is empty".into());
    }
    if item.id.len() > MAX_ID {
        return Some(format!("the id is longer than {MAX_ID} bytes"));
    }
    if repeated {
        return Some(format!("the id {:?} stands in the batch twice", item.id));
    }
    let metadata = item.metadata.as_ref().and_then(|metadata| serde_json::to_vec(metadata).ok());
    if metadata.is_some_and(|text| text.len() > MAX_METADATA) {
        return Some(format!("the metadata is longer than {} KiB", MAX_METADATA >> 10));
    }
    if item.text.as_ref().is_some_and(|text| text.len() > MAX_TEXT) {
        return Some(format!(
            "the text is longer than the {} KiB that are kept: shorten it, or keep none",
            MAX_TEXT >> 10
        ));
    }
    vector(&item.vector, settings)
}

fn vector(vector: &[f32], settings: &IndexSettings) -> Option<String> {
    let (given, wanted) = (vector.len(), settings.dimension);
    if given as u64 != u64::from(wanted) {
        return Some(format!("the vector has dimension {given}, the index has {wanted}"));
    }
    if let Some(at) = vector.iter().position(|value| !value.is_finite()) {
        return Some(format!("the vector's value {at} is {}: only finite numbers can be compared", vector[at]));
    }
    let zero = vector.iter().all(|value| *value == 0.0);
    (zero && settings.distance == Distance::Cosine).then(|| "a zero vector has no direction to compare".into())
}
