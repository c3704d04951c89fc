//! What a message must not tell: social security numbers and pay. Each rule reads a text once.

#[cfg(test)]
mod tests;

/// The form of a social security number: `d` stands for a digit.
const SSN: &[u8; 11] = b"ddd-dd-dddd";
/// Words that make an amount of money beside them one of pay, in lower case.
const PAY: [&str; 12] = [
    "salary",
    "salaries",
    "wage",
    "wages",
    "pay",
    "pays",
    "paid",
    "paying",
    "compensation",
    "hourly",
    "stipend",
    "rate",
];
/// What people and programs write where a hyphen belongs.
const HYPHENS: [char; 5] = ['\u{2010}', '\u{2011}', '\u{2012}', '\u{2013}', '\u{2212}'];
/// How many characters may lie between such a word and the amount.
const BESIDE: usize = 40;

/// Whether a text holds a social security number: three, two and four digits with hyphens between, in no longer run of
/// digits and hyphens, which telephone numbers are.
pub(crate) fn holds_ssn(text: &str) -> bool {
    holds_form(text) || text.contains(HYPHENS) && holds_form(&text.replace(HYPHENS, "-"))
}

fn holds_form(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.windows(SSN.len()).enumerate().any(|(at, window)| is_ssn(window) && stands_alone(bytes, at))
}

fn is_ssn(window: &[u8]) -> bool {
    // The first hyphen tells nearly every window apart.
    window[3] == b'-' && window.iter().zip(SSN).all(|(byte, form)| fits(*byte, *form))
}

fn fits(byte: u8, form: u8) -> bool {
    if form == b'd' { byte.is_ascii_digit() } else { byte == form }
}

/// Whether no digit goes before or after, not even behind a hyphen.
fn stands_alone(bytes: &[u8], at: usize) -> bool {
    let (before, after) = (&bytes[..at], &bytes[at + SSN.len()..]);
    let runs_on = |first: Option<&u8>, second: Option<&u8>| match first {
        Some(b'-') => second.is_some_and(u8::is_ascii_digit),
        first => first.is_some_and(u8::is_ascii_digit),
    };
    !runs_on(before.last(), before.iter().rev().nth(1)) && !runs_on(after.first(), after.get(1))
}

/// Whether a text names an amount in dollars beside a word for pay.
pub(crate) fn tells_pay(text: &str) -> bool {
    if !text.contains('$') {
        return false;
    }
    // The places, in characters, behind the last word and behind the last amount.
    let (mut word, mut amount) = (None::<usize>, None::<usize>);
    let near = |last: Option<usize>, at: usize| last.is_some_and(|last| at - last <= BESIDE);
    let mut pieces = Pieces { rest: text.chars().peekable(), at: 0 };
    while let Some((begin, piece)) = pieces.next() {
        match piece {
            Piece::Amount if near(word, begin) => return true,
            Piece::Word if near(amount, begin) => return true,
            Piece::Amount => amount = Some(pieces.at),
            Piece::Word => word = Some(pieces.at),
            Piece::Other => {}
        }
    }
    false
}

/// What a text is made of, as far as pay is concerned.
enum Piece {
    /// A word for pay.
    Word,
    /// A number of dollars.
    Amount,
    Other,
}

struct Pieces<'a> {
    rest: std::iter::Peekable<std::str::Chars<'a>>,
    /// How many characters have been read.
    at: usize,
}

impl Pieces<'_> {
    fn next(&mut self) -> Option<(usize, Piece)> {
        let begin = self.at;
        let first = self.step()?;
        let piece = match first {
            '$' => self.amount(),
            letter if letter.is_alphanumeric() => self.word(letter),
            _ => Piece::Other,
        };
        Some((begin, piece))
    }

    fn step(&mut self) -> Option<char> {
        self.at += 1;
        self.rest.next()
    }

    fn amount(&mut self) -> Piece {
        while self.rest.next_if(|c| *c == ' ').is_some() {
            self.at += 1;
        }
        let mut digits = 0;
        while self.rest.next_if(|c| c.is_ascii_digit() || (digits > 0 && matches!(c, ',' | '.'))).is_some() {
            self.at += 1;
            digits += 1;
        }
        if digits > 0 { Piece::Amount } else { Piece::Other }
    }

    /// Reads to the word's end; none of the words for pay is longer than what is kept of it.
    fn word(&mut self, first: char) -> Piece {
        let mut word = String::from(first.to_ascii_lowercase());
        while let Some(letter) = self.rest.next_if(|c| c.is_alphanumeric()) {
            self.at += 1;
            if word.len() < 16 {
                word.push(letter.to_ascii_lowercase());
            }
        }
        if PAY.contains(&word.as_str()) { Piece::Word } else { Piece::Other }
    }
}
