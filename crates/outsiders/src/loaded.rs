//! A table as other engines read it: the whole metadata, and where it lies.

use std::collections::HashMap;

use base::Version;
use iceberg::spec::TableMetadata;
use serde::Serialize;
use tables::lake::Lake;

use crate::error::{Error, Result};

/// A table's metadata with its location. It serialises as Iceberg's protocol wants it.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct LoadedTable {
    /// Where the metadata lies; none when the table is only staged.
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata_location: Option<String>,
    metadata: TableMetadata,
    config: HashMap<String, String>,
    #[serde(skip)]
    version: Option<Version>,
}

impl LoadedTable {
    /// The table that a version made of it, whose metadata lies at `path` in the lake.
    pub fn of(lake: &Lake, metadata: TableMetadata, path: &str, version: Version) -> Result<Self> {
        expect_in_place(lake, &metadata)?;
        let metadata_location = Some(lake.roots.absolute(path));
        Ok(Self { metadata_location, metadata, config: HashMap::new(), version: Some(version) })
    }

    /// A table that does not exist yet.
    pub fn staged(lake: &Lake, metadata: TableMetadata) -> Result<Self> {
        expect_in_place(lake, &metadata)?;
        Ok(Self { metadata_location: None, metadata, config: HashMap::new(), version: None })
    }

    /// The version that made the table what it is; none when it is only staged.
    pub fn version(&self) -> Option<Version> {
        self.version
    }

    /// What tells this metadata from all others: the name of its file.
    pub fn tag(&self) -> &str {
        self.metadata_location.as_deref().and_then(|path| path.rsplit('/').next()).unwrap_or_default()
    }
}

/// Other engines go by the stored locations, which lead nowhere, or into another lake, once a lake has moved. Relocation
/// leaves some tables as they are.
pub fn expect_in_place(lake: &Lake, metadata: &TableMetadata) -> Result<()> {
    let list = metadata.current_snapshot().map(|snapshot| snapshot.manifest_list());
    let is_in_place = [metadata.location()].into_iter().chain(list).all(|location| lake.roots.is_in_place(location));
    if lake.roots.have_moved() || !is_in_place { Err(Error::LakeMoved) } else { Ok(()) }
}
