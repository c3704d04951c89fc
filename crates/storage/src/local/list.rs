//! Listing a directory in the order of full paths, a bounded number of names at a time.

use std::collections::BinaryHeap;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

use futures::stream::{self, BoxStream};
use futures::{StreamExt, TryStreamExt};
use object_store::path::Path as Location;
use object_store::{ListResult, ObjectMeta, Result};

use super::{Directory, Root, TEMP, generic, meta};

/// How many objects the first and the largest batch of a stream hold: a directory is read again for every batch.
const FIRST: usize = 1_000;
const LARGEST: usize = 16_000;

/// All objects below `prefix` and after `offset`, sorted bytewise by their paths.
pub(super) fn stream(
    directory: Directory,
    prefix: Option<Location>,
    offset: Option<Location>,
) -> BoxStream<'static, Result<ObjectMeta>> {
    let start = Some((offset, FIRST));
    let batches = stream::try_unfold(start, move |next| {
        let (directory, prefix) = (directory.clone(), prefix.clone());
        async move {
            let Some((after, limit)) = next else { return Ok(None) };
            let batch = directory.run("list", move |root| batch(root, prefix.as_ref(), after, limit)).await?;
            let last = batch.last().map(|meta| meta.location.clone()).filter(|_| batch.len() == limit);
            let next = last.map(|last| (Some(last), LARGEST.min(limit * 4)));
            Ok::<_, object_store::Error>(Some((stream::iter(batch.into_iter().map(Ok)), next)))
        }
    });
    batches.try_flatten().boxed()
}

/// The objects and directories directly below `prefix`.
pub(super) fn children(root: &Arc<Root>, prefix: Option<&Location>) -> Result<ListResult> {
    let (mut common_prefixes, mut objects) = (Vec::new(), Vec::new());
    let folder = folder(prefix);
    for name in names(root, &folder, usize::MAX, |_| true).map_err(generic)? {
        match name.strip_suffix('/') {
            Some(directory) => {
                let directory = Location::parse(directory)?;
                if !batch(root, Some(&directory), None, 1)?.is_empty() {
                    common_prefixes.push(directory);
                }
            }
            None => objects.extend(object(root, &name)?),
        }
    }
    Ok(ListResult { common_prefixes, objects })
}

/// The first `limit` objects below `prefix` and after `after`.
fn batch(
    root: &Arc<Root>,
    prefix: Option<&Location>,
    after: Option<Location>,
    limit: usize,
) -> Result<Vec<ObjectMeta>> {
    let mut walk = Walk { root, after: after.map(String::from).unwrap_or_default(), limit, found: Vec::new() };
    walk.enter(&folder(prefix))?;
    Ok(walk.found)
}

/// The path of a directory as it begins the paths of what lies in it.
fn folder(prefix: Option<&Location>) -> String {
    prefix.filter(|prefix| !prefix.is_root()).map(|prefix| format!("{prefix}/")).unwrap_or_default()
}

struct Walk<'a> {
    root: &'a Root,
    after: String,
    limit: usize,
    found: Vec<ObjectMeta>,
}

impl Walk<'_> {
    fn enter(&mut self, folder: &str) -> Result<()> {
        let room = self.limit - self.found.len();
        let after = self.after.clone();
        let mut names = names(self.root, folder, room, |path| path > after.as_str() || leads_to(path, &after));
        loop {
            let read = names.map_err(generic)?;
            for name in &read {
                match name.ends_with('/') {
                    true => self.enter(name)?,
                    false => self.found.extend(object(self.root, name)?),
                }
                if self.found.len() == self.limit {
                    return Ok(());
                }
            }
            let Some(last) = read.last().filter(|_| read.len() == room) else { return Ok(()) };
            names = self::names(self.root, folder, room, |path| path > last.as_str());
        }
    }
}

/// Whether `path` is a directory in which, or below which, `after` lies.
fn leads_to(path: &str, after: &str) -> bool {
    path.ends_with('/') && after.starts_with(path)
}

/// What is known of an object; nothing when it was removed a moment ago.
fn object(root: &Root, path: &str) -> Result<Option<ObjectMeta>> {
    let Ok(location) = Location::parse(path) else { return Ok(None) };
    match fs::metadata(root.place(&location)) {
        Ok(metadata) => Ok(Some(meta(&location, &metadata))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(generic(error)),
    }
}

/// The first `limit` paths in a folder that are wanted. Directories end in `/`, which puts them where the paths
/// below them sort.
fn names(root: &Root, folder: &str, limit: usize, wanted: impl Fn(&str) -> bool) -> io::Result<Vec<String>> {
    let mut first = BinaryHeap::new();
    for found in entries(&root.path.join(folder))? {
        let found = found?;
        let kind = found.file_type()?;
        // Names that are no text were not written by a lake.
        let Some(name) = found.file_name().to_str().map(str::to_owned) else { continue };
        if folder.is_empty() && name == TEMP {
            continue;
        }
        let path = format!("{folder}{name}{}", if kind.is_dir() { "/" } else { "" });
        if !wanted(&path) {
            continue;
        }
        first.push(path);
        if first.len() > limit {
            first.pop();
        }
    }
    Ok(first.into_sorted_vec())
}

/// The entries of a directory; none when it does not exist or is a file.
fn entries(path: &Path) -> io::Result<Box<dyn Iterator<Item = io::Result<fs::DirEntry>>>> {
    match fs::read_dir(path) {
        Ok(entries) => Ok(Box::new(entries)),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            Ok(Box::new(std::iter::empty()))
        }
        Err(error) => Err(error),
    }
}
