//! The end of a stream, and what is appended to it from then on.

use base::Facts;
use serde::Serialize;
use storage::Store;

use crate::error::Result;
use crate::fragment::{WHOLE, fragments_within, lines_of};
use crate::group::{Group, bundle_path, fragment_path};
use crate::name::StreamName;
use crate::read::{Lines, decoded, get, group_of};
use crate::shelf::Shelf;

/// How many bytes of lines one answer holds, or a little more: one append is never cut.
const MOST: usize = 16 << 20;

/// Lines of a stream, the oldest first.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Tail {
    /// The lines. One that does not read is left out.
    pub lines: Vec<Facts>,
    /// The number of the fragment that they end with; 0 before anything was appended.
    pub fragment: u64,
}

/// The last `count` lines, or as many of them as one answer holds.
pub(crate) async fn last(store: &Store, stream: &StreamName, count: usize) -> Result<Tail> {
    let shelf = Shelf::of(store, stream, 0).await?;
    let mut groups = shelf.groups();
    let mut found = Lines::default();
    while let Some(group) = groups.pop_if(|_| found.lines.len() < count) {
        let mut older = group_of(store, stream, &shelf, group).await?;
        older.lines.append(&mut found.lines);
        found = older;
    }
    let (mut size, mut from) = (0, found.lines.len());
    while from > 0 && found.lines.len() - from < count && size < MOST {
        from -= 1;
        size += size_of(&found.lines[from]);
    }
    Ok(Tail { lines: found.lines.split_off(from), fragment: shelf.last() })
}

/// The lines behind a fragment, or as many of them as one answer holds.
pub(crate) async fn after(store: &Store, stream: &StreamName, fragment: u64) -> Result<Tail> {
    let last = Shelf::of(store, stream, fragment).await?.last();
    let mut tail = Tail { lines: Vec::new(), fragment };
    let mut size = 0;
    while tail.fragment < last && size < MOST {
        let (lines, reached) = next(store, stream, tail.fragment).await?;
        size += lines.iter().map(size_of).sum::<usize>();
        tail.lines.extend(lines);
        tail.fragment = reached;
    }
    Ok(tail)
}

/// The lines of the fragment behind one, and its number; where it lies in a bundle by now, those of as many of the bundle's
/// further fragments as one answer holds.
async fn next(store: &Store, stream: &StreamName, fragment: u64) -> Result<(Vec<Facts>, u64)> {
    let (number, path) = (fragment + 1, fragment_path(stream, fragment + 1));
    match get(store, &path).await? {
        Some(bytes) => Ok((decoded(stream, &path, bytes, WHOLE).await?.lines, number)),
        None => rest(store, stream, number).await,
    }
}

/// The lines of a bundle from a fragment on. What lies nowhere or does not read is passed over.
async fn rest(store: &Store, stream: &StreamName, number: u64) -> Result<(Vec<Facts>, u64)> {
    for group in Group::around(number) {
        let path = bundle_path(stream, group);
        let Some(bytes) = get(store, &path).await? else { continue };
        let from = (number - group.first()) as usize;
        let fragments = fragments_within(&bytes, from, MOST);
        let part = lines_of(&bytes, from..from + fragments);
        let lines = decoded(stream, &path, bytes, part).await?.lines;
        return Ok((lines, if fragments == 0 { group.last() } else { number + fragments as u64 - 1 }));
    }
    Ok((Vec::new(), number))
}

fn size_of(line: &Facts) -> usize {
    serde_json::to_vec(line).map_or(0, |bytes| bytes.len())
}
