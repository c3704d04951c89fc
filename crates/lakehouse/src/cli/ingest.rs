//! `lakehouse ingest`: what can be asked of a load.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::Target;

#[derive(Debug, Args)]
pub struct Ingest {
    /// The dataset: `table` or `namespace.table`
    pub name: String,
    /// The file, CSV, JSON or Parquet, packed with gzip or zstd or not; `-` reads standard input
    #[arg(required_unless_present_any = ["from_path", "from_object", "from_postgres"])]
    pub file: Option<PathBuf>,
    #[command(flatten)]
    pub from: From,
    /// Whether the file becomes the dataset's rows or is added to them
    #[arg(long, value_enum, default_value = "replace")]
    pub mode: Mode,
    /// What a row that breaks the rules does: fail the load, or be left out and reported
    #[arg(long, value_enum, default_value = "fail")]
    pub on_error: OnError,
    /// What the file is, when its content shall not decide
    #[arg(long, value_parser = ["csv", "ndjson", "json", "parquet"])]
    pub format: Option<String>,
    /// What the file may do to the dataset's columns: nothing, or add further ones
    #[arg(long, value_enum, default_value = "none")]
    pub evolve: Evolve,
    /// The file's encoding when it is not UTF-8, such as windows-1252
    #[arg(long)]
    pub encoding: Option<String>,
    /// The field delimiter, when detecting it is not wanted
    #[arg(long)]
    pub delimiter: Option<String>,
    /// A vector index to seal in the same commit, so that the table and it are of one version
    #[arg(long, value_name = "INDEX")]
    pub seal: Vec<String>,
    /// A key under which a retried append applies once
    #[arg(long)]
    pub idempotency_key: Option<String>,
    #[command(flatten)]
    pub target: Target,
}

/// What the service is to load instead of a file that is sent.
#[derive(Debug, Args)]
#[group(multiple = false, conflicts_with = "file")]
pub struct From {
    /// Load a file of the server's machine, below one of its ingestd.allowed_roots
    #[arg(long, value_name = "PATH")]
    pub from_path: Option<String>,
    /// Load an object of the lake
    #[arg(long, value_name = "KEY")]
    pub from_object: Option<String>,
    /// Load the rows of a query to a database of the server's settings, [ingestd.postgres.NAME]
    #[arg(long, value_names = ["NAME", "QUERY"], num_args = 2)]
    pub from_postgres: Option<Vec<String>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Evolve {
    None,
    Add,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Mode {
    Replace,
    Append,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OnError {
    Fail,
    Skip,
}
