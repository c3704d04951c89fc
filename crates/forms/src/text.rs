//! Texts in JSON: characters in UTF-8, escapes, and how many there are.

/// What goes on after a byte.
pub(crate) enum Inside {
    /// The text.
    Goes(Text),
    /// What stands after it: that was its end.
    Ended,
}

/// The rest of a text, its end included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Text {
    least: u64,
    most: u64,
    /// Characters so far.
    count: u64,
    at: At,
}

/// Where a text stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum At {
    /// Between two characters.
    Between,
    /// After a backslash.
    Escape,
    /// In an escape with so many digits left. One half of a pair is no character: those begin with `d8` to `df`.
    Digits { left: u8, surrogate: bool },
    /// In a character with so many bytes left, the next of them in these bounds.
    Character { left: u8, low: u8, high: u8 },
}

impl Text {
    /// After the quotation mark of a text that is to have so many characters.
    pub(crate) fn new(least: u64, most: u64) -> Self {
        Self { least, most, count: 0, at: At::Between }
    }

    /// What goes on after a byte; none if it cannot be.
    pub(crate) fn step(self, byte: u8) -> Option<Inside> {
        match self.at {
            At::Between if byte == b'"' => (self.count >= self.least).then_some(Inside::Ended),
            At::Between if self.count == self.most => None,
            At::Between => Some(Inside::Goes(Self { count: self.count + 1, at: begin(byte)?, ..self })),
            At::Escape => match byte {
                b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => self.goes(At::Between),
                b'u' => self.goes(At::Digits { left: 4, surrogate: false }),
                _ => None,
            },
            At::Digits { left, surrogate } => {
                let refused =
                    !byte.is_ascii_hexdigit() || surrogate && !byte.is_ascii_digit() || surrogate && byte > b'7';
                let surrogate = left == 4 && byte.eq_ignore_ascii_case(&b'd');
                let at = if left == 1 { At::Between } else { At::Digits { left: left - 1, surrogate } };
                (!refused).then(|| self.goes(at))?
            }
            At::Character { left, low, high } => {
                let at = if left == 1 { At::Between } else { At::Character { left: left - 1, low: 0x80, high: 0xbf } };
                (low..=high).contains(&byte).then(|| self.goes(at))?
            }
        }
    }

    fn goes(self, at: At) -> Option<Inside> {
        Some(Inside::Goes(Self { at, ..self }))
    }
}

/// Where a text stands after the first byte of a character; none if no character begins so.
fn begin(byte: u8) -> Option<At> {
    let character = |left, low, high| At::Character { left, low, high };
    Some(match byte {
        b'\\' => At::Escape,
        0x20..=0x7f => At::Between,
        0xc2..=0xdf => character(1, 0x80, 0xbf),
        0xe0 => character(2, 0xa0, 0xbf),
        0xed => character(2, 0x80, 0x9f),
        0xe1..=0xef => character(2, 0x80, 0xbf),
        0xf0 => character(3, 0x90, 0xbf),
        0xf1..=0xf3 => character(3, 0x80, 0xbf),
        0xf4 => character(3, 0x80, 0x8f),
        _ => return None,
    })
}
