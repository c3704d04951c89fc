use std::io::{Seek, Write};

use proptest::prelude::*;

use super::*;

/// A table of cells; none is a null.
type Rows = Vec<Vec<Option<String>>>;

struct Load {
    names: Vec<String>,
    rows: Rows,
    total: u64,
    refused: Vec<Rejected>,
}

fn open(text: &[u8], options: Options) -> Result<Reader> {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(text).unwrap();
    file.rewind().unwrap();
    Reader::open(Unpacked::open(file, base::ByteSize::gib(1)).unwrap(), options)
}

fn read(text: &[u8], options: Options) -> Result<Load> {
    let mut reader = open(text, options)?;
    let mut refusals = Refusals::default();
    let mut rows = Vec::new();
    let mut number = 0;
    while let Some(block) = reader.next(&mut refusals)? {
        assert_eq!(block.number, number);
        number += 1;
        for row in 0..block.rows() {
            let cells = (0..block.width).map(|column| {
                let cell = block.column(column).nth(row).unwrap();
                (!cell.is_null()).then(|| String::from_utf8(cell.value(block.text(), block.quote)).unwrap())
            });
            rows.push(cells.collect());
        }
    }
    Ok(Load { names: reader.names().to_vec(), rows, total: refusals.total, refused: refusals.first })
}

fn load(text: &str) -> Load {
    read(text.as_bytes(), Options::default()).unwrap()
}

fn cells(row: &[Option<String>]) -> Vec<&str> {
    row.iter().map(|cell| cell.as_deref().unwrap_or("NULL")).collect()
}

fn refusal(line: u64, column: Option<&str>, reason: &str) -> Rejected {
    Rejected { line, column: column.map(str::to_owned), reason: reason.to_owned() }
}

#[test]
fn short_rows_are_filled_and_blank_lines_skipped() {
    let load = load("\n\r\na,b,c\n1\n\n2,\"\",\r\n\r\n \n");
    assert_eq!(load.names, ["a", "b", "c"]);
    let rows: Vec<_> = load.rows.iter().map(|row| cells(row)).collect();
    assert_eq!(rows, [["1", "NULL", "NULL"], ["2", "", "NULL"], [" ", "NULL", "NULL"]]);
    assert_eq!(load.total, 0);
}

#[test]
fn bad_rows_are_told_by_the_line_on_which_they_begin() {
    let load = load("a,b\n\"x\ny\",1\n1,2,3\n\n\"p\"q,2\nok,fine\n5,\"open\nend\n");
    assert_eq!(load.rows.iter().map(|row| cells(row)).collect::<Vec<_>>(), [["x\ny", "1"], ["ok", "fine"]]);
    let expected = [
        refusal(4, None, "the row has 3 cells and the header has 2"),
        refusal(6, Some("a"), "bad quoting: text follows a closing quote"),
        refusal(8, Some("b"), "bad quoting: a quote is never closed"),
    ];
    assert_eq!(load.refused, expected);
    assert_eq!(load.total, 3);
}

#[test]
fn bytes_that_are_not_utf_8_are_told_by_line_and_character() {
    let text = b"a,b\n1,\"fine\nr\xc3\xa9s\xffum\"\n2,ok\n\xfe,x\n";
    let load = read(text, Options::default()).unwrap();
    assert_eq!(load.rows.iter().map(|row| cells(row)).collect::<Vec<_>>(), [["2", "ok"]]);
    let expected = [
        refusal(2, Some("b"), "invalid encoding: line 3, character 4 is not UTF-8"),
        refusal(5, Some("a"), "invalid encoding: line 5, character 1 is not UTF-8"),
    ];
    assert_eq!(load.refused, expected);
}

#[test]
fn twenty_bad_rows_are_reported_and_all_are_counted() {
    let text = format!("a\n{}", "1,2\n3\n".repeat(50_000));
    let load = load(&text);
    assert_eq!((load.total, load.refused.len(), load.rows.len()), (50_000, 20, 50_000));
    assert_eq!(load.refused[19].line, 40);
}

#[test]
fn a_file_without_rows_has_columns_and_one_without_a_header_is_empty() {
    assert_eq!(load("a,b").names, ["a", "b"]);
    assert_eq!(load("a,b\n\n").rows.len(), 0);
    for text in ["", "\n\r\n", "\u{feff}"] {
        assert!(matches!(read(text.as_bytes(), Options::default()), Err(Error::Empty)), "{text:?}");
    }
}

#[test]
fn blank_lines_before_the_header_cost_nothing_but_their_lines() {
    let text = format!("{}a,b\n1,2,3\n", "\n".repeat(2 << 20));
    let load = load(&text);
    assert_eq!(load.names, ["a", "b"]);
    assert_eq!(load.refused[0].line, (2 << 20) + 2);
}

#[test]
fn a_file_of_nothing_but_bad_rows_is_read_in_one_go() {
    let text = [b"a\n".to_vec(), b"\xff\n".repeat(300_000), b"1,2\n".repeat(300_000)].concat();
    let load = read(&text, Options::default()).unwrap();
    assert_eq!((load.total, load.rows.len()), (600_000, 0));
}

#[test]
fn a_header_with_bad_quoting_is_refused() {
    for text in ["\"a\"b,c\n1,2\n", "\"a,b\n1,2\n"] {
        assert!(matches!(read(text.as_bytes(), Options::default()), Err(Error::Header { line: 1, .. })), "{text:?}");
    }
}

