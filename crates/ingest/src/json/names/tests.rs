use super::*;
use crate::json::parse::record;

fn names(fixed: &[&str], records: &[&str]) -> Names {
    let mut names = Names::new(fixed.iter().map(|name| (*name).to_owned()).collect());
    for text in records {
        record(text.as_bytes(), &mut names, &mut Vec::new(), &mut Vec::new()).unwrap();
    }
    names
}

fn check(fixed: &[&str], records: &[&str], expected: &[&str]) {
    assert_eq!(names(fixed, records).settle().unwrap(), expected, "{records:?}");
}

#[test]
fn columns_stand_in_the_order_in_which_keys_are_seen() {
    check(&[], &[r#"{"b":1,"a":{"y":1,"x":2}}"#, r#"{"c":1,"a":{"z":1},"b":2}"#], &["b", "a.y", "a.x", "c", "a.z"]);
}

#[test]
fn null_makes_a_column_unless_the_key_holds_objects() {
    check(&[], &[r#"{"a":null,"b":null}"#, r#"{"a":{"x":1}}"#], &["b", "a.x"]);
    check(&[], &[r#"{"a":{}}"#], &["a"]);
    check(&[], &[r#"{"a":1}"#, r#"{"a":{"x":1}}"#], &["a", "a.x"]);
}

#[test]
fn the_columns_of_a_table_come_first() {
    check(&["x", "a.b"], &[r#"{"n":1,"a":{"b":1,"c":2}}"#, r#"{"a":null}"#], &["x", "a.b", "n", "a.c"]);
    check(&["a.b"], &[r#"{"a":null}"#], &["a.b"]);
    check(&["a.b"], &[r#"{"a.b":1}"#], &["a.b"]);
}

#[test]
fn only_keys_that_change_the_columns_make_them_grow() {
    let mut names = names(&[], &[r#"{"a":1,"b":null,"c":{"d":1}}"#]);
    names.settle().unwrap();
    let mut grows = |text: &str| {
        record(text.as_bytes(), &mut names, &mut Vec::new(), &mut Vec::new()).unwrap();
        let grows = names.has_grown();
        names.settle().unwrap();
        grows
    };
    assert!(!grows(r#"{"c":{"d":2},"a":2,"b":"x"}"#));
    assert!(!grows(r#"{"c":null}"#));
    assert!(grows(r#"{"c":1}"#));
    assert!(grows(r#"{"a":{"x":1}}"#));
    assert!(!grows(r#"{"a":{"x":1}}"#));
}

#[test]
fn a_million_keys_are_too_many() {
    let text: String = (0..1_000_000).map(|key| format!("\"k{key}\":1,")).collect();
    let text = format!("{{{}}}", text.trim_end_matches(','));
    let mut names = Names::new(Vec::new());
    let flaw = record(text.as_bytes(), &mut names, &mut Vec::new(), &mut Vec::new()).unwrap_err();
    assert_eq!(flaw, Flaw::TooManyKeys);
}
