//! The files of a stream, for whoever copies it while others append to it.

use crate::name::StreamName;
use crate::shelf::{Shelf, bundle_path, fragment_path};

/// One file of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamFile {
    /// Where it lies, relative to the lake.
    pub path: String,
    /// Where its lines lie once it is no longer there; none where they stay.
    pub bundle: Option<String>,
}

/// The files that count.
pub(crate) fn of(stream: &StreamName, shelf: &Shelf) -> Vec<StreamFile> {
    let mut files = Vec::new();
    for group in shelf.groups() {
        let bundle = bundle_path(stream, group);
        if shelf.is_bundled(group) {
            files.push(StreamFile { path: bundle, bundle: None });
        } else {
            let fragments = shelf.numbers(group).map(|number| fragment_path(stream, number));
            files.extend(fragments.map(|path| StreamFile { path, bundle: Some(bundle.clone()) }));
        }
    }
    files
}
