//! The proposal inside a model's answer: the first JSON object that parses.
//!
//! A model wraps its object in prose, in fences or in an array, and may begin one that is none. Every `{` that has its
//! `}` is tried from left to right; one that holds no JSON is passed over as a whole, since what lies inside it is not
//! what the model meant to say.

use serde_json::{Map, Value};

#[cfg(test)]
mod tests;

/// How many braces without an end are passed over. Each costs one look at the rest of the text.
const UNBALANCED: usize = 64;

/// The first JSON object in a text; what follows it is ignored.
pub fn extract_json(text: &str) -> Option<Map<String, Value>> {
    let bytes = text.as_bytes();
    let (mut at, mut unbalanced) = (0, 0);
    while let Some(found) = bytes[at..].iter().position(|byte| *byte == b'{') {
        let begin = at + found;
        match balanced(&bytes[begin..]) {
            Some(length) => {
                if let Ok(object) = serde_json::from_slice(&bytes[begin..begin + length]) {
                    return Some(object);
                }
                at = begin + length;
            }
            None if unbalanced == UNBALANCED => return None,
            None => {
                unbalanced += 1;
                at = begin + 1;
            }
        }
    }
    None
}

/// How long the stretch is that begins with a brace and ends with the one that closes it. Braces inside quotes do not
/// count.
fn balanced(bytes: &[u8]) -> Option<usize> {
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'{' if !quoted => depth += 1,
            b'}' if !quoted => {
                depth -= 1;
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            _ => {}
        }
    }
    None
}
