//! Reads one record: an object whose values become cells.

use super::DEPTH_LIMIT;
use super::frame::is_space;
use super::names::Names;
use crate::cell::Cell;

#[cfg(test)]
mod tests;

/// Why a record cannot be loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Flaw {
    /// It is not JSON, or no object.
    Syntax {
        /// Where in the record.
        at: usize,
        /// What is wrong there.
        reason: &'static str,
    },
    /// One of its keys makes no column.
    Key {
        /// The full name.
        name: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The file as a whole has more keys than any table has columns.
    TooManyKeys,
}

/// The values of a record by their key.
pub type Entry = (u32, Cell);

/// Reads one record. Strings, and everything else as it stands, are appended to `out`, and `entries` points there;
/// arrays become their JSON text without white space; nulls are left out.
pub fn record(text: &[u8], names: &mut Names, out: &mut Vec<u8>, entries: &mut Vec<Entry>) -> Result<(), Flaw> {
    let (known, written, entered) = (names.len(), out.len(), entries.len());
    names.begin();
    let mut parser = Parser { text, at: 0, names, out, entries, key: Vec::new() };
    let parsed = parser.record();
    match &parsed {
        Ok(()) => names.keep(known),
        Err(_) => {
            names.take_back(known);
            out.truncate(written);
            entries.truncate(entered);
        }
    }
    parsed
}

struct Parser<'a> {
    text: &'a [u8],
    at: usize,
    names: &'a mut Names,
    out: &'a mut Vec<u8>,
    entries: &'a mut Vec<Entry>,
    /// Room for a key that has escapes.
    key: Vec<u8>,
}

type Parsed<T> = Result<T, Flaw>;

