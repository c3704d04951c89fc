use super::*;
use crate::csv::split::{self, Dialect};

fn names_of(text: &str) -> Result<Vec<String>> {
    let mut cells = Vec::new();
    split::record(Dialect { delimiter: b',', quote: b'"' }, text.as_bytes(), 0, true, &mut cells);
    names(&cells, text.as_bytes(), b'"', 1)
}

fn refused(text: &str) -> (String, usize, String) {
    match names_of(text) {
        Err(Error::Header { column, position, reason, .. }) => (column, position, reason),
        other => panic!("{text:?}: {other:?}"),
    }
}

#[test]
fn names_are_kept_exactly_as_written() {
    assert_eq!(names_of("id, Full Name ,\"a,\"\"b\"\"\",größe").unwrap(), ["id", " Full Name ", "a,\"b\"", "größe"]);
}

#[test]
fn blank_and_equal_names_are_refused_by_name_and_position() {
    assert_eq!(refused("a,,c").1, 2);
    assert_eq!(refused("a,b,").1, 3);
    assert_eq!(refused("a,\"  \"").1, 2);
    assert_eq!(refused("a,b,a"), ("a".into(), 3, "columns 1 and 3 are both named \"a\"".into()));
    let (column, position, reason) = refused("Größe,b,gRÖSSE,GRÖßE");
    assert_eq!((column.as_str(), position), ("GRÖßE", 4));
    assert!(reason.contains("column 1"), "{reason}");
}

#[test]
fn a_nul_shows_that_the_encoding_was_mistaken() {
    let (_, position, reason) = refused("a,b\0c");
    assert_eq!(position, 2);
    assert!(reason.contains("holds a NUL") && reason.contains("utf-16le"), "{reason}");
}

#[test]
fn ten_thousand_columns_are_the_most() {
    let header = |count: usize| (0..count).map(|n| format!("c{n}")).collect::<Vec<_>>().join(",");
    assert_eq!(names_of(&header(COLUMN_LIMIT)).unwrap().len(), COLUMN_LIMIT);
    assert!(refused(&header(COLUMN_LIMIT + 1)).2.contains("at most 10000"));
}
