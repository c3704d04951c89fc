//! What the bodies of vectord's routes hold.

use base::{AsOf, Distance, IndexName};
use embed::Overflow;
use flows::{Given, NewIndex, RERANKED, Search, Sought, TextItem};
use serde::Deserialize;
use serde::de::{Deserializer, Error as _};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use vectors::{Effort, Filter, Item, Survey, metadata};

use crate::error::{Error, Result};
use crate::listed;

/// Links of each item in a graph when the call does not say.
const DEFAULT_M: u32 = 16;
/// Most items of an answer when the call does not say.
const DEFAULT_K: usize = 10;
/// Items that stand for queries when the call does not say.
const DEFAULT_SAMPLE: usize = 100;
/// Indexes on a page of the list when the call does not say.
const DEFAULT_PAGE: usize = 100;
/// Most indexes on one page.
const MAX_PAGE: usize = 1000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewIndexCall {
    name: String,
    dimension: u32,
    m: Option<u32>,
    ef_search: Option<u32>,
    distance: Option<Distance>,
    model: Option<String>,
}

impl NewIndexCall {
    pub(super) fn into_index(self, author: &str) -> Result<NewIndex, Error> {
        let Self { name, dimension, m, ef_search, distance, model } = self;
        let (name, m, distance) = (name.parse()?, m.unwrap_or(DEFAULT_M), distance.unwrap_or_default());
        Ok(NewIndex { name, dimension, distance, m, ef_search, model, author: author.to_owned() })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PageAsked {
    pub(super) after: Option<String>,
    limit: Option<usize>,
    as_of: Option<String>,
}

impl PageAsked {
    pub(super) fn as_of(&self) -> Result<Option<AsOf>, Error> {
        Ok(self.as_of.as_deref().map(str::parse).transpose()?)
    }

    pub(super) fn limit(&self) -> Result<usize, Error> {
        let limit = self.limit.unwrap_or(DEFAULT_PAGE);
        let wrong = || Error::Parameter(format!("limit is a number from 1 to {MAX_PAGE}"));
        if (1..=MAX_PAGE).contains(&limit) { Ok(limit) } else { Err(wrong()) }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct At {
    as_of: Option<String>,
}

impl At {
    pub(super) fn as_of(&self) -> Result<Option<AsOf>, Error> {
        Ok(self.as_of.as_deref().map(str::parse).transpose()?)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct VectorBatch {
    #[serde(deserialize_with = "listed::items")]
    items: Vec<VectorItem>,
    fingerprint: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct VectorItem {
    id: String,
    vector: Vec<f32>,
    #[serde(default, deserialize_with = "exact")]
    metadata: Option<Map<String, Value>>,
}

/// Metadata that can be kept as it stands.
fn exact<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Map<String, Value>>, D::Error> {
    object(from, "metadata")
}

/// A filter whose values are what they seem.
fn filter<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Map<String, Value>>, D::Error> {
    object(from, "filter")
}

fn object<'de, D: Deserializer<'de>>(from: D, name: &str) -> Result<Option<Map<String, Value>>, D::Error> {
    let text = Option::<Box<RawValue>>::deserialize(from)?;
    let read = text.map(|text| metadata::object(text.get())).transpose();
    read.map_err(|why| D::Error::custom(format_args!("{name}: {why}")))
}

impl VectorBatch {
    pub(super) fn into_items(self) -> (Vec<Item>, Option<String>) {
        let item = |VectorItem { id, vector, metadata }| Item { id, vector, metadata, text: None };
        (self.items.into_iter().map(item).collect(), self.fingerprint)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TextBatch {
    #[serde(deserialize_with = "listed::items")]
    items: Vec<TextLine>,
    overflow: Option<Overflow>,
    keep_text: Option<bool>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TextLine {
    id: String,
    text: String,
    #[serde(default, deserialize_with = "exact")]
    metadata: Option<Map<String, Value>>,
}

impl TextBatch {
    pub(super) fn into_items(self) -> (Vec<TextItem>, Overflow) {
        let keep_text = self.keep_text.unwrap_or(true);
        let item = |TextLine { id, text, metadata }| TextItem { id, text, metadata, keep_text };
        (self.items.into_iter().map(item).collect(), self.overflow.unwrap_or_default())
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SearchCall {
    vector: Option<Vec<f32>>,
    text: Option<String>,
    mode: Option<Mode>,
    rerank: Option<bool>,
    k: Option<usize>,
    #[serde(default, deserialize_with = "filter")]
    filter: Option<Map<String, Value>>,
    as_of: Option<AsOf>,
    exact: Option<bool>,
    ef_search: Option<u32>,
    fingerprint: Option<String>,
    trace_id: Option<String>,
}

impl SearchCall {
    /// The run that it names.
    pub(super) fn trace_id(&self) -> Option<&str> {
        self.trace_id.as_deref()
    }

    pub(super) fn search(self, index: IndexName) -> Result<Search> {
        let rerank = self.rerank()?;
        let Self { vector, text, mode, k, filter, as_of, exact, ef_search, fingerprint, .. } = self;
        if fingerprint.is_some() && vector.is_none() {
            return Err(Error::Body("`fingerprint` belongs to `vector`".to_owned()).into());
        }
        let given = vector.map(|vector| Given { vector, fingerprint });
        let (k, filter) = (k.unwrap_or(DEFAULT_K), filter.as_ref().map(Filter::parse).transpose()?);
        let effort = Effort { exact: exact.unwrap_or(false), ef_search };
        let sought = mode.unwrap_or_default().sought(given, text, effort)?;
        Ok(Search { index, sought, k, filter, effort, rerank, as_of })
    }

    /// Whether the best are to be ranked anew, if they can be.
    fn rerank(&self) -> Result<bool, Error> {
        if self.rerank != Some(true) {
            return Ok(false);
        }
        match (&self.text, self.k) {
            (None, _) => Err(Error::Body("`rerank` belongs to `text`".to_owned())),
            (_, Some(k)) if k > RERANKED => Err(Error::Body(format!("with `rerank`, `k` is {RERANKED} at most"))),
            _ => Ok(true),
        }
    }
}

/// By what items answer a search: nearness, words, or both.
#[derive(Deserialize, Clone, Copy, Default)]
#[serde(rename_all = "lowercase")]
enum Mode {
    #[default]
    Vector,
    Keyword,
    Hybrid,
}

impl Mode {
    /// What is sought, if this mode can do with what the call has.
    fn sought(self, given: Option<Given>, text: Option<String>, effort: Effort) -> Result<Sought, Error> {
        let no = |why: &str| Err(Error::Body(why.to_owned()));
        match (self, given, text) {
            (Self::Vector, Some(given), None) => Ok(Sought::Vector(given)),
            (Self::Vector, None, Some(text)) => Ok(Sought::Meaning(text)),
            (Self::Vector, ..) => no("a search is near either `vector` or `text`"),
            (Self::Keyword, ..) if effort != Effort::default() => {
                no("`exact` and `ef_search` belong to searches by nearness")
            }
            (Self::Keyword, None, Some(text)) => Ok(Sought::Words(text)),
            (Self::Keyword, ..) => no("a search by keywords has `text` and no `vector`"),
            (Self::Hybrid, given, Some(text)) if given.as_ref().is_none_or(|given| !given.vector.is_empty()) => {
                Ok(Sought::Both(text, given))
            }
            (Self::Hybrid, ..) => {
                no("a hybrid search has `text`, and a `vector` where that shall not be the text's own")
            }
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RemoveCall {
    #[serde(default, deserialize_with = "listed_ids")]
    ids: Option<Vec<String>>,
    #[serde(default, deserialize_with = "filter")]
    filter: Option<Map<String, Value>>,
}

/// What is to be deleted.
pub(super) enum Unwanted {
    Ids(Vec<String>),
    Matching(Filter),
}

impl RemoveCall {
    pub(super) fn unwanted(self) -> Result<Unwanted> {
        match (self.ids, self.filter) {
            (ids, None) => Ok(Unwanted::Ids(ids.unwrap_or_default())),
            (None, Some(filter)) => Ok(Unwanted::Matching(Filter::parse(&filter)?)),
            (Some(_), Some(_)) => Err(Error::Body("a deletion has either `ids` or `filter`".to_owned()).into()),
        }
    }
}

fn listed_ids<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Vec<String>>, D::Error> {
    listed::ids(from).map(Some)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RecallCall {
    sample: Option<usize>,
    k: Option<usize>,
    ef_search: Option<u32>,
}

impl RecallCall {
    pub(super) fn into_survey(self) -> Survey {
        let Self { sample, k, ef_search } = self;
        Survey { sample: sample.unwrap_or(DEFAULT_SAMPLE), k: k.unwrap_or(DEFAULT_K), ef_search }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MergeCall {
    dest: String,
    clear_source: Option<bool>,
}

impl MergeCall {
    pub(super) fn into_parts(self) -> Result<(IndexName, bool), Error> {
        Ok((self.dest.parse()?, self.clear_source.unwrap_or(false)))
    }
}
