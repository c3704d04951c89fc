//! Conditions and ranges of a request for an object.

use std::ops::Range;

use http::header::{CONTENT_RANGE, IF_MATCH, IF_NONE_MATCH, IF_RANGE, IF_UNMODIFIED_SINCE, RANGE};
use http::{HeaderMap, HeaderName};
use storage::{Entry, If, Key};

use crate::error::Error;
use crate::request::text;

#[cfg(test)]
mod tests;

/// What must hold for a PUT.
pub(super) fn of_put(headers: &HeaderMap) -> Result<If, Error> {
    refuse(headers, &CONTENT_RANGE, "Content-Range", "a PUT replaces the whole object")?;
    refuse(headers, &IF_UNMODIFIED_SINCE, "If-Unmodified-Since", "a PUT compares entity tags only: use If-Match")?;
    match (only(headers, &IF_NONE_MATCH, "If-None-Match")?, only(headers, &IF_MATCH, "If-Match")?) {
        (None, None) => Ok(If::Always),
        (Some("*"), None) => Ok(If::Absent),
        (Some(_), None) => Err(Error::Header { name: "If-None-Match", rule: "a PUT takes only *" }),
        (None, Some(etag)) => etag_of(etag).map(|etag| If::Matches(etag.to_owned())),
        (Some(_), Some(_)) => Err(Error::Header { name: "If-Match", rule: "it contradicts If-None-Match" }),
    }
}

/// The entity tag that an object must carry for a DELETE; none when it may carry any.
pub(super) fn of_delete(headers: &HeaderMap) -> Result<Option<&str>, Error> {
    refuse(headers, &IF_NONE_MATCH, "If-None-Match", "a DELETE takes only If-Match")?;
    refuse(headers, &IF_UNMODIFIED_SINCE, "If-Unmodified-Since", "a DELETE compares entity tags only: use If-Match")?;
    only(headers, &IF_MATCH, "If-Match")?.map(etag_of).transpose()
}

/// A condition that would be passed over in silence is refused instead.
fn refuse(headers: &HeaderMap, header: &HeaderName, name: &'static str, rule: &'static str) -> Result<(), Error> {
    if headers.contains_key(header) { Err(Error::Header { name, rule }) } else { Ok(()) }
}

/// The one value of a header that may be absent. What cannot be read must not pass for absent.
fn only<'a>(headers: &'a HeaderMap, header: &HeaderName, name: &'static str) -> Result<Option<&'a str>, Error> {
    let mut values = headers.get_all(header).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) if value.to_str().is_ok() => Ok(value.to_str().ok()),
        _ => Err(Error::Header { name, rule: "it has one value, in ASCII" }),
    }
}

/// Refuses a GET or HEAD for another state of the object than this.
pub(super) fn require(headers: &HeaderMap, key: &Key, entry: &Entry) -> Result<(), storage::Error> {
    let mut stated = headers.get_all(IF_MATCH).iter().peekable();
    let all = stated.peek().is_none();
    let tags = stated.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(',')).map(str::trim);
    let carried = format!("\"{}\"", entry.etag);
    if all || tags.into_iter().any(|tag| tag == "*" || tag == carried) {
        return Ok(());
    }
    Err(storage::Error::Precondition { path: key.to_string() })
}

/// Whether the answer depends on more than the key.
pub(super) fn is_conditional(headers: &HeaderMap) -> bool {
    [RANGE, IF_NONE_MATCH, IF_MATCH].iter().any(|header| headers.contains_key(header))
}

/// Whether the client already has this very content.
pub(super) fn is_unchanged(headers: &HeaderMap, entry: &Entry) -> bool {
    let Some(known) = text(headers, &IF_NONE_MATCH) else { return false };
    known.trim() == "*" || known.split(',').any(|tag| bare(tag.trim()) == entry.etag)
}

/// The bytes asked for; none for the whole. What is no single byte range counts as not asked, as HTTP says.
pub(super) fn range(headers: &HeaderMap, entry: &Entry) -> Result<Option<Range<u64>>, storage::Error> {
    let outdated = text(headers, &IF_RANGE).is_some_and(|tag| bare(tag.trim()) != entry.etag);
    let asked = text(headers, &RANGE).filter(|_| !outdated).and_then(parse_range);
    let Some((first, last)) = asked else { return Ok(None) };
    let beyond = storage::Error::Range { size: entry.size };
    match (first, last) {
        (Some(first), _) if first >= entry.size => Err(beyond),
        (Some(first), Some(last)) => Ok(Some(first..last.saturating_add(1).min(entry.size))),
        (Some(first), None) => Ok(Some(first..entry.size)),
        (None, Some(length)) if length > 0 && entry.size > 0 => Ok(Some(entry.size.saturating_sub(length)..entry.size)),
        (None, _) => Err(beyond),
    }
}

/// The two numbers of `bytes=first-last`, `bytes=first-` or `bytes=-length`.
fn parse_range(header: &str) -> Option<(Option<u64>, Option<u64>)> {
    let (first, last) = header.trim().strip_prefix("bytes=")?.split_once('-')?;
    let number = |text: &str| {
        let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        digits.then(|| text.parse().unwrap_or(u64::MAX))
    };
    let numbers = (number(first), number(last));
    match (first, last, numbers) {
        ("", _, (None, Some(_))) | (_, "", (Some(_), None)) => Some(numbers),
        (_, _, (Some(from), Some(to))) if from <= to => Some(numbers),
        _ => None,
    }
}

fn etag_of(given: &str) -> Result<&str, Error> {
    let one = given.trim();
    let inner = one.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).filter(|inner| !inner.contains('"'));
    inner.ok_or(Error::Header { name: "If-Match", rule: "it holds one entity tag in double quotes" })
}

/// An entity tag without its quotes and its mark of weakness.
fn bare(tag: &str) -> &str {
    tag.strip_prefix("W/").unwrap_or(tag).trim_matches('"')
}
