//! The roles of the system: their names, ports and the variable that lets one leave loopback.

use std::fmt;
use std::str::FromStr;

/// One service of the system. Each answers on a port of its own, or all in one process behind the gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// The one public edge: everything under `/v1`.
    Gateway,
    /// Objects.
    Storaged,
    /// Datasets and versions.
    Catalogd,
    /// Files in.
    Ingestd,
    /// SQL.
    Queryd,
    /// Vector indexes.
    Vectord,
    /// Texts to vectors.
    Embedd,
    /// Conversations with language models.
    Chatd,
    /// Checks of what language models propose.
    Validatord,
}

impl Role {
    /// Every role, the gateway first.
    pub const ALL: [Self; 9] = [
        Self::Gateway,
        Self::Storaged,
        Self::Catalogd,
        Self::Ingestd,
        Self::Queryd,
        Self::Vectord,
        Self::Embedd,
        Self::Chatd,
        Self::Validatord,
    ];

    /// The name in configuration, health answers and logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gateway => "gateway",
            Self::Storaged => "storaged",
            Self::Catalogd => "catalogd",
            Self::Ingestd => "ingestd",
            Self::Queryd => "queryd",
            Self::Vectord => "vectord",
            Self::Embedd => "embedd",
            Self::Chatd => "chatd",
            Self::Validatord => "validatord",
        }
    }

    /// The port it listens on unless told otherwise.
    pub const fn default_port(self) -> u16 {
        match self {
            Self::Gateway => 3110,
            Self::Storaged => 3211,
            Self::Catalogd => 3212,
            Self::Ingestd => 3213,
            Self::Queryd => 3214,
            Self::Vectord => 3215,
            Self::Embedd => 3216,
            Self::Chatd => 3220,
            Self::Validatord => 3221,
        }
    }

    /// The environment variable that, set to exactly `1`, is one half of what a bind outside loopback needs.
    pub fn nonloopback_variable(self) -> String {
        format!("LH_{}_ALLOW_NONLOOPBACK", self.name().to_ascii_uppercase())
    }

    /// Which role answers a path without `/v1`; none for a path that no role knows.
    pub fn of_path(path: &str) -> Option<Self> {
        let first = path.trim_start_matches('/').split('/').next().unwrap_or_default();
        match first {
            "storage" => Some(Self::Storaged),
            "catalog" => Some(Self::Catalogd),
            "ingest" => Some(Self::Ingestd),
            "sql" => Some(Self::Queryd),
            "vectors" => Some(Self::Vectord),
            "embed" | "embeddings" => Some(Self::Embedd),
            "chat" => Some(Self::Chatd),
            "validate" | "iterate" | "evidence" => Some(Self::Validatord),
            _ => None,
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why a text names no role.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{given:?} is no role: use gateway, storaged, catalogd, ingestd, queryd, vectord, embedd, chatd or validatord")]
pub struct RoleError {
    given: String,
}

impl FromStr for Role {
    type Err = RoleError;

    fn from_str(text: &str) -> Result<Self, RoleError> {
        let found = Self::ALL.into_iter().find(|role| role.name() == text);
        found.ok_or_else(|| RoleError { given: text.chars().take(100).collect() })
    }
}
