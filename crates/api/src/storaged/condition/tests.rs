use base::Timestamp;
use http::HeaderValue;

use super::*;

fn entry() -> Entry {
    Entry { path: "k".to_owned(), size: 10, modified: Timestamp::from_micros(0), etag: "e1".to_owned() }
}

fn asked(range: &'static str) -> Result<Option<Range<u64>>, storage::Error> {
    let headers = HeaderMap::from_iter([(RANGE, HeaderValue::from_static(range))]);
    super::range(&headers, &entry())
}

#[test]
fn ranges_are_cut_to_the_object() {
    assert_eq!(asked("bytes=0-3").unwrap(), Some(0..4));
    assert_eq!(asked("bytes=4-").unwrap(), Some(4..10));
    assert_eq!(asked("bytes=-3").unwrap(), Some(7..10));
    assert_eq!(asked("bytes=-99").unwrap(), Some(0..10));
    assert_eq!(asked("bytes=9-99999999999999999999999").unwrap(), Some(9..10));
}

#[test]
fn what_is_no_single_range_is_not_asked() {
    for odd in ["bytes=", "bytes=-", "bytes=3-1", "bytes=0-1,3-4", "bytes=a-b", "lines=0-1", "bytes=+1-2"] {
        assert_eq!(asked(odd).unwrap(), None, "{odd}");
    }
}

#[test]
fn ranges_beyond_the_end_are_refused() {
    for beyond in ["bytes=10-", "bytes=10-20", "bytes=-0", "bytes=99999999999999999999999-"] {
        assert!(matches!(asked(beyond), Err(storage::Error::Range { size: 10 })), "{beyond}");
    }
}

#[test]
fn a_range_of_an_outdated_object_is_the_whole() {
    let mut headers = HeaderMap::from_iter([(RANGE, HeaderValue::from_static("bytes=0-3"))]);
    headers.insert(IF_RANGE, HeaderValue::from_static("\"other\""));
    assert_eq!(range(&headers, &entry()).unwrap(), None);
    headers.insert(IF_RANGE, HeaderValue::from_static("\"e1\""));
    assert_eq!(range(&headers, &entry()).unwrap(), Some(0..4));
}

#[test]
fn an_etag_is_known_in_every_spelling() {
    for known in ["*", "\"e1\"", "W/\"e1\"", "\"x\", \"e1\""] {
        let headers = HeaderMap::from_iter([(IF_NONE_MATCH, HeaderValue::from_static(known))]);
        assert!(is_unchanged(&headers, &entry()), "{known}");
    }
}
