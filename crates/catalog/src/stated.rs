//! What a registration says of an object beside its key: all of it must hold.

use std::fmt::Display;

use base::Timestamp;
use serde::Deserialize;
use storage::Entry;

use crate::error::{Error, Result};

/// An object to be registered, with what a list, a put or a manifest told of it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StatedObject {
    /// The key.
    pub key: String,
    /// Its size in bytes.
    pub size: Option<u64>,
    /// Its ETag, without quotes.
    pub etag: Option<String>,
    /// When it was written; compared to the second, since not every store tells more each time.
    pub modified: Option<Timestamp>,
    /// The SHA-256 of its bytes, 64 hexadecimal digits.
    pub sha256: Option<String>,
    /// Its rows.
    pub row_count: Option<u64>,
}

impl From<&str> for StatedObject {
    /// An object of which only the key is stated.
    fn from(key: &str) -> Self {
        Self { key: key.to_owned(), ..Self::default() }
    }
}

impl StatedObject {
    /// Whether it says something that only its bytes can prove.
    pub(crate) fn must_be_read(&self) -> bool {
        self.sha256.is_some() || self.row_count.is_some()
    }

    /// Refuses what the store knows to be otherwise.
    pub(crate) fn expect_entry(&self, entry: &Entry) -> Result<()> {
        let second = |time: Timestamp| time.micros().div_euclid(1_000_000);
        self.expect("size", self.size.as_ref(), &entry.size)?;
        self.expect("ETag", self.etag.as_ref(), &entry.etag)?;
        match self.modified.filter(|stated| second(*stated) != second(entry.modified)) {
            Some(stated) => self.expect("time of change", Some(&stated), &entry.modified),
            None => Ok(()),
        }
    }

    /// Refuses another number of rows.
    pub(crate) fn expect_rows(&self, found: u64) -> Result<()> {
        self.expect("row count", self.row_count.as_ref(), &found)
    }

    /// Refuses other bytes.
    pub(crate) fn expect_sha256(&self, found: &str) -> Result<()> {
        self.expect("SHA-256", self.sha256.as_ref().map(|stated| stated.to_lowercase()).as_ref(), &found.to_owned())
    }

    fn expect<T: PartialEq + Display>(&self, what: &str, stated: Option<&T>, found: &T) -> Result<()> {
        match stated.filter(|stated| *stated != found) {
            None => Ok(()),
            Some(stated) => {
                let key = &self.key;
                Err(Error::Contradiction(format!(
                    "object {key:?} has the {what} {found}, and the call states {stated}"
                )))
            }
        }
    }
}
