//! Texts one after another: the form in which a fragment keeps ids and metadata.

use std::ops::Range;

use crate::layout::{Flaw, number};

/// The length of an offset.
const OFFSET: usize = 4;

/// Texts being gathered.
#[derive(Debug)]
pub(crate) struct TextsWriter {
    offsets: Vec<u8>,
    bytes: Vec<u8>,
}

impl TextsWriter {
    /// No texts yet.
    pub fn new() -> Self {
        Self { offsets: 0_u32.to_le_bytes().to_vec(), bytes: Vec::new() }
    }

    /// Adds a text. None when all texts together grow beyond 4 GiB.
    pub fn push(&mut self, text: &[u8]) -> Option<()> {
        self.bytes.extend_from_slice(text);
        let end = u32::try_from(self.bytes.len()).ok()?;
        self.offsets.extend_from_slice(&end.to_le_bytes());
        Some(())
    }

    /// The section's bytes.
    pub fn finish(self) -> Vec<u8> {
        let mut section = self.offsets;
        section.extend_from_slice(&self.bytes);
        section
    }
}

/// Checks that a section holds so many texts.
pub(crate) fn check(section: &[u8], count: usize) -> Result<(), Flaw> {
    let broken = Flaw::Broken("the offsets of its texts are wrong");
    let begin = (count + 1) * OFFSET;
    let bytes = section.get(begin..).ok_or(broken.clone())?;
    let text = std::str::from_utf8(bytes).map_err(|_| Flaw::Broken("its texts are not UTF-8"))?;
    let offsets = (0..=count).map(|at| number(section, at * OFFSET) as usize);
    let whole = number(section, 0) == 0 && number(section, count * OFFSET) as usize == bytes.len();
    let cut_well = offsets.clone().all(|offset| text.is_char_boundary(offset));
    if whole && cut_well && offsets.is_sorted() { Ok(()) } else { Err(broken) }
}

/// One text of a section that was checked to hold `count` of them.
pub(crate) fn get(section: &[u8], count: usize, at: usize) -> &[u8] {
    let place = begin(count) + number(section, at * OFFSET) as usize
        ..begin(count) + number(section, (at + 1) * OFFSET) as usize;
    slice(section, place)
}

fn begin(count: usize) -> usize {
    (count + 1) * OFFSET
}

fn slice(section: &[u8], place: Range<usize>) -> &[u8] {
    section.get(place).unwrap_or_default()
}
