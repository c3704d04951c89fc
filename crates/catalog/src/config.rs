//! Settings of the catalog.

use base::Span;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How fresh reads are, how often the state is written out, how long a commit may take.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// On S3, how old the newest known version may be before a read asks for newer ones; a directory is always asked.
    pub max_staleness: Span,
    /// A checkpoint of the whole state is written every so many versions.
    pub checkpoint_every: u64,
    /// How long a commit whose outcome is unknown is followed up before the caller is told so.
    pub commit_timeout: Span,
}

impl Default for Config {
    fn default() -> Self {
        Self { max_staleness: Span::secs(1), checkpoint_every: 128, commit_timeout: Span::secs(30) }
    }
}
