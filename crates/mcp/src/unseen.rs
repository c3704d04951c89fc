//! Characters that nobody sees, and what they can do: one table for whoever shows texts to people or to models.

use std::ops::RangeInclusive;

#[cfg(test)]
mod tests;

/// What characters without a picture can do.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Power {
    /// Turn the direction in which what stands behind them is read.
    Turn,
    /// Nothing to the eye, and so hold a text that a model reads and a person does not.
    Hide,
}

use Power::{Hide, Turn};

/// The characters that are no controls and have no picture. Those that choose the picture of the one before them are left
/// out: whoever writes a heart needs them.
const TABLE: [(RangeInclusive<char>, Power); 22] = [
    ('\u{ad}'..='\u{ad}', Hide),
    ('\u{34f}'..='\u{34f}', Hide),
    ('\u{61c}'..='\u{61c}', Turn),
    ('\u{115f}'..='\u{1160}', Hide),
    ('\u{17b4}'..='\u{17b5}', Hide),
    ('\u{180b}'..='\u{180f}', Hide),
    ('\u{200b}'..='\u{200d}', Hide),
    ('\u{200e}'..='\u{200f}', Turn),
    ('\u{2028}'..='\u{2029}', Hide),
    ('\u{202a}'..='\u{202e}', Turn),
    ('\u{2060}'..='\u{2065}', Hide),
    ('\u{2066}'..='\u{2069}', Turn),
    ('\u{206a}'..='\u{206f}', Hide),
    ('\u{3164}'..='\u{3164}', Hide),
    ('\u{feff}'..='\u{feff}', Hide),
    ('\u{ffa0}'..='\u{ffa0}', Hide),
    ('\u{fff0}'..='\u{fffb}', Hide),
    ('\u{13430}'..='\u{1343f}', Hide),
    ('\u{1bca0}'..='\u{1bca3}', Hide),
    ('\u{1d173}'..='\u{1d17a}', Hide),
    ('\u{2800}'..='\u{2800}', Hide),
    ('\u{e0000}'..='\u{e0fff}', Hide),
];

fn power(c: char) -> Option<Power> {
    TABLE.iter().find(|(range, _)| range.contains(&c)).map(|(_, power)| *power)
}

/// Whether a character is a command to a terminal, or turns the characters behind it.
pub fn steers(c: char) -> bool {
    c.is_control() || power(c) == Some(Turn)
}

/// Whether nobody sees a character: controls but for the end of a line, marks without width, fillers, turns of the
/// direction of reading, tags and the selectors of rare variants among them.
pub fn is_unseen(c: char) -> bool {
    (c.is_control() && c != '\n') || power(c).is_some()
}
