use super::*;

const COMMA: Dialect = Dialect { delimiter: b',', quote: b'"' };

fn split(text: &str, end: bool) -> (Step, Vec<String>) {
    let mut cells = Vec::new();
    let step = record(COMMA, text.as_bytes(), 0, end, &mut cells);
    let value = |cell: &Cell| String::from_utf8(cell.value(text.as_bytes(), b'"')).unwrap();
    (step, cells.iter().map(value).collect())
}

fn whole(text: &str, next: usize, expected: &[&str]) {
    let (step, cells) = split(text, true);
    assert_eq!(step, Step::Record { next }, "{text:?}");
    assert_eq!(cells, expected, "{text:?}");
}

#[test]
fn cells_lie_between_delimiters_and_quotes() {
    whole("a,b,c\nd", 6, &["a", "b", "c"]);
    whole("a,b\r\nc", 5, &["a", "b"]);
    whole("a,b\rc", 4, &["a", "b"]);
    whole("a,,\n", 4, &["a", "", ""]);
    whole("a,", 2, &["a", ""]);
    whole("\"a\",\"b,c\"\n", 10, &["a", "b,c"]);
    whole("\"line 1\r\nline 2\",x\n", 19, &["line 1\r\nline 2", "x"]);
    whole("\"say \"\"hi\"\"\"\n", 13, &["say \"hi\""]);
    whole("\"\"\"\"\n", 5, &["\""]);
    whole("\"\",\"\"", 5, &["", ""]);
    whole(" a , \"b\" \n", 10, &[" a ", " \"b\" "]);
    whole("5\" pipe,x\n", 10, &["5\" pipe", "x"]);
}

#[test]
fn an_empty_cell_is_null_and_empty_quotes_are_not() {
    let mut cells = Vec::new();
    record(COMMA, b",\"\"\n", 0, true, &mut cells);
    assert!(cells[0].is_null());
    assert!(!cells[1].is_null());
    assert!(Cell::MISSING.is_null());
}

#[test]
fn lines_of_no_bytes_are_blank() {
    assert_eq!(split("\nx", true).0, Step::Blank { next: 1 });
    assert_eq!(split("\r\nx", true).0, Step::Blank { next: 2 });
    assert_eq!(split("\rx", true).0, Step::Blank { next: 1 });
    assert_eq!(split("\r", false).0, Step::Partial);
}

#[test]
fn a_text_that_goes_on_is_partial() {
    for text in ["a,b", "a,", "\"a", "\"a\"", "\"a\"\"", "a\r", "\"a\"x", "\"a\"x\r"] {
        assert_eq!(split(text, false).0, Step::Partial, "{text:?}");
    }
}

#[test]
fn bad_quoting_is_refused_to_the_end_of_the_line_where_it_shows() {
    let after = |next| Step::Bad { next, fault: QuoteFault::TextAfterQuote };
    assert_eq!(split("\"a\"b,c\nd", true).0, after(7));
    assert_eq!(split("\"a\nb\"c\r\nd", true).0, after(8));
    assert_eq!(split("\"a\"b", true).0, after(4));
    assert_eq!(split("x,\"a\nb", true).0, Step::Bad { next: 6, fault: QuoteFault::Unclosed });
}

#[test]
fn lines_end_with_feeds_and_lone_returns() {
    assert_eq!(count_lines(b"a\nb\r\nc\rd"), 3);
    assert_eq!(count_lines(b""), 0);
}

#[test]
fn a_record_pushes_one_cell_more_than_a_table_has_columns() {
    let text = vec![b','; 3 * COLUMN_LIMIT];
    let mut cells = vec![Cell::MISSING; 7];
    let step = record(Dialect { delimiter: b',', quote: b'"' }, &text, 0, true, &mut cells);
    assert_eq!((step, cells.len()), (Step::Record { next: text.len() }, 7 + COLUMN_LIMIT + 1));
    assert!(cells.capacity() < 3 * COLUMN_LIMIT);
}
