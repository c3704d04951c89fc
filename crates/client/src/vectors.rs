//! Vector indexes and their items.

use base::{Distance, Timestamp, Version};
use http::Method;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::body::Body;
use crate::client::{Client, request, segment, with_query};
use crate::error::Result;

/// An index to be made.
#[derive(Debug, Clone, Default, PartialEq, Serialize, JsonSchema)]
pub struct NewIndex {
    /// Its name.
    pub name: String,
    /// Length of its vectors.
    pub dimension: u32,
    /// Links of each item in a graph, 16 when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub m: Option<u32>,
    /// How many candidates a search of a graph keeps.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ef_search: Option<u32>,
    /// `cosine` when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<DistanceName>")]
    pub distance: Option<Distance>,
    /// The model that makes vectors of its texts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
}

/// An index as it is now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Index {
    /// Its name.
    pub name: String,
    /// Length of its vectors.
    pub dimension: u32,
    /// Its measure of distance.
    #[schemars(with = "DistanceName")]
    pub distance: Distance,
    /// Links of each item in a graph.
    pub m: u32,
    /// How many candidates a search of a graph keeps.
    #[serde(default)]
    pub ef_search: Option<u32>,
    /// The model that makes vectors of its texts.
    #[serde(default)]
    pub model: Option<String>,
    /// The fingerprint that its vectors must have; absent while none is known.
    #[serde(default)]
    pub fingerprint: Option<String>,
    /// Number of items; absent when the index cannot be read, or when a list met it unopened and it is large.
    #[serde(default)]
    pub length: Option<u64>,
    /// The version this describes.
    #[schemars(with = "u64")]
    pub version: Version,
    /// The newest fragment that is counted; 0 before the first.
    pub fragment: u64,
    /// The last fragment that the version holds, so that it is answered as of then; 0 before the first seal.
    #[serde(default)]
    pub sealed: u64,
    /// How many segments the version reads.
    #[serde(default)]
    pub segments: u64,
    /// How many of its items the server finds through codes; the others are compared one by one.
    #[serde(default)]
    pub coded: u64,
    /// Whether texts of its items are kept, so that searches by words find them; absent when that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keeps_texts: Option<bool>,
    /// When it was made.
    #[schemars(with = "String")]
    pub created_at: Timestamp,
    /// How many of the true nearest its searches found, when that was measured last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recall: Option<Recall>,
    /// The code of what keeps it from being read; absent when nothing does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// One page of the indexes, sorted by name.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Indexes {
    /// The indexes.
    pub indexes: Vec<Index>,
    /// Where the next page begins; absent on the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// A vector under an id.
#[derive(Debug, Clone, Default, PartialEq, Serialize, JsonSchema)]
pub struct VectorItem {
    /// Its id; an item of the same id is replaced.
    pub id: String,
    /// The vector, as long as the index's dimension says.
    pub vector: Vec<f32>,
    /// What is known of it. Absent keeps what the replaced item had, `{}` clears it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Map<String, Value>>,
}

/// A text under an id.
#[derive(Debug, Clone, Default, PartialEq, Serialize, JsonSchema)]
pub struct TextItem {
    /// Its id; an item of the same id is replaced.
    pub id: String,
    /// The text.
    pub text: String,
    /// What is known of it. Absent keeps what the replaced item had, `{}` clears it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Map<String, Value>>,
}

/// Vectors to be added, all of them or none.
#[derive(Debug, Clone, Default, PartialEq, Serialize, JsonSchema)]
pub struct VectorBatch {
    /// The items, no id twice.
    pub items: Vec<VectorItem>,
    /// Which model made the vectors, when that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
}

/// Texts to be added, all of them or none.
#[derive(Debug, Clone, Default, PartialEq, Serialize, JsonSchema)]
pub struct TextBatch {
    /// The items, no id twice.
    pub items: Vec<TextItem>,
    /// What happens to a text over the model's limit: `error` (the default), `truncate` or `chunk`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overflow: Option<String>,
    /// Whether the index keeps the texts beside their vectors, so that searches by words find them; it does when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keep_text: Option<bool>,
}

/// What an add did. It is durable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Added {
    /// Items that are new.
    pub added: u64,
    /// Items that replaced others.
    pub updated: u64,
    /// Items of the index now.
    pub length: u64,
    /// The version of the lake.
    #[schemars(with = "u64")]
    pub version: Version,
    /// The fragment that holds the items.
    pub fragment: u64,
}

/// What a deletion did. It is durable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Removed {
    /// Items that are gone.
    pub deleted: u64,
    /// Ids that were not there.
    pub missing: u64,
    /// Items of the index now.
    pub length: u64,
    /// The version of the lake.
    #[schemars(with = "u64")]
    pub version: Version,
    /// The fragment that holds the deletion.
    pub fragment: u64,
}

