//! Rows that cannot be loaded: where they are and why.

use serde::Serialize;

/// One refused row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rejected {
    /// The physical line on which the row begins, from 1.
    pub line: u64,
    /// The column at fault, by name; none when the fault is the whole row's.
    pub column: Option<String>,
    /// What is wrong.
    pub reason: String,
}
