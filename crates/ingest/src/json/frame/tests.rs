use super::*;

/// The records of a text that arrives in pieces of `piece` bytes; an error as `line: reason` would tell it.
fn records(mut framing: Framing, text: &str, piece: usize) -> Result<Vec<String>, &'static str> {
    let text = text.as_bytes();
    let mut found = Vec::new();
    let (mut from, mut to) = (0, piece.min(text.len()));
    loop {
        let end = to == text.len();
        match framing.step(&text[from..to], 0, end) {
            Step::Record { begin, end, next } => {
                found.push(String::from_utf8(text[from + begin..from + end].to_vec()).unwrap());
                from += next;
            }
            Step::Broken { reason, .. } => return Err(reason),
            Step::Nothing if end => return Ok(found),
            Step::Nothing => {
                from = to;
                to = (to + piece).min(text.len());
            }
            Step::Partial { begin } => {
                assert!(!end);
                from += begin;
                to = (to + piece).min(text.len());
            }
        }
    }
}

fn check(framing: Framing, text: &str, expected: Result<&[&str], &str>) {
    for piece in [1, 2, 3, 5, 1000] {
        let found = records(framing, text, piece);
        let found = found.as_ref().map(|records| records.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(found.as_ref().map(Vec::as_slice).map_err(|reason| **reason), expected, "{text:?} by {piece}");
    }
}

const VALUES: Framing = Framing::Values(Place::Begin);

#[test]
fn lines_are_records_and_blank_ones_are_none() {
    check(Framing::Lines, "{}\n \r\n\n[1\n\"", Ok(&["{}", "[1", "\""]));
    check(Framing::Lines, "{\"a\":1}\r\n{}", Ok(&["{\"a\":1}\r", "{}"]));
    check(Framing::Lines, "", Ok(&[]));
}

#[test]
fn an_array_holds_records() {
    check(VALUES, "[]", Ok(&[]));
    check(
        VALUES,
        " [ {\"a\":\"]}\\\"\"} , 1.5,\n\"x,\" ,[[]],null ] \n",
        Ok(&["{\"a\":\"]}\\\"\"}", "1.5", "\"x,\"", "[[]]", "null"]),
    );
}

#[test]
fn records_may_stand_one_after_the_other() {
    check(VALUES, "{\n\"a\": {}\n}\n{}{} ", Ok(&["{\n\"a\": {}\n}", "{}", "{}"]));
    check(VALUES, "{} }", Ok(&["{}", "}"]));
    check(VALUES, "{\"a\":1", Ok(&["{\"a\":1"]));
}

#[test]
fn a_broken_array_is_no_file() {
    for (text, reason) in [
        ("[", "the array is never closed"),
        ("[{}", "the array is never closed"),
        ("[{},", "the array is never closed"),
        ("[{} {}]", "a comma or the end of the array is missing"),
        ("[{},]", "a comma stands before the end of the array"),
        ("[,{}]", "a comma stands before no value"),
        ("[{},,{}]", "a comma stands before no value"),
        ("[{}]x", "something follows the array"),
        ("[{}][", "something follows the array"),
        ("[{\"a\":1", "the file ends inside the value that begins there"),
    ] {
        check(VALUES, text, Err(reason));
    }
}
