//! Finds where a record begins and ends, without looking into it.

use memchr::memchr;

#[cfg(test)]
mod tests;

/// How records follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// One on each line.
    Lines,
    /// In an array, or one after the other; `Place` says what may come next.
    Values(Place),
}

/// What may come next between the records of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The file's first byte, which says whether there is an array.
    Begin,
    /// The first record of the array, or its end.
    First,
    /// A record of the array.
    Next,
    /// A comma or the array's end.
    Comma,
    /// Nothing but white space.
    End,
    /// A record that stands in no array, or the end of the file.
    Loose,
}

/// What lies at one place of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// A record.
    Record {
        /// Its first byte.
        begin: usize,
        /// The byte behind its last.
        end: usize,
        /// Where to go on.
        next: usize,
    },
    /// Nothing more in this text.
    Nothing,
    /// The text ends inside a record, which begins here; more of it is to come.
    Partial {
        /// Its first byte.
        begin: usize,
    },
    /// The file is not JSON from here on.
    Broken {
        /// Where.
        at: usize,
        /// What is wrong there.
        reason: &'static str,
    },
}

impl Framing {
    /// Steps over one record. `end` says that the text is the last of the file.
    pub fn step(&mut self, text: &[u8], at: usize, end: bool) -> Step {
        match self {
            Self::Lines => line(text, at, end),
            Self::Values(place) => place.step(text, at, end),
        }
    }
}

fn line(text: &[u8], mut at: usize, end: bool) -> Step {
    loop {
        if at == text.len() {
            return Step::Nothing;
        }
        let (stop, next) = match memchr(b'\n', &text[at..]) {
            Some(offset) => (at + offset, at + offset + 1),
            None if end => (text.len(), text.len()),
            None => return Step::Partial { begin: at },
        };
        if text[at..stop].iter().all(|&byte| is_space(byte)) {
            at = next;
            continue;
        }
        return Step::Record { begin: at, end: stop, next };
    }
}

impl Place {
    fn step(&mut self, text: &[u8], mut at: usize, end: bool) -> Step {
        loop {
            at += text[at..].iter().take_while(|&&byte| is_space(byte)).count();
            let Some(&byte) = text.get(at) else { return self.at_text_end(at, end) };
            match (*self, byte) {
                (Self::Begin, b'[') => *self = Self::First,
                (Self::Begin, _) => {
                    *self = Self::Loose;
                    continue;
                }
                (Self::First | Self::Comma, b']') => *self = Self::End,
                (Self::Comma, b',') => *self = Self::Next,
                (Self::Comma, _) => return Step::Broken { at, reason: "a comma or the end of the array is missing" },
                (Self::Next, b']') => return Step::Broken { at, reason: "a comma stands before the end of the array" },
                (Self::First | Self::Next, b',') => {
                    return Step::Broken { at, reason: "a comma stands before no value" };
                }
                (Self::End, _) => return Step::Broken { at, reason: "something follows the array" },
                (Self::First | Self::Next | Self::Loose, _) => return self.record(text, at, end),
            }
            at += 1;
        }
    }

    fn at_text_end(self, at: usize, end: bool) -> Step {
        match self {
            Self::First | Self::Next | Self::Comma if end => Step::Broken { at, reason: "the array is never closed" },
            _ => Step::Nothing,
        }
    }

    fn record(&mut self, text: &[u8], begin: usize, end: bool) -> Step {
        match extent(&text[begin..]) {
            Some(length) => {
                // A stray bracket is a value of its own, and no good one.
                let stop = begin + length.max(1);
                if *self != Self::Loose {
                    *self = Self::Comma;
                }
                Step::Record { begin, end: stop, next: stop }
            }
            None if !end => Step::Partial { begin },
            None if *self == Self::Loose => Step::Record { begin, end: text.len(), next: text.len() },
            None => Step::Broken { at: begin, reason: "the file ends inside the value that begins there" },
        }
    }
}

/// How long the value at the head of a text is; none when the text ends before it does.
fn extent(text: &[u8]) -> Option<usize> {
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        match byte {
            b'"' => at += string_length(&text[at..])? - 1,
            b'{' | b'[' => depth += 1,
            // One bracket too many belongs to whatever is around.
            b'}' | b']' | b',' if depth == 0 => return Some(at),
            b'}' | b']' => depth -= 1,
            byte if depth == 0 && is_space(byte) => return Some(at),
            _ => {}
        }
        at += 1;
        if depth == 0 && matches!(byte, b'"' | b'}' | b']') {
            return Some(at);
        }
    }
    None
}

/// How long a string is, both quotes counted.
fn string_length(text: &[u8]) -> Option<usize> {
    let mut at = 1;
    loop {
        let offset = memchr::memchr2(b'"', b'\\', text.get(at..)?)?;
        at += offset + 1;
        if text[at - 1] == b'"' {
            return Some(at);
        }
        at += 1;
    }
}

/// White space between the parts of JSON.
pub fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}
