use super::*;

fn check(text: &str, delimiter: u8, quote: u8) {
    assert_eq!(detect(text.as_bytes(), true, None), Dialect { delimiter, quote }, "{text:?}");
}

#[test]
fn the_delimiter_is_the_one_that_splits_all_records_alike() {
    check("a,b\n1,2\n", b',', b'"');
    check("a;b\n1,5;2,5\n", b';', b'"');
    check("a\tb\n1,2\t3;4\n", b'\t', b'"');
    check("a|b\n1|2\n", b'|', b'"');
    check("a,b;c\n1,2\n3,4\n", b',', b'"');
    check("name,note\nx,\"a;b;c\nd;e\"\ny,z\n", b',', b'"');
}

#[test]
fn one_column_reads_with_commas() {
    check("a\n1\n2\n", b',', b'"');
    check("a\n1,2\n3,4\n", b',', b'"');
    check("", b',', b'"');
}

#[test]
fn single_quotes_count_when_the_header_wears_them() {
    check("'a','b'\n'1,2','x'\n", b',', b'\'');
    check("a,b\n'tis,x\n", b',', b'"');
    check("'a,b\n1,2\n", b',', b'"');
}

#[test]
fn a_given_delimiter_is_kept() {
    let dialect = detect(b"a,b;c\n", true, Some(b';'));
    assert_eq!(dialect, Dialect { delimiter: b';', quote: b'"' });
}

#[test]
fn a_head_that_breaks_off_is_enough() {
    let dialect = detect(b"a;b\n1;2\n3;\"4", false, None);
    assert_eq!(dialect.delimiter, b';');
}

#[test]
fn delimiters_are_one_character() {
    assert_eq!(parse_delimiter(";").unwrap(), b';');
    assert_eq!(parse_delimiter("tab").unwrap(), b'\t');
    assert_eq!(parse_delimiter("\t").unwrap(), b'\t');
    for text in ["", ",,", "\"", "\n", "é"] {
        assert!(parse_delimiter(text).is_err(), "{text:?}");
    }
}
