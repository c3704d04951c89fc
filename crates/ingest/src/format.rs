//! What kind of file it is: by its content, by what is said of it, and never by a guess between the two.

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Result};
use crate::unpack::Packing;

#[cfg(test)]
mod tests;

/// How many bytes at the head of a file are looked at.
pub const HEAD: usize = 64 << 10;

/// A kind of file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Text in cells, with a header.
    Csv,
    /// One JSON object on each line.
    Ndjson,
    /// An array of JSON objects, or objects one after the other.
    Json,
    /// Columns in binary.
    Parquet,
}

/// What a request says of its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stated {
    /// The `format` parameter.
    pub format: Option<Format>,
    /// What the content type of the body names.
    pub media: Option<Format>,
}

impl Format {
    /// The word as it stands in requests.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Ndjson => "ndjson",
            Self::Json => "json",
            Self::Parquet => "parquet",
        }
    }

    /// What a content type names; none when it says nothing certain.
    pub fn of_media_type(stated: &str) -> Option<Self> {
        match stated {
            "text/csv" | "application/csv" | "text/tab-separated-values" => Some(Self::Csv),
            "application/x-ndjson" | "application/ndjson" | "application/jsonl" | "application/x-jsonlines" => {
                Some(Self::Ndjson)
            }
            "application/json" => Some(Self::Json),
            "application/vnd.apache.parquet" | "application/x-parquet" => Some(Self::Parquet),
            _ => None,
        }
    }

    /// Decides from the unpacked head of a file and what is said of it. A contradiction is refused.
    pub fn decide(head: &[u8], stated: Stated) -> Result<Self> {
        refuse_foreign(head)?;
        if head.iter().all(u8::is_ascii_whitespace) {
            return Ok(stated.format.or(stated.media).unwrap_or(Self::Csv));
        }
        let seen = Self::seen(head);
        let refuse = |said: Self, by: &str| {
            let reason = format!(
                "{by} says {said}, but the file begins like {seen}: state its format as csv, ndjson, json or parquet"
            );
            Err(Error::Format { reason })
        };
        match stated {
            Stated { format: Some(said), .. } if said.may_be(seen) => Ok(said.or_seen(seen)),
            // Text may begin with a bracket and be CSV all the same, when somebody says so.
            Stated { format: Some(Self::Csv), .. } if seen != Self::Parquet => Ok(Self::Csv),
            Stated { format: Some(said), .. } => refuse(said, "the parameter `format`"),
            Stated { media: Some(said), .. } if said.is_json() && seen.is_json() => Ok(seen),
            Stated { media: Some(said), .. } if said != seen => refuse(said, "the content type"),
            _ => Ok(seen),
        }
    }

    /// What the content looks like.
    fn seen(head: &[u8]) -> Self {
        if head.starts_with(b"PAR1") {
            return Self::Parquet;
        }
        let text = [&b"\xef\xbb\xbf"[..], b"\xff\xfe", b"\xfe\xff"].iter().find_map(|mark| head.strip_prefix(*mark));
        let mut text = text.unwrap_or(head).iter().filter(|byte| !matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | 0));
        match text.next() {
            Some(b'[') => Self::Json,
            Some(b'{') if spans_lines(head) => Self::Json,
            Some(b'{') => Self::Ndjson,
            _ => Self::Csv,
        }
    }

    fn may_be(self, seen: Self) -> bool {
        self == seen || (self == Self::Json && seen == Self::Ndjson)
    }

    /// Objects one after the other, each on its line, are best read by lines, whatever they are called.
    fn or_seen(self, seen: Self) -> Self {
        if self == Self::Json { seen } else { self }
    }

    fn is_json(self) -> bool {
        matches!(self, Self::Json | Self::Ndjson)
    }
}

/// Whether the first line of a text that begins with an object ends inside that object.
fn spans_lines(head: &[u8]) -> bool {
    let begin = head.iter().position(|&byte| byte == b'{').unwrap_or_default();
    let Some(length) = head[begin..].iter().position(|&byte| byte == b'\n') else { return false };
    let (mut depth, mut quoted, mut escaped) = (0_i64, false, false);
    for &byte in &head[begin..begin + length] {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'{' | b'[' if !quoted => depth += 1,
            b'}' | b']' if !quoted => depth -= 1,
            _ => {}
        }
    }
    depth > 0 && !quoted
}

/// Files that would be read as one strange column of text.
fn refuse_foreign(head: &[u8]) -> Result<()> {
    let kind = match head {
        _ if Packing::of(head).is_some() => "packed twice",
        [b'P', b'K', 3, 4, ..] => "a ZIP archive or an Excel workbook",
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => "packed with xz",
        [b'B', b'Z', b'h', b'1'..=b'9', 0x31, 0x41, 0x59, ..] => "packed with bzip2",
        [b'O', b'b', b'j', 1, ..] => "Avro",
        [b'A', b'R', b'R', b'O', b'W', b'1', 0, 0, ..] => "Arrow",
        _ => return Ok(()),
    };
    let reason = format!("it is {kind}; what can be loaded is CSV, JSON and Parquet, packed with gzip or zstd or not");
    Err(Error::Format { reason })
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Format {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let known = [Self::Csv, Self::Ndjson, Self::Json, Self::Parquet];
        known.into_iter().find(|format| format.as_str() == text).ok_or_else(|| Error::Option {
            name: "format",
            given: text.chars().take(100).collect(),
            rule: "`csv`, `ndjson`, `json` or `parquet`",
        })
    }
}
