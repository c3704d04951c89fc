//! Settings of vectors.

use base::{ByteSize, Span};
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
    /// What is not sealed yet of an index is sealed into a version when its vectors and metadata are this many bytes.
    pub seal_bytes: ByteSize,
    /// What is not sealed yet of an index is sealed into a version when it has waited for so long.
    pub seal_after: Span,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            max_dimension: 4096,
            max_batch_items: 100_000,
            seal_bytes: ByteSize::mib(32),
            seal_after: Span::secs(15 * 60),
        }
    }
}
