//! Where a lake lies.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use crate::error::Error;

#[cfg(test)]
mod tests;

/// Where a lake lies. Written `./lake`, `/abs/lake`, `file:///abs/lake`, `s3://bucket/prefix` or `memory:`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// A directory of this machine.
    Directory(PathBuf),
    /// A bucket, and a prefix within it that may be empty.
    S3 {
        /// The bucket's name.
        bucket: String,
        /// Where in the bucket the lake begins, without slashes at either end.
        prefix: String,
    },
    /// The process's memory: gone when it ends.
    Memory,
}

impl FromStr for Location {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        if text == "memory:" {
            return Ok(Self::Memory);
        }
        if let Some(rest) = text.strip_prefix("s3://") {
            return bucket_and_prefix(rest, text);
        }
        let path = text.strip_prefix("file://").unwrap_or(text);
        let foreign = path.contains("://");
        if path.is_empty() || foreign || path.contains('\0') {
            return Err(invalid(text));
        }
        Ok(Self::Directory(PathBuf::from(path)))
    }
}

fn bucket_and_prefix(rest: &str, text: &str) -> Result<Location, Error> {
    let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
    let prefix = prefix.trim_end_matches('/');
    let plain = |part: &str| !part.is_empty() && part != "." && part != "..";
    let named = !bucket.is_empty() && bucket.bytes().all(|b| b.is_ascii_alphanumeric() || b".-_".contains(&b));
    if !named || !(prefix.is_empty() || prefix.split('/').all(plain)) {
        return Err(invalid(text));
    }
    Ok(Location::S3 { bucket: bucket.to_owned(), prefix: prefix.to_owned() })
}

fn invalid(text: &str) -> Error {
    Error::InvalidLocation { given: text.chars().take(300).collect() }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Directory(path) => path.display().fmt(f),
            Self::S3 { bucket, prefix } if prefix.is_empty() => write!(f, "s3://{bucket}"),
            Self::S3 { bucket, prefix } => write!(f, "s3://{bucket}/{prefix}"),
            Self::Memory => f.write_str("memory:"),
        }
    }
}
