use super::allows;

#[test]
fn one_allowed_choice_is_enough() {
    assert!(allows("GPL-3.0 OR MIT"));
    assert!(allows("MIT/Apache-2.0"));
    assert!(allows("Apache-2.0 WITH LLVM-exception OR Apache-2.0 OR MIT"));
}

#[test]
fn every_part_of_a_conjunction_must_be_allowed() {
    assert!(allows("(MIT OR Apache-2.0) AND Unicode-3.0"));
    assert!(allows("Apache-2.0 AND (MIT OR GPL-3.0)"));
    assert!(!allows("MIT AND GPL-3.0"));
    assert!(!allows("(MIT OR Apache-2.0) AND OpenSSL"));
}

#[test]
fn nothing_stated_and_nonsense_are_refused() {
    assert!(!allows("no licence stated"));
    assert!(!allows("MIT)"));
    assert!(!allows(""));
}
