//! Where a cell lies in the text of its block.

use memchr::memchr;

/// The cell was quoted.
const QUOTED: u32 = 1 << 31;
/// The cell holds doubled quotes.
const ESCAPED: u32 = 1 << 30;

/// Where a cell lies in its text: eight bytes, since a block has many of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cell {
    start: u32,
    /// The length in the low bits, `QUOTED` and `ESCAPED` in the high ones.
    mark: u32,
}

impl Cell {
    /// What a short row has in place of a cell: a null.
    pub const MISSING: Self = Self { start: 0, mark: 0 };

    #[expect(clippy::cast_possible_truncation, reason = "a text is at most a row and a block long, far below 2^30")]
    fn new(start: usize, end: usize, flags: u32) -> Self {
        Self { start: start as u32, mark: (end - start) as u32 | flags }
    }

    /// A cell without quotes.
    #[inline]
    pub fn bare(start: usize, end: usize) -> Self {
        Self::new(start, end, 0)
    }

    /// What stands between quotes; `escaped` says that it holds doubled ones.
    #[inline]
    pub fn quoted(start: usize, end: usize, escaped: bool) -> Self {
        Self::new(start, end, if escaped { QUOTED | ESCAPED } else { QUOTED })
    }

    /// The bytes between the delimiters or quotes.
    #[inline]
    pub fn bytes(self, text: &[u8]) -> &[u8] {
        let start = self.start as usize;
        &text[start..start + self.len()]
    }

    /// How many bytes lie between the delimiters or quotes; doubled quotes count twice.
    #[inline]
    pub fn len(self) -> usize {
        (self.mark & !(QUOTED | ESCAPED)) as usize
    }

    /// Whether the cell says nothing: an empty cell without quotes.
    #[inline]
    pub fn is_null(self) -> bool {
        self.mark == 0
    }

    /// Whether doubled quotes must be halved to get the value.
    #[inline]
    pub fn is_escaped(self) -> bool {
        self.mark & ESCAPED != 0
    }

    /// Whether the cell stood in quotes.
    #[inline]
    pub fn is_quoted(self) -> bool {
        self.mark & QUOTED != 0
    }

    /// Where the cell begins in its text, its quote included.
    pub fn begin(self) -> usize {
        self.start as usize - usize::from(self.is_quoted())
    }

    /// Where the cell ends in its text, its quote left out.
    pub fn end(self) -> usize {
        self.start as usize + self.len()
    }

    /// The value, copied, with doubled quotes halved.
    pub fn value(self, text: &[u8], quote: u8) -> Vec<u8> {
        let mut value = Vec::with_capacity(self.len());
        self.copy_into(text, quote, &mut value);
        value
    }

    /// Appends the value with doubled quotes halved.
    pub fn copy_into(self, text: &[u8], quote: u8, into: &mut Vec<u8>) {
        let mut rest = self.bytes(text);
        if self.is_escaped() {
            while let Some(at) = memchr(quote, rest) {
                into.extend_from_slice(&rest[..=at]);
                rest = rest.get(at + 2..).unwrap_or_default();
            }
        }
        into.extend_from_slice(rest);
    }
}
