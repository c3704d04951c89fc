//! What a stream holds, in the order in which it was appended.

use base::Facts;
use futures::{StreamExt, TryStreamExt, stream};
use storage::{Error as StoreError, Store};

use crate::error::Result;
use crate::fragment::{Skipped, decode};
use crate::name::StreamName;
use crate::shelf::{Group, Shelf, bundle_path, fragment_path};

/// How many groups are read, and how many fragments of each are fetched, at the same time.
const AT_ONCE: usize = 8;

/// The lines of a stream.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Lines {
    /// Those that read, the oldest first.
    pub lines: Vec<Facts>,
    /// Those that do not.
    pub skipped: Vec<Skipped>,
}

/// Everything in a stream. Each line that does not read is told in the log, by file and number.
pub(crate) async fn read(store: &Store, name: &StreamName) -> Result<Lines> {
    let shelf = Shelf::of(store, name, 0).await?;
    let (groups, mut all) = (stream::iter(shelf.groups()), Lines::default());
    let mut groups = groups.map(|group| group_of(store, name, &shelf, group)).buffered(AT_ONCE);
    while let Some(lines) = groups.try_next().await? {
        all.add(lines);
    }
    for Skipped { file, line } in &all.skipped {
        tracing::warn!(file, line, "a line of a stream does not read and is skipped");
    }
    Ok(all)
}

/// The lines of a group: from its bundle, or else from its fragments. A fragment that is gone may have been bundled
/// since the listing; then the bundle has all of them.
pub(crate) async fn group_of(store: &Store, name: &StreamName, shelf: &Shelf, group: Group) -> Result<Lines> {
    let bundle = bundle_path(name, group);
    if shelf.is_bundled(group) {
        return file(store, name, &bundle).await.map(|lines| lines.unwrap_or_else(|| Lines::lost(bundle)));
    }
    let paths = stream::iter(shelf.numbers(group).map(|number| fragment_path(name, number)));
    let fetch = async |path: String| file(store, name, &path).await.map(|lines| (lines, path));
    let mut fetched = paths.map(fetch).buffered(AT_ONCE);
    let mut all = Lines::default();
    while let Some((lines, path)) = fetched.try_next().await? {
        match lines {
            Some(lines) => all.add(lines),
            None => match file(store, name, &bundle).await? {
                Some(bundled) => return Ok(bundled),
                None => all.add(Lines::lost(path)),
            },
        }
    }
    Ok(all)
}

/// The lines of one file; none where there is no such file.
async fn file(store: &Store, name: &StreamName, path: &str) -> Result<Option<Lines>> {
    let bytes = match store.get(path).await {
        Ok(bytes) => bytes,
        Err(StoreError::NotFound { .. }) => return Ok(None),
        Err(failure) => return Err(failure.into()),
    };
    let (lines, skipped) = decode(name, path, &bytes)?;
    Ok(Some(Lines { lines, skipped }))
}

impl Lines {
    /// Nothing of a file that should be there.
    fn lost(file: String) -> Self {
        Self { lines: Vec::new(), skipped: vec![Skipped { file, line: 1 }] }
    }

    fn add(&mut self, more: Self) {
        self.lines.extend(more.lines);
        self.skipped.extend(more.skipped);
    }
}
