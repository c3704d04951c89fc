//! Settings of ingest.

use std::collections::BTreeMap;
use std::path::PathBuf;

use base::ByteSize;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::postgres::Postgres;

/// Settings of ingest.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The largest body that one HTTP upload may have; the command line streams files of any size.
    pub max_ingest_bytes: ByteSize,
    /// The most that a file packed with gzip or zstd may unpack to.
    pub max_decompressed_bytes: ByteSize,
    /// Where uploads wait until they are read, outside the lake; the system's temporary directory when not given.
    pub spool_dir: Option<PathBuf>,
    /// Directories of the server's machine below which requests may name files to load; none when not given.
    pub allowed_roots: Vec<PathBuf>,
    /// Databases that requests may query, by the name they use for it.
    pub postgres: BTreeMap<String, Postgres>,
    /// How many files are read at once; more wait for their turn. Each costs up to about 250 MiB of memory.
    pub concurrent_loads: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            max_ingest_bytes: ByteSize::mib(256),
            max_decompressed_bytes: ByteSize::gib(64),
            spool_dir: None,
            allowed_roots: Vec::new(),
            postgres: BTreeMap::new(),
            concurrent_loads: 2,
        }
    }
}

impl Config {
    /// What is wrong with the databases, as keys and reasons. Nobody who asks them could mend it.
    pub fn flaws(&self) -> impl Iterator<Item = (String, &'static str)> {
        self.postgres.iter().filter_map(|(name, database)| {
            let (key, reason) = database.flaw()?;
            Some((format!("postgres.{name}.{key}"), reason))
        })
    }
}
