//! The files of a stream, for whoever copies it while others append to it.

use crate::group::{Group, bundle_path, fragment_path};
use crate::name::StreamName;
use crate::shelf::Shelf;

/// One file of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamFile {
    /// Where it lies, relative to the lake.
    pub path: String,
    /// Where its lines lie once it is no longer there: in the first of these that is.
    pub bundles: Vec<String>,
}

/// The files that count.
pub(crate) fn of(stream: &StreamName, shelf: &Shelf) -> Vec<StreamFile> {
    let mut files = Vec::new();
    let paths = |groups: &mut dyn Iterator<Item = Group>| groups.map(|group| bundle_path(stream, group)).collect();
    for group in shelf.groups() {
        if shelf.is_bundled(group) {
            files.push(StreamFile { path: bundle_path(stream, group), bundles: paths(&mut group.larger()) });
        } else {
            let file =
                |number| StreamFile { path: fragment_path(stream, number), bundles: paths(&mut Group::around(number)) };
            files.extend(shelf.numbers(group).map(file));
        }
    }
    files
}
