//! Lists: sorted pages of what a store holds.

use futures::TryStreamExt;
use object_store::path::Path;

use crate::error::Result;
use crate::path::encode;
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

/// What a list asks for, in stored form.
struct Wanted {
    /// The directory that holds everything wanted; none for the root.
    folder: Option<Path>,
    /// Listing may begin after this.
    start: Option<Path>,
    prefix: String,
    after: Option<String>,
}

/// Where a stored name lies relative to what is wanted.
enum Place {
    Before,
    Within,
    Beyond,
}

impl Wanted {
    fn new(prefix: &str, after: Option<&str>) -> Result<Self> {
        let folder = match prefix.rsplit_once('/') {
            Some((folder, _)) => Some(encode(folder)?),
            None => None,
        };
        let prefix = stored_prefix(prefix, folder.as_ref())?;
        let after = after.filter(|after| !after.is_empty()).map(encode).transpose()?;
        let start = after.clone().filter(|after| after.as_ref() >= prefix.as_str()).or_else(|| just_before(&prefix));
        Ok(Self { folder, start, prefix, after: after.map(String::from) })
    }

    fn judge(&self, stored: &str) -> Place {
        if self.after.as_deref().is_some_and(|after| stored <= after) {
            return Place::Before;
        }
        match stored.starts_with(&self.prefix) {
            true => Place::Within,
            false if stored < self.prefix.as_str() => Place::Before,
            false => Place::Beyond,
        }
    }
}

/// The stored form of the beginning of a path, whose last component may be cut short or empty.
fn stored_prefix(prefix: &str, folder: Option<&Path>) -> Result<String> {
    let tail = prefix.rsplit_once('/').map_or(prefix, |(_, tail)| tail);
    // A lone `.` may go on to be a longer, unescaped name, so it is not escaped here.
    let dots = tail == "." || tail == "..";
    let tail = if tail.is_empty() || dots { tail.to_owned() } else { encode(tail)?.to_string() };
    Ok(match folder {
        Some(folder) => format!("{folder}/{tail}"),
        None => tail,
    })
}

/// A name below every name that begins with `prefix`, close enough that few others lie between.
fn just_before(prefix: &str) -> Option<Path> {
    let last = prefix.bytes().last().filter(|last| last.is_ascii_alphanumeric())?;
    let shortened = prefix.get(..prefix.len() - 1)?;
    Path::parse(format!("{shortened}{}~", char::from(last - 1))).ok()
}
