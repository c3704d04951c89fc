//! Postings: for each word, the rows whose texts hold it, and how often.

use std::collections::HashMap;

use crate::words::words;

#[cfg(test)]
mod tests;

/// The words of the texts of rows that lie together. Takes two or three bytes for each word of each text.
#[derive(Debug, Default)]
pub struct Postings {
    places: HashMap<Box<str>, Place>,
    /// For each word its rows, ascending: the step from the row before, and how often it stands there, each in as many
    /// bytes of seven bits as it takes.
    bytes: Vec<u8>,
    /// How many words each text has.
    lengths: Vec<u32>,
}

/// Where the rows of a word stand.
#[derive(Debug, Clone, Copy)]
struct Place {
    begin: usize,
    end: usize,
}

/// The rows of a word being gathered.
#[derive(Default)]
struct Draft {
    bytes: Vec<u8>,
    last: u32,
}

impl Postings {
    /// The words of these texts, the first of which is that of row 0. A row without a text holds no word.
    pub fn build<'a>(texts: impl Iterator<Item = Option<&'a str>>) -> Self {
        let mut builder = Builder::default();
        texts.for_each(|text| builder.push(text));
        builder.finish()
    }

    /// How many rows.
    pub fn rows(&self) -> usize {
        self.lengths.len()
    }

    /// How many words the text of a row has.
    pub fn length(&self, row: u32) -> u32 {
        self.lengths.get(row as usize).copied().unwrap_or_default()
    }

    /// The rows whose texts hold a word, ascending, each with how often it does.
    pub fn rows_with(&self, word: &str) -> impl Iterator<Item = (u32, u32)> {
        let place = self.places.get(word).copied().unwrap_or(Place { begin: 0, end: 0 });
        let (mut left, mut row) = (&self.bytes[place.begin..place.end], 0);
        std::iter::from_fn(move || {
            row += take(&mut left)?;
            Some((row, take(&mut left)?))
        })
    }

    /// About how many bytes of memory they take.
    pub fn memory(&self) -> usize {
        let words = self.places.keys().map(|word| word.len() + size_of::<(Box<str>, Place)>() + 8);
        words.sum::<usize>() + self.bytes.len() + self.lengths.len() * size_of::<u32>()
    }
}

/// Postings on their way: rows come one after the other.
#[derive(Default)]
pub struct Builder {
    drafts: HashMap<Box<str>, Draft>,
    lengths: Vec<u32>,
    counts: HashMap<String, u32>,
}

impl Builder {
    /// Adds the next row.
    pub fn push(&mut self, text: Option<&str>) {
        let (row, mut length) = (self.lengths.len() as u32, 0);
        for word in words(text.unwrap_or_default()) {
            *self.counts.entry(word).or_default() += 1;
            length += 1;
        }
        self.lengths.push(length);
        for (word, count) in self.counts.drain() {
            let draft = self.drafts.entry(word.into_boxed_str()).or_default();
            put(&mut draft.bytes, row - draft.last);
            put(&mut draft.bytes, count);
            draft.last = row;
        }
    }

    /// The postings of all rows.
    pub fn finish(self) -> Postings {
        let mut bytes = Vec::with_capacity(self.drafts.values().map(|draft| draft.bytes.len()).sum());
        let mut place = |draft: Draft| {
            let begin = bytes.len();
            bytes.extend(draft.bytes);
            Place { begin, end: bytes.len() }
        };
        let places = self.drafts.into_iter().map(|(word, draft)| (word, place(draft))).collect();
        Postings { places, bytes, lengths: self.lengths }
    }
}

/// Adds a number in bytes of seven bits, the lowest first; all but the last have the eighth bit.
fn put(bytes: &mut Vec<u8>, mut number: u32) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

fn take(bytes: &mut &[u8]) -> Option<u32> {
    let (mut number, mut shift) = (0, 0);
    loop {
        let (first, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u32::from(first & 0x7f) << shift;
        if first & 0x80 == 0 {
            return Some(number);
        }
        shift += 7;
    }
}
