//! What a writer publishes.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use parquet::file::metadata::ParquetMetaData;
use serde::{Deserialize, Serialize};

use crate::draft::Draft;

/// What happens to the rows that are there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// The new snapshot's rows are exactly the given ones.
    #[default]
    Replace,
    /// The given rows are added.
    Append,
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Replace => "replace",
            Self::Append => "append",
        })
    }
}

impl FromStr for Mode {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "replace" => Ok(Self::Replace),
            "append" => Ok(Self::Append),
            other => Err(format!("{other:?} is not a mode: use replace or append")),
        }
    }
}

/// What rows were made from: the same source replacing itself makes no version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// SHA-256 of the source bytes, in hex.
    pub sha256: String,
    /// The options that affect rows, in a canonical form.
    pub options: String,
}

/// A Parquet file under the draft's location.
#[derive(Debug, Clone)]
pub struct NewFile {
    /// The path, relative to the lake's root.
    pub path: String,
    /// The footer as written.
    pub footer: Arc<ParquetMetaData>,
    /// The size in bytes.
    pub size: u64,
}

/// Files to be published as one commit.
#[derive(Debug, Clone)]
pub struct Publication {
    /// The table they were written for.
    pub draft: Draft,
    /// What happens to the rows that are there.
    pub mode: Mode,
    /// The files; none for a table without rows.
    pub files: Vec<NewFile>,
    /// What they were made from.
    pub source: Source,
    /// Who asked for it.
    pub author: String,
    /// Why, in a sentence.
    pub message: String,
    /// A retry with the same key answers the first outcome for a day.
    pub idempotency_key: Option<String>,
    /// What the key stands for when that is not the source's bytes, because another reading may find others.
    pub request: Option<String>,
}
