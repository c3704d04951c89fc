//! Finds the cells of one record. This is the innermost loop of a load: it copies nothing and looks at each byte once.

use memchr::{memchr, memchr2, memchr3};

use super::COLUMN_LIMIT;
use crate::cell::Cell;

#[cfg(test)]
mod tests;

/// The two characters that give CSV its form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dialect {
    /// Stands between cells.
    pub delimiter: u8,
    /// Stands around cells that hold delimiters, line ends or quotes.
    pub quote: u8,
}

/// What lies at one place of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// A whole record.
    Record {
        /// Where the next one begins.
        next: usize,
    },
    /// A line of no bytes.
    Blank {
        /// Where the next one begins.
        next: usize,
    },
    /// The text ends inside a record and more of it is to come.
    Partial,
    /// A record with bad quoting; it reaches to the end of the line on which that shows.
    Bad {
        /// Where the next one begins.
        next: usize,
        /// What is wrong.
        fault: QuoteFault,
    },
}

/// What can be wrong with quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QuoteFault {
    /// The file ends inside a quoted cell.
    Unclosed,
    /// Text follows a closing quote.
    TextAfterQuote,
}

/// Splits the record at `at`, pushing its cells, at most one more than a table may have columns. `end` says that the
/// text is the last of the file.
pub fn record(dialect: Dialect, text: &[u8], at: usize, end: bool, cells: &mut Vec<Cell>) -> Step {
    if let Some(b'\n' | b'\r') = text.get(at) {
        return after_line(text, at, end).map_or(Step::Partial, |next| Step::Blank { next });
    }
    let most = cells.len() + COLUMN_LIMIT;
    let mut at = at;
    loop {
        if cells.len() > most {
            // That it is too wide is known; a text of mere delimiters must not become a giant index.
            cells.truncate(most);
        }
        let stop = if text.get(at) == Some(&dialect.quote) {
            match quoted(dialect, text, at, end, cells) {
                Ok(stop) => stop,
                Err(step) => return step,
            }
        } else {
            let stop = memchr3(dialect.delimiter, b'\n', b'\r', &text[at..]).map_or(text.len(), |offset| at + offset);
            cells.push(Cell::bare(at, stop));
            stop
        };
        match text.get(stop) {
            Some(&byte) if byte == dialect.delimiter => at = stop + 1,
            Some(_) => return after_line(text, stop, end).map_or(Step::Partial, |next| Step::Record { next }),
            None if end => return Step::Record { next: stop },
            None => return Step::Partial,
        }
    }
}

/// Takes the quoted cell that opens at `open`; answers where the delimiter or line end after it is.
fn quoted(dialect: Dialect, text: &[u8], open: usize, end: bool, cells: &mut Vec<Cell>) -> Result<usize, Step> {
    let mut escaped = false;
    let mut from = open + 1;
    loop {
        let Some(offset) = memchr(dialect.quote, &text[from..]) else {
            let unclosed = Step::Bad { next: text.len(), fault: QuoteFault::Unclosed };
            return Err(if end { unclosed } else { Step::Partial });
        };
        let quote = from + offset;
        match text.get(quote + 1) {
            Some(&byte) if byte == dialect.quote => {
                escaped = true;
                from = quote + 2;
            }
            None if !end => return Err(Step::Partial),
            Some(&byte) if byte != dialect.delimiter && byte != b'\n' && byte != b'\r' => {
                return Err(text_after_quote(text, quote + 1, end));
            }
            _ => {
                cells.push(Cell::quoted(open + 1, quote, escaped));
                return Ok(quote + 1);
            }
        }
    }
}

/// A record with text after a closing quote is refused up to the end of that line: where it was meant to end is
/// anyone's guess, and nothing is guessed.
fn text_after_quote(text: &[u8], from: usize, end: bool) -> Step {
    let fault = QuoteFault::TextAfterQuote;
    match memchr2(b'\n', b'\r', &text[from..]) {
        Some(offset) => after_line(text, from + offset, end).map_or(Step::Partial, |next| Step::Bad { next, fault }),
        None if end => Step::Bad { next: text.len(), fault },
        None => Step::Partial,
    }
}

/// Where the line after the line end at `at` begins; none when a carriage return may still get its line feed.
fn after_line(text: &[u8], at: usize, end: bool) -> Option<usize> {
    match (text[at], text.get(at + 1)) {
        (b'\r', Some(b'\n')) => Some(at + 2),
        (b'\r', None) if !end => None,
        _ => Some(at + 1),
    }
}

/// How many line ends a text holds: line feeds, and carriage returns without one.
pub fn count_lines(text: &[u8]) -> u64 {
    let feeds = memchr::memchr_iter(b'\n', text).count();
    let lone = memchr::memchr_iter(b'\r', text).filter(|&at| text.get(at + 1) != Some(&b'\n')).count();
    (feeds + lone) as u64
}
