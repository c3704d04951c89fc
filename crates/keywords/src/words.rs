//! Words as they are compared: by Unicode's rules, without case and accents, the English plural as the singular.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;
use unicode_segmentation::UnicodeSegmentation;

use crate::plurals::singular;

#[cfg(test)]
mod tests;

/// The words of a text, in order, each in the form in which it is compared.
pub fn words(text: &str) -> impl Iterator<Item = String> {
    text.unicode_word_indices().flat_map(|(at, word)| {
        let signs = signs(&text[at + word.len()..]);
        // What is cut at a point or the like is several words, unless it is a number.
        let is_number = !word.contains(char::is_alphabetic);
        let parts = word.split(move |c: char| !is_number && matches!(c, '.' | ':' | '_' | '·'));
        let count = parts.clone().count();
        parts.enumerate().filter(|(_, part)| !part.is_empty()).map(move |(part, word)| {
            let mut folded = folded(word);
            if part + 1 == count && !signs.is_empty() {
                folded.push_str(signs);
                return folded;
            }
            singular(folded)
        })
    })
}

/// The signs right behind a word that are part of it, as in C++ and C#.
fn signs(rest: &str) -> &str {
    let end = rest.find(|c| !matches!(c, '+' | '#')).unwrap_or(rest.len());
    // A sign between two words joins them, and is part of neither.
    let joins = rest[end..].starts_with(char::is_alphanumeric);
    if joins { "" } else { &rest[..end] }
}

/// A word in lower case, without accents, apostrophes and the genitive's s.
fn folded(word: &str) -> String {
    let word = ["'s", "’s", "'S", "’S"].iter().find_map(|end| word.strip_suffix(end)).unwrap_or(word);
    if word.is_ascii() {
        return word.chars().filter(|c| *c != '\'').map(|c| c.to_ascii_lowercase()).collect();
    }
    let mut folded = String::with_capacity(word.len());
    for c in word.nfkd().flat_map(char::to_lowercase) {
        match c {
            '\'' | '’' => {}
            'ß' => folded.push_str("ss"),
            'æ' => folded.push_str("ae"),
            'œ' => folded.push_str("oe"),
            'ø' => folded.push('o'),
            'đ' | 'ð' => folded.push('d'),
            'ł' => folded.push('l'),
            'þ' => folded.push_str("th"),
            'ς' => folded.push('σ'),
            c if is_accent(c) => {}
            c => folded.push(c),
        }
    }
    folded.nfc().collect()
}

/// Whether it is a mark that readers may leave out: an accent of Latin, Greek or Cyrillic letters, a point of Hebrew or
/// Arabic ones. The marks of other scripts are vowels, or make another letter.
fn is_accent(c: char) -> bool {
    is_combining_mark(c) && matches!(c, '\u{300}'..='\u{36f}' | '\u{591}'..='\u{5c7}' | '\u{610}'..='\u{6ed}')
}
