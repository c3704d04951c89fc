use super::*;

#[test]
fn what_turns_the_direction_of_reading_steers_and_is_unseen() {
    for c in ['\u{61c}', '\u{200e}', '\u{200f}', '\u{202a}', '\u{202e}', '\u{2066}', '\u{2069}'] {
        assert!(steers(c) && is_unseen(c), "{c:?}");
    }
    for c in ['\u{ad}', '\u{200b}', '\u{feff}', '\u{2028}', '\u{e0041}', '\u{e0100}'] {
        assert!(!steers(c) && is_unseen(c), "{c:?}");
    }
    for c in ['a', 'ż', '東', 'ש', '👍', '\u{fe0f}', ' '] {
        assert!(!steers(c) && !is_unseen(c), "{c:?}");
    }
    assert!(steers('\n') && !is_unseen('\n') && steers('\u{9b}') && is_unseen('\t'));
}
