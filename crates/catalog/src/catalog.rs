//! The catalog: pins, tables, registration and publication over one lake log.

use std::sync::Arc;

use base::{AsOf, DatasetName, Seams, Version};
use storage::Store;

use crate::config::Config;
use crate::draft::Draft;
use crate::error::Result;
use crate::history::{Page, SnapshotLine};
use crate::manifest::Manifest;
use crate::pin::Pin;
use crate::publication::{Publication, Published};
use crate::record::Record;
use crate::register::{Register, Registered};
use crate::schema::NewColumn;
use crate::table::Table;

/// The one catalog of a lake in this process. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Catalog {
    store: Store,
}

impl Catalog {
    /// Opens the lake's catalog; an empty store becomes a lake.
    pub async fn open(_store: Store, _config: &Config, _seams: Seams) -> Result<Self> {
        todo!()
    }

    /// The store under the lake.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Pins the newest version, or the one asked for.
    pub async fn pin(&self, _as_of: Option<&AsOf>) -> Result<Pin> {
        todo!()
    }

    /// Pins the newest version, asking the store even where `pin` would trust what it saw a moment ago.
    pub async fn pin_fresh(&self) -> Result<Pin> {
        todo!()
    }

    /// Pins a version that is not older than `min`.
    pub async fn pin_at_least(&self, _min: Version) -> Result<Pin> {
        todo!()
    }

    /// A dataset's table as pinned.
    pub async fn table(&self, _pin: &Pin, _name: &DatasetName) -> Result<Arc<Table>> {
        todo!()
    }

    /// A dataset's manifest as pinned.
    pub async fn manifest(&self, _pin: &Pin, _name: &DatasetName) -> Result<Manifest> {
        todo!()
    }

    /// The manifests of all datasets, sorted by name; a table that does not read states its error.
    pub async fn list(&self, _pin: &Pin) -> Result<Vec<Manifest>> {
        todo!()
    }

    /// The snapshots of a table made before version `before`, newest first.
    pub async fn history(
        &self,
        _pin: &Pin,
        _name: &DatasetName,
        _limit: usize,
        _before: Option<Version>,
    ) -> Result<Page<SnapshotLine>> {
        todo!()
    }

    /// The records before version `before`, newest first.
    pub async fn versions(&self, _before: Option<Version>, _limit: usize) -> Result<Vec<Record>> {
        todo!()
    }

    /// One record.
    pub async fn version(&self, _version: Version) -> Result<Record> {
        todo!()
    }

    /// Makes objects the rows of a dataset.
    pub async fn register(&self, _register: Register) -> Result<Registered> {
        todo!()
    }

    /// A draft of a new table.
    pub fn draft(&self, _name: &DatasetName, _columns: &[NewColumn]) -> Draft {
        todo!()
    }

    /// Publishes staged files as one commit.
    pub async fn publish(&self, _publication: Publication) -> Result<Published> {
        todo!()
    }

    /// Waits for the commits under way and refuses further ones.
    pub async fn close(&self) {
        todo!()
    }
}
