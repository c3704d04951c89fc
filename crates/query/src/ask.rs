//! What a query is asked.

use base::AsOf;

/// One question.
#[derive(Debug, Clone, Default)]
pub struct Ask {
    /// One SQL query.
    pub sql: String,
    /// The version that every table is read at; the newest when not given.
    pub as_of: Option<AsOf>,
    /// Values of `$1`, `$2`, … in order: null, booleans, numbers, texts, and arrays of numbers for `vector_search`.
    pub params: Vec<serde_json::Value>,
}
