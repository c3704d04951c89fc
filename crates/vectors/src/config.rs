//! Settings of vectors.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Settings of vectors.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The most numbers that a vector may have.
    pub max_dimension: u32,
    /// The most items that one add, or ids that one delete, may have.
    pub max_batch_items: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self { max_dimension: 4096, max_batch_items: 100_000 }
    }
}
