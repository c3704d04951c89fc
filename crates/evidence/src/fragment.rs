//! One file of a stream: a line that says what it is, then the lines that were appended together.

use base::Facts;
use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::name::StreamName;

/// The format that is written.
const FORMAT: u64 = 1;
/// The largest line, in bytes.
const LARGEST: usize = 4 << 20;

/// A line of a stream, checked to be a JSON object.
#[derive(Debug, Clone, PartialEq)]
pub struct Line(String);

/// A line that does not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// The file, relative to the lake.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
}

/// What the first line says.
#[derive(Serialize, Deserialize)]
struct Head {
    format: u64,
    /// Which append wrote the file: what stands under a number decides, not what the store said of the write.
    writer: String,
    lines: usize,
}

impl Line {
    /// The line of these members.
    pub fn of(members: &impl Serialize) -> Result<Self> {
        let text = serde_json::to_string(members).map_err(|_| Error::Line { line: 1 })?;
        Self::checked(text, 1)
    }

    /// Lines as a file of them has them, empty ones left out.
    pub fn read(text: &str) -> Result<Vec<Self>> {
        let lines = (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty());
        let read = |(at, line): (usize, &str)| match serde_json::from_str::<Facts>(line) {
            // Written anew, so that a stream's lines are all of one spelling.
            Ok(members) => Self::checked(serde_json::to_string(&members).unwrap_or_default(), at),
            Err(_) => Err(Error::Line { line: at }),
        };
        lines.map(read).collect()
    }

    fn checked(text: String, line: usize) -> Result<Self> {
        if text.len() > LARGEST {
            return Err(Error::TooLarge { line });
        }
        if text.starts_with('{') { Ok(Self(text)) } else { Err(Error::Line { line }) }
    }

    /// How many bytes it takes.
    pub(crate) fn size(&self) -> usize {
        self.0.len() + 1
    }
}

/// The path of a fragment.
pub(crate) fn path(stream: &StreamName, number: u64) -> String {
    format!("{}{number:020}.jsonl", stream.folder())
}

/// The number of the fragment at a path; none for other files.
pub(crate) fn number_of(path: &str) -> Option<u64> {
    path.rsplit_once('/')?.1.strip_suffix(".jsonl")?.parse().ok()
}

/// The bytes of a fragment.
pub(crate) fn encode<'a>(writer: &str, lines: impl Iterator<Item = &'a Line> + Clone) -> Bytes {
    let head = Head { format: FORMAT, writer: writer.to_owned(), lines: lines.clone().count() };
    // A number and two texts: this cannot fail.
    let mut text = serde_json::to_string(&head).unwrap_or_default();
    for line in lines {
        text.push('\n');
        text.push_str(&line.0);
    }
    text.push('\n');
    text.into()
}

/// Which append wrote a fragment; none where that does not read.
pub(crate) fn writer_of(bytes: &[u8]) -> Option<String> {
    head_of(bytes).map(|head| head.writer)
}

fn head_of(bytes: &[u8]) -> Option<Head> {
    serde_json::from_slice(bytes.split(|byte| *byte == b'\n').next()?).ok()
}

/// The lines of a fragment. Those that do not read are told and left out.
pub(crate) fn decode(stream: &StreamName, file: &str, bytes: &[u8]) -> Result<(Vec<Facts>, Vec<Skipped>)> {
    let skip = |line| Skipped { file: file.to_owned(), line };
    let (mut read, mut skipped) = (Vec::new(), Vec::new());
    let stated = match head_of(bytes) {
        Some(head) if head.format > FORMAT => {
            return Err(Error::NewerFormat { stream: stream.to_string(), format: head.format });
        }
        Some(head) => Some(head.lines),
        None => {
            skipped.push(skip(1));
            None
        }
    };
    let lines = (1..).zip(bytes.split(|byte| *byte == b'\n')).skip(1).filter(|(_, line)| !line.is_empty());
    for (at, line) in lines {
        match serde_json::from_slice(line) {
            Ok(members) => read.push(members),
            Err(_) => skipped.push(skip(at)),
        }
    }
    // What was cut off at the end is missed by its count.
    let missed = stated.unwrap_or_default().saturating_sub(read.len() + skipped.len());
    skipped.extend((0..missed).map(|more| skip(2 + read.len() + more)));
    Ok((read, skipped))
}
