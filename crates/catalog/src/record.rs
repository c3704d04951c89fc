//! The records of the lake log: what one version changed.

use std::collections::BTreeMap;

use base::{CommitId, DatasetName, IndexName, Tag, Timestamp, Version};
use bytes::Bytes;
use crc32c::crc32c;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::error::{Error, Result};
use crate::index::IndexSettings;
use crate::sealing::Sealed;

#[cfg(test)]
mod tests;

/// The newest record format that this program reads, and the only one that it writes: from it on, records are summed.
const FORMAT: u64 = 4;
/// How a record ends: with the CRC-32C of all bytes before this, in 8 hexadecimal digits.
const SUM: &str = ",\"crc32c\":\"";
/// The length of that end.
const END: usize = SUM.len() + 10;

/// What outsiders note of a namespace, by key.
pub type Properties = BTreeMap<String, String>;

/// One numbered record: commits that were published together, in order, as one version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The format of this record.
    pub format: u64,
    /// The record's number.
    pub version: Version,
    /// When it was published; never before its predecessor.
    pub at: Timestamp,
    /// What was committed.
    pub commits: Vec<Commit>,
}

/// One change of the lake, seen wholly or not at all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commit {
    /// Decides whose record stands when a reply was lost.
    pub id: CommitId,
    /// Who asked for it.
    pub author: String,
    /// Why, in a sentence.
    pub message: String,
    /// The key under which a retry answers this commit's outcome.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
    /// What the keyed request asked for, as a digest: the same key with another request is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
    /// The changes, in order.
    pub changes: Vec<Change>,
}

/// A change of one thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum Change {
    /// A namespace now exists.
    NamespacePut {
        /// Its name.
        namespace: String,
        /// The properties that it now has; none leaves those that it had.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        properties: Option<Properties>,
    },
    /// A namespace is gone.
    NamespaceDrop {
        /// Its name.
        namespace: String,
    },
    /// A table now is what this metadata file says.
    TablePut(TablePut),
    /// A table is gone.
    TableDrop {
        /// Its name.
        name: DatasetName,
    },
    /// A vector index now exists, or what its version pins has changed.
    IndexPut(IndexPut),
    /// A vector index is gone.
    IndexDrop {
        /// Its name.
        name: IndexName,
    },
    /// More of what an index holds is part of this version and of later ones, or lies in other files. Since format 3.
    IndexSeal(IndexSeal),
    /// A tag now names a version.
    TagPut {
        /// The tag.
        tag: Tag,
        /// The version it names.
        version: Version,
    },
    /// A tag is gone.
    TagDrop {
        /// The tag.
        tag: Tag,
    },
    /// Versions below this one are gone, save those that tags name. Since format 2.
    Expire {
        /// The oldest version that can be read.
        oldest: Version,
    },
    /// Files that nobody could reach and that were written before this moment are being deleted. Since format 2.
    Sweep {
        /// The moment, by the clock of the store.
        before: Timestamp,
    },
}

/// What a version pins of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TablePut {
    /// The dataset's name.
    pub name: DatasetName,
    /// The Iceberg table's uuid, new at every re-creation.
    pub table_id: Uuid,
    /// The metadata file, relative to the lake's root.
    pub metadata: String,
    /// The current snapshot.
    #[serde(with = "snapshot_text")]
    pub snapshot_id: Option<i64>,
    /// Rows of the current snapshot.
    pub row_count: u64,
    /// The schema's fingerprint.
    pub fingerprint: String,
}

/// What a version pins of a vector index.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexPut {
    /// The index's name.
    pub name: IndexName,
    /// The index's own id, new at every re-creation.
    pub index_id: Uuid,
    /// The directory of its files, relative to the lake's root: `indexes/<name>-<suffix>`.
    pub location: String,
    /// How it is settled.
    pub settings: IndexSettings,
}

/// What a version pins of the items of a vector index.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexSeal {
    /// The index's name.
    pub name: IndexName,
    /// The index's own id.
    pub index_id: Uuid,
    /// The directory of its files, relative to the lake's root.
    pub location: String,
    /// What is sealed of it from this version on.
    pub sealed: Sealed,
}

/// Snapshot ids exceed what JSON numbers hold exactly, so they are written as strings.
pub(crate) mod snapshot_text {
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

    pub fn serialize<S: Serializer>(id: &Option<i64>, to: S) -> Result<S::Ok, S::Error> {
        id.map(|id| id.to_string()).serialize(to)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<i64>, D::Error> {
        let text = Option::<String>::deserialize(from)?;
        text.map(|text| text.parse().map_err(D::Error::custom)).transpose()
    }
}

impl Record {
    /// A record of commits.
    pub(crate) fn new(version: Version, at: Timestamp, commits: Vec<Commit>) -> Self {
        Self { format: FORMAT, version, at, commits }
    }

    /// The record as it is stored.
    pub fn bytes(&self) -> Result<Bytes> {
        let json = serde_json::to_vec(self);
        let mut bytes = json.map_err(|source| Error::Bug { doing: "writing a record", source: source.into() })?;
        // The sum is a member too: it stands before the last brace.
        bytes.pop();
        bytes.extend_from_slice(end(&bytes).as_bytes());
        Ok(bytes.into())
    }

    /// Reads the stored bytes of record `version`; a newer format is refused by name before anything but the sum is read.
    pub(crate) fn parse(version: Version, bytes: &[u8]) -> Result<Self> {
        let what = || format!("record {version} of the lake log");
        let is_summed = is_summed(bytes).map_err(|why| Error::damaged(what(), why))?;
        expect_format(what(), bytes, FORMAT)?;
        let record: Self = serde_json::from_slice(bytes).map_err(|source| Error::damaged(what(), source))?;
        if record.version != version {
            return Err(Error::damaged(what(), format!("it states version {}", record.version)));
        }
        if record.format >= FORMAT && !is_summed {
            return Err(Error::damaged(what(), "it lacks its checksum"));
        }
        Ok(record)
    }
}

fn end(before: &[u8]) -> String {
    format!("{SUM}{:08x}\"}}", crc32c(before))
}

/// Whether a record ends with its sum, as those of earlier formats do not.
fn is_summed(bytes: &[u8]) -> Result<bool, &'static str> {
    let (before, stated) = bytes.split_at(bytes.len().saturating_sub(END));
    match stated.starts_with(SUM.as_bytes()) {
        true if stated == end(before).as_bytes() => Ok(true),
        true => Err("its bytes are not as they were written"),
        false => Ok(false),
    }
}

/// Refuses stored JSON that states a newer format than `known`, whatever else it holds.
pub(crate) fn expect_format(what: String, bytes: &[u8], known: u64) -> Result<()> {
    #[derive(Deserialize)]
    struct Stated {
        format: u64,
    }
    match serde_json::from_slice::<Stated>(bytes) {
        Ok(Stated { format }) if format > known => Err(Error::NewerFormat { what, found: format, known }),
        Ok(_) => Ok(()),
        Err(source) => Err(Error::damaged(what, source)),
    }
}
