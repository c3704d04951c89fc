//! One file of a stream: a line that says what it is, then the lines that were appended together; in a bundle, those of
//! 256 appends.

use base::Facts;
use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::members::{self, Flaw};
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
    writer: Writer,
    lines: usize,
}

/// One append, or those of a bundle with the lines of each.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Writer {
    One(String),
    Each(Vec<(String, usize)>),
}

/// A fragment of which every line reads.
pub(crate) struct Sound<'a> {
    /// Which append wrote it.
    pub(crate) writer: String,
    /// How many lines there are.
    pub(crate) count: usize,
    /// They, each with its end.
    pub(crate) body: &'a [u8],
}

impl Line {
    /// The line of these members.
    pub fn of(members: &impl Serialize) -> Result<Self> {
        let text = serde_json::to_string(members).map_err(|_| Error::Line { line: 1 })?;
        Self::checked(text, 1)
    }

    /// Lines as a file of them has them, letter by letter, empty ones left out.
    pub fn read(text: &str) -> Result<Vec<Self>> {
        let lines = (1..).zip(text.lines().map(str::trim)).filter(|(_, line)| !line.is_empty());
        let read = |(at, line): (usize, &str)| match members::check(line) {
            Ok(()) => Self::checked(line.to_owned(), at),
            Err(Flaw::NoObject) => Err(Error::Line { line: at }),
            Err(Flaw::Twice(member)) => Err(Error::Twice { line: at, member: member.chars().take(100).collect() }),
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

/// The bytes of a fragment.
pub(crate) fn encode<'a>(writer: &str, lines: impl Iterator<Item = &'a Line> + Clone) -> Bytes {
    let mut text = head(Writer::One(writer.to_owned()), lines.clone().count());
    for line in lines {
        text.push_str(&line.0);
        text.push('\n');
    }
    text.into()
}

/// The bytes of a bundle of these appends with so many lines each, which stand one after the other in `body`.
pub(crate) fn encode_bundle(writers: Vec<(String, usize)>, body: &[u8]) -> Bytes {
    let lines = writers.iter().map(|(_, lines)| lines).sum();
    let mut bytes = head(Writer::Each(writers), lines).into_bytes();
    bytes.extend_from_slice(body);
    bytes.into()
}

/// The first line, with its end.
fn head(writer: Writer, lines: usize) -> String {
    // Numbers and texts: this cannot fail.
    let mut text = serde_json::to_string(&Head { format: FORMAT, writer, lines }).unwrap_or_default();
    text.push('\n');
    text
}

/// Whether an append wrote a file, or a part of it.
pub(crate) fn wrote(bytes: &[u8], writer: &str) -> bool {
    match head_of(bytes).map(|head| head.writer) {
        Some(Writer::One(one)) => one == writer,
        Some(Writer::Each(all)) => all.iter().any(|(one, _)| one == writer),
        None => false,
    }
}

/// How many lines the first so many fragments of a bundle have together.
pub(crate) fn lines_of_first(bytes: &[u8], fragments: usize) -> usize {
    match head_of(bytes).map(|head| head.writer) {
        Some(Writer::Each(all)) => all.iter().take(fragments).map(|(_, lines)| lines).sum(),
        _ => 0,
    }
}

/// A fragment as a bundle takes it; none where something in it does not read.
pub(crate) fn sound(bytes: &[u8]) -> Option<Sound<'_>> {
    let Head { format: FORMAT, writer: Writer::One(writer), lines: count } = head_of(bytes)? else { return None };
    let begin = bytes.iter().position(|byte| *byte == b'\n')? + 1;
    let body = &bytes[begin..];
    let mut lines = body.strip_suffix(b"\n")?.split(|byte| *byte == b'\n');
    let is_whole = lines.clone().count() == count;
    let reads = |line: &[u8]| serde_json::from_slice::<Facts>(line).is_ok();
    (is_whole && lines.all(reads)).then_some(Sound { writer, count, body })
}

fn head_of(bytes: &[u8]) -> Option<Head> {
    serde_json::from_slice(bytes.split(|byte| *byte == b'\n').next()?).ok()
}

/// The lines of a file. Those that do not read are told and left out.
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
        match members::read(line) {
            Ok(members) => read.push(members),
            Err(_) => skipped.push(skip(at)),
        }
    }
    // What was cut off at the end is missed by its count.
    let missed = stated.unwrap_or_default().saturating_sub(read.len() + skipped.len());
    skipped.extend((0..missed).map(|more| skip(2 + read.len() + more)));
    Ok((read, skipped))
}
