use super::*;

#[test]
fn characters_are_told_whole_wherever_they_are_cut() {
    let text = "aß€😀z";
    for first in 0..text.len() {
        for second in first..text.len() {
            let mut said = Said::default();
            let parts = [&text.as_bytes()[..first], &text.as_bytes()[first..second], &text.as_bytes()[second..]];
            let told: Vec<String> = parts.iter().map(|part| said.more(part)).collect();
            assert_eq!(told.concat(), text, "{first} {second}: {told:?}");
            assert_eq!(said.rest(), "");
        }
    }
}

#[test]
fn what_is_no_character_is_told_as_such_and_holds_nothing_up() {
    let mut said = Said::default();
    assert_eq!(said.more(b"a\xff"), "a\u{fffd}");
    assert_eq!(said.more(b"\xe2\x82"), "");
    assert_eq!(said.more(b"b"), "\u{fffd}b");
    assert_eq!(said.more(b"\xf0\x9f"), "");
    assert_eq!(said.rest(), "\u{fffd}");
}
