//! Lists: sorted pages of what a store holds.

use futures::TryStreamExt;
use object_store::path::Path;

use crate::error::Result;
use crate::path::{decode, encode, written};
use crate::store::{Entry, Store};

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Sorted bytewise by the stored form of their paths: in it a control character, the dots of a component `.` or
    /// `..`, and a `%` before two hexadecimal digits stand as `%XX`. Everything else stands as it is.
    pub entries: Vec<Entry>,
    /// The path after which the next page begins; none when this page is the last.
    pub next: Option<String>,
}

impl Store {
    /// At most `limit` objects whose paths begin with the text `prefix`, and whose stored forms come after that of the
    /// text `after`. Both are bounds: any text will do, whether or not an object could be called so.
    pub async fn list(&self, prefix: &str, after: Option<&str>, limit: usize) -> Result<Page> {
        let Some(wanted) = Wanted::new(prefix, after) else {
            return Ok(Page { entries: Vec::new(), next: None });
        };
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
    /// The stored form of the bound.
    after: Option<String>,
}

/// Where a stored name lies relative to what is wanted.
enum Place {
    Before,
    Within,
    Beyond,
}

impl<'a> Wanted<'a> {
    /// None when no path begins with such a prefix.
    fn new(prefix: &'a str, after: Option<&str>) -> Option<Self> {
        let (folder, tail) = match prefix.rsplit_once('/') {
            Some((folder, tail)) => (Some(encode(folder).ok()?), tail),
            None => (None, prefix),
        };
        let home = folder.as_ref().map(|folder| format!("{folder}/")).unwrap_or_default();
        let certain = certain(tail);
        let stored = if certain.is_empty() { home } else { format!("{home}{}", encode(certain).ok()?) };
        let after = after.filter(|after| !after.is_empty()).map(written);
        let begun = after.as_deref().filter(|after| *after >= stored.as_str()).and_then(not_beyond);
        let start = begun.or_else(|| just_before(&stored));
        Some(Self { prefix, folder, stored, start, after })
    }

    fn judge(&self, found: &str) -> Place {
        let seen = self.after.as_deref().is_some_and(|after| found <= after);
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

/// The longest beginning of a stored form that is a name. A listing that begins after it misses nothing.
fn not_beyond(stored: &str) -> Option<Path> {
    let whole = stored.find("//").map_or(stored, |at| &stored[..at]);
    let whole = whole.strip_suffix('/').unwrap_or(whole);
    Path::parse(whole).ok().filter(|path| !path.is_root() && !whole.starts_with('/'))
}

/// A name below every name that begins with `prefix`, close enough that few others lie between.
fn just_before(prefix: &str) -> Option<Path> {
    let last = prefix.bytes().last().filter(u8::is_ascii_alphanumeric)?;
    let shortened = prefix.get(..prefix.len() - 1)?;
    Path::parse(format!("{shortened}{}z", char::from(last - 1))).ok()
}
