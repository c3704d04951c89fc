//! Where a statement ends: the comments and semicolons behind it would break the query that is put around it.

use memchr::memchr2;

/// The statement without what follows its last word: white space, comments, semicolons.
pub fn bare(query: &str) -> &str {
    let bytes = query.as_bytes();
    let (mut at, mut end) = (0, 0);
    while at < bytes.len() {
        let rest = &bytes[at..];
        let (length, says_something) = match rest {
            [b'-', b'-', ..] => (memchr2(b'\n', b'\r', rest).unwrap_or(rest.len()), false),
            [b'/', b'*', ..] => (comment(rest), false),
            [b';', ..] => (1, false),
            [byte, ..] if byte.is_ascii_whitespace() => (1, false),
            [b'e' | b'E', b'\'', ..] => (1 + quoted(&rest[1..], true), true),
            [b'\'' | b'"', ..] => (quoted(rest, false), true),
            [b'$', ..] => (dollars(rest), true),
            _ => (word(rest), true),
        };
        at += length;
        if says_something {
            end = at;
        }
    }
    &query[..end]
}

/// Comments of this kind hold others.
fn comment(rest: &[u8]) -> usize {
    let (mut at, mut depth) = (0, 0);
    while at < rest.len() {
        match rest[at..] {
            [b'/', b'*', ..] => (at, depth) = (at + 2, depth + 1),
            [b'*', b'/', ..] => (at, depth) = (at + 2, depth - 1),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

/// A text or a name in quotes. A doubled quote is two of them, one behind the other, which ends at the same place.
fn quoted(rest: &[u8], escapes: bool) -> usize {
    let mut at = 1;
    while at < rest.len() && rest[at] != rest[0] {
        at += if escapes && rest[at] == b'\\' { 2 } else { 1 };
    }
    (at + 1).min(rest.len())
}

/// `$tag$ … $tag$`; a dollar that begins no such text stands for itself.
fn dollars(rest: &[u8]) -> usize {
    let is_tag = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_' || !byte.is_ascii();
    let tag = 1 + rest[1..].iter().take_while(|byte| is_tag(byte)).count();
    if rest.get(tag) != Some(&b'$') {
        return tag;
    }
    let tag = &rest[..=tag];
    let inside = &rest[tag.len()..];
    let end = inside.windows(tag.len()).position(|window| window == tag);
    end.map_or(rest.len(), |end| 2 * tag.len() + end)
}

/// A word as a whole, so that an `e` or a dollar in it begins nothing; anything else byte by byte.
fn word(rest: &[u8]) -> usize {
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_' || *byte == b'$' || !byte.is_ascii();
    rest.iter().take_while(|byte| is_part(byte)).count().max(1)
}
