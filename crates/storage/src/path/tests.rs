use proptest::prelude::*;

use super::{MAX_COMPONENT, decode, encode};

#[test]
fn names_are_stored_as_they_are_but_for_what_stores_refuse() {
    let check = |path: &str, stored: &str| assert_eq!(encode(path).expect(path).as_ref(), stored);
    check("a b/\"c\"/ü/日本", "a b/\"c\"/ü/日本");
    check("100%", "100%");
    check("%zz/%4", "%zz/%4");
    check("%41", "%2541");
    check("./x/.", "%2E/x/%2E");
    check("a/../b", "a/%2E%2E/b");
    check("...", "...");
    check("bell\u{7}\u{7f}", "bell%07%7F");
}

#[test]
fn names_of_other_engines_below_tables_are_left_alone() {
    for path in ["tables/t/data/k=a%2Fb/0.parquet", "tables/t/data/k=50%25/%C3%A9 é.parquet"] {
        let stored = encode(path).expect(path);
        assert_eq!((stored.as_ref(), decode(stored.as_ref()).as_str()), (path, path));
    }
    assert!(encode("tables/../x").is_err(), "what no store takes is refused");
}

#[test]
fn what_cannot_be_stored_is_refused() {
    for path in ["", "/a", "a/", "a//b"] {
        assert!(encode(path).is_err(), "{path:?}");
    }
    assert!(encode(&"x".repeat(MAX_COMPONENT)).is_ok());
    assert!(encode(&"x".repeat(MAX_COMPONENT + 1)).is_err());
    assert!(encode(&"\u{1}".repeat(86)).is_err(), "the limit holds after escaping");
}

proptest! {
    #[test]
    fn a_stored_name_reads_back_as_the_name(path in "([a-f0-9%.\\x01\\x7f ü]{1,12}/){0,3}[%a-f0-9.\\x02é]{1,12}") {
        let stored = encode(&path).expect("fits");
        prop_assert_eq!(decode(stored.as_ref()), path);
    }

    #[test]
    fn any_text_without_empty_components_reads_back(path in "\\PC{1,40}") {
        if let Ok(stored) = encode(&path) {
            prop_assert_eq!(decode(stored.as_ref()), path);
        }
    }

    #[test]
    fn two_names_never_share_a_stored_form(one in "[%25aA.\\x01]{1,8}", two in "[%25aA.\\x01]{1,8}") {
        let stored = (encode(&one).expect("fits"), encode(&two).expect("fits"));
        prop_assert_eq!(stored.0 == stored.1, one == two);
    }
}
