//! Settings of validatord.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Settings of what judges model output.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ValidatorConfig {
    /// The table of workers that proposals are checked against. It has at least the columns `worker_id` and `name`.
    pub roster: String,
}

impl Default for ValidatorConfig {
    fn default() -> Self {
        Self { roster: "workers".to_owned() }
    }
}
