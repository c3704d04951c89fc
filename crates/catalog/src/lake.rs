//! The lake as the modules of this room hand it around.

use base::Seams;
use storage::Store;

use crate::io::{Roots, Shelf};

/// The store of the lake, its addresses, and the seams.
#[derive(Debug, Clone)]
pub(crate) struct Lake {
    pub store: Store,
    pub roots: Roots,
    pub seams: Seams,
}

impl Lake {
    /// A shelf for the Iceberg library's reads and for the files of one commit.
    pub fn shelf(&self) -> Shelf {
        Shelf::new(self.store.clone(), self.roots.clone())
    }

    /// A random positive 63-bit snapshot id.
    pub fn snapshot_id(&self) -> i64 {
        let [a, b, c, d, e, f, g, h, ..] = self.seams.roll();
        (i64::from_be_bytes([a, b, c, d, e, f, g, h]) & i64::MAX).max(1)
    }
}
