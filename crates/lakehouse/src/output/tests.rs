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
