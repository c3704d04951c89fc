//! What a person sees of data: nothing in it steers the terminal or turns the direction of reading.

use std::io::{self, Write};

use client::Format;
use mcp::unseen::steers;

/// What our own words are styled with.
pub const BOLD: &str = "\x1b[1m";
pub const DIM: &str = "\x1b[2m";
pub const PLAIN: &str = "\x1b[0m";

/// Text whose lines and tabs stay; every other character that steers is spelled out.
pub fn text(text: &str) -> String {
    spelled(text, |character, seen| seen.extend(character.escape_default()))
}

/// Text on one line: every character that steers is spelled out, the ends of lines among them.
pub fn one_line(text: &str) -> String {
    let mut seen = String::with_capacity(text.len());
    for character in text.chars() {
        if steers(character) { seen.extend(character.escape_default()) } else { seen.push(character) }
    }
    seen
}

/// JSON that means the same: what steers can only stand in its texts, where it has an escape.
pub fn json(text: &str) -> String {
    spelled(text, |character, seen| seen.push_str(&format!("\\u{:04x}", u32::from(character))))
}

/// Words of ours that quote data: only our own styles pass.
pub fn styled(words: &str) -> String {
    let (mut seen, mut rest) = (String::with_capacity(words.len()), words);
    let first = |rest: &str| [BOLD, DIM, PLAIN].into_iter().filter_map(|style| Some((rest.find(style)?, style))).min();
    while let Some((at, style)) = first(rest) {
        seen.push_str(&text(&rest[..at]));
        seen.push_str(style);
        rest = &rest[at + style.len()..];
    }
    seen + &text(rest)
}

fn spelled(text: &str, spell: impl Fn(char, &mut String)) -> String {
    let mut seen = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' | '\t' => seen.push(character),
            _ if steers(character) => spell(character, &mut seen),
            _ => seen.push(character),
        }
    }
    seen
}

/// Shows a stream of bytes that may break within a character.
pub struct Screen<W> {
    out: W,
    spell: fn(&str) -> String,
    /// The beginning of a character whose end has not come yet.
    begun: Vec<u8>,
}

impl<W: Write> Screen<W> {
    /// A screen for rows in this format.
    pub fn new(out: W, format: Format) -> Self {
        let spell = if format == Format::Ndjson { json } else { text };
        Self { out, spell, begun: Vec::new() }
    }

    /// Shows what is whole.
    pub fn show(&mut self, piece: &[u8]) -> io::Result<()> {
        self.begun.extend_from_slice(piece);
        let whole = match std::str::from_utf8(&self.begun) {
            Err(error) if error.error_len().is_none() => error.valid_up_to(),
            _ => self.begun.len(),
        };
        let rest = self.begun.split_off(whole);
        let bytes = std::mem::replace(&mut self.begun, rest);
        self.out.write_all((self.spell)(&String::from_utf8_lossy(&bytes)).as_bytes())
    }

    /// Shows what is left.
    pub fn end(mut self) -> io::Result<()> {
        let left = String::from_utf8_lossy(&self.begun).into_owned();
        self.out.write_all(left.as_bytes())?;
        self.out.flush()
    }
}
