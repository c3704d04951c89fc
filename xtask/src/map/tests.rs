use super::{BEGIN, END, opening, replace};

#[test]
fn a_crate_says_what_it_is_for_up_to_its_reading_order() {
    let source = "//! Bytes at rest.\n//!\n//! It never parses. Reading order:\n//! [`key`].\n\npub mod key;\n";
    assert_eq!(opening(source), "Bytes at rest. It never parses.");
}

#[test]
fn only_the_text_between_the_marks_changes() {
    let text = format!("# Map\n{BEGIN}old\n{END}\nrest\n");
    assert_eq!(replace(&text, "new\n").unwrap(), format!("# Map\n{BEGIN}new\n{END}\nrest\n"));
    assert!(replace("no marks", "new\n").is_err());
}
