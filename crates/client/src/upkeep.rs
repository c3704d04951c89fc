//! Upkeep: compaction, expiry, the sweep.

use std::num::NonZeroU64;

use base::{ByteSize, Span, Timestamp, Version};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::client::Client;
use crate::error::Result;

/// What to compact.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, JsonSchema)]
pub struct Compact {
    /// The dataset; without one, all of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The size that files should have, such as `256MiB`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub target_size: Option<ByteSize>,
    /// Whether only to say what would be done.
    pub dry_run: bool,
}

/// What became of the datasets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Compacted {
    /// Whether nothing was done.
    pub dry_run: bool,
    /// Each dataset that was looked at.
    pub datasets: Vec<CompactedDataset>,
}

/// What became of a dataset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CompactedDataset {
    /// The dataset.
    pub name: String,
    /// How many files were merged, or would be.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Their rows.
    pub rows: u64,
    /// How many files they became.
    pub files_after: u64,
    /// The bytes of those; 0 in a dry run.
    pub bytes_after: u64,
    /// The version that holds the new files; absent when nothing changed.
    #[schemars(with = "Option<u64>")]
    pub version: Option<Version>,
    /// Why the dataset was left alone, when there would have been something to do.
    pub left_alone: Option<String>,
}

/// Which versions to give up. Without a bound, none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Expire {
    /// Versions that were the newest at some moment of this span, such as `30d`, are kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub older_than: Option<Span>,
    /// So many of the newest versions are kept; at least 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keep_last: Option<NonZeroU64>,
    /// Whether only to say what would go; true when absent.
    pub dry_run: bool,
}

/// Which versions went, or would go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Expired {
    /// Whether nothing was done.
    pub dry_run: bool,
    /// The oldest version before.
    #[schemars(with = "u64")]
    pub before: Version,
    /// The oldest version that is kept, besides tagged ones.
    #[schemars(with = "u64")]
    pub oldest: Version,
    /// Versions below that one that tags keep.
    #[schemars(with = "Vec<u64>")]
    pub tagged: Vec<Version>,
    /// How many versions go.
    pub versions: u64,
    /// The version that says so; absent when nothing was given up.
    #[schemars(with = "Option<u64>")]
    pub version: Option<Version>,
    /// How many records of expired versions were removed from the store.
    pub records: u64,
}

/// What to sweep.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Sweep {
    /// Files that are younger, or could be reached within this span, stay; an hour when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub grace: Option<Span>,
    /// How many files are named at most; 100 when absent, at most 1,000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
    /// Behind which path the names begin: the `next` of a page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// Whether only to say what would go; true when absent.
    pub dry_run: bool,
}

/// What was swept, or would be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Swept {
    /// Whether nothing was done.
    pub dry_run: bool,
    /// How many files.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// A page of them, sorted by path.
    pub strays: Vec<Stray>,
    /// What `after` takes to go on; absent on the last page, and when they are gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// The version that announced the deletions; absent in a dry run.
    #[schemars(with = "Option<u64>")]
    pub version: Option<Version>,
    /// Directories of tables that did not read: nothing in them was taken for a stray.
    pub unread: Vec<String>,
}

/// A file that no kept version reaches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Stray {
    /// Where it lies in the lake.
    pub path: String,
    /// In bytes.
    pub size: u64,
    /// When it was written.
    #[schemars(with = "String")]
    pub modified: Timestamp,
}

impl Client {
    /// Merges small files of one dataset or of all.
    pub async fn compact(&self, compact: &Compact) -> Result<Compacted> {
        self.post_json("/v1/catalog/maintenance/compact", compact).await
    }

    /// Gives old versions up.
    pub async fn expire(&self, expire: &Expire) -> Result<Expired> {
        self.post_json("/v1/catalog/maintenance/expire", expire).await
    }

    /// Deletes files that no kept version reaches.
    pub async fn sweep(&self, sweep: &Sweep) -> Result<Swept> {
        self.post_json("/v1/catalog/maintenance/sweep", sweep).await
    }
}
