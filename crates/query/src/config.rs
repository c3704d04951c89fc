//! What the operator may set.

use std::path::PathBuf;

use base::{ByteSize, Span};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Settings of SQL.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// How long one query may run before it ends with 504.
    pub timeout: Span,
    /// Memory that all running queries share; beyond it they spill to disk, and end with 413 where they cannot.
    pub memory_limit: ByteSize,
    /// Threads that execute queries; all cores when not given.
    pub threads: Option<usize>,
    /// Directory under which spilled data lives while a query runs; the system's temporary directory when not given.
    pub spill_dir: Option<PathBuf>,
    /// Disk that all running queries may spill to, together.
    pub spill_limit: ByteSize,
    /// Rows in a JSON answer whose request does not say `max_rows`.
    pub max_rows_default: u64,
    /// The largest `max_rows` a request may ask for.
    pub max_rows_limit: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            timeout: Span::secs(30),
            memory_limit: ByteSize::gib(1),
            threads: None,
            spill_dir: None,
            spill_limit: ByteSize::gib(20),
            max_rows_default: 10_000,
            max_rows_limit: 100_000,
        }
    }
}
