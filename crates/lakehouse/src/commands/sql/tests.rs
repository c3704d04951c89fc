use serde_json::json;

use super::*;

#[test]
fn statements_end_at_semicolons_outside_quotes_and_comments() {
    let check = |text: &str, expected: &[&str]| assert_eq!(statements(text), expected, "{text}");
    check("SELECT 1", &["SELECT 1"]);
    check("SELECT 1;; SELECT 2 ;\n", &["SELECT 1", "SELECT 2"]);
    check("SELECT ';' ; SELECT \";\"", &["SELECT ';'", "SELECT \";\""]);
    check("SELECT 1 -- not; here\n; SELECT 2", &["SELECT 1 -- not; here", "SELECT 2"]);
    check("SELECT /* ; */ 'it''s; fine'", &["SELECT /* ; */ 'it''s; fine'"]);
    check("SELECT 'open ; quote", &["SELECT 'open ; quote"]);
    check("  ;  ", &[]);
}

#[test]
fn parameters_are_json_or_plain_words() {
    assert_eq!(parameter("12"), json!(12));
    assert_eq!(parameter("null"), json!(null));
    assert_eq!(parameter("Toledo"), json!("Toledo"));
    assert_eq!(parameter("\"12\""), json!("12"));
}
