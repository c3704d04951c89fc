//! Which form of answer a client accepts.

use http::HeaderMap;
use http::header::ACCEPT;
use query::encode::Format;

use crate::error::Error;

#[cfg(test)]
mod tests;

/// The form of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    /// One JSON document with a row limit.
    Json,
    /// A stream without one.
    Stream(Format),
}

/// Every form with its media type, the preferred one first.
const FORMS: [(&str, Wanted); 4] = [
    ("application/json", Wanted::Json),
    ("application/vnd.apache.arrow.stream", Wanted::Stream(Format::Arrow)),
    ("text/csv", Wanted::Stream(Format::Csv)),
    ("application/x-ndjson", Wanted::Stream(Format::Ndjson)),
];

impl Wanted {
    pub(super) fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Stream(format) => format.content_type(),
        }
    }
}

/// The form that the client likes best; JSON when it does not say.
pub(super) fn wanted(headers: &HeaderMap) -> Result<Wanted, Error> {
    let stated = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let ranges: Vec<(String, f32)> = stated.flat_map(|value| value.split(',')).filter_map(media_range).collect();
    if ranges.is_empty() {
        return Ok(Wanted::Json);
    }
    let mut best: Option<(f32, Wanted)> = None;
    for (media_type, form) in FORMS {
        let liking = liking(&ranges, media_type);
        if liking > best.map_or(0.0, |(most, _)| most) {
            best = Some((liking, form));
        }
    }
    best.map(|(_, form)| form).ok_or(Error::NotAcceptable)
}

/// How much the client likes a media type, from 0 (not at all) to 1: what its most specific range says.
fn liking(ranges: &[(String, f32)], media_type: &str) -> f32 {
    let group = media_type.split('/').next().unwrap_or_default();
    let said = |wanted: &str| ranges.iter().find(|(range, _)| range == wanted).map(|(_, quality)| *quality);
    said(media_type).or_else(|| said(&format!("{group}/*"))).or_else(|| said("*/*")).unwrap_or(0.0)
}

fn media_range(text: &str) -> Option<(String, f32)> {
    let mut parts = text.split(';').map(str::trim);
    let range = parts.next().filter(|range| !range.is_empty())?.to_ascii_lowercase();
    let quality = parts.find_map(|part| part.strip_prefix("q=")).map_or(Some(1.0), |q| q.parse().ok());
    Some((range, quality.unwrap_or(0.0)))
}
