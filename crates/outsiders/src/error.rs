//! Why an outsider's request is refused.

use base::DatasetName;

/// A result of this room.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why an outsider's request is refused, or failed. The catalog tells it as its own.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// What a commit requires of a table does not hold.
    #[error("{name}: {why}")]
    RequirementFailed {
        /// The dataset.
        name: DatasetName,
        /// What does not hold.
        why: String,
    },
    /// A request that would leave a table which is not one of ours, or cannot be read.
    #[error("{name}: {why}")]
    Unacceptable {
        /// The dataset.
        name: DatasetName,
        /// What is wrong.
        why: String,
        /// The reader's own words.
        #[source]
        source: Option<tables::error::Cause>,
    },
    /// A request that only an administrator may make.
    #[error("{name}: this {what}")]
    TakesAway {
        /// The dataset.
        name: DatasetName,
        /// What would happen to it.
        what: &'static str,
    },
    /// The lake lies elsewhere than its tables say.
    #[error("the lake was moved or copied, and its tables still name the old place")]
    LakeMoved,
    /// The table could not be read or made.
    #[error("{0}")]
    Table(#[from] tables::Error),
    /// The store failed.
    #[error("{0}")]
    Storage(#[from] storage::Error),
}

impl Error {
    /// The refusal of what an outsider asks for.
    pub fn unacceptable(name: &DatasetName, why: impl Into<String>) -> Self {
        Self::Unacceptable { name: name.clone(), why: why.into(), source: None }
    }
}
