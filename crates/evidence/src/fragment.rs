//! One file of a stream: a line that says what it is, then the lines that were appended together; in a bundle, those of
//! many appends.

use std::ops::Range;

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

/// What of a stream does not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// The file, relative to the lake.
    pub file: String,
    /// What of it.
    pub what: Unread,
}

/// How much of a file does not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unread {
    /// One line, from 1.
    Line(usize),
    /// All of it: the file is gone.
    Gone,
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

/// A file of which every line reads.
pub(crate) struct Sound<'a> {
    /// Which appends wrote it, and how many lines each.
    pub(crate) writers: Vec<(String, usize)>,
    /// The lines, each with its end.
    pub(crate) body: &'a [u8],
}

/// All lines of a file.
pub(crate) const WHOLE: Range<usize> = 0..usize::MAX;

impl Head {
    fn writers(self) -> Vec<(String, usize)> {
        match self.writer {
            Writer::One(writer) => vec![(writer, self.lines)],
            Writer::Each(all) => all,
        }
    }
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
            Err(Flaw::Unreadable(why)) => Err(Error::Unreadable { line: at, why }),
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

/// Which lines of a bundle are those of its fragments from one to another, both counted from 0.
pub(crate) fn lines_of(bytes: &[u8], fragments: Range<usize>) -> Range<usize> {
    let counts: Vec<usize> = writers_of(bytes).into_iter().map(|(_, lines)| lines).collect();
    let up_to = |fragment: usize| counts.iter().take(fragment).sum();
    up_to(fragments.start)..up_to(fragments.end)
}

/// How many fragments of a bundle from one on come to at least so many bytes, or all that are left; 0 where it does not
/// read.
pub(crate) fn fragments_within(bytes: &[u8], from: usize, most: usize) -> usize {
    let mut sizes = bytes.split(|byte| *byte == b'\n').skip(1).map(<[u8]>::len);
    let counts = writers_of(bytes).into_iter().map(|(_, lines)| lines);
    let each = counts.map(|lines| sizes.by_ref().take(lines).sum::<usize>());
    let mut size = 0;
    let fits = |more: &usize| {
        let is_open = size < most;
        size += more;
        is_open
    };
    each.skip(from).take_while(fits).count()
}

/// A file as a bundle takes it; none where something in it does not read.
pub(crate) fn sound(bytes: &[u8]) -> Option<Sound<'_>> {
    let head = head_of(bytes).filter(|head| head.format == FORMAT)?;
    let count = head.lines;
    let writers = head.writers();
    let begin = bytes.iter().position(|byte| *byte == b'\n')? + 1;
    let body = &bytes[begin..];
    let mut lines = body.strip_suffix(b"\n")?.split(|byte| *byte == b'\n');
    let is_whole = lines.clone().count() == count && writers.iter().map(|(_, lines)| lines).sum::<usize>() == count;
    let reads = |line: &[u8]| serde_json::from_slice::<Facts>(line).is_ok();
    (is_whole && lines.all(reads)).then_some(Sound { writers, body })
}

/// The appends of a file, and how many lines each; nothing where it does not read.
fn writers_of(bytes: &[u8]) -> Vec<(String, usize)> {
    head_of(bytes).map(Head::writers).unwrap_or_default()
}

fn head_of(bytes: &[u8]) -> Option<Head> {
    serde_json::from_slice(bytes.split(|byte| *byte == b'\n').next()?).ok()
}

/// Some lines of a file. Those that do not read are told and left out.
pub(crate) fn decode(
    stream: &StreamName,
    file: &str,
    bytes: &[u8],
    part: Range<usize>,
) -> Result<(Vec<Facts>, Vec<Skipped>)> {
    let skip = |line| Skipped { file: file.to_owned(), what: Unread::Line(line) };
    let (mut read, mut skipped) = (Vec::new(), Vec::new());
    let stated = match head_of(bytes) {
        Some(head) if head.format > FORMAT => {
            return Err(Error::NewerFormat { stream: stream.to_string(), format: head.format });
        }
        Some(head) => Some(head.lines.min(part.end).saturating_sub(part.start)),
        None => {
            skipped.push(skip(1));
            None
        }
    };
    let lines = (1..).zip(bytes.split(|byte| *byte == b'\n')).skip(1).filter(|(_, line)| !line.is_empty());
    for (at, line) in lines.skip(part.start).take(part.len()) {
        match members::read(line) {
            Ok(members) => read.push(members),
            Err(_) => skipped.push(skip(at)),
        }
    }
    // What was cut off at the end is missed by its count.
    let found = read.len() + skipped.len();
    let missed = stated.unwrap_or_default().saturating_sub(found);
    skipped.extend((0..missed).map(|more| skip(2 + part.start + found + more)));
    Ok((read, skipped))
}
