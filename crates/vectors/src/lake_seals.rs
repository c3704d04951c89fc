//! The seals of an index as the catalog tells of them.

use std::sync::Arc;

use async_trait::async_trait;
use base::{IndexName, Timestamp};
use catalog::{Catalog, IndexEntry, Pin};

use crate::error::Result;
use crate::fragment::Owner;
use crate::ground::Grounds;
use crate::succession::Seals;
use crate::table::Table;

/// One index of a lake.
pub(crate) struct LakeSeals {
    catalog: Catalog,
    grounds: Grounds,
    owner: Arc<Owner>,
}

impl LakeSeals {
    /// The seals of the index that this entry names.
    pub fn new(catalog: Catalog, grounds: Grounds, name: &IndexName, entry: &IndexEntry) -> Self {
        Self { catalog, grounds, owner: Arc::new(Owner::of(name, entry)) }
    }

    fn entry(&self, pin: &Pin) -> Option<Arc<IndexEntry>> {
        pin.index(&self.owner.name).filter(|entry| entry.index_id == self.owner.index).map(Arc::clone)
    }
}

#[async_trait]
impl Seals<Table> for LakeSeals {
    async fn look(&self) -> Result<(Option<Arc<IndexEntry>>, Timestamp)> {
        let (pin, looked) = self.catalog.pin_undoubted().await?;
        Ok((self.entry(&pin), looked))
    }

    async fn ask(&self) -> Result<Option<Arc<IndexEntry>>> {
        Ok(self.entry(&self.catalog.pin_fresh().await?))
    }

    fn is_long_ago(&self, looked: Timestamp) -> bool {
        self.catalog.is_long_ago(looked)
    }

    async fn open(&self, entry: &IndexEntry) -> Result<(Table, u64)> {
        let ground = self.grounds.open(&self.owner, entry).await?;
        Ok((Table::new(&ground), ground.fragment))
    }
}
