use super::*;

#[test]
fn an_unknown_change_is_refused_and_a_newer_format_is_named() {
    let unknown =
        br#"{"format":1,"version":7,"at":"2026-01-01T00:00:00Z","commits":[{"id":"01ARZ3NDEKTSV4RRFFQ69G5FAV",
        "author":"a","message":"m","changes":[{"change":"moon_put"}]}]}"#;
    assert!(matches!(Record::parse(Version(7), unknown), Err(Error::Damaged { .. })));
    let newer = br#"{"format":5,"whatever":true}"#;
    let error = Record::parse(Version(7), newer).unwrap_err();
    assert_eq!(
        error.to_string(),
        "record 7 of the lake log has format 5, and this program reads formats up to 4: use a newer release"
    );
}

#[test]
fn a_record_under_another_number_is_damage() {
    let record = Record::new(Version(3), Timestamp::from_micros(0), vec![]);
    let bytes = record.bytes().unwrap();
    assert_eq!(Record::parse(Version(3), &bytes).unwrap(), record);
    assert!(matches!(Record::parse(Version(4), &bytes), Err(Error::Damaged { .. })));
}

fn tagged() -> Record {
    let commit = Commit {
        id: "01ARZ3NDEKTSV4RRFFQ69G5FAV".parse().unwrap(),
        author: "a".into(),
        message: "m".into(),
        idempotency_key: None,
        request: None,
        changes: vec![Change::TagPut { tag: "may".parse().unwrap(), version: Version(2) }],
    };
    Record::new(Version(3), Timestamp::from_micros(0), vec![commit])
}

#[test]
fn a_bit_of_a_record_that_changed_is_damage_whichever_it_is() {
    let sound = tagged().bytes().unwrap();
    assert_eq!(Record::parse(Version(3), &sound).unwrap(), tagged());
    for bit in 0..8 * sound.len() {
        let mut bytes = sound.to_vec();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let read = Record::parse(Version(3), &bytes);
        assert!(matches!(read, Err(Error::Damaged { .. })), "bit {bit}: {read:?}");
    }
}

#[test]
fn records_of_earlier_formats_need_no_sum_and_one_that_is_there_counts() {
    let old = Record { format: 3, ..tagged() };
    let bare = serde_json::to_vec(&old).unwrap();
    assert_eq!(Record::parse(Version(3), &bare).unwrap(), old);
    let summed = old.bytes().unwrap();
    assert_eq!(Record::parse(Version(3), &summed).unwrap(), old);
    let other = String::from_utf8(summed.to_vec()).unwrap().replace("may", "mat");
    assert!(matches!(Record::parse(Version(3), other.as_bytes()), Err(Error::Damaged { .. })));
    let stripped = serde_json::to_vec(&tagged()).unwrap();
    assert!(matches!(Record::parse(Version(3), &stripped), Err(Error::Damaged { .. })));
}
