//! Names of streams.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::error::Error;

/// Model output that was checked until it counted, or did not.
const SESSIONS: &str = "sessions";
/// Conversations with models in runs.
const CHATS: &str = "chats";
/// Searches in runs.
const SEARCHES: &str = "searches";
/// Checks in runs.
const VALIDATIONS: &str = "validations";
/// Where the streams of a lake lie.
pub(crate) const FOLDER: &str = "streams/";
/// Streams that only the house itself writes.
const OWN: [&str; 4] = [SESSIONS, CHATS, SEARCHES, VALIDATIONS];

/// A stream's name: a small letter, then small letters, digits and `_`, at most 64 of them.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StreamName(Arc<str>);

impl StreamName {
    /// The stream of sessions.
    pub fn sessions() -> Self {
        Self(SESSIONS.into())
    }

    /// The stream of conversations with models in runs.
    pub fn chats() -> Self {
        Self(CHATS.into())
    }

    /// The stream of searches in runs.
    pub fn searches() -> Self {
        Self(SEARCHES.into())
    }

    /// The stream of checks in runs.
    pub fn validations() -> Self {
        Self(VALIDATIONS.into())
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether only the house itself writes it.
    pub fn is_own(&self) -> bool {
        OWN.contains(&self.as_str())
    }

    /// Where the stream's files lie.
    pub(crate) fn folder(&self) -> String {
        format!("{FOLDER}{self}/")
    }
}

impl FromStr for StreamName {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        let begins = text.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase());
        if begins && text.len() <= 64 && text.bytes().all(plain) {
            return Ok(Self(text.into()));
        }
        Err(Error::Name { given: text.chars().take(100).collect() })
    }
}

impl fmt::Display for StreamName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
