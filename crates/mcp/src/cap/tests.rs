use serde_json::json;

use super::*;

fn kept(items: Vec<Value>) -> (usize, bool) {
    let Capped { items, truncated } = cap(items);
    (items.len(), truncated)
}

#[test]
fn what_fits_is_given_and_what_is_cut_says_so() {
    assert_eq!(kept(Vec::new()), (0, false));
    assert_eq!(kept(vec![json!(1); ITEMS]), (ITEMS, false));
    assert_eq!(kept(vec![json!(1); ITEMS + 1]), (ITEMS, true));
    // Each takes 10,003 bytes with its comma, so that four fit.
    assert_eq!(kept(vec![json!("x".repeat(10_000)); 4]), (4, false));
    assert_eq!(kept(vec![json!("x".repeat(10_000)); 9]), (4, true));
    assert_eq!(kept(vec![json!("x".repeat(BYTES)), json!(1)]), (0, true));
}

#[test]
fn columns_are_bounded_by_their_bytes_alone() {
    let narrow = fitting(vec![json!(1); ITEMS * 10]);
    assert_eq!((narrow.items.len(), narrow.truncated), (ITEMS * 10, false));
    let wide = fitting(vec![json!("x".repeat(100)); ITEMS * 10]);
    assert!(wide.truncated && wide.items.len() * 103 <= BYTES, "{}", wide.items.len());
}
