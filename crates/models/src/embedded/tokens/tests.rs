use super::*;

#[test]
fn windows_overlap_and_have_every_token() {
    for count in [0, 1, ROOM - 1, ROOM, ROOM + 1, 2 * ROOM - OVERLAP, 2 * ROOM - OVERLAP + 1, 5000] {
        let tokens: Vec<u32> = (1000..).take(count).collect();
        let windows = overlapping(&tokens);
        let mut seen = Vec::new();
        for window in &windows {
            assert!(window.len() <= LIMIT && window.first() == Some(&BEGIN) && window.last() == Some(&END));
            let inner = &window[1..window.len() - 1];
            let known = if seen.is_empty() { 0 } else { OVERLAP };
            assert_eq!(seen[seen.len() - known..], inner[..known], "{count}");
            seen.extend_from_slice(&inner[known..]);
        }
        assert_eq!(seen, tokens);
        assert_eq!(windows.len(), if count <= ROOM { 1 } else { (count - OVERLAP).div_ceil(ROOM - OVERLAP) });
    }
}

#[test]
fn pieces_are_the_text_and_begin_with_white_space() {
    let words = "some words and é and 漢字 ".repeat(4000);
    let parts: Vec<&str> = pieces(&words).collect();
    assert!(parts.len() > 4 && parts.iter().all(|part| part.len() <= PIECE + 100));
    assert!(parts[1..].iter().all(|part| part.starts_with(' ')));
    assert_eq!(parts.concat(), words);
}

#[test]
fn a_text_without_white_space_is_cut_between_letters() {
    let text = "漢".repeat(100_000);
    let parts: Vec<&str> = pieces(&text).collect();
    assert_eq!(parts.concat(), text);
    assert!(parts.len() > 1 && parts.iter().all(|part| part.len() <= PIECE + LONGEST_WORD + 3));
    assert_eq!(pieces("").count(), 0);
}
