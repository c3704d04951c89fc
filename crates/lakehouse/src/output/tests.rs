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
