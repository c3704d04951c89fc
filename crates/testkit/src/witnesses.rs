//! Other makers' readers and writers of our tables.

use std::path::PathBuf;

use crate::part::install;
use crate::skip::skip;

/// A Python that has `PyIceberg` and `DuckDB`, installing them first when they are not there yet. When they cannot be had,
/// says that `test` is skipped and answers none.
pub fn witnesses(test: &str) -> Option<PathBuf> {
    match install("witnesses.sh") {
        Ok(python) => Some(PathBuf::from(python)),
        Err(why) => {
            skip(test, &why);
            None
        }
    }
}
