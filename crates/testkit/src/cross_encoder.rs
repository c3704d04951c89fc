//! The files of the model that ranks texts anew, fetched once.

use std::path::PathBuf;

use crate::part::install;
use crate::skip::skip;

/// A directory that holds `model.onnx` and `tokenizer.json` of ms-marco-MiniLM-L-12. When they cannot be had, says that
/// `test` is skipped and answers none.
pub fn cross_encoder(test: &str) -> Option<PathBuf> {
    install("reranker.py").map(|printed| printed.trim_end().into()).map_err(|why| skip(test, &why)).ok()
}
