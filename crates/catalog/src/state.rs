//! The state of the lake at one version: what the records up to it add up to.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use base::name::DEFAULT_NAMESPACE;
use base::{AsOf, DatasetName, IndexName, Tag, Timestamp, Version};
use imbl::{OrdMap, Vector};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::error::{Error, Result};
use crate::index::IndexSettings;
use crate::near;
use crate::record::{Change, Commit, IndexPut, IndexSeal, Properties, Record, TablePut, snapshot_text};
use crate::sealing::Sealed;

#[cfg(test)]
mod tests;

/// How long an idempotency key answers its first outcome, in microseconds.
const KEY_LIFE: i64 = 24 * 60 * 60 * 1_000_000;

/// Everything that exists at one version. Cloning shares all of it.
#[derive(Debug, Clone)]
pub struct State {
    pub(crate) version: Version,
    pub(crate) at: Timestamp,
    pub(crate) namespaces: OrdMap<String, Arc<Properties>>,
    pub(crate) tables: OrdMap<DatasetName, Arc<TableEntry>>,
    pub(crate) indexes: OrdMap<IndexName, Arc<IndexEntry>>,
    pub(crate) tags: OrdMap<Tag, Version>,
    /// The oldest version that can be read, besides those that tags name.
    pub(crate) oldest: Version,
    /// What sweeps have taken.
    pub(crate) swept: Option<Swept>,
    keys: OrdMap<String, Arc<Keyed>>,
    /// The keys by age, oldest first, so that expired ones are dropped without a search.
    key_ages: Vector<(Timestamp, String)>,
}

/// Sweeps up to a version: files written before a moment, which nobody could reach then, are gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Swept {
    pub version: Version,
    /// By the clock of the store.
    pub before: Timestamp,
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

impl TableEntry {
    /// The table as a later commit has it.
    pub(crate) fn after(&self, put: &TablePut) -> Self {
        Self {
            metadata: put.metadata.clone(),
            snapshot_id: put.snapshot_id,
            row_count: put.row_count,
            fingerprint: put.fingerprint.clone(),
            ..self.clone()
        }
    }

    /// The change that gives the table, as it is, a name.
    pub(crate) fn put(&self, name: &DatasetName) -> TablePut {
        let (table_id, snapshot_id, row_count) = (self.table_id, self.snapshot_id, self.row_count);
        let (metadata, fingerprint) = (self.metadata.clone(), self.fingerprint.clone());
        TablePut { name: name.clone(), table_id, metadata, snapshot_id, row_count, fingerprint }
    }
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
    /// What the version holds of its items; none before the first seal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sealed: Option<Sealed>,
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
    /// The table that the commit left behind; none when it left none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<DatasetName>,
    /// What that version pinned of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entry: Option<TableEntry>,
    /// The properties that the commit took from a namespace.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gone: Vec<String>,
}

