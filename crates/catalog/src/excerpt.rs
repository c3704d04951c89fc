//! An excerpt of the lake's history: one version as the whole of it, as backups keep it.

use std::collections::HashSet;

use base::{DatasetName, Version};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use storage::Store;
use tables::metadata_file;

use crate::catalog::Catalog;
use crate::checkpoint::{self, Role};
use crate::error::{Error, Result};
use crate::format::{self, Format};
use crate::log;
use crate::pin::Pin;
use crate::record::Record;

/// The name plate of a lake that begins with one version of another one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plate(Format);

impl Plate {
    /// Where it stands: a store that has one holds a lake.
    pub const PATH: &str = format::PATH;
    /// What stands there until the lake is whole, so that nobody takes the place for an empty one.
    pub const RESTORING: &str = format::RESTORING;

    /// Makes a lake of the store.
    pub async fn put_up(&self, store: &Store) -> Result<()> {
        store.create(Self::PATH, self.0.bytes()?).await?;
        Ok(())
    }
}

impl Catalog {
    /// The files that make a pinned version the only one of a lake: its name plate, which belongs there last, and its
    /// record, its state, which knows no other versions, and the metadata of tables that listed snapshots of others.
    /// Tags of the version come along, and idempotency keys that answer it. Before the first version there is the name
    /// plate alone.
    pub async fn excerpt(&self, pin: &Pin) -> Result<(Plate, Vec<(String, Bytes)>)> {
        let (store, version) = (&self.room.lake.store, pin.version());
        let plate = Plate(format::moved(store).await?);
        if version == Version(0) {
            return Ok((plate, Vec::new()));
        }
        let mut state = pin.state.as_ref().clone();
        state.oldest = version;
        // A version is tagged after it was published, so it does not know its own tags.
        let tags = self.room.head.ask().await?.tags.clone();
        state.tags = tags.into_iter().filter(|(_, tagged)| *tagged == version).collect();
        let pinned: HashSet<&String> = pin.state.tables.values().map(|entry| &entry.metadata).collect();
        state.keep_keys(|keyed| keyed.entry.as_ref().is_none_or(|entry| pinned.contains(&entry.metadata)));
        let base = (Role::Base.path(version), checkpoint::bytes(&state)?);
        let (path, bytes) = (log::path(version), store.get(&log::path(version)).await?);
        Record::parse(version, &bytes)?;
        let mut files = vec![(path, bytes), base];
        for name in pin.names() {
            files.extend(self.alone(pin, name).await?);
        }
        Ok((plate, files))
    }

    /// A table's metadata file under its own name, without the snapshots whose files other versions read; none when it
    /// lists no such.
    async fn alone(&self, pin: &Pin, name: &DatasetName) -> Result<Option<(String, Bytes)>> {
        let table = self.table(pin, name).await?;
        let base = &table.read().metadata;
        let gone = metadata_file::unneeded(base, &HashSet::new())?;
        if gone.is_empty() {
            return Ok(None);
        }
        let built = metadata_file::leave_out(base.clone().into_builder(None), base, &gone)?.build();
        let metadata = built.map_err(Error::bug("leaving snapshots out"))?.metadata;
        Ok(Some((table.entry().metadata.clone(), metadata_file::encode(&metadata)?)))
    }
}
