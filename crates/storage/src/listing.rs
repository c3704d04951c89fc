//! Lists: sorted pages of what a store holds.

use futures::TryStreamExt;
use object_store::path::Path;

use crate::error::Result;
use crate::path::{decode, encode};
use crate::store::{Entry, Store};

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Sorted bytewise by the stored form of their paths, which is the path itself but for control characters.
    pub entries: Vec<Entry>,
    /// The path after which the next page begins; none when this page is the last.
    pub next: Option<String>,
}

impl Store {
    /// At most `limit` objects whose paths begin with the text `prefix`, those after the path `after` only.
    pub async fn list(&self, prefix: &str, after: Option<&str>, limit: usize) -> Result<Page> {
        let wanted = Wanted::new(prefix, after)?;
        let mut found = match &wanted.start {
            Some(start) => self.backend().list_with_offset(wanted.folder.as_ref(), start),
            None => self.backend().list(wanted.folder.as_ref()),
        };
        let mut entries = Vec::new();
        while let Some(meta) = found.try_next().await.map_err(|error| self.fault(prefix, error))? {
            match wanted.judge(meta.location.as_ref()) {
                Place::Before => continue,
                Place::Beyond => break,
                Place::Within if entries.len() < limit => entries.push(self.listed(&meta)),
                Place::Within => {
                    let next = entries.last().map(|entry: &Entry| entry.path.clone());
                    return Ok(Page { entries, next });
                }
            }
        }
        Ok(Page { entries, next: None })
    }
}

/// What a list asks for. Names are compared in stored form.
struct Wanted<'a> {
    prefix: &'a str,
    /// The directory that holds everything wanted; none for the root.
    folder: Option<Path>,
    /// What the stored form of everything wanted begins with.
    stored: String,
    /// Listing may begin after this.
    start: Option<Path>,
    after: Option<Path>,
}

/// Where a stored name lies relative to what is wanted.
enum Place {
    Before,
    Within,
    Beyond,
}

impl<'a> Wanted<'a> {
    fn new(prefix: &'a str, after: Option<&str>) -> Result<Self> {
        let (folder, tail) = match prefix.rsplit_once('/') {
            Some((folder, tail)) => (Some(encode(folder)?), tail),
            None => (None, prefix),
        };
        let home = folder.as_ref().map(|folder| format!("{folder}/")).unwrap_or_default();
        let certain = certain(tail);
        let stored = if certain.is_empty() { home } else { format!("{home}{}", encode(certain)?) };
        let after = after.filter(|after| !after.is_empty()).map(encode).transpose()?;
        let begun = after.clone().filter(|after| after.as_ref() >= stored.as_str());
        let start = begun.or_else(|| just_before(&stored));
        Ok(Self { prefix, folder, stored, start, after })
    }

    fn judge(&self, found: &str) -> Place {
        let seen = self.after.as_ref().is_some_and(|after| found <= after.as_ref());
        if seen || found < self.stored.as_str() {
            return Place::Before;
        }
        match found.starts_with(&self.stored) {
            true if decode(found).starts_with(self.prefix) => Place::Within,
            true => Place::Before,
            false => Place::Beyond,
        }
    }
}

/// The part of a cut-off component whose stored form does not depend on how it goes on: dots alone may be escaped or
/// not, and so may a `%` near the end.
fn certain(tail: &str) -> &str {
    if tail == "." || tail == ".." {
        return "";
    }
    let near_end = tail.len().saturating_sub(2);
    let open = tail.rfind('%').filter(|at| *at >= near_end);
    &tail[..open.unwrap_or(tail.len())]
}

/// A name below every name that begins with `prefix`, close enough that few others lie between.
fn just_before(prefix: &str) -> Option<Path> {
    let last = prefix.bytes().last().filter(u8::is_ascii_alphanumeric)?;
    let shortened = prefix.get(..prefix.len() - 1)?;
    Path::parse(format!("{shortened}{}z", char::from(last - 1))).ok()
}
