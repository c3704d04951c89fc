//! Versions of the lake, and the three ways to name one.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::seam::Timestamp;

#[cfg(test)]
mod tests;

/// The state of the whole lake after a record of its log: that record's number. 0 is the empty lake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, Default)]
#[serde(transparent)]
pub struct Version(pub u64);

impl Version {
    /// The version after this one.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A name given to a version: `[A-Za-z][A-Za-z0-9_.-]{0,63}`, so never confused with a number or a time.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tag(Arc<str>);

impl Tag {
    /// The tag as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Tag {
    type Err = AsOfError;

    fn from_str(text: &str) -> Result<Self, AsOfError> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-');
        let starts = text.as_bytes().first().is_some_and(u8::is_ascii_alphabetic);
        if starts && text.len() <= 64 && text.bytes().all(plain) {
            return Ok(Self(text.into()));
        }
        Err(AsOfError { given: text.chars().take(100).collect() })
    }
}

impl Serialize for Tag {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Tag {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Which version a read wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AsOf {
    /// Exactly this one.
    Version(Version),
    /// The last one at or before this time.
    Time(Timestamp),
    /// The one that carries this tag now.
    Tag(Tag),
}

/// Why a text names no version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{given:?} names no version: use a version number, an RFC 3339 time such as 2026-11-22T08:00:00Z, or a tag")]
pub struct AsOfError {
    given: String,
}

impl FromStr for AsOf {
    type Err = AsOfError;

    fn from_str(text: &str) -> Result<Self, AsOfError> {
        let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        if digits && let Ok(number) = text.parse() {
            return Ok(Self::Version(Version(number)));
        }
        if let Ok(time) = text.parse() {
            return Ok(Self::Time(time));
        }
        text.parse().map(Self::Tag)
    }
}

impl<'de> Deserialize<'de> for AsOf {
    /// Accepts a JSON number (a version) or a string (digits, a time, a tag).
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        use serde::de::Error;
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "as_of takes a version number, an RFC 3339 time or a tag")]
        enum Written {
            Number(u64),
            Text(String),
        }
        match Written::deserialize(from)? {
            Written::Number(number) => Ok(Self::Version(Version(number))),
            Written::Text(text) => text.parse().map_err(D::Error::custom),
        }
    }
}

impl Serialize for AsOf {
    /// A version is a number, a time or a tag a string: what `Deserialize` reads back as the same.
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Version(version) => version.serialize(to),
            Self::Time(time) => time.serialize(to),
            Self::Tag(tag) => tag.serialize(to),
        }
    }
}

impl fmt::Display for AsOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Version(version) => version.fmt(f),
            Self::Time(time) => time.fmt(f),
            Self::Tag(tag) => tag.fmt(f),
        }
    }
}
