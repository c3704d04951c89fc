use serde_json::json;

use super::*;

#[test]
fn data_cannot_steer_the_terminal() {
    assert_eq!(cell(&json!("a\u{1b}[2Jb\nc")), "a\\u{1b}[2Jb\\nc");
    assert_eq!(cell(&json!("żółw 東京")), "żółw 東京");
}

#[test]
fn numbers_are_grouped_by_thousands() {
    let check = |number, text| assert_eq!(grouped(number), text);
    check(0, "0");
    check(999, "999");
    check(1000, "1,000");
    check(1_234_567, "1,234,567");
}

#[test]
fn facts_are_told_one_entry_a_line() {
    let told = described("diff", &json!({ "added": ["shift"], "removed": [], "type": null }));
    assert_eq!(told, ["diff:", "  added: shift"]);
    let columns = json!({ "added": [{ "name": "rate", "position": 9 }, { "name": "shift", "position": 10 }] });
    assert_eq!(
        described("diff", &columns),
        ["diff:", "  added: name rate, position 9", "  added: name shift, position 10"]
    );
    assert_eq!(described("rows", &json!([{ "line": 3, "reason": "long" }])), ["rows:", "  line 3, reason long"]);
    assert_eq!(described("line", &json!(7)), ["line: 7"]);
}

fn cities() -> Sheet {
    Sheet {
        header: vec!["name".to_owned(), "rows".to_owned()],
        rows: vec![vec!["a, \"b\"\n| c\u{1b}[2J".to_owned(), "12,345".to_owned()], vec![String::new(), "7".to_owned()]],
        numeric: vec![false, true],
    }
}

#[test]
fn a_sheet_is_csv_that_reads_back() {
    assert_eq!(cities().csv(), "name,rows\n\"a, \"\"b\"\"\n| c\u{1b}[2J\",12345\n,7");
}

#[test]
fn a_sheet_is_markdown_whose_cells_stay_cells() {
    let told = "| name | rows |\n| --- | --: |\n| a, \"b\"\\n\\| c\\u{1b}[2J | 12,345 |\n|  | 7 |";
    assert_eq!(cities().markdown(), told);
}

#[test]
fn a_sheet_for_eyes_cannot_steer_the_terminal() {
    assert_eq!(cities().tabbed(), "name\trows\na, \"b\"\\n| c\\u{1b}[2J\t12,345\n\t7");
    let drawn = cities().drawn();
    assert!(drawn.contains("\\u{1b}[2J") && !drawn.contains('\u{1b}'), "{drawn}");
}

#[test]
fn documents_become_rows() {
    let one = Sheet::of(&json!({ "version": 3, "tags": ["a"], "note": null }));
    assert_eq!(one.csv(), "what,value\nnote,NULL\ntags,\"[\"\"a\"\"]\"\nversion,3");
    let many = Sheet::of(&json!([{ "a": 1 }, { "b": "x", "a": 2 }]));
    assert_eq!(many.csv(), "a,b\n1,\n2,x");
}

#[test]
fn colours_are_for_terminals_that_want_them() {
    let on = |terminal, environment: &Environment| Output::to(terminal, None, environment).bold("x");
    let bright = "\u{1b}[1mx\u{1b}[0m";
    assert_eq!(on(true, &Environment::default()), bright);
    assert_eq!(on(false, &Environment::default()), "x");
    assert_eq!(on(true, &Environment::from([("NO_COLOR", "1")])), "x");
    assert_eq!(on(true, &Environment::from([("NO_COLOR", "")])), bright, "an empty one says nothing");
    assert_eq!(on(true, &Environment::from([("TERM", "dumb")])), "x");
}

/// One of each: commands to a terminal of seven bits, of eight bits, and turns of the direction of reading.
const HOSTILE: &str = "a\u{1b}]0;x\u{7}\u{1b}[2J\u{7f}\u{85}\u{9b}2J\u{9d}\u{202e}\u{2066}\u{200e}\u{200f}\u{61c}ż\t\n";

#[test]
fn what_steers_is_spelled_out_in_words_and_in_json() {
    let told =
        "a\\u{1b}]0;x\\u{7}\\u{1b}[2J\\u{7f}\\u{85}\\u{9b}2J\\u{9d}\\u{202e}\\u{2066}\\u{200e}\\u{200f}\\u{61c}ż\t\n";
    assert_eq!(seen::text(HOSTILE), told);
    assert_eq!(cell(&json!(HOSTILE)), told.replace('\t', "\\t").replace('\n', "\\n"));
    let document = json!({ HOSTILE: HOSTILE });
    let shown = seen::json(&document.to_string());
    assert!(!shown.contains(mcp::unseen::steers), "{shown:?}");
    assert_eq!(serde_json::from_str::<Value>(&shown).expect("JSON"), document);
}

#[test]
fn only_our_own_styles_pass() {
    let words = format!("{}x{} \u{1b}[31m {}y", seen::BOLD, seen::PLAIN, seen::DIM);
    assert_eq!(seen::styled(&words), "\u{1b}[1mx\u{1b}[0m \\u{1b}[31m \u{1b}[2my");
    let name = Output::to(true, None, &Environment::default()).bold("\u{1b}[0m\u{9b}");
    assert_eq!(name, "\u{1b}[1m\\u{1b}[0m\\u{9b}\u{1b}[0m");
}

#[test]
fn a_stream_is_shown_the_same_wherever_it_breaks() {
    let whole = [HOSTILE.as_bytes(), b"\x9b\xc5"].concat();
    for piece in 1..whole.len() {
        let mut out = Vec::new();
        let mut screen = Screen::new(&mut out, client::Format::Csv);
        whole.chunks(piece).for_each(|piece| screen.show(piece).expect("shown"));
        screen.end().expect("ended");
        assert_eq!(String::from_utf8(out).expect("text"), seen::text(HOSTILE) + "\u{fffd}\u{fffd}");
    }
}
