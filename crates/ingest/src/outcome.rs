//! What a load answers.

use base::{DatasetName, Version};
use catalog::Mode;
use serde::Serialize;

use crate::reject::Rejected;

/// The answer of a successful load, in the shape it has on the wire.
#[derive(Debug, Clone, Serialize)]
pub struct Outcome {
    /// UUID of the dataset: the same on every machine.
    pub dataset_id: String,
    /// The dataset.
    pub name: DatasetName,
    /// Whether the load changed nothing, because it had been applied before.
    pub existing: bool,
    /// Replace or append.
    pub mode: Mode,
    /// Rows that this file holds.
    pub row_count: u64,
    /// Rows that the table holds now.
    pub total_rows: u64,
    /// SHA-256 over the columns' names and types.
    pub schema_fingerprint: String,
    /// Lake keys of the Parquet files that hold the table now.
    pub objects: Vec<String>,
    /// The table's snapshot.
    pub snapshot_id: String,
    /// The lake's version with these rows.
    pub version: Version,
    /// How many rows were refused.
    pub rejected: u64,
    /// The first refused rows, at most 20.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rejected_rows: Vec<Rejected>,
    /// The lake key of the object that holds the refused lines.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rejected_object: Option<String>,
    /// Wall time, in milliseconds.
    pub elapsed_ms: u64,
}