#[test]
fn a_row_may_be_longer_than_a_block() {
    let long = "x".repeat(3 << 20);
    let load = load(&format!("a,b\n1,\"{long}\"\n2,{long}\n"));
    assert_eq!(load.rows[0][1].as_deref(), Some(long.as_str()));
    assert_eq!(load.rows[1][1].as_deref(), Some(long.as_str()));
}

#[test]
fn a_quote_that_is_never_closed_ends_the_load_at_the_limit() {
    let mut text = b"a,b\n1,2\n3,\"".to_vec();
    text.resize(ROW_LIMIT + 100, b'x');
    assert!(matches!(read(&text, Options::default()), Err(Error::RowTooLong { line: 3 })));
}

#[test]
fn a_text_of_delimiters_is_read_in_small_blocks() {
    let width = 5_000;
    let header: Vec<_> = (0..width).map(|n| format!("c{n}")).collect();
    let text = format!("{}\n{}", header.join(","), format!("{}\n", ",".repeat(width - 1)).repeat(300));
    let mut reader = open(text.as_bytes(), Options::default()).unwrap();
    let mut rows = 0;
    while let Some(block) = reader.next(&mut Refusals::default()).unwrap() {
        assert!(block.cells.len() < BLOCK_CELLS + width);
        rows += block.rows();
    }
    assert_eq!(rows, 300);
}

/// An independent writer: quotes what must be quoted, and more when the dice say so.
fn write(rows: &Rows, delimiter: char, line_end: &str, quote_more: bool, last_end: bool) -> String {
    let mut text = String::new();
    for (number, row) in rows.iter().enumerate() {
        for (index, cell) in row.iter().enumerate() {
            if index > 0 {
                text.push(delimiter);
            }
            if let Some(value) = cell {
                let special = value.is_empty() || value.contains([delimiter, '"', '\n', '\r']);
                if special || quote_more {
                    text.push('"');
                    text.push_str(&value.replace('"', "\"\""));
                    text.push('"');
                } else {
                    text.push_str(value);
                }
            }
        }
        if last_end || number + 1 < rows.len() {
            text.push_str(line_end);
        }
    }
    text
}

fn cell() -> impl Strategy<Value = Option<String>> {
    let piece = prop_oneof![
        Just("\"".to_owned()),
        Just("\n".to_owned()),
        Just("\r".to_owned()),
        Just("\r\n".to_owned()),
        Just(",".to_owned()),
        Just(";".to_owned()),
        Just(" ".to_owned()),
        "[a-z0-9é日🦀']{0,6}",
    ];
    prop_oneof![
        1 => Just(None),
        4 => proptest::collection::vec(piece, 0..5).prop_map(|pieces| Some(pieces.concat())),
    ]
}

fn table() -> impl Strategy<Value = Rows> {
    (2_usize..6).prop_flat_map(|width| {
        let row = proptest::collection::vec(cell(), width);
        proptest::collection::vec(row, 0..30)
    })
}

proptest! {
    #[test]
    fn what_was_written_is_read(
        rows in table(),
        block in 1_usize..200,
        delimiter in prop_oneof![Just(','), Just(';'), Just('\t'), Just('|')],
        line_end in prop_oneof![Just("\n"), Just("\r\n"), Just("\r")],
        quote_more: bool,
        last_end: bool,
    ) {
        let width = rows.first().map_or(2, Vec::len);
        let header: Vec<_> = (0..width).map(|n| Some(format!("column {n}"))).collect();
        let all: Rows = std::iter::once(header).chain(rows.iter().cloned()).collect();
        let text = write(&all, delimiter, line_end, quote_more, last_end);
        let options = Options { delimiter: Some(delimiter as u8), block, ..Options::default() };
        let load = read(text.as_bytes(), options).unwrap();
        prop_assert_eq!(load.total, 0);
        prop_assert_eq!(load.rows, rows);
    }

    #[test]
    fn no_bytes_make_it_panic_and_blocks_decide_nothing(
        bytes in proptest::collection::vec(
            prop_oneof![Just(b','), Just(b'"'), Just(b'\n'), Just(b'\r'), Just(b'a'), Just(0xff_u8), any::<u8>()],
            0..300,
        ),
        block in 1_usize..100,
    ) {
        let options = Options { delimiter: Some(b','), ..Options::default() };
        let whole = read(&bytes, options);
        let pieces = read(&bytes, Options { block, ..options });
        match (whole, pieces) {
            (Ok(whole), Ok(pieces)) => {
                prop_assert_eq!(whole.rows, pieces.rows);
                prop_assert_eq!(whole.refused, pieces.refused);
            }
            (Err(whole), Err(pieces)) => prop_assert_eq!(whole.to_string(), pieces.to_string()),
            (whole, pieces) => prop_assert!(false, "{} {}", whole.is_ok(), pieces.is_ok()),
        }
    }
}

#[test]
fn a_text_of_mere_delimiters_is_refused_by_its_width() {
    let commas = vec![b','; 2 << 20];
    let told = read(&commas, Options::default()).map(drop).unwrap_err().to_string();
    assert!(told.contains("at most 10000"), "{told}");
    let text = [b"a,b\n1,2\n".as_slice(), &commas, b"\n3,4\n"].concat();
    let load = read(&text, Options::default()).unwrap();
    assert_eq!((load.rows.len(), load.total), (2, 1));
    assert_eq!(load.refused, [refusal(3, None, "the row has more than 10000 cells and the header has 2")]);
}
