//! Other makers' readers and writers of our tables, their agents, and their makers of requests.

use std::path::PathBuf;

use crate::part::{install, present};
use crate::skip::skip;

/// A Python that has `PyIceberg` and `DuckDB`, installing them first when they are not there yet. When they cannot be had,
/// says that `test` is skipped and answers none.
pub fn witnesses(test: &str) -> Option<PathBuf> {
    python(test, install("witnesses.sh"))
}

/// A Python that has the official client of MCP, installing it first when it is not there yet. When it cannot be had, says
/// that `test` is skipped and answers none.
pub fn agents(test: &str) -> Option<PathBuf> {
    python(test, install("agents.sh"))
}

/// A Python that has Schemathesis, installing it first when it is not there yet. When it cannot be had, says that `test` is
/// skipped and answers none.
pub fn schemathesis(test: &str) -> Option<PathBuf> {
    python(test, install("schemathesis.sh"))
}

/// A Python that has Sail, if somebody has installed it; else says that `test` is skipped and answers none.
pub fn sail(test: &str) -> Option<PathBuf> {
    python(test, present("sail.sh"))
}

fn python(test: &str, installed: Result<String, String>) -> Option<PathBuf> {
    installed.map(PathBuf::from).map_err(|why| skip(test, &why)).ok()
}
