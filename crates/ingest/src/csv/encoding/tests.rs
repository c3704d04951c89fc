use std::io::{Seek, Write};

use super::*;

fn read(bytes: &[u8], asked: Charset) -> Vec<u8> {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    file.rewind().unwrap();
    let mut text = Text::open(Unpacked::open(file, base::ByteSize::gib(1)).unwrap(), asked).unwrap();
    let mut into = Vec::new();
    while !text.ended() {
        let target = into.len() + 1000;
        text.fill(&mut into, target).unwrap();
    }
    assert_eq!(text.position(), bytes.len() as u64);
    into
}

fn utf16(text: &str, big: bool) -> Vec<u8> {
    let mark = std::iter::once(0xfeff);
    let units = mark.chain(text.encode_utf16());
    units.flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
}

#[test]
fn a_mark_is_not_text() {
    assert_eq!(read(b"\xef\xbb\xbfa", Charset::Utf8), b"a");
    assert_eq!(read(b"a", Charset::Utf8), b"a");
    assert_eq!(read(b"", Charset::Utf8), b"");
}

#[test]
fn utf_16_is_told_by_its_mark() {
    let text = "naïve, 日本, 🦀\n".repeat(40_000);
    assert_eq!(read(&utf16(&text, false), Charset::Utf8), text.as_bytes());
    assert_eq!(read(&utf16(&text, true), Charset::Utf8), text.as_bytes());
}

#[test]
fn utf_32_is_refused_by_name() {
    for bytes in [b"\xff\xfe\0\0a\0\0\0", b"\0\0\xfe\xff\0\0\0a"] {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        file.rewind().unwrap();
        let refused = Text::open(Unpacked::open(file, base::ByteSize::gib(1)).unwrap(), Charset::Utf8)
            .map(drop)
            .unwrap_err()
            .to_string();
        assert!(refused.contains("UTF-32"), "{refused}");
    }
}

#[test]
fn half_a_character_stays_findable() {
    let mut bytes = utf16("ab", false);
    bytes.extend([0x00, 0xd8, b'c', 0]);
    assert_eq!(read(&bytes, Charset::Utf8), b"ab\xffc");
    bytes.push(b'd');
    assert_eq!(read(&bytes, Charset::Utf8), b"ab\xffc\xff");
}

#[test]
fn bytes_of_other_tables_become_utf_8() {
    assert_eq!(read(b"\x80\xe9", Charset::parse("windows-1252").unwrap()), "€é".as_bytes());
    assert_eq!(read(b"\x80\xe9", Charset::parse("Latin1").unwrap()), "\u{80}é".as_bytes());
    assert_eq!(read(b"\xe9", Charset::parse("utf8").unwrap()), b"\xe9");
}

#[test]
fn unknown_encodings_are_refused() {
    for label in ["", "klingon", "replacement"] {
        assert!(Charset::parse(label).is_err(), "{label:?}");
    }
}
