//! Which characters stand between cells and around them.

use super::split::{self, Dialect, Step};
use crate::error::{Error, Result};

#[cfg(test)]
mod tests;

/// What may stand between cells when the request does not say, the likeliest first.
const DELIMITERS: [u8; 4] = [b',', b'\t', b';', b'|'];
/// How many records are looked at.
const SAMPLE: usize = 200;

/// The dialect of the text at the head of a file; `end` says that it is the whole file.
///
/// A delimiter is one that gives the header several cells and most records as many; a header that none splits is one
/// column of a file with commas. Single quotes count as quotes only when the whole header wears them, because an
/// apostrophe is far likelier.
pub fn detect(head: &[u8], end: bool, delimiter: Option<u8>) -> Dialect {
    let delimiters = delimiter.map_or(DELIMITERS.to_vec(), |given| vec![given]);
    let mut best = (Dialect { delimiter: delimiters[0], quote: b'"' }, Score::default());
    for quote in [b'"', b'\''] {
        for &delimiter in &delimiters {
            let dialect = Dialect { delimiter, quote };
            let score = Score::of(dialect, head, end);
            if score.splits && score > best.1 && (quote == b'"' || score.header_quoted) {
                best = (dialect, score);
            }
        }
    }
    best.0
}

/// How well a dialect explains a text; compared field by field.
#[derive(Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Score {
    /// The header has more than one cell.
    splits: bool,
    /// Every cell of the header is quoted.
    header_quoted: bool,
    /// Records of the header's width, in hundredths of those looked at.
    steady: usize,
    /// Cells of the header.
    width: usize,
}

impl Score {
    fn of(dialect: Dialect, head: &[u8], end: bool) -> Self {
        let widths = widths(dialect, head, end);
        let Some((&(width, header_quoted), rest)) = widths.split_first() else {
            return Self::default();
        };
        let alike = rest.iter().filter(|(other, _)| *other == width).count();
        let steady = if rest.is_empty() { 100 } else { alike * 100 / rest.len() };
        Self { splits: width > 1, header_quoted, steady, width }
    }
}

/// The width of each record of the sample, zero for a bad one, and whether all its cells are quoted.
fn widths(dialect: Dialect, head: &[u8], end: bool) -> Vec<(usize, bool)> {
    let mut widths = Vec::new();
    let mut cells = Vec::new();
    let mut at = 0;
    while at < head.len() && widths.len() < SAMPLE {
        cells.clear();
        at = match split::record(dialect, head, at, end, &mut cells) {
            Step::Record { next } => {
                widths.push((cells.len(), cells.iter().all(|cell| cell.is_quoted())));
                next
            }
            Step::Bad { next, .. } => {
                widths.push((0, false));
                next
            }
            Step::Blank { next } => next,
            Step::Partial => break,
        };
    }
    widths
}

/// Reads the `delimiter` option: one ASCII character that is no quote and no line end, or `tab`.
pub fn parse_delimiter(text: &str) -> Result<u8> {
    match text.as_bytes() {
        b"tab" | b"\\t" => Ok(b'\t'),
        &[byte] if byte.is_ascii() && !matches!(byte, b'"' | b'\'' | b'\n' | b'\r' | 0) => Ok(byte),
        _ => Err(Error::Option {
            name: "delimiter",
            given: text.chars().take(100).collect(),
            rule: "one ASCII character other than a quote or a line end, or `tab`",
        }),
    }
}
