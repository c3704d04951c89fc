//! Keys: the names users give their objects.

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Result};
use crate::path;

#[cfg(test)]
mod tests;

/// The longest key, in bytes.
const MAX_KEY: usize = 1024;
/// Where users' objects lie in the lake.
pub(crate) const HOME: &str = "objects/";
/// The lake's own prefixes: readable under their own names, never writable.
const RESERVED: [&str; 4] = ["_lake/", "tables/", "indexes/", "runs/"];

/// The name of a user's object, or of one of the lake's own files to be read.
///
/// Not empty, at most 1,024 bytes, no NUL, CR, LF or TAB, no leading `/`, no `..` and no empty component, no
/// component over 255 bytes as stored.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key(String);

impl Key {
    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the key names one of the lake's own files.
    pub fn is_reserved(&self) -> bool {
        self.reserved_prefix().is_some()
    }

    /// The lake's own prefix that the key begins with.
    pub(crate) fn reserved_prefix(&self) -> Option<&'static str> {
        reserved_prefix(&self.0)
    }

    /// Where the object lies, relative to the lake's root.
    pub fn path(&self) -> String {
        path_of(&self.0)
    }
}

/// What holds of keys, and of the texts between which keys are listed.
pub(crate) fn check_bound(text: &str) -> Result<()> {
    let broken = |rule| Err(Error::InvalidKey { rule });
    if text.len() > MAX_KEY {
        return broken("a key may not be longer than 1,024 bytes");
    }
    if text.contains(['\0', '\r', '\n', '\t']) {
        return broken("a key may not hold NUL, CR, LF or TAB");
    }
    Ok(())
}

/// The lake's own prefix that `text` begins with.
fn reserved_prefix(text: &str) -> Option<&'static str> {
    RESERVED.into_iter().find(|prefix| text.starts_with(prefix))
}

/// Where a key, or the beginning of one, lies relative to the lake's root.
pub(crate) fn path_of(text: &str) -> String {
    format!("{}{text}", home_of(text))
}

/// What stands before a key, or the beginning of one, in its path.
pub(crate) fn home_of(text: &str) -> &'static str {
    if reserved_prefix(text).is_some() { "" } else { HOME }
}

/// The key of what lies at `path`.
pub(crate) fn key_at(path: &str) -> &str {
    path.strip_prefix(HOME).unwrap_or(path)
}

impl FromStr for Key {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let broken = |rule| Err(Error::InvalidKey { rule });
        if text.is_empty() {
            return broken("a key may not be empty");
        }
        check_bound(text)?;
        if text.starts_with('/') {
            return broken("a key may not begin with a slash");
        }
        if text.split('/').any(|component| component == "..") {
            return broken("no component of a key may be `..`");
        }
        path::encode(text)?;
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
