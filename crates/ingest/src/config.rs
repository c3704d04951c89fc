//! Settings of ingest.

use std::path::PathBuf;

use base::ByteSize;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Settings of ingest.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The largest body that one HTTP upload may have; the command line streams files of any size.
    pub max_ingest_bytes: ByteSize,
    /// Where uploads wait until they are read, outside the lake; the system's temporary directory when not given.
    pub spool_dir: Option<PathBuf>,
    /// How many files are read at once; more wait for their turn. Each costs up to about 250 MiB of memory.
    pub concurrent_loads: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self { max_ingest_bytes: ByteSize::mib(256), spool_dir: None, concurrent_loads: 2 }
    }
}
