use super::*;

fn decide(head: &[u8], format: Option<Format>, media: Option<Format>) -> std::result::Result<Format, String> {
    Format::decide(head, Stated { format, media }).map_err(|error| error.to_string())
}

#[test]
fn the_content_decides_when_nothing_is_said() {
    let check = |head: &[u8], expected| assert_eq!(decide(head, None, None), Ok(expected), "{head:?}");
    check(b"a,b\n1,2\n", Format::Csv);
    check(b"", Format::Csv);
    check(b" \n\t [", Format::Json);
    check(b"\xef\xbb\xbf[{\"a\":1}]", Format::Json);
    check(b"\xff\xfe{\0\"\0", Format::Ndjson);
    check(b"{\"a\":1}\n{\"a\":2}\n", Format::Ndjson);
    check(b"{\"a\":1}", Format::Ndjson);
    check(b"{\"a\":\"}{{\\\"{\"}\r\n{", Format::Ndjson);
    check(b"\n\n{\n  \"a\": 1\n}\n", Format::Json);
    check(b"{\"a\":[1,\n2]}", Format::Json);
    check(b"PAR1\x15\x04", Format::Parquet);
    check(b"PARROT,1\n", Format::Csv);
}

#[test]
fn what_is_said_must_fit_the_content() {
    use Format::{Csv, Json, Ndjson, Parquet};
    let lines = &b"{\"a\":1}\n{\"a\":2}\n"[..];
    assert_eq!(decide(lines, Some(Json), None), Ok(Ndjson));
    assert_eq!(decide(lines, Some(Ndjson), Some(Json)), Ok(Ndjson));
    assert_eq!(decide(lines, None, Some(Json)), Ok(Ndjson));
    assert_eq!(decide(b"[{}]", None, Some(Ndjson)), Ok(Json));
    assert_eq!(decide(b"{odd},header\n1,2\n", Some(Csv), None), Ok(Csv));
    assert_eq!(decide(b"a,b\n", Some(Csv), Some(Parquet)), Ok(Csv));
    for (head, format, media) in [
        (&b"a,b\n1,2\n"[..], Some(Json), None),
        (b"a,b\n1,2\n", None, Some(Json)),
        (b"a,b\n1,2\n", Some(Parquet), None),
        (b"PAR1", Some(Csv), None),
        (b"PAR1", None, Some(Csv)),
        (b"[1]", Some(Ndjson), None),
        (lines, None, Some(Csv)),
    ] {
        let refused = decide(head, format, media).unwrap_err();
        assert!(refused.contains("begins like"), "{refused}");
    }
}

#[test]
fn an_empty_file_is_what_it_is_said_to_be() {
    assert_eq!(decide(b" \n", Some(Format::Json), None), Ok(Format::Json));
    assert_eq!(decide(b"", None, Some(Format::Ndjson)), Ok(Format::Ndjson));
}

#[test]
fn other_kinds_are_refused_by_name() {
    for (head, name) in [
        (&b"PK\x03\x04\x14"[..], "Excel"),
        (b"\x1f\x8b\x08", "twice"),
        (b"\xfd7zXZ\0", "xz"),
        (b"BZh91AY&SY", "bzip2"),
        (b"Obj\x01", "Avro"),
    ] {
        for format in [None, Some(Format::Csv)] {
            let refused = decide(head, format, None).unwrap_err();
            assert!(refused.contains(name), "{refused}");
        }
    }
}
