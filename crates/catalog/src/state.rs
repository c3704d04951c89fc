//! The state of the lake at one version: what the records up to it add up to.

use std::collections::HashSet;
use std::sync::Arc;

use base::name::DEFAULT_NAMESPACE;
use base::{DatasetName, IndexName, Tag, Timestamp, Version};
use imbl::{OrdMap, OrdSet, Vector};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::index::IndexSettings;
use crate::record::{Change, Commit, IndexPut, Record, TablePut, snapshot_text};

#[cfg(test)]
mod tests;

/// How long an idempotency key answers its first outcome, in microseconds.
const KEY_LIFE: i64 = 24 * 60 * 60 * 1_000_000;

/// Everything that exists at one version. Cloning shares all of it.
#[derive(Debug, Clone)]
pub struct State {
    pub(crate) version: Version,
    pub(crate) at: Timestamp,
    pub(crate) namespaces: OrdSet<String>,
    pub(crate) tables: OrdMap<DatasetName, Arc<TableEntry>>,
    pub(crate) indexes: OrdMap<IndexName, Arc<IndexEntry>>,
    pub(crate) tags: OrdMap<Tag, Version>,
    keys: OrdMap<String, Arc<Keyed>>,
    /// The keys by age, oldest first, so that expired ones are dropped without a search.
    key_ages: Vector<(Timestamp, String)>,
}

/// What a version pins of one table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableEntry {
    /// The Iceberg table's uuid.
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
    /// When this table was created.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// The version that last changed it.
    pub version: Version,
}

/// What a version pins of one vector index.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexEntry {
    /// The index's own id, new at every re-creation.
    pub index_id: Uuid,
    /// The directory of its files, relative to the lake's root.
    pub location: String,
    /// How it is settled.
    pub settings: IndexSettings,
    /// When this index was created.
    pub created_at: Timestamp,
    /// The version that last changed it.
    pub version: Version,
}

/// The outcome that an idempotency key answers again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Keyed {
    /// When the key was first used.
    pub at: Timestamp,
    /// What it asked for, as a digest.
    pub request: String,
    /// The table that the commit left behind.
    pub name: DatasetName,
    /// What that version pinned of it.
    pub entry: TableEntry,
}

impl State {
    /// The empty lake, before its first record.
    pub fn empty() -> Self {
        Self {
            version: Version(0),
            at: Timestamp::from_micros(0),
            namespaces: OrdSet::unit(DEFAULT_NAMESPACE.to_owned()),
            tables: OrdMap::new(),
            indexes: OrdMap::new(),
            tags: OrdMap::new(),
            keys: OrdMap::new(),
            key_ages: Vector::new(),
        }
    }

    /// The state after `record`, which must be the next one.
    pub(crate) fn apply(&mut self, record: &Record) {
        debug_assert_eq!(record.version, self.version.next());
        self.begin(record.version, record.at);
        for commit in &record.commits {
            self.add(commit);
        }
    }

    /// Opens version `version`: commits added from here on belong to it.
    pub(crate) fn begin(&mut self, version: Version, at: Timestamp) {
        self.version = version;
        self.at = at;
        self.forget_old_keys();
    }

    /// Adds one commit to the version that was begun.
    pub(crate) fn add(&mut self, commit: &Commit) {
        for change in &commit.changes {
            self.change(change);
        }
        let put = commit.changes.iter().rev().find_map(|change| match change {
            Change::TablePut(put) => Some(put),
            _ => None,
        });
        if let (Some(key), Some(put)) = (&commit.idempotency_key, put)
            && let Some(entry) = self.tables.get(&put.name)
        {
            let (entry, name) = (entry.as_ref().clone(), put.name.clone());
            let request = commit.request.clone().unwrap_or_default();
            self.keep_key(key.clone(), Keyed { at: self.at, request, name, entry });
        }
    }

    /// The outcome that a key answers at this time; none once it is a day old.
    pub(crate) fn keyed(&self, key: &str, now: Timestamp) -> Option<&Keyed> {
        let keyed = self.keys.get(key).map(Arc::as_ref);
        keyed.filter(|keyed| now.micros().saturating_sub(keyed.at.micros()) <= KEY_LIFE)
    }

    /// The living keys, oldest first.
    pub(crate) fn keys(&self) -> impl Iterator<Item = (&String, &Keyed)> {
        let mut seen = HashSet::new();
        let once = self.key_ages.iter().filter(move |(_, key)| seen.insert(key.clone()));
        once.filter_map(|(_, key)| self.keys.get(key).map(|keyed| (key, keyed.as_ref())))
    }

    pub(crate) fn keep_key(&mut self, key: String, keyed: Keyed) {
        self.key_ages.push_back((keyed.at, key.clone()));
        self.keys.insert(key, Arc::new(keyed));
    }

    fn change(&mut self, change: &Change) {
        match change {
            Change::NamespacePut { namespace } => {
                self.namespaces.insert(namespace.clone());
            }
            Change::NamespaceDrop { namespace } => {
                self.namespaces.remove(namespace);
            }
            Change::TablePut(put) => self.put_table(put),
            Change::TableDrop { name } => {
                self.tables.remove(name);
            }
            Change::IndexPut(put) => self.put_index(put),
            Change::IndexDrop { name } => {
                self.indexes.remove(name);
            }
            Change::TagPut { tag, version } => {
                self.tags.insert(tag.clone(), *version);
            }
            Change::TagDrop { tag } => {
                self.tags.remove(tag);
            }
        }
    }

    fn put_table(&mut self, put: &TablePut) {
        let known = self.tables.get(&put.name).filter(|entry| entry.table_id == put.table_id);
        let entry = TableEntry {
            table_id: put.table_id,
            metadata: put.metadata.clone(),
            snapshot_id: put.snapshot_id,
            row_count: put.row_count,
            fingerprint: put.fingerprint.clone(),
            created_at: known.map_or(self.at, |entry| entry.created_at),
            updated_at: self.at,
            version: self.version,
        };
        self.tables.insert(put.name.clone(), Arc::new(entry));
    }

    fn put_index(&mut self, put: &IndexPut) {
        let known = self.indexes.get(&put.name).filter(|entry| entry.index_id == put.index_id);
        let entry = IndexEntry {
            index_id: put.index_id,
            location: put.location.clone(),
            settings: put.settings.clone(),
            created_at: known.map_or(self.at, |entry| entry.created_at),
            version: self.version,
        };
        self.indexes.insert(put.name.clone(), Arc::new(entry));
    }

    fn forget_old_keys(&mut self) {
        let limit = Timestamp::from_micros(self.at.micros().saturating_sub(KEY_LIFE));
        while let Some((at, key)) = self.key_ages.front().filter(|(at, _)| *at < limit).cloned() {
            if self.keys.get(&key).is_some_and(|keyed| keyed.at == at) {
                self.keys.remove(&key);
            }
            self.key_ages.pop_front();
        }
    }
}
