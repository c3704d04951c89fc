//! What versions are for: tags, what differs between two, and the way back.

use base::{AsOf, Version};
use http::Method;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::body::Body;
use crate::catalog::Column;
use crate::client::{Client, json_request, request, segment, with_query};
use crate::error::Result;

/// All tags, sorted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Tags {
    /// The tags.
    pub tags: Vec<TagLine>,
}

/// A tag and what it names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TagLine {
    /// The tag.
    pub tag: String,
    /// The version that it names.
    #[schemars(with = "u64")]
    pub version: Version,
    /// The version that it named before it was moved by this call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<u64>")]
    pub moved_from: Option<Version>,
}

/// A call to put a tag.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, JsonSchema)]
pub struct PutTag {
    /// A version number, an RFC 3339 time or another tag; the newest version when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Value>")]
    pub version: Option<AsOf>,
}

/// A call to roll a dataset back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RollBack {
    /// A version number, an RFC 3339 time or a tag.
    #[schemars(with = "Value")]
    pub to: AsOf,
}

/// A dataset after a rollback.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RolledBack {
    /// The dataset.
    pub name: String,
    /// The version that holds it so.
    #[schemars(with = "u64")]
    pub version: Version,
    /// Its snapshot, which is a new one with the rows of the earlier one.
    pub snapshot_id: Option<String>,
    /// Its rows.
    pub row_count: u64,
    /// Whether it was so already, and nothing changed.
    pub existing: bool,
}

/// A dataset that was dropped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Dropped {
    /// The dataset.
    pub name: String,
    /// The first version without it.
    #[schemars(with = "u64")]
    pub version: Version,
}

/// What one version has otherwise than another; lists are sorted by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LakeDiff {
    /// The version that is compared with.
    #[schemars(with = "u64")]
    pub from: Version,
    /// The version that differs from it.
    #[schemars(with = "u64")]
    pub to: Version,
    /// The tables that are not as they were.
    pub tables: Vec<TableChange>,
    /// The vector indexes that came, went or came anew.
    pub indexes: Vec<NamedChange>,
    /// The namespaces that came or went.
    pub namespaces: Vec<NamedChange>,
    /// The tags that came, went or were moved.
    pub tags: Vec<TagChange>,
}

/// What became of a table between two versions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TableChange {
    /// The dataset.
    pub name: String,
    /// `created`, `dropped`, `recreated` (the name means another table now), `changed` or `renamed`.
    pub change: String,
    /// The name that it had, when it was renamed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renamed_from: Option<String>,
    /// Rows of the files that came, as far as they are not rows of files that went, rewritten; null when the table does
    /// not read. Files count as wholes.
    pub rows_added: Option<u64>,
    /// Rows of the files that went, counted alike.
    pub rows_removed: Option<u64>,
    /// Rows at the earlier version.
    pub rows_before: u64,
    /// Rows at the later version.
    pub rows_after: u64,
    /// What became of the columns; absent when they are the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<SchemaChange>,
    /// Why the table cannot be read; absent when it can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Value>,
}

/// What became of the columns of a table, by their ids.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SchemaChange {
    /// The columns that came.
    pub added: Vec<Column>,
    /// The columns that went.
    pub removed: Vec<Column>,
    /// The columns that were renamed, or are of another type or class.
    pub changed: Vec<ColumnChange>,
    /// Whether those that stayed stand in another order.
    pub reordered: bool,
}

/// A column as it was and as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ColumnChange {
    /// As it was.
    pub from: Column,
    /// As it is.
    pub to: Column,
}

/// What became of something else that has a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NamedChange {
    /// Its name.
    pub name: String,
    /// `created`, `dropped`, `recreated` or `changed`.
    pub change: String,
}

/// What became of a tag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TagChange {
    /// The tag.
    pub tag: String,
    /// `created`, `dropped` or `changed`.
    pub change: String,
    /// The version that it named.
    #[schemars(with = "Option<u64>")]
    pub from: Option<Version>,
    /// The version that it names.
    #[schemars(with = "Option<u64>")]
    pub to: Option<Version>,
}

impl Client {
    /// All tags.
    pub async fn tags(&self) -> Result<Tags> {
        self.get_json("/v1/catalog/tags").await
    }

    /// One tag.
    pub async fn tag(&self, tag: &str) -> Result<TagLine> {
        self.get_json(&tag_path(tag)).await
    }

    /// Gives a version a name, or moves the name to it; without a version, to the newest.
    pub async fn put_tag(&self, tag: &str, version: Option<&AsOf>) -> Result<TagLine> {
        let mut request = json_request(&tag_path(tag), &PutTag { version: version.cloned() })?;
        *request.method_mut() = Method::PUT;
        self.call_json(request).await
    }

    /// Drops a tag.
    pub async fn drop_tag(&self, tag: &str) -> Result<()> {
        self.call(request(Method::DELETE, &tag_path(tag), Body::empty())?).await.map(drop)
    }

    /// Makes a dataset again what it was at `to`.
    pub async fn roll_back(&self, name: &str, to: &AsOf) -> Result<RolledBack> {
        self.post_json(&format!("/v1/catalog/rollback/{}", segment(name)), &RollBack { to: to.clone() }).await
    }

    /// Drops a dataset; the versions so far still read it.
    pub async fn drop_dataset(&self, name: &str) -> Result<Dropped> {
        let path = format!("/v1/catalog/datasets/{}", segment(name));
        self.call_json(request(Method::DELETE, &path, Body::empty())?).await
    }

    /// What `version` has otherwise than `from`, by default than the version before it.
    pub async fn diff(&self, from: Option<&AsOf>, version: &AsOf) -> Result<LakeDiff> {
        let path = format!("/v1/catalog/versions/{}/diff", segment(&version.to_string()));
        self.get_json(&with_query(&path, &[("from", from.map(AsOf::to_string))])).await
    }
}

fn tag_path(tag: &str) -> String {
    format!("/v1/catalog/tags/{}", segment(tag))
}
