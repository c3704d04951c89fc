//! How names are written in the store.
//!
//! A path is text with `/` between components. Stores refuse control characters and the components `.` and `..`,
//! so those are escaped as `%XX`; so is a `%` that would otherwise read as an escape. Everything else, spaces,
//! quotes and unicode included, is stored as it is. The escaped form is what lists are sorted by.
//!
//! Names below `tables/` are stored as they are: other engines give them too, with escapes of their own.

use object_store::path::Path;

use crate::error::{Error, Result};

#[cfg(test)]
mod tests;

/// The longest component of a stored name, in bytes: the limit of common file systems.
pub const MAX_COMPONENT: usize = 255;

/// Below this, names are nobody's keys.
const TABLES: &str = "tables/";

/// The stored form of a path. Fails for an empty path or component and for a component that is too long.
pub fn encode(path: &str) -> Result<Path> {
    let written = written(path);
    match written.split('/').map(str::len).find(|length| !(1..=MAX_COMPONENT).contains(length)) {
        Some(0) => Err(Error::InvalidKey { rule: "no component may be empty" }),
        Some(_) => Err(Error::InvalidKey { rule: "no component may be longer than 255 bytes as stored" }),
        None => Path::parse(&written).map_err(|_| Error::InvalidKey { rule: "the name cannot be stored" }),
    }
}

/// The stored form of any text, whether or not it can be stored.
pub(crate) fn written(path: &str) -> String {
    if path.starts_with(TABLES) {
        return path.to_owned();
    }
    let mut written = String::with_capacity(path.len());
    for (at, component) in path.split('/').enumerate() {
        if at > 0 {
            written.push('/');
        }
        escape(component, &mut written);
    }
    written
}

fn escape(component: &str, written: &mut String) {
    let dots = component == "." || component == "..";
    let bytes = component.as_bytes();
    for (at, character) in component.char_indices() {
        let like_escape = character == '%' && bytes.get(at + 1..at + 3).is_some_and(is_hex);
        if dots || character.is_ascii_control() || like_escape {
            written.push_str(&format!("%{:02X}", u32::from(character)));
        } else {
            written.push(character);
        }
    }
}

/// The path whose stored form this is.
pub fn decode(stored: &str) -> String {
    if stored.starts_with(TABLES) {
        return stored.to_owned();
    }
    let mut path = String::with_capacity(stored.len());
    let mut rest = stored;
    while let Some((plain, after)) = rest.split_once('%') {
        path.push_str(plain);
        rest = match escaped(after) {
            Some(character) => {
                path.push(character);
                &after[2..]
            }
            None => {
                path.push('%');
                after
            }
        };
    }
    path.push_str(rest);
    path
}

/// The ASCII character that two hexadecimal digits at the start of `text` stand for.
fn escaped(text: &str) -> Option<char> {
    let digits = text.get(..2).filter(|digits| is_hex(digits.as_bytes()))?;
    u8::from_str_radix(digits, 16).ok().filter(u8::is_ascii).map(char::from)
}

fn is_hex(bytes: &[u8]) -> bool {
    bytes.iter().all(u8::is_ascii_hexdigit)
}