impl State {
    /// The empty lake, before its first record.
    pub fn empty() -> Self {
        Self {
            version: Version(0),
            at: Timestamp::from_micros(0),
            namespaces: OrdMap::unit(DEFAULT_NAMESPACE.to_owned(), Arc::default()),
            tables: OrdMap::new(),
            indexes: OrdMap::new(),
            tags: OrdMap::new(),
            oldest: Version(1),
            swept: None,
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
        let gone = commit.changes.iter().flat_map(|change| self.taken(change)).collect();
        let left: Vec<_> = commit.changes.iter().filter_map(|change| self.leaving(change)).collect();
        for change in &commit.changes {
            self.change(change, &left);
        }
        let put = commit.changes.iter().rev().find_map(|change| match change {
            Change::TablePut(put) => Some(put),
            _ => None,
        });
        if let Some(key) = &commit.idempotency_key {
            let name = put.map(|put| put.name.clone());
            let entry = name.as_ref().and_then(|name| self.tables.get(name)).map(|entry| entry.as_ref().clone());
            let request = commit.request.clone().unwrap_or_default();
            self.keep_key(key.clone(), Keyed { at: self.at, request, name, entry, gone });
        }
    }

    /// The properties of a namespace that a change takes away.
    fn taken(&self, change: &Change) -> Vec<String> {
        let Change::NamespacePut { namespace, properties: Some(next) } = change else { return Vec::new() };
        let known = self.namespaces.get(namespace).into_iter().flat_map(|known| known.keys());
        known.filter(|key| !next.contains_key(*key)).cloned().collect()
    }

    /// The table that a change takes from its name, under which the same commit may put it elsewhere.
    fn leaving(&self, change: &Change) -> Option<Arc<TableEntry>> {
        let Change::TableDrop { name } = change else { return None };
        self.tables.get(name).cloned()
    }

    /// The newest version that was published when this one was begun.
    pub(crate) fn published(&self) -> Version {
        Version(self.version.0.saturating_sub(1))
    }

    /// Whether a version exists: it has been published, and has not expired or is named by a tag.
    pub(crate) fn holds(&self, version: Version) -> bool {
        let kept = version >= self.oldest || self.tags.values().any(|tagged| *tagged == version);
        version > Version(0) && version <= self.version && kept
    }

    /// The versions that exist for their tags only, oldest first.
    pub(crate) fn tagged_below(&self, oldest: Version) -> BTreeSet<Version> {
        self.tags.values().copied().filter(|version| *version < oldest).collect()
    }

    /// Refuses a version that cannot be read.
    pub(crate) fn expect(&self, version: Version) -> Result<()> {
        let newest = self.published();
        let oldest = self.oldest.min(newest);
        if self.holds(version) && version <= newest {
            Ok(())
        } else {
            let tagged = self.tagged_below(oldest).into_iter().collect();
            Err(Error::UnknownVersion { as_of: AsOf::Version(version), oldest, newest, tagged })
        }
    }

    /// What this version pins of a dataset; an error names others that could have been meant.
    pub(crate) fn table(&self, name: &DatasetName) -> Result<&Arc<TableEntry>> {
        self.tables.get(name).ok_or_else(|| self.unknown(name, self.version))
    }

    /// The refusal of a dataset that `version` does not hold.
    pub(crate) fn unknown(&self, name: &DatasetName, version: Version) -> Error {
        let near = near::near(&name.to_string(), self.tables.keys().map(ToString::to_string));
        Error::UnknownDataset { name: name.clone(), version, near }
    }

    /// The change that a new table needs first when its namespace does not exist.
    pub(crate) fn missing_namespace(&self, name: &DatasetName) -> Option<Change> {
        let namespace = name.namespace();
        let is_known = namespace == DEFAULT_NAMESPACE || self.namespaces.contains_key(namespace);
        (!is_known).then(|| Change::NamespacePut { namespace: namespace.to_owned(), properties: None })
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

    /// Forgets the keys that answer something else.
    pub(crate) fn keep_keys(&mut self, wanted: impl Fn(&Keyed) -> bool) {
        self.keys = self
            .keys
            .iter()
            .filter(|(_, keyed)| wanted(keyed))
            .map(|(key, keyed)| (key.clone(), Arc::clone(keyed)))
            .collect();
        let keys = &self.keys;
        self.key_ages = self.key_ages.iter().filter(|(_, key)| keys.contains_key(key)).cloned().collect();
    }

    pub(crate) fn keep_key(&mut self, key: String, keyed: Keyed) {
        self.key_ages.push_back((keyed.at, key.clone()));
        self.keys.insert(key, Arc::new(keyed));
    }

    /// Makes one change of a commit by which the tables in `left` lose their names.
    fn change(&mut self, change: &Change, left: &[Arc<TableEntry>]) {
        match change {
            Change::NamespacePut { namespace, properties: Some(properties) } => {
                self.namespaces.insert(namespace.clone(), Arc::new(properties.clone()));
            }
            Change::NamespacePut { namespace, properties: None } => {
                self.namespaces.entry(namespace.clone()).or_default();
            }
            Change::NamespaceDrop { namespace } => {
                self.namespaces.remove(namespace);
            }
            Change::TablePut(put) => self.put_table(put, left),
            Change::TableDrop { name } => {
                self.tables.remove(name);
            }
            Change::IndexPut(put) => self.put_index(put),
            Change::IndexDrop { name } => {
                self.indexes.remove(name);
            }
            Change::IndexSeal(seal) => self.seal_index(seal),
            Change::TagPut { tag, version } => {
                self.tags.insert(tag.clone(), *version);
            }
            Change::TagDrop { tag } => {
                self.tags.remove(tag);
            }
            Change::Expire { oldest } => self.oldest = *oldest,
            Change::Sweep { before } => {
                // An earlier sweep may have gone further, and what it deleted stays deleted.
                let before = self.swept.map_or(*before, |swept| swept.before.max(*before));
                self.swept = Some(Swept { version: self.version, before });
            }
        }
    }

    fn put_table(&mut self, put: &TablePut, left: &[Arc<TableEntry>]) {
        let known = self.tables.get(&put.name).into_iter().chain(left).find(|entry| entry.table_id == put.table_id);
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
            sealed: known.and_then(|entry| entry.sealed.clone()),
            created_at: known.map_or(self.at, |entry| entry.created_at),
            version: self.version,
        };
        self.indexes.insert(put.name.clone(), Arc::new(entry));
    }

    fn seal_index(&mut self, seal: &IndexSeal) {
        let version = self.version;
        if let Some(entry) = self.indexes.get_mut(&seal.name).filter(|entry| entry.index_id == seal.index_id) {
            let entry = Arc::make_mut(entry);
            entry.sealed = Some(seal.sealed.clone());
            entry.version = version;
        }
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