impl Parser<'_> {
    fn record(&mut self) -> Parsed<()> {
        self.skip_space();
        if self.peek() != Some(b'{') {
            return self.flaw("an object is expected, which begins with `{`");
        }
        self.object(Names::ROOT, 1)?;
        self.skip_space();
        if self.at < self.text.len() { self.flaw("something follows the object") } else { Ok(()) }
    }

    fn object(&mut self, parent: u32, depth: usize) -> Parsed<()> {
        self.open(depth)?;
        if self.take(b'}') {
            return Ok(());
        }
        loop {
            let key = self.key(parent)?;
            if self.peek() == Some(b'{') {
                self.object(key, depth + 1)?;
            } else if let Some(cell) = self.value(depth)? {
                self.names.raise(key);
                self.entries.push((key, cell));
            }
            if !self.goes_on(b'}', "a comma or the end of the object is missing")? {
                return Ok(());
            }
        }
    }

    /// Steps into an object or an array.
    fn open(&mut self, depth: usize) -> Parsed<()> {
        if depth > DEPTH_LIMIT {
            return self.flaw("values are nested more than 128 deep");
        }
        self.at += 1;
        self.skip_space();
        Ok(())
    }

    /// Steps over a comma, or out of what is around.
    fn goes_on(&mut self, close: u8, reason: &'static str) -> Parsed<bool> {
        self.skip_space();
        if self.take(close) {
            return Ok(false);
        }
        if !self.take(b',') {
            return self.flaw(reason);
        }
        self.skip_space();
        Ok(true)
    }

    /// Reads a key and its colon, up to the value.
    fn key(&mut self, parent: u32) -> Parsed<u32> {
        if self.peek() != Some(b'"') {
            return self.flaw("a key in double quotes is expected");
        }
        let begin = self.at + 1;
        let mut key = std::mem::take(&mut self.key);
        key.clear();
        let plain = self.string(&mut key)?;
        let found = if plain { &self.text[begin..self.at - 1] } else { &key };
        let found = self.names.find(parent, found)?;
        self.key = key;
        self.skip_space();
        if !self.take(b':') {
            return self.flaw("a colon is expected after the key");
        }
        self.skip_space();
        Ok(found)
    }

    /// Reads a value that is no object; none for a null.
    fn value(&mut self, depth: usize) -> Parsed<Option<Cell>> {
        let (from, begin) = (self.at, self.out.len());
        match self.peek() {
            Some(b'"') => {
                let mut out = std::mem::take(self.out);
                let read = self.string(&mut out);
                *self.out = out;
                if read? {
                    self.out.extend_from_slice(&self.text[from + 1..self.at - 1]);
                }
                return Ok(Some(Cell::quoted(begin, self.out.len(), false)));
            }
            Some(b'[') => {
                self.copy_value(depth + 1)?;
                return Ok(Some(Cell::quoted(begin, self.out.len(), false)));
            }
            Some(b'n') => return self.word(b"null").map(|()| None),
            _ => self.scalar()?,
        }
        self.out.extend_from_slice(&self.text[from..self.at]);
        Ok(Some(Cell::bare(begin, self.out.len())))
    }

    /// Steps over a number, `true` or `false`.
    fn scalar(&mut self) -> Parsed<()> {
        match self.peek() {
            Some(b't') => self.word(b"true"),
            Some(b'f') => self.word(b"false"),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b'N' | b'I') => self.flaw("NaN and Infinity are no JSON values"),
            None => self.flaw("the text ends where a value is expected"),
            Some(_) => self.flaw("a value is expected"),
        }
    }

    fn word(&mut self, word: &[u8]) -> Parsed<()> {
        if !self.text[self.at..].starts_with(word) {
            return self.flaw("a value is expected");
        }
        self.at += word.len();
        Ok(())
    }

    fn number(&mut self) -> Parsed<()> {
        self.take(b'-');
        if self.text[self.at..].starts_with(b"Infinity") {
            return self.flaw("NaN and Infinity are no JSON values");
        }
        let leading_zero = self.peek() == Some(b'0');
        let whole = self.digits();
        if whole == 0 || (leading_zero && whole > 1) {
            return self.flaw("a number has digits, and no zero before them");
        }
        if self.take(b'.') && self.digits() == 0 {
            return self.flaw("digits are expected after the point");
        }
        if self.take(b'e') || self.take(b'E') {
            let _signed = self.take(b'+') || self.take(b'-');
            if self.digits() == 0 {
                return self.flaw("digits are expected in the exponent");
            }
        }
        Ok(())
    }

    fn digits(&mut self) -> usize {
        let count = self.text[self.at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.at += count;
        count
    }

    /// Steps over a string. When it has escapes, appends its value to `into` and answers `false`; otherwise its value
    /// is what stands between the quotes.
    fn string(&mut self, into: &mut Vec<u8>) -> Parsed<bool> {
        self.at += 1;
        let mut from = self.at;
        let mut plain = true;
        loop {
            let rest = &self.text[self.at..];
            let Some(offset) = rest.iter().position(|&byte| byte == b'"' || byte == b'\\' || byte < 0x20) else {
                self.at = self.text.len();
                return self.flaw("a string is never closed");
            };
            self.at += offset;
            match self.text[self.at] {
                b'"' => {
                    if !plain {
                        into.extend_from_slice(&self.text[from..self.at]);
                    }
                    self.at += 1;
                    return Ok(plain);
                }
                b'\\' => {
                    into.extend_from_slice(&self.text[from..self.at]);
                    plain = false;
                    self.escape(into)?;
                    from = self.at;
                }
                _ => return self.flaw("a control character stands in a string; it must be escaped"),
            }
        }
    }

    fn escape(&mut self, into: &mut Vec<u8>) -> Parsed<()> {
        let byte = match self.text.get(self.at + 1) {
            Some(b'"') => b'"',
            Some(b'\\') => b'\\',
            Some(b'/') => b'/',
            Some(b'b') => 0x08,
            Some(b'f') => 0x0c,
            Some(b'n') => b'\n',
            Some(b'r') => b'\r',
            Some(b't') => b'\t',
            Some(b'u') => return self.unicode(into),
            _ => return self.flaw("the escape after the backslash is none of JSON"),
        };
        self.at += 2;
        into.push(byte);
        Ok(())
    }

    /// Reads `\uXXXX`, or a pair of them for a character beyond the first 65,536.
    fn unicode(&mut self, into: &mut Vec<u8>) -> Parsed<()> {
        let first = self.unit(self.at)?;
        let mut length = 6;
        let mut code = u32::from(first);
        if (0xd800..0xdc00).contains(&first) && self.text[self.at + 6..].starts_with(b"\\u") {
            let second = self.unit(self.at + 6)?;
            if (0xdc00..0xe000).contains(&second) {
                code = 0x10000 + ((code - 0xd800) << 10) + (u32::from(second) - 0xdc00);
                length = 12;
            }
        }
        let Some(character) = char::from_u32(code) else {
            return self.flaw("half of a surrogate pair is no character");
        };
        self.at += length;
        into.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        Ok(())
    }

    fn unit(&self, at: usize) -> Parsed<u16> {
        let digits = self.text.get(at + 2..at + 6).filter(|digits| digits.iter().all(u8::is_ascii_hexdigit));
        let digits = digits.and_then(|digits| std::str::from_utf8(digits).ok());
        let unit = digits.and_then(|digits| u16::from_str_radix(digits, 16).ok());
        unit.ok_or(Flaw::Syntax { at, reason: "four hexadecimal digits are expected after \\u" })
    }

    /// Copies a value of any kind, with what is in it and without white space.
    fn copy_value(&mut self, depth: usize) -> Parsed<()> {
        let from = self.at;
        match self.peek() {
            Some(b'[') => return self.copy_inside(depth, b'[', b']'),
            Some(b'{') => return self.copy_inside(depth, b'{', b'}'),
            Some(b'"') => {
                let mut value = std::mem::take(&mut self.key);
                value.clear();
                self.string(&mut value)?;
                self.key = value;
            }
            Some(b'n') => self.word(b"null")?,
            _ => self.scalar()?,
        }
        self.out.extend_from_slice(&self.text[from..self.at]);
        Ok(())
    }

    fn copy_inside(&mut self, depth: usize, open: u8, close: u8) -> Parsed<()> {
        self.open(depth)?;
        self.out.push(open);
        let mut more = !self.take(close);
        while more {
            if close == b'}' {
                self.copy_key()?;
            }
            self.copy_value(depth + 1)?;
            more = self.goes_on(close, "a comma or a closing bracket is missing")?;
            if more {
                self.out.push(b',');
            }
        }
        self.out.push(close);
        Ok(())
    }

    fn copy_key(&mut self) -> Parsed<()> {
        if self.peek() != Some(b'"') {
            return self.flaw("a key in double quotes is expected");
        }
        self.copy_value(0)?;
        self.skip_space();
        if !self.take(b':') {
            return self.flaw("a colon is expected after the key");
        }
        self.out.push(b':');
        self.skip_space();
        Ok(())
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn skip_space(&mut self) {
        while self.peek().is_some_and(is_space) {
            self.at += 1;
        }
    }

    fn flaw<T>(&self, reason: &'static str) -> Parsed<T> {
        Err(Flaw::Syntax { at: self.at, reason })
    }
}
