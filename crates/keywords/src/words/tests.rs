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
    check(
        "She drives school BUSES, and heals headaches.",
        &["she", "drive", "school", "bus", "and", "heal", "headache"],
    );
}

#[test]
fn marks_that_are_vowels_or_make_another_letter_stay() {
    check("दिन दान दीन", &["दिन", "दान", "दीन"]);
    check("バス ハス パス ﾊﾞｽ", &["バス", "ハス", "パス", "バス"]);
    check("한국 ม่ தமிழ்", &["한국", "ม่", "தமிழ்"]);
    let decomposed = "ba\u{301}s ハ\u{3099}ス";
    check(decomposed, &["bas", "バス"]);
}

#[test]
fn points_and_accents_may_be_left_out() {
    check("שָׁלוֹם שלום", &["שלום", "שלום"]);
    check("كَتَبَ كتب أحمد احمد", &["كتب", "كتب", "احمد", "احمد"]);
    check("Việt ёлка Ἀθήνα", &["viet", "елка", "αθηνα"]);
}

/// Whoever asks writes a word alone that a text has among others.
#[test]
fn a_word_is_the_same_alone_and_in_a_sentence() {
    let text = "Zürich's C++ boxes, node.js (DELIVERIES) — the ΟΔΟΣ, 3.5 headaches; दिन バス.";
    let alone = ["Zürich", "C++", "box", "node", "js", "delivery", "the", "οδός", "3.5", "headache", "दिन", "バス"];
    check(text, &alone.map(|word| words(word).collect::<String>()).each_ref().map(String::as_str));
}
