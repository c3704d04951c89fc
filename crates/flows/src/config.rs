//! Settings of validatord, and of what is recorded.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::record::Recorded;

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

/// Settings of what is written down of runs.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct EvidenceConfig {
    /// What is recorded of calls that belong to a run, each as a stream: `chats`, `searches`, `validations`. `sessions` is
    /// recorded in any case. A process with chatd alone opens the lake for `chats`.
    pub record: Vec<Recorded>,
}

impl Default for EvidenceConfig {
    fn default() -> Self {
        Self { record: vec![Recorded::Chats, Recorded::Searches, Recorded::Validations] }
    }
}
