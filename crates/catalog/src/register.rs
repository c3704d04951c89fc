//! Registration: Parquet objects that somebody else wrote become a dataset's rows.

use base::DatasetName;

use crate::manifest::Manifest;

/// Objects to be registered under a name.
#[derive(Debug, Clone)]
pub struct Register {
    /// The dataset.
    pub name: DatasetName,
    /// The fingerprint that each object's schema must have.
    pub schema_fingerprint: String,
    /// The keys of the objects.
    pub objects: Vec<String>,
    /// The rows of all objects together.
    pub row_count: u64,
    /// Who asked for it.
    pub author: String,
}

/// What came of a registration.
#[derive(Debug, Clone)]
pub struct Registered {
    /// Whether the name was known.
    pub existing: bool,
    /// The dataset.
    pub manifest: Manifest,
}
