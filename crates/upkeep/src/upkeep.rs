//! The one upkeep of a lake in this process.

use base::Seams;
use catalog::Catalog;

/// Keeps a lake in order. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Upkeep {
    pub(crate) catalog: Catalog,
    pub(crate) seams: Seams,
}

impl Upkeep {
    /// The upkeep of a catalog's lake.
    pub fn new(catalog: Catalog, seams: Seams) -> Self {
        Self { catalog, seams }
    }
}
