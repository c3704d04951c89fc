//! What exists: register, manifest, list, history, versions.

use std::collections::BTreeMap;

use base::{AsOf, Timestamp, Version};
use http::Method;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::client::{Client, json_request, segment, with_query};
use crate::error::Result;

/// A dataset at one version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Manifest {
    /// UUIDv5 of the name: the same on every machine.
    pub dataset_id: String,
    /// The dataset's name.
    pub name: String,
    /// SHA-256 over the ordered names and types of the columns.
    pub schema_fingerprint: String,
    /// The Parquet files that hold the rows.
    pub objects: Vec<ManifestObject>,
    /// Number of rows.
    pub row_count: u64,
    /// When the dataset was first made.
    #[schemars(with = "String")]
    pub created_at: Timestamp,
    /// When it last changed.
    #[schemars(with = "String")]
    pub updated_at: Timestamp,
    /// The version this describes.
    #[schemars(with = "u64")]
    pub version: Version,
    /// The table's snapshot; absent while it has none.
    #[serde(default)]
    pub snapshot_id: Option<String>,
    /// The columns.
    pub schema: Schema,
    /// Why the table cannot be read; absent when it can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Value>,
}

/// One file of a dataset.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ManifestObject {
    /// Its key, readable through storage.
    pub key: String,
    /// Whatever else the catalog states about it.
    #[serde(flatten)]
    pub facts: Map<String, Value>,
}

/// The columns of a dataset, in order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Schema {
    /// The columns.
    pub fields: Vec<Column>,
}

/// A column of a dataset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Column {
    /// The Iceberg field id.
    pub id: i32,
    /// The name as stored.
    pub name: String,
    /// The type, as in the fingerprint.
    #[serde(rename = "type")]
    pub ty: String,
    /// Whether values may be missing.
    pub nullable: bool,
    /// The class of personal data, when one is known.
    #[serde(default)]
    pub pii: Option<String>,
}

/// All datasets at a version, sorted by name. One that cannot be read says so in its `error`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Listing {
    /// The datasets.
    pub datasets: Vec<Manifest>,
}

/// A call to register given Parquet objects as a dataset.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Register {
    /// The dataset's name.
    pub name: String,
    /// SHA-256 over the ordered names and types of the columns.
    pub schema_fingerprint: String,
    /// The objects, as storage names them.
    pub objects: Vec<RegisterObject>,
    /// Number of rows in all objects together.
    pub row_count: u64,
}

/// One object of a [`Register`] call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RegisterObject {
    /// Its key in storage.
    pub key: String,
}

/// The answer to a [`Register`] call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Registered {
    /// Whether the name was known before.
    pub existing: bool,
    /// The dataset now.
    pub manifest: Manifest,
}

/// What the columns of a dataset hold, once that was said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Classified {
    /// The dataset's name.
    pub name: String,
    /// The version at which it stands.
    #[schemars(with = "u64")]
    pub version: Version,
    /// Whether all of it was known already.
    pub existing: bool,
    /// The class of personal data of each column, by its name.
    pub columns: BTreeMap<String, Option<String>>,
}

/// Snapshots of one table, newest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SnapshotPage {
    /// The snapshots.
    pub snapshots: Vec<Map<String, Value>>,
    /// Where the next page begins; absent on the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// Records of the lake log, newest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Versions {
    /// The records.
    pub versions: Vec<Map<String, Value>>,
    /// Where the next page begins; absent on the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

impl Client {
    /// Registers given Parquet objects as a dataset.
    pub async fn register(&self, register: &Register) -> Result<Registered> {
        self.post_json("/v1/catalog/register", register).await
    }

    /// Says what personal data columns of a dataset hold; `None` for nothing.
    pub async fn classify(&self, name: &str, columns: &BTreeMap<String, Option<String>>) -> Result<Classified> {
        let mut request = json_request(&format!("/v1/catalog/pii/{}", segment(name)), columns)?;
        *request.method_mut() = Method::PUT;
        self.call_json(request).await
    }

    /// One dataset, now or as of a version.
    pub async fn manifest(&self, name: &str, as_of: Option<&AsOf>) -> Result<Manifest> {
        let path = format!("/v1/catalog/manifest/{}", segment(name));
        self.get_json(&with_query(&path, &[("as_of", as_of.map(AsOf::to_string))])).await
    }

    /// All datasets, now or as of a version.
    pub async fn list(&self, as_of: Option<&AsOf>) -> Result<Listing> {
        self.get_json(&with_query("/v1/catalog/list", &[("as_of", as_of.map(AsOf::to_string))])).await
    }

    /// One page of the snapshots of a table.
    pub async fn history(&self, name: &str, before: Option<&str>, limit: Option<usize>) -> Result<SnapshotPage> {
        let path = format!("/v1/catalog/history/{}", segment(name));
        self.get_json(&with_query(&path, &page_pairs(before, limit))).await
    }

    /// One page of the records of the lake log.
    pub async fn versions(&self, before: Option<&str>, limit: Option<usize>) -> Result<Versions> {
        self.get_json(&with_query("/v1/catalog/versions", &page_pairs(before, limit))).await
    }

    /// One record of the lake log.
    pub async fn version(&self, version: Version) -> Result<Map<String, Value>> {
        self.get_json(&format!("/v1/catalog/versions/{version}")).await
    }
}

fn page_pairs(before: Option<&str>, limit: Option<usize>) -> [(&'static str, Option<String>); 2] {
    [("before", before.map(str::to_owned)), ("limit", limit.map(|limit| limit.to_string()))]
}
