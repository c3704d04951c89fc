use super::{Key, key_at};

fn is_key(text: &str) -> bool {
    text.parse::<Key>().is_ok()
}

#[test]
fn the_rules_for_keys_hold_to_the_letter() {
    let check = |text: &str, expected: bool| assert_eq!(is_key(text), expected, "{text:?}");
    check("", false);
    check("a", true);
    check("a b/\"quoted\"/'x'/ünï/日本.csv", true);
    check("a\0b", false);
    check("a\rb", false);
    check("a\nb", false);
    check("a\tb", false);
    check("a\u{1}b", true);
    check("/a", false);
    check("a/", false);
    check("a//b", false);
    check("..", false);
    check("a/../b", false);
    check("a/..", false);
    check("..a/b..", true);
    check("./a", true);
    check("%2e%2e/a", true);
    check("a\\..\\b", true);
}

#[test]
fn lengths_are_counted_in_bytes() {
    let nested = |length: usize| format!("{}b", "a/".repeat(length / 2)).chars().take(length).collect::<String>();
    assert!(is_key(&nested(1023)));
    assert!(is_key(&format!("{}bb", "a/".repeat(511))));
    assert!(!is_key(&format!("{}bbb", "a/".repeat(511))));
    assert!(is_key(&"x".repeat(255)));
    assert!(!is_key(&"x".repeat(256)));
    assert!(!is_key(&"ü".repeat(128)));
}

#[test]
fn the_lakes_own_prefixes_are_reserved() {
    let check = |text: &str, reserved: bool, path: &str| {
        let key: Key = text.parse().expect("a key");
        assert_eq!((key.is_reserved(), key.path().as_str()), (reserved, path));
        assert_eq!(key_at(path), text);
    };
    check("_lake/format.json", true, "_lake/format.json");
    check("tables/x/data/y.parquet", true, "tables/x/data/y.parquet");
    check("indexes/x", true, "indexes/x");
    check("runs/x", true, "runs/x");
    check("tables", false, "objects/tables");
    check("_vectors/x", false, "objects/_vectors/x");
    check("objects/x", false, "objects/objects/x");
    check("./_lake/x", false, "objects/./_lake/x");
}
