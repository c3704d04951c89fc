//! What a stream holds, in the order in which it was appended.

use std::ops::Range;
use std::panic::resume_unwind;

use base::{ByteSize, Facts};
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use storage::{Error as StoreError, Store, task};

use crate::error::{Error, Result};
use crate::fragment::{Skipped, Unread, WHOLE, decode, lines_of};
use crate::group::{Group, bundle_path, fragment_path};
use crate::name::StreamName;
use crate::shelf::Shelf;

/// How many groups are read, and how many fragments of each are fetched, at the same time.
const AT_ONCE: usize = 8;

/// From how many bytes on reading a file takes longer than others should wait.
const LONG: usize = 256 << 10;

/// The lines of a stream.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Lines {
    /// Those that read, the oldest first.
    pub lines: Vec<Facts>,
    /// What does not.
    pub skipped: Vec<Skipped>,
}

/// Everything in a stream. What does not read is told in the log: a line by file and number, a file that is gone by its
/// name. A stream of more bytes than `limit` is refused before any of it is fetched.
pub(crate) async fn read(store: &Store, name: &StreamName, limit: u64) -> Result<Lines> {
    let shelf = Shelf::of(store, name, 0).await?;
    let bytes = shelf.bytes();
    if bytes > limit {
        let (bytes, limit) = (ByteSize(bytes), ByteSize(limit));
        return Err(Error::TooLong { stream: name.to_string(), bytes, limit });
    }
    let (groups, mut all) = (stream::iter(shelf.groups()), Lines::default());
    let mut groups = groups.map(|group| group_of(store, name, &shelf, group)).buffered(AT_ONCE);
    while let Some(lines) = groups.try_next().await? {
        all.add(lines);
    }
    for Skipped { file, what } in &all.skipped {
        match what {
            Unread::Line(line) => tracing::warn!(file, line, "a line of a stream does not read and is skipped"),
            Unread::Gone => tracing::warn!(file, "a file of a stream is gone, and its lines are missing"),
        }
    }
    Ok(all)
}

/// The lines of a group: from its bundle, or else from its fragments. What is gone may have been bundled since the
/// listing; then a larger bundle has all of it.
pub(crate) async fn group_of(store: &Store, name: &StreamName, shelf: &Shelf, group: Group) -> Result<Lines> {
    if shelf.is_bundled(group) {
        let path = bundle_path(name, group);
        return match file(store, name, &path).await? {
            Some(lines) => Ok(lines),
            None => Ok(moved(store, name, group).await?.unwrap_or_else(|| Lines::lost(path))),
        };
    }
    let paths = stream::iter(shelf.numbers(group).map(|number| fragment_path(name, number)));
    let fetch = async |path: String| file(store, name, &path).await.map(|lines| (lines, path));
    let mut fetched = paths.map(fetch).buffered(AT_ONCE);
    let mut all = Lines::default();
    while let Some((lines, path)) = fetched.try_next().await? {
        match lines {
            Some(lines) => all.add(lines),
            None => match moved(store, name, group).await? {
                Some(bundled) => return Ok(bundled),
                None => all.add(Lines::lost(path)),
            },
        }
    }
    Ok(all)
}

/// The lines of a group from the bundle that has them by now. They only ever move into larger ones, so that looking from
/// the smallest on misses none.
async fn moved(store: &Store, name: &StreamName, group: Group) -> Result<Option<Lines>> {
    for bundle in Group::around(group.first()).filter(|bundle| bundle.level() >= group.level()) {
        let path = bundle_path(name, bundle);
        let Some(bytes) = get(store, &path).await? else { continue };
        let [from, to] = [group.first(), group.last() + 1].map(|number| (number - bundle.first()) as usize);
        let part = lines_of(&bytes, from..to);
        return Ok(Some(decoded(name, &path, bytes, part).await?));
    }
    Ok(None)
}

/// The lines of one file; none where there is no such file.
async fn file(store: &Store, name: &StreamName, path: &str) -> Result<Option<Lines>> {
    let Some(bytes) = get(store, path).await? else { return Ok(None) };
    Ok(Some(decoded(name, path, bytes, WHOLE).await?))
}

/// Some lines of a file. A long file is read beside the runtime's threads, which it would hold up.
pub(crate) async fn decoded(name: &StreamName, path: &str, bytes: Bytes, part: Range<usize>) -> Result<Lines> {
    let (lines, skipped) = if bytes.len() < LONG {
        decode(name, path, &bytes, part)?
    } else {
        let (name, path) = (name.clone(), path.to_owned());
        let read = task::blocking("read a stream", move || decode(&name, &path, &bytes, part)).await;
        read.unwrap_or_else(|died| resume_unwind(died.into_panic()))?
    };
    Ok(Lines { lines, skipped })
}

/// The bytes of one file; none where there is no such file.
pub(crate) async fn get(store: &Store, path: &str) -> Result<Option<Bytes>> {
    match store.get(path).await {
        Ok(bytes) => Ok(Some(bytes)),
        Err(StoreError::NotFound { .. }) => Ok(None),
        Err(failure) => Err(failure.into()),
    }
}

impl Lines {
    /// Nothing of a file that should be there.
    fn lost(file: String) -> Self {
        Self { lines: Vec::new(), skipped: vec![Skipped { file, what: Unread::Gone }] }
    }

    fn add(&mut self, more: Self) {
        self.lines.extend(more.lines);
        self.skipped.extend(more.skipped);
    }
}
