//! Which limit a computation came to.

use base::ByteSize;
use datafusion::common::DataFusionError;

/// What computes within limits answers, or the limit.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a value is not computed. `query` tells these as its own.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// A value cannot be computed.
    #[error("{0}")]
    Failed(String),
    /// An integer left the range of its type.
    #[error("an integer result is out of range for its type")]
    Overflow,
    /// A value is larger than the memory that it may have.
    #[error("the query needs more than the memory limit of {limit}; {advice}")]
    MemoryLimit {
        /// What all queries share.
        limit: ByteSize,
        /// What would use less.
        advice: &'static str,
    },
    /// Nobody waits for the query any more.
    #[error("the query was cancelled")]
    Cancelled,
}

/// The same, as the engine carries it.
pub(crate) fn external(error: Error) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}
