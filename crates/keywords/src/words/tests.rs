use super::words;

fn check(text: &str, expected: &[&str]) {
    assert_eq!(words(text).collect::<Vec<_>>(), expected, "{text:?}");
}

#[test]
fn words_are_cut_by_unicodes_rules_and_folded() {
    check("", &[]);
    check(" -- !! ", &[]);
    check("Drives a forklift, safely.", &["drive", "a", "forklift", "safely"]);
    check("Ärztin für Zürich; ÉLÈVE naïve Straße", &["arztin", "fur", "zurich", "eleve", "naive", "strasse"]);
    check("łódź Ørsted ﬁne", &["lodz", "orsted", "fine"]);
    check("ΟΔΟΣ οδός İstanbul", &["οδοσ", "οδοσ", "istanbul"]);
    check("the nurse's O’Neil", &["the", "nurse", "oneil"]);
    check(
        "e-mail and/or Node.js end.Start 3.5 1,000",
        &["e", "mail", "and", "or", "node", "js", "end", "start", "3.5", "1,000"],
    );
    check("倉庫 работа", &["倉", "庫", "работа"]);
}

#[test]
fn signs_that_name_things_stay_with_their_word() {
    check("C++, C# (and F#) but A+B", &["c++", "c#", "and", "f#", "but", "a", "b"]);
}

#[test]
fn the_plural_is_the_singular() {
    for [plural, singular] in [
        ["forklifts", "forklift"],
        ["deliveries", "delivery"],
        ["nurses", "nurse"],
        ["boxes", "box"],
        ["benches", "bench"],
        ["employees", "employee"],
        ["shoes", "shoe"],
        ["sizes", "size"],
        ["glasses", "glass"],
    ] {
        check(plural, &[singular]);
    }
    for whole in ["glass", "bus", "gas", "analysis", "as", "his", "this"] {
        check(whole, &[whole]);
    }
}

#[test]
fn a_word_is_the_same_wherever_it_stands() {
    for text in ["Zürich's C++ boxes, node.js — DELIVERIES", "ΟΔΟΣ ΟΔΟΣ"] {
        let once: Vec<String> = words(text).collect();
        let again: Vec<String> = once.iter().flat_map(|word| words(word).collect::<Vec<_>>()).collect();
        assert_eq!(once, again, "what is folded is folded for good");
    }
}
