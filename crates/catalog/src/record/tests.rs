use super::*;

#[test]
fn an_unknown_change_is_refused_and_a_newer_format_is_named() {
    let unknown =
        br#"{"format":1,"version":7,"at":"2026-01-01T00:00:00Z","commits":[{"id":"01ARZ3NDEKTSV4RRFFQ69G5FAV",
        "author":"a","message":"m","changes":[{"change":"moon_put"}]}]}"#;
    assert!(matches!(Record::parse(Version(7), unknown), Err(Error::Damaged { .. })));
    let newer = br#"{"format":4,"whatever":true}"#;
    let error = Record::parse(Version(7), newer).unwrap_err();
    assert_eq!(
        error.to_string(),
        "record 7 of the lake log has format 4, and this program reads formats up to 3: use a newer release"
    );
}

#[test]
fn a_record_under_another_number_is_damage() {
    let record = Record { format: 1, version: Version(3), at: Timestamp::from_micros(0), commits: vec![] };
    let bytes = serde_json::to_vec(&record).unwrap();
    assert_eq!(Record::parse(Version(3), &bytes).unwrap(), record);
    assert!(matches!(Record::parse(Version(4), &bytes), Err(Error::Damaged { .. })));
}
