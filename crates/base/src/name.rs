//! Names: of datasets, `table` or `namespace.table`, and of vector indexes.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

#[cfg(test)]
mod tests;

/// The namespace of a name that states none.
pub const DEFAULT_NAMESPACE: &str = "default";
/// Longest part of a name, in bytes.
const MAX_PART: usize = 128;
/// Longest whole name, in bytes.
const MAX_NAME: usize = 255;

/// A dataset's name. Compared exactly; shown without its namespace when that is `default`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DatasetName {
    namespace: Arc<str>,
    table: Arc<str>,
}

/// Why a text is no dataset name. The message states the rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{given:?} is not a dataset name: use `table` or `namespace.table`, each part a letter or _ followed by at most \
     127 letters, digits, _ or -, the whole at most 255 bytes"
)]
pub struct NameError {
    given: String,
}

impl DatasetName {
    /// Joins two parts that each fit the rule.
    pub fn new(namespace: &str, table: &str) -> Result<Self, NameError> {
        let whole = namespace.len() + 1 + table.len();
        if is_part(namespace) && is_part(table) && whole <= MAX_NAME {
            return Ok(Self { namespace: namespace.into(), table: table.into() });
        }
        Err(NameError { given: shorten(&format!("{namespace}.{table}")) })
    }

    /// The namespace; `default` when the text named none.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// The table's own name.
    pub fn table(&self) -> &str {
        &self.table
    }
}

/// Whether `text` may be one part of a name: `[A-Za-z_][A-Za-z0-9_-]{0,127}`.
pub fn is_part(text: &str) -> bool {
    let mut bytes = text.bytes();
    let head = bytes.next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_');
    head && text.len() <= MAX_PART && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
}

/// Error messages quote what was given, but never a megabyte of it.
fn shorten(text: &str) -> String {
    text.chars().take(300).collect()
}

impl FromStr for DatasetName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let (namespace, table) = text.split_once('.').unwrap_or((DEFAULT_NAMESPACE, text));
        Self::new(namespace, table).map_err(|_| NameError { given: shorten(text) })
    }
}

impl fmt::Display for DatasetName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if &*self.namespace == DEFAULT_NAMESPACE {
            return f.write_str(&self.table);
        }
        write!(f, "{}.{}", self.namespace, self.table)
    }
}

impl Serialize for DatasetName {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for DatasetName {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// A vector index's name: one part. Compared exactly.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct IndexName(Arc<str>);

/// Why a text is no index name. The message states the rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{given:?} is not an index name: use a letter or _ followed by at most 127 letters, digits, _ or -")]
pub struct IndexNameError {
    given: String,
}

impl IndexName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for IndexName {
    type Err = IndexNameError;

    fn from_str(text: &str) -> Result<Self, IndexNameError> {
        if is_part(text) { Ok(Self(text.into())) } else { Err(IndexNameError { given: shorten(text) }) }
    }
}

impl fmt::Display for IndexName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for IndexName {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for IndexName {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}