/// What a seal did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct IndexSealed {
    /// The index.
    pub name: String,
    /// A version that answers so for ever.
    #[schemars(with = "u64")]
    pub version: Version,
    /// The last fragment that it holds.
    pub fragment: u64,
    /// How many segments it reads.
    pub segments: u64,
    /// How many items it has.
    pub length: u64,
    /// Whether there was anything to seal.
    pub sealed: bool,
}

/// Two indexes to be merged.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct MergeInto {
    /// The index that gets the items.
    pub dest: String,
    /// Whether each item leaves its index once it is durable in the other.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clear_source: Option<bool>,
}

/// What a merge did. It is durable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Merged {
    /// Items that the destination did not have.
    pub added: u64,
    /// Items that replaced others there.
    pub updated: u64,
    /// Items that have left the source.
    pub removed: u64,
    /// Items of the destination now.
    pub length: u64,
    /// Items of the source now.
    pub source_length: u64,
    /// The version of the lake.
    #[schemars(with = "u64")]
    pub version: Version,
    /// The newest fragment of the destination.
    pub fragment: u64,
}

/// How recall is to be measured.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Survey {
    /// How many items stand for queries; 100 when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sample: Option<usize>,
    /// How many of the nearest are asked for; 10 when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub k: Option<usize>,
    /// As in a search.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ef_search: Option<u32>,
}

/// How many of the true nearest searches have found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Recall {
    /// The share of the nearest that were found, 0 to 1.
    pub recall: f64,
    /// How many items stood for queries; none of them counts as found by itself.
    pub sample: u64,
    /// How many of the nearest were asked for.
    pub k: u64,
    /// How many were looked for by codes, if that was said.
    #[serde(default)]
    pub ef_search: Option<u32>,
    /// How many items the index had.
    pub length: u64,
    /// How many of them were found through codes.
    pub coded: u64,
    /// The last fragment that was searched.
    pub fragment: u64,
    /// The version of the lake.
    #[schemars(with = "u64")]
    pub version: Version,
    /// When it was measured.
    #[schemars(with = "String")]
    pub measured_at: Timestamp,
}

/// A search near a vector, near what a text means, by the words of a text, or by meaning and words.
#[derive(Debug, Clone, Default, PartialEq, Serialize, JsonSchema)]
// Its name in the description of the routes.
#[schemars(rename = "Near")]
pub struct Search {
    /// The vector that what is found lies near; beside a text in hybrid searches only, in place of the text's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vector: Option<Vec<f32>>,
    /// The text that is meant, or whose words are looked for, or both, as `mode` says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// `vector` (the default): what lies near, or means about the same. `keyword`: what holds the words of the text.
    /// `hybrid`: both lists, fused by their places.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Mode>")]
    pub mode: Option<String>,
    /// Whether a model reads the 50 best texts beside the query and ranks them anew; items without a text are left out, and
    /// `k` is 50 at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rerank: Option<bool>,
    /// Most items of the answer; 10 when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub k: Option<usize>,
    /// What must hold of the metadata of what is found: `{"city": "Toledo"}`, any of `["Toledo", "Gary"]`, ranges
    /// `{"gte": 18, "lt": 25}`, `{"prefix": "An"}`, null for absent; nested fields by paths with dots.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filter: Option<Map<String, Value>>,
    /// The version to search, by number, time or tag: what was sealed of the index then; now when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub as_of: Option<String>,
    /// Whether the answer is to be proven that of comparing every vector, which takes longer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exact: Option<bool>,
    /// How many of the nearest are looked for by codes before the first `k` are answered, if that is more: the more, the
    /// surer. What the index's settings say when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ef_search: Option<u32>,
    /// Which model made the vector, when that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    /// The run that it is a step of, and is recorded with; the one that the headers name when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<String>,
}

/// Items to be deleted, by their ids or by what holds of their metadata.
#[derive(Debug, Clone, Default, PartialEq, Serialize, JsonSchema)]
pub struct Unwanted {
    /// The ids.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ids: Option<Vec<String>>,
    /// What holds of the items, as in a search.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filter: Option<Map<String, Value>>,
}

/// The items that were found, the nearest or best first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Found {
    /// The items.
    pub results: Vec<Hit>,
    /// The version of the lake.
    #[schemars(with = "u64")]
    pub version: Version,
    /// The newest fragment that was searched.
    pub fragment: u64,
}

/// One found item.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Hit {
    /// Its id.
    pub id: String,
    /// How far it is, in searches by nearness, and in hybrid ones if it is among the nearest; smaller is nearer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distance: Option<f32>,
    /// How well it answers a search by words; larger is better, and only the scores of one search compare.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
    /// Where it stands in each of the two lists of a hybrid search.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ranks: Option<Ranks>,
    /// What is known of it.
    pub metadata: Map<String, Value>,
}

/// Places in lists, from 1; absent where an item is not on the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Ranks {
    /// Among the nearest.
    #[serde(default)]
    pub vector: Option<usize>,
    /// Among those that hold the words.
    #[serde(default)]
    pub keyword: Option<usize>,
}

