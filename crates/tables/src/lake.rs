//! The lake as the modules of this room hand it around.

use base::Seams;
use bytes::Bytes;
use storage::Store;

use crate::error::{Error, Result};
use crate::io::{Roots, Shelf};

/// The store of the lake, its addresses, and the seams.
#[derive(Debug, Clone)]
pub struct Lake {
    /// Where its bytes lie.
    pub store: Store,
    /// Its addresses.
    pub roots: Roots,
    /// Time and chance.
    pub seams: Seams,
}

impl Lake {
    /// A shelf for the Iceberg library's reads and for the files of one commit.
    pub fn shelf(&self) -> Shelf {
        Shelf::new(self.store.clone(), self.roots.clone())
    }

    /// The file at a stored location, which `what` names in errors; none when it is gone.
    pub async fn get(&self, what: impl Fn() -> String, location: &str) -> Result<Option<Bytes>> {
        let outside = || Error::damaged(what(), "it lies outside the lake");
        match self.store.get(self.roots.relative(location).ok_or_else(outside)?).await {
            Ok(bytes) => Ok(Some(bytes)),
            Err(storage::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// A random positive 63-bit snapshot id.
    pub fn snapshot_id(&self) -> i64 {
        let [a, b, c, d, e, f, g, h, ..] = self.seams.roll();
        (i64::from_be_bytes([a, b, c, d, e, f, g, h]) & i64::MAX).max(1)
    }
}
