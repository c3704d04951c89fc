//! Which form of an answer a client accepts.

use http::HeaderMap;
use http::header::ACCEPT;

use crate::error::Error;

#[cfg(test)]
mod tests;

/// The form that the client likes best of `forms`, each with its media type; the first when it does not say.
pub(crate) fn best<T: Copy>(headers: &HeaderMap, forms: &[(&'static str, T)]) -> Result<T, Error> {
    let stated = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let ranges: Vec<(String, f32)> = stated.flat_map(|value| value.split(',')).filter_map(media_range).collect();
    let mut best: Option<(f32, T)> = None;
    for (media_type, form) in forms {
        let liking = if ranges.is_empty() { 1.0 } else { liking(&ranges, media_type) };
        if liking > best.map_or(0.0, |(most, _)| most) {
            best = Some((liking, *form));
        }
    }
    best.map(|(_, form)| form).ok_or_else(|| Error::NotAcceptable { forms: told(forms) })
}

/// The media types as a sentence lists them.
fn told<T>(forms: &[(&'static str, T)]) -> String {
    let types: Vec<&str> = forms.iter().map(|(media_type, _)| *media_type).collect();
    match types.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => types.concat(),
    }
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