/// An item as the index holds it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StoredItem {
    /// Its id.
    pub id: String,
    /// Its vector.
    pub vector: Vec<f32>,
    /// What is known of it.
    pub metadata: Map<String, Value>,
    /// What its vector was made of, where the index keeps that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The version of the lake.
    #[schemars(with = "u64")]
    pub version: Version,
    /// The newest fragment that was looked at.
    pub fragment: u64,
}

/// The measures of distance as they are written.
#[derive(JsonSchema)]
#[schemars(rename = "Distance", rename_all = "lowercase")]
#[expect(dead_code, reason = "it describes the wire form of a type of another room")]
enum DistanceName {
    Cosine,
    Euclidean,
    Dot,
}

/// The modes of a search as they are written.
#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
#[expect(dead_code, reason = "it describes the wire form of a text")]
enum Mode {
    Vector,
    Keyword,
    Hybrid,
}

impl Client {
    /// Makes an index.
    pub async fn create_index(&self, index: &NewIndex) -> Result<Index> {
        self.post_json("/v1/vectors/index", index).await
    }

    /// Seals what an index has acknowledged by now into a version.
    pub async fn seal_index(&self, name: &str) -> Result<IndexSealed> {
        self.call_json(request(Method::POST, &index_path(name, "/seal"), Body::empty())?).await
    }

    /// Measures how many of the true nearest searches find. The index keeps the result.
    pub async fn measure_recall(&self, name: &str, survey: &Survey) -> Result<Recall> {
        self.post_json(&index_path(name, "/recall"), survey).await
    }

    /// Puts the items of one index into another.
    pub async fn merge_index(&self, source: &str, merge: &MergeInto) -> Result<Merged> {
        self.post_json(&index_path(source, "/merge"), merge).await
    }

    /// One page of the indexes, those whose names come after `after`.
    pub async fn indexes(&self, after: Option<&str>, limit: Option<usize>) -> Result<Indexes> {
        let pairs = [("after", after.map(str::to_owned)), ("limit", limit.map(|limit| limit.to_string()))];
        self.get_json(&with_query("/v1/vectors/index", &pairs)).await
    }

    /// One index.
    pub async fn index(&self, name: &str) -> Result<Index> {
        self.get_json(&index_path(name, "")).await
    }

    /// Deletes an index and all its items.
    pub async fn delete_index(&self, name: &str) -> Result<()> {
        self.call(request(Method::DELETE, &index_path(name, ""), Body::empty())?).await.map(drop)
    }

    /// Adds vectors, all of them or none.
    pub async fn add_vectors(&self, index: &str, batch: &VectorBatch) -> Result<Added> {
        self.post_json(&index_path(index, "/add"), batch).await
    }

    /// Adds texts, all of them or none, through the index's model.
    pub async fn add_texts(&self, index: &str, batch: &TextBatch) -> Result<Added> {
        self.post_json(&index_path(index, "/add_text"), batch).await
    }

    /// The `k` items nearest to a vector.
    pub async fn search_vectors(&self, index: &str, vector: Vec<f32>, k: usize) -> Result<Found> {
        self.search(index, &Search { vector: Some(vector), k: Some(k), ..Search::default() }).await
    }

    /// The `k` items nearest in meaning to a text.
    pub async fn search_text(&self, index: &str, text: &str, k: usize) -> Result<Found> {
        self.search(index, &Search { text: Some(text.to_owned()), k: Some(k), ..Search::default() }).await
    }

    /// The items that answer a search best, by nearness, by words or by both.
    pub async fn search(&self, index: &str, search: &Search) -> Result<Found> {
        self.post_json(&index_path(index, "/search"), search).await
    }

    /// One item.
    pub async fn item(&self, index: &str, id: &str) -> Result<StoredItem> {
        self.get_json(&item_path(index, id)).await
    }

    /// Deletes one item; one that is not there is refused.
    pub async fn remove_item(&self, index: &str, id: &str) -> Result<()> {
        self.call(request(Method::DELETE, &item_path(index, id), Body::empty())?).await.map(drop)
    }

    /// Deletes items; ids that are not there are counted as missing.
    pub async fn remove_items(&self, index: &str, ids: Vec<String>) -> Result<Removed> {
        self.remove(index, &Unwanted { ids: Some(ids), filter: None }).await
    }

    /// Deletes the items of which a filter holds.
    pub async fn remove_matching(&self, index: &str, filter: Map<String, Value>) -> Result<Removed> {
        self.remove(index, &Unwanted { ids: None, filter: Some(filter) }).await
    }

    async fn remove(&self, index: &str, unwanted: &Unwanted) -> Result<Removed> {
        self.post_json(&index_path(index, "/delete"), unwanted).await
    }
}

fn index_path(name: &str, rest: &str) -> String {
    format!("/v1/vectors/index/{}{rest}", segment(name))
}

fn item_path(index: &str, id: &str) -> String {
    index_path(index, &format!("/items/{}", segment(id)))
}
