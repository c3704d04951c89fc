//! Settings of the store.

use base::ByteSize;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::secret::Secret;

#[cfg(test)]
mod tests;

/// How bytes are kept, and how much of them is taken at once.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// What an acknowledged write to a local directory survives.
    pub durability: Durability,
    /// How an S3 server is reached; used when the lake is an `s3://` location. A section of its own in files.
    #[serde(skip)]
    pub s3: S3Config,
    /// The largest object a user may put.
    pub object_limit: ByteSize,
    /// The largest object a user may put under `_vectors/`.
    pub vector_limit: ByteSize,
    /// How many puts of users run at once; one more is asked to come back later.
    pub concurrent_puts: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            durability: Durability::default(),
            s3: S3Config::default(),
            object_limit: ByteSize::mib(256),
            vector_limit: ByteSize::gib(4),
            concurrent_puts: 4,
        }
    }
}

/// What an acknowledged write to a local directory survives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Durability {
    /// A loss of power: the file and every touched directory are synced before the answer.
    #[default]
    Power,
    /// The death of the process, not of the machine: nothing is synced.
    Process,
}

/// How an S3 server is reached.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct S3Config {
    /// The server's URL, such as `http://127.0.0.1:9000`; empty for AWS itself.
    pub endpoint: String,
    /// The region that requests are signed for.
    pub region: String,
    /// The access key's id; empty to use the machine's own AWS role.
    pub access_key_id: String,
    /// The access key's secret.
    pub secret_access_key: Secret,
    /// Whether an endpoint without TLS is accepted; one on this machine always is.
    pub allow_http: bool,
}

impl Default for S3Config {
    fn default() -> Self {
        Self {
            endpoint: String::new(),
            region: "us-east-1".to_owned(),
            access_key_id: String::new(),
            secret_access_key: Secret::default(),
            allow_http: false,
        }
    }
}
